"""The toolchain of a session, chosen once in each process."""

from __future__ import annotations

from dataclasses import field, replace
from functools import cache

from cratewright import Session, dataclass

from .pass_report import PassReport
from .toolchain import Toolchain

__all__ = ["toolchain_for"]


@dataclass(slots=True)
class _Choices:
    """The toolchains of this process, by project root and the user's choice."""

    made: dict[tuple[object, ...], Toolchain] = field(default_factory=dict)


@cache
def _choices() -> _Choices:
    return _Choices()


def toolchain_for(session: Session, *, report: bool = False) -> Toolchain:
    """Return the toolchain of a session, which may report passes; chosen once per process.

    Raises: ToolError naming what was tried and why it failed.
    """
    from .choose import choose_toolchain  # noqa: PLC0415 - a build with nothing to do does not need it

    compiler, llvm, timeout = session.setting("CRATE_CC"), session.setting("CRATE_LLVM"), session.timeout
    key = (session.root, compiler, llvm, timeout, report)
    made = _choices().made
    if key not in made:
        found = choose_toolchain(session.root, compiler=compiler, llvm=llvm)
        made[key] = replace(found, timeout=timeout, report=PassReport() if report else None)
    return made[key]
