"""Builds with nothing to do and with generated files, in include directories or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .case import Case, Way
from .measure import scons

__all__ = ["cases"]

CRATES, EACH, MADE = 10, 50, 40
SHADER = """\
#version 460
#include "h.h"
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer B {{ float d[]; }};
void main() {{ d[gl_GlobalInvocationID.x] *= K + {crate}.0 + {unit}.0; }}
"""
SCONSTRUCT = """\
import cratewright
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3")
for n in range({made}):
    Default(env.Command(f"{place}/m{{n}}.h", f"m{{n}}.in", Copy("$TARGET", "$SOURCE")))
for n in range({crates}):
    names = [f"c{{n}}/s{{i}}.comp" for i in range({each})]
    words = dict(crate_type="cdylib", multimodule=True, include_dirs=["inc"])
    Default(env.Crate(f"c{{n}}", names, **words))
"""
# Alternates between rounds: the place of the generated files, and the content of the header that all shaders include.
WAYS = {
    "cratewright": ("inc", "#define K 2.0\n"),
    "made in no include directory": ("elsewhere", "#define K 2.0\n"),
}
INCLUDED = {
    "cratewright": ("inc", '#include "m0.h"\n'),
    "the same, written by hand": ("elsewhere", '#include "own.h"\n'),
}


def cases() -> list[Case]:
    """Return builds in which no shader includes a generated file, and builds in which all include one."""
    about = f"nothing to do, {CRATES * EACH} units, {MADE} generated files"
    return [
        Case(f"{about}, none included", [_way(name, *words) for name, words in WAYS.items()]),
        Case(f"{about}, one included by all", [_way(name, *words) for name, words in INCLUDED.items()]),
    ]


def _way(name: str, place: str, header: str) -> Way:
    return Way(name, scons(), _writes(place, header), environ={"CRATE_CACHE": "cache"}, first=[scons()] * 4)


def _writes(place: str, header: str) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        for name in ("inc", *(f"c{crate}" for crate in range(CRATES))):
            (directory / name).mkdir()
        (directory / "inc/h.h").write_text(header)
        (directory / "inc/own.h").write_text("#define K 2.0\n")
        for number in range(MADE):
            (directory / f"m{number}.in").write_text("#define K 2.0\n")
        for crate in range(CRATES):
            for unit in range(EACH):
                (directory / f"c{crate}/s{unit}.comp").write_text(SHADER.format(crate=crate, unit=unit))
        text = SCONSTRUCT.format(place=place, made=MADE, crates=CRATES, each=EACH)
        (directory / "SConstruct").write_text(text)

    return write
