"""Compilers that sleep, with more workers than there are processors: what is left is what we add ourselves.

Knows nothing of how work is shared out.
"""

from __future__ import annotations

from pathlib import Path

from .case import Case, Way
from .measure import scons

__all__ = ["cases"]

UNITS, SECONDS = 8, 1.0
BACKEND = """\
import time
import cratewright
from cratewright.testing import StubBackend

class Sleeping(StubBackend):
    NAME = "sleeping"
    def compile_codegen_unit(self, stencil):
        time.sleep({seconds})
        return super().compile_codegen_unit(stencil)

@cratewright.hookimpl
def cratewright_register_backend():
    return Sleeping
"""
SCONSTRUCT = """\
import cratewright, sleeping
cratewright.register(sleeping)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="sleeping", CRATE_CACHE="off")
for crate in range({units}):
    Default(env.Crate(f"c{{crate}}", [f"c{{crate}}/{{n}}.stub" for n in range({workers})]))
"""


def cases() -> list[Case]:
    """Return builds whose ideal is `UNITS` times what a unit sleeps, by as many workers as each has."""
    return [_case(workers) for workers in (1, 2, 16, 64)]


def _case(workers: int) -> Case:
    def write(directory: Path) -> None:
        modules = directory / "modules"
        modules.mkdir()
        (modules / "sleeping.py").write_text(BACKEND.format(seconds=SECONDS))
        (directory / "SConstruct").write_text(
            'import sys; sys.path.insert(0, "modules")\n' + SCONSTRUCT.format(units=UNITS, workers=workers)
        )
        for crate in range(UNITS):
            (directory / f"c{crate}").mkdir()
            for unit in range(workers):
                (directory / f"c{crate}" / f"{unit}.stub").write_text(f"export f{crate}_{unit} x\n")

    def begin(directory: Path, number: int) -> None:
        for pattern in ("*.rlink", "*.rlib", ".scons*"):
            for path in directory.glob(pattern):
                path.unlink()

    name = f"{UNITS * workers} units that sleep {SECONDS:g} s, {workers} worker{'s' if workers > 1 else ''}"
    return Case(name, [Way("cratewright", scons(jobs=workers), write, begin)], "workers", workers)
