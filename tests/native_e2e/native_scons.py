"""SCons projects of native crates, and a look inside what they built."""

from __future__ import annotations

from pathlib import Path

from cratewright.formats.metadata import decode_rlib, decode_rlink
from cratewright.values.module import ModuleCodegen
from cratewright_native.toolchains.probe import cache_directory
from tests.support.native_project import named
from tests.support.scons_project import IN_PLACE, SconsProject

__all__ = ["HEADER", "WITH_C", "NativeProject"]

HEADER = """\
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=["install", "textfile", cratewright.tool], CRATE_BACKEND="native", CRATE_PROFILE="release")
"""
"""The start of an SConstruct. SCons's own C tools are left out: they ask each compiler for its version in every run."""

WITH_C = HEADER.replace('"install", "textfile"', '"default"')
"""The start of an SConstruct that also uses SCons's own C builders."""


class NativeProject(SconsProject):
    """A project built with one kind of toolchain; its SConstructs start with `header`."""

    header = HEADER

    def __init__(self, path: Path, kind: str, *, form: str = IN_PLACE) -> None:
        super().__init__(path, form=form)
        self.kind = kind
        self.environ["CRATE_CC"] = named(kind)
        # zig builds its C and C++ libraries once per cache directory, which takes a minute or two.
        self.timeout = 300
        self.environ["XDG_CACHE_HOME"] = str(cache_directory().parent)

    def crates(self, sconstruct: str, files: dict[str, str]) -> None:
        """Write an SConstruct, after `header`, and sources."""
        self.write({"SConstruct": self.header + sconstruct, **files})

    def modules(self, crate: str) -> dict[str, ModuleCodegen]:
        """Return the modules of a crate's rlib by name."""
        rlib = self.path / f"lib{crate}.rlib"
        return {module.name: module for module in decode_rlib(rlib.read_bytes(), path=str(rlib)).modules}

    def linked_modules(self, crate: str) -> dict[str, ModuleCodegen]:
        """Return the modules of a crate's rlink by name: as codegen left them."""
        rlink = self.path / f"{crate}.rlink"
        return {module.name: module for module in decode_rlink(rlink.read_bytes(), path=str(rlink)).modules}
