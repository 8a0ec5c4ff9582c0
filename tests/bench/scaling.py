"""Compilers that sleep, with more workers than processors, so that what remains is our own overhead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .builds import anew, shaders
from .case import OURS, Case, Goal, Way
from .measure import scons

__all__ = ["cases", "starts"]

SPAWN = "CRATE_WORKERS=spawn"

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
    """Return builds whose ideal time is that of all sleeping units divided by the number of workers."""
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
    goal = Goal("ideal / wall", lambda costs: UNITS * SECONDS / costs[OURS].wall, 0.9, least=True)
    ways = [Way(OURS, scons(jobs=workers), write, begin)]
    return Case(name, ways, "workers", workers, [goal], rounds=3)


def starts() -> list[Case]:
    """Return a small build with forked workers, and with workers that are new interpreters."""
    made = shaders(10, 1)
    ways = [
        replace(made, name=name, environ={**made.environ, "CRATE_WORKERS": kind}, begin=anew)
        for name, kind in ((OURS, "fork"), (SPAWN, "spawn"))
    ]
    goal = Goal("seconds more by spawn, wall", lambda costs: costs[SPAWN].wall - costs[OURS].wall, 0.3)
    return [Case("10 shaders, all to do", ways, goals=[goal])]
