"""The graph of a workspace with linkages on its edges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cratewright.workspace.declaration import read_workspace
from cratewright.workspace.picture import draw


def _crate(name: str, types: str, *deps: str, rest: str = "") -> str:
    uses = ", ".join(dep if dep.startswith("{") else f"'{dep}'" for dep in deps)
    return f"[crate.{name}]\nsources = ['x']\ntype = {types.split()!r}\ndeps = [{uses}]\n{rest}"


MATHS = _crate("maths", "rlib")
PICTURES = {
    "static": _crate("app", "bin", "lib", "maths") + _crate("lib", "rlib", "maths") + MATHS,
    # The program prefers dylibs and gets one that contains `maths`; the archive takes rlibs.
    "dynamic": _crate("app", "bin", "lib", "maths", rest="prefer-dynamic = true\n")
    + _crate("archive", "staticlib cdylib", "lib", rest="profile = 'shared'\n")
    + "[profile.shared]\nprefer-dynamic = true\n"
    + _crate("lib", "rlib dylib", "maths")
    + MATHS,
    "only_rlibs": _crate("lib", "rlib", "maths") + MATHS,
    "a_linked_crate_below_another": _crate("app", "bin", "mid") + _crate("mid", "rlib cdylib", "maths") + MATHS,
    "elsewhere": _crate("app", "bin", "far", "{ path = 'pre/libold.rlib' }", "{ name = 'maths', optional = true }")
    + MATHS,
    "conflict": _crate("app", "bin", "one", "two") + _crate("one", "dylib", "maths") + _crate("two", "dylib", "maths")
    + MATHS,
}  # fmt: skip


@pytest.mark.parametrize("style", ["mermaid", "dot"])
@pytest.mark.parametrize("name", PICTURES)
def test_picture(golden: Callable[[str, str], None], name: str, style: str) -> None:
    golden(f"workspace/picture_{name}.{style}", draw(read_workspace(PICTURES[name].encode(), path="f"), style))
