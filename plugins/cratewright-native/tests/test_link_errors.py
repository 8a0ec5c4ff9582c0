"""Errors of final links: they name symbols, crates and sources."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from cratewright import (
    CrateType,
    LinkError,
    LtoMode,
)
from tests.support.native_link import PROGRAM, finished, link, request_for
from tests.support.native_project import Project, skip_without_thin

LTO = [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT]


def test_undefined_symbol(project: Project) -> None:
    request = request_for(project, {"app": PROGRAM["app"]})
    with pytest.raises(LinkError, match="crate 'app' uses undefined symbols: twice") as caught:
        link(project, request)
    for place in (str(project.root), "/tmp/", "/dev/shm/"):
        assert place not in str(caught.value)


def test_message_is_deterministic(project_with: Callable[[str], Project]) -> None:
    """By default lld names three of the eight places, in the order in which its threads find them."""
    project = project_with("llvm")
    names = [f"u{number}" for number in range(8)]
    app = {f"{name}.c": f"int nope(int);\nint {name}(int x) {{ return nope(x); }}\n" for name in names}
    declared = "".join(f"int {name}(int);\n" for name in names)
    app["main.c"] = f"{declared}int main(void) {{ return {' + '.join(f'{name}(1)' for name in names)}; }}\n"
    request = request_for(project, {"app": app})
    texts = set()
    for _ in range(6):
        with pytest.raises(LinkError) as caught:
            link(project, request)
        texts.add(str(caught.value))
    assert len(texts) == 1


@pytest.mark.exhaustive(project="zig")  # it links with lld, as LLVM does
@pytest.mark.parametrize("lto", LTO, ids=str)
def test_errors_name_crates_and_sources(project: Project, lto: LtoMode) -> None:
    """Not the temporary files of the link; also for odd file names and for errors in linker scripts."""
    skip_without_thin(project, lto)
    app = {"main.c": "int f(void);\nint main(void) {\n  return f();\n}\n"}
    util = {"ä (1).c": "int gone(void);\nint f(void) {\n  return gone();\n}\n"}
    with pytest.raises(LinkError, match="uses undefined symbols: gone") as caught:
        finished(project, request_for(project, {"app": app, "util": util}, lto=lto, debuginfo="line"))
    line = "" if project.toolchain.kind == "gcc" and lto is LtoMode.FAT else ":3"  # gcc's LTO loses it
    assert [item.place for item in caught.value.diagnostics] == [f"ä (1).c{line}"]
    texts = [str(caught.value)]
    with pytest.raises(LinkError, match="undefined symbols: gone") as caught:
        finished(project, request_for(project, {"app": app, "util": util}, lto=lto))
    if lto is not LtoMode.THIN:  # no debug information: only the source is known, and it may be inlined
        assert [item.place for item in caught.value.diagnostics] == ["ä (1).c"]
    texts.append(str(caught.value))
    (project.root / "v.map").write_text("{ global: f g\n")
    given = {"ldflags": ["-Wl,--version-script=v.map"]}
    lib = {"f.c": "int f(void) { return 1; }\n"}
    with pytest.raises(LinkError, match="crate 'lib' cannot be linked: ") as caught:
        finished(project, request_for(project, {"lib": lib}, CrateType.CDYLIB, exported=("f",), lto=lto, **given))
    assert [item.place for item in caught.value.diagnostics] == ["v.map:1"]
    texts.append(str(caught.value))
    for text in texts:
        assert not re.search(r"/tmp/|/dev/shm/|/proc/self|[0-9a-f]{24}|dependencies\.a|merged\.o|\b\d+\.o\b", text), (
            text
        )


@pytest.mark.exhaustive(project="zig")  # it takes a minute to build its C++ library first
@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.FAT], ids=str)
def test_undefined_cxx_functions_are_demangled(project: Project, lto: LtoMode) -> None:
    source = "namespace n { int f(int, char const *); template <class T> T twice(T); }\n"
    source += 'int main() { return n::f(1, "x") + n::twice<int>(2); }\n'
    with pytest.raises(LinkError) as caught:
        finished(project, request_for(project, {"app": {"main.cpp": source}}, lto=lto, strip=True))
    assert caught.value.message.endswith("undefined symbols: n::f(int, char const*); int n::twice<int>(int)")
    assert [item.place for item in caught.value.diagnostics] == ["main.cpp"]
