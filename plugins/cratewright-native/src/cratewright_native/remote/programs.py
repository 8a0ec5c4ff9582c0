"""Commands for another machine: which programs it needs, and how they are called there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from cratewright import program_files

from ..toolchains.toolchain import FIXED_ENVIRONMENT, WORKING_DIRECTORY, Toolchain

__all__ = ["ENVIRONMENT", "NO_ANSWER", "PORTABLE_KINDS", "SYSTEM", "portable_programs", "portable_words"]

NO_ANSWER = 126
"""From this status on, a program did not run: it is missing, or was killed."""
ENVIRONMENT = tuple(sorted({"PATH": "/usr/bin:/bin", **FIXED_ENVIRONMENT}.items()))
"""The environment of a program on another machine."""
SYSTEM = "/usr/"
"""Files of the system, which another machine has installed rather than received."""
PORTABLE_KINDS = ("llvm", "gcc")
"""The kinds of toolchains that the system installs."""
_MACHINE = (SYSTEM, "/lib/", "/lib64/", "/bin/")
_ENV = "/usr/bin/env"


def portable_programs(toolchain: Toolchain) -> Mapping[str, str] | None:
    """Return the files that another machine needs to run a toolchain, None if it is not part of the system."""
    if toolchain.kind not in PORTABLE_KINDS:
        return None
    found = _programs(toolchain)
    return found if all(path.startswith(_MACHINE) for path in found) else None


@cache
def _programs(toolchain: Toolchain) -> Mapping[str, str]:
    return program_files(toolchain.programs_run())


def portable_words(words: Sequence[str], toolchain: Toolchain) -> tuple[str, ...] | None:
    """Return a command for another machine, None if it has paths of this machine."""
    if any(toolchain.root in word for word in words) or not words[0].startswith(SYSTEM):
        return None
    if toolchain.kind == "gcc":
        # Set by the command, because its runner there may have set something else.
        return (_ENV, f"PWD={WORKING_DIRECTORY}", *words)
    return tuple(words)
