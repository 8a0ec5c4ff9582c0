"""The files of a new backend's distribution: a working one, to be changed step by step."""

from __future__ import annotations

from ..version import __version__


def template_files(name: str) -> dict[str, str]:
    """Return the files of a distribution with a backend of this name, by path."""
    module = f"cratewright_{name.replace('-', '_')}"
    kind = "".join(part.capitalize() for part in name.replace("_", "-").split("-"))
    major, minor, *_ = __version__.split(".")
    words = {
        "@NAME@": name,
        "@MODULE@": module,
        "@CLASS@": kind,
        "@SINCE@": f"{major}.{minor}",
        "@BEFORE@": f"{major}.{int(minor) + 1}",
    }

    def filled(text: str) -> str:
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text

    return {filled(path): filled(text) for path, text in _FILES.items()}


_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.21"]
build-backend = "hatchling.build"

[project]
name = "cratewright-@NAME@"
version = "0.1.0"
description = "A backend of cratewright that compiles and links .@NAME@ files."
readme = "README.md"
requires-python = ">=3.10"
dependencies = ["cratewright>=@SINCE@,<@BEFORE@"]

[project.optional-dependencies]
test = ["pytest>=8", "mypy>=1.11"]

[project.entry-points.cratewright]
@NAME@ = "@MODULE@"

[tool.hatch.build.targets.wheel]
packages = ["src/@MODULE@"]

[tool.mypy]
strict = true
files = ["src"]

[tool.pytest.ini_options]
testpaths = ["tests"]
"""

_README = """\
# cratewright-@NAME@

A backend of cratewright, crates for SCons: it compiles `.@NAME@` files, joins
them and writes `CRATE.out`. A line `include FILE` reads another file at this place.

```sh
pip install '.[test]'
python -m pytest            # the rules of every backend, and an example that SCons builds
scons -C example
```

| where | what |
|---|---|
| `src/@MODULE@/__init__.py` | the hook that registers the backend |
| `src/@MODULE@/backend.py` | the backend: change this |
| `tests/test_@MODULE@.py` | `cratewright.testing.Conformance`, with two sources of yours to change |
| `example/` | a project that uses it |

Change one method at a time and run the tests: they name each rule that the backend breaks, and say what to do.
"""

_INIT = '''\
"""The `@NAME@` backend of cratewright."""

from __future__ import annotations

import cratewright

__all__ = ["cratewright_register_backend"]


@cratewright.hookimpl
def cratewright_register_backend() -> type[cratewright.CodegenBackend]:
    """Register the backend."""
    from .backend import @CLASS@Backend

    return @CLASS@Backend
'''

_BACKEND = '''\
"""The backend: `.@NAME@` files in, one text in capitals out."""

from __future__ import annotations

import os
import posixpath

from cratewright import (
    Artifact,
    CodegenBackend,
    CompiledUnit,
    CrateType,
    LinkRequest,
    LinkResult,
    ModuleCodegen,
    Observed,
    OptionKind,
    Options,
    OptionSpec,
    SourceError,
    UnitStencil,
    content_digest,
)

__all__ = ["@CLASS@Backend"]

VERSION = "0.1.0"
"""Raise it with every change that can alter a result: it is part of each key of the cache."""


class @CLASS@Backend(CodegenBackend):
    """Joins texts."""

    NAME = "@NAME@"
    API_VERSION = 1
    TARGETS = ("text",)
    SUFFIXES = (".@NAME@",)
    OPTIONS = (
        OptionSpec(name="@OPTION@", kind=OptionKind.TEXT, default="", help="a line at the end of what is linked"),
    )
    UNIT_OPTIONS = frozenset({"defines"})
    LINK_OPTIONS = frozenset({"@OPTION@"})
    supported_crate_types = frozenset({CrateType.RLIB, CrateType.BIN})

    def fingerprint(self) -> str:
        """Return the versions of what can alter a result; for tools, their version texts or `programs_digest`."""
        return f"cratewright-@NAME@ {VERSION}"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile one source."""
        observed: dict[str, Observed] = {}
        lines = self._lines(stencil.path, stencil.source, observed)
        for name, value in stencil.options.defines:
            lines = [line.replace(name, value or "") for line in lines]
        text = "".join(f"{line.upper()}\\n" for line in lines)
        # The pipeline puts the name of the unit in front.
        module = ModuleCodegen(name=".text", data=text.encode())
        return CompiledUnit(modules=(module,), observed=tuple(observed.values()))

    def _lines(self, path: str, source: bytes, observed: dict[str, Observed]) -> list[str]:
        lines: list[str] = []
        for number, line in enumerate(source.decode().splitlines(), 1):
            word, _, name = line.partition(" ")
            if word != "include":
                lines.append(line)
                continue
            included = posixpath.normpath(posixpath.join(posixpath.dirname(path), name.strip()))
            if included in observed or included == path:
                raise SourceError.at(path, number, f"'{included}' is included twice")
            try:
                with open(os.path.join(self.session.root, included), "rb") as file:
                    data = file.read()
            except OSError:
                raise SourceError.at(path, number, f"cannot find '{included}'") from None
            # Whatever is read is reported, or a change of it would go unnoticed.
            observed[included] = Observed(included, content_digest(data))
            lines += self._lines(included, data, observed)
        return lines

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the files that `link` will make."""
        return (f"{crate}.out",)

    def link(self, request: LinkRequest) -> LinkResult:
        """Join the modules of the crate and of those it depends on."""
        text = b"".join(item.module.data for item in request.modules)
        last = request.options.text("@OPTION@")
        if last:
            text += f"{last}\\n".encode()
        return LinkResult(artifacts=(Artifact(f"{request.crate}.out", text),))
'''

_TEST = '''\
"""What cratewright asks of every backend, and what this one does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cratewright import CrateType
from cratewright.testing import Conformance, SconsProject, Trial
from @MODULE@.backend import @CLASS@Backend

