"""gcc with the binutils it was built for."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import ClassVar

from cratewright import dataclass, run_program

from .probe import compilers_behind, file_of, program_of
from .targets import host_target
from .toolchain import WORKING_DIRECTORY, Toolchain

_PARTS = ("cc1", "cc1plus", "lto1", "lto-wrapper", "collect2", "as", "ld", "ar")
_SHOWS_COLUMNS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Gcc(Toolchain):
    """gcc, which only has whole-program LTO.

    Shape: `program` is absolute, and `g++` and `gcc-ar` of the same suffix lie beside it.
    """

    kind: ClassVar[str] = "gcc"
    supports_thin: ClassVar[bool] = False

    program: str

    @property
    def shows_columns(self) -> bool:
        """Whether it is gcc 11 or later."""
        numbers = re.findall(r"\b(\d+)\.\d+\.\d+\b", self.version)
        return not numbers or int(numbers[-1]) >= _SHOWS_COLUMNS

    def programs_run(self) -> tuple[str, ...]:
        """Return the drivers, what they run, and what the linker loads."""
        names = (*_PARTS, *(["cc1obj"] if self.compiles("objective-c") else []))
        found = (program_of(self.program, name) for name in names)
        plugin = file_of(self.program, "liblto_plugin.so")
        own = (self.program, *compilers_behind(self.program), self._beside("g++"), self._beside("gcc-ar"))
        return (*own, *filter(None, found), *filter(None, (plugin,)))

    def compiles(self, language: str) -> bool:
        """Return whether its compiler for a language is installed."""
        return bool(program_of(self.program, {"objective-c": "cc1obj", "objective-c++": "cc1objplus"}[language]))

    def refusal(self, target: str) -> str:
        """Serve only the host: each other target needs another gcc."""
        return "" if target == host_target() else f"this gcc compiles for '{host_target()}' alone"

    def cc(self, target: str, language: str = "c") -> tuple[str, ...]:
        return (self._beside("g++") if language == "c++" else self.program,)

    def preprocessor_words(self, file: str, language: str) -> tuple[str, ...]:
        """Let cc1 read it: the driver would pass the words one by one."""
        return (f"-Wp,@{file}",)

    def ar(self) -> tuple[str, ...]:
        """Return gcc-ar, which indexes objects with gcc's IR."""
        return (self._beside("gcc-ar"),)

    def objcopy(self) -> tuple[str, ...]:
        """Return the objcopy of its binutils."""
        return (_printed(self.program, "objcopy"),)

    def environment(self) -> dict[str, str]:
        """Add the working directory's name, which appears in debug information."""
        # Slots and zero-argument super() do not go together in a dataclass.
        return {**Toolchain.environment(self), "PWD": WORKING_DIRECTORY}

    def _beside(self, name: str) -> str:
        directory, own = os.path.split(self.program)
        head, _, tail = own.rpartition("gcc")
        return os.path.join(directory, f"{head}{name}{tail}")


@cache
def _printed(program: str, name: str) -> str:
    """Return where gcc finds a program of its binutils."""
    done = run_program([program, f"-print-prog-name={name}"], what="toolchain")
    return os.fsdecode(done.stdout).strip() or name
