"""The toolchain of a session, chosen once in each process."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cratewright import Session

from .pass_report import PassReport
from .toolchain import Toolchain


def toolchain_for(session: Session, *, report: bool) -> Toolchain:
    """Return the toolchain of a session, which may report passes; chosen once per process.

    Raises: ToolError naming what was tried and why it failed.
    """
    return chosen(session.root, session.setting("CRATE_CC"), session.setting("CRATE_LLVM"), session.timeout, report)


@cache
def chosen(root: str, compiler: str, llvm: str, timeout: float, report: bool) -> Toolchain:
    """Choose a toolchain."""
    from .choose import choose_toolchain  # noqa: PLC0415 - a build with nothing to do does not need it

    found = choose_toolchain(root, compiler=compiler, llvm=llvm)
    return replace(found, timeout=timeout, report=PassReport() if report else None)
