"""Projects of shaders: the header of their SConstruct, and sources that many tests use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.scons_project import SconsProject

__all__ = ["HEADER", "STORE", "WITH_C", "ShaderProject", "compute"]

HEADER = """\
import cratewright
DefaultEnvironment(tools=[])
tools = ["filesystem", "install", "textfile", cratewright.tool]
env = Environment(tools=tools, CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3")
"""
"""The header of an SConstruct, without C compilers, for which SCons searches long."""

WITH_C = HEADER.replace('"filesystem", "install", "textfile"', '"default"')
"""The header of one that embeds images or builds programs."""

STORE = "layout(set = 0, binding = 0) buffer Store { float data[]; } store;\n"


def compute(body: str, *, before: str = "", size: int = 64) -> str:
    """Return a compute shader with a buffer `store.data` and the index `i`."""
    return (
        f"#version 460\nlayout(local_size_x = {size}) in;\n{STORE}{before}\n"
        f"void main() {{\n    uint i = gl_GlobalInvocationID.x;\n    {body}\n}}\n"
    )


class ShaderProject(SconsProject):
    """A project with the `spirv` backend, whose SConstruct begins with `header`."""

    header = HEADER

    def crates(self, text: str, files: Mapping[str, str | bytes] | None = None) -> None:
        """Write files, and an SConstruct that declares crates."""
        self.write({"SConstruct": self.header + text, **(files or {})})

    def error(self) -> str:
        """Return the error output of the last run."""
        return self.errors.lstrip("\n")

    def manifest(self, crate: str) -> dict[str, Any]:
        """Return a crate's manifest."""
        found: dict[str, Any] = json.loads(self.read(f"{crate}.spv.json"))
        return found

    def images(self, crate: str) -> list[str]:
        """Return the names of a multi-module image's files."""
        return sorted(path.name for path in (self.path / f"{crate}.spvs").iterdir())
