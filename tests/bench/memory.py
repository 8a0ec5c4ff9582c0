"""Memory and time of builds of up to a hundred thousand units: SCons and all its workers together.

The sources are stubs in crates of fifty, which cost a compiler nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .case import Case, Goal, Way
from .measure import Cost, scons

__all__ = ["cases"]

EACH = 50
SIZES = (1_000, 10_000, 100_000)
SCONSTRUCT = """\
import cratewright
from cratewright.testing import StubBackend
class Plugin:
    @cratewright.hookimpl
    def cratewright_register_backend(self):
        return StubBackend
cratewright.register(Plugin())
DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="stub", CRATE_CACHE="off")
for crate in range({crates}):
    Default(env.Crate(f"c{{crate}}", [f"c{{crate}}/{{unit}}.stub" for unit in range({each})]))
"""


def cases() -> list[Case]:
    """Return clean and up-to-date builds of stubs."""
    most = SIZES[-1]
    memory = Goal(f"MiB, {most:,} units", lambda costs: max(cost.memory for cost in costs.values()), 2048)
    return [
        Case(
            "stubs, all to do, all processes together",
            [_way(size) for size in SIZES],
            goals=[memory],
            rounds=1,
            slow=True,
        ),
        Case(
            "stubs, nothing to do, all processes together",
            [_way(size) for size in SIZES],
            goals=[memory, Goal("a unit of 100,000 / of 10,000", _growth, 1.2)],
            rounds=3,
            slow=True,
        ),
    ]


def _growth(costs: Mapping[str, Cost]) -> float:
    less, more = (costs[f"{size:,} units"] for size in SIZES[1:])
    return more.cpu / less.cpu / (SIZES[2] / SIZES[1])


def _way(units: int) -> Way:
    return Way(f"{units:,} units", scons(), _writes(units), place=f"{units} stubs", together=True)


def _writes(units: int) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        crates = units // EACH
        (directory / "SConstruct").write_text(SCONSTRUCT.format(crates=crates, each=EACH), encoding="utf-8")
        for crate in range(crates):
            (directory / f"c{crate}").mkdir()
            for unit in range(EACH):
                text = f"export f{crate}_{unit} x\n"
                (directory / f"c{crate}" / f"{unit}.stub").write_text(text, encoding="utf-8")

    return write