EXAMPLE = Path(__file__).parents[1] / "example"


class TestRules(Conformance):
    """The rules of the contract."""

    backend = "@NAME@"
    sources = {"hello.@NAME@": "hello\\ninclude names.txt\\n", "more/world.@NAME@": "world\\n"}
    files = {"names.txt": "everybody\\n"}
    bad_source = ("bad.@NAME@", "fine\\ninclude nothing.txt\\n")

    def behaviour(self, artifacts: Mapping[str, bytes], directory: Path) -> object:
        """Return what the result says."""
        return artifacts


def test_joins_texts_in_capitals(tmp_path: Path) -> None:
    trial = Trial(
        backend=@CLASS@Backend,
        sources={"a.@NAME@": b"one\\ninclude b.txt\\n"},
        files={"b.txt": b"two\\n"},
        options={"defines": {"two": "three"}, "@OPTION@": "end"},
        crate_types=(CrateType.BIN,),
    )
    assert trial.build(str(tmp_path)).artifacts == {"trial.out": b"ONE\\nTHREE\\nend\\n"}


def test_the_example_builds(tmp_path: Path) -> None:
    project = SconsProject.copy(EXAMPLE, tmp_path / "example")
    project.scons()
    assert project.read("hello.out") == "HELLO\\nEVERYBODY\\n"
    assert project.up_to_date()
    project.write({"names.txt": "all\\n"})
    project.scons()
    assert project.rebuilt() == ["Compiling crate hello.rlink", "Linking hello.out"]
    assert project.read("hello.out") == "HELLO\\nALL\\n"
    assert project.up_to_date()
'''

_SCONSTRUCT = """\
import cratewright

env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="@NAME@")
Default(env.Crate("hello", ["hello.@NAME@"], crate_type="bin"))
"""

_CI = """\
name: tests
on: [push, pull_request]
jobs:
  tests:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.10", "3.13"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python }}
      - run: pip install '.[test]'
      - run: python -m pytest
      - run: python -m mypy
"""

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    ".gitignore": "__pycache__/\n*.rlink\n*.out\n.*.state\n.sconsign*\n.crate-cache/\ndist/\n",
    ".github/workflows/tests.yml": _CI,
    "src/@MODULE@/__init__.py": _INIT,
    "src/@MODULE@/py.typed": "",
    "src/@MODULE@/backend.py": _BACKEND.replace("@OPTION@", "last_line"),
    "tests/test_@MODULE@.py": _TEST.replace("@OPTION@", "last_line"),
    "example/SConstruct": _SCONSTRUCT,
    "example/hello.@NAME@": "hello\ninclude names.txt\n",
    "example/names.txt": "everybody\n",
}
