"""clang and lld of the same version, installed by the system or a user."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from cratewright import UnsupportedError, dataclass, pattern

from .link_line import link_line
from .probe import can_cross, compilers_behind, identity
from .targets import find_target, host_target
from .toolchain import Toolchain

_VERSIONED = pattern(r"clang-(\d+)\Z")


@dataclass(frozen=True, slots=True)
class LlvmPrograms:
    """Absolute paths of clang, ld.lld and llvm-ar of one installation."""

    clang: str
    lld: str
    ar: str

    @property
    def missing(self) -> str:
        """The first missing program, or an empty string."""
        found = (("clang", self.clang), ("ld.lld", self.lld), ("llvm-ar", self.ar))
        return next((name for name, path in found if not (path and os.access(path, os.X_OK))), "")


def programs_in(directory: str) -> LlvmPrograms:
    """Return the programs of an installation: `directory` or its `bin`."""
    for folder in (os.path.join(directory, "bin"), directory):
        found = LlvmPrograms(*(os.path.join(folder, name) for name in ("clang", "ld.lld", "llvm-ar")))
        if not found.missing:
            return found
    return LlvmPrograms(*(os.path.join(directory, "bin", name) for name in ("clang", "ld.lld", "llvm-ar")))


def programs_of(clang: str) -> LlvmPrograms:
    """Return the programs that belong to a clang: beside it, or beside the target of its link."""
    suffix = clang[clang.rfind("clang") + len("clang") :]
    for folder, end in ((os.path.dirname(clang), suffix), (os.path.dirname(os.path.realpath(clang)), "")):
        found = LlvmPrograms(clang, os.path.join(folder, f"ld.lld{end}"), os.path.join(folder, f"llvm-ar{end}"))
        if not found.missing:
            return found
    return LlvmPrograms(clang, shutil.which(f"ld.lld{suffix}") or "", shutil.which(f"llvm-ar{suffix}") or "")


def find_programs(path: str) -> Iterator[LlvmPrograms]:
    """Yield every complete installation on a search path: numbered ones, newest first, then `clang` itself."""
    numbered: dict[int, str] = {}
    for directory in path.split(os.pathsep):
        try:
            names = os.listdir(directory or ".")
        except OSError:
            continue
        for match in filter(None, map(_VERSIONED.match, names)):
            numbered.setdefault(int(match[1]), os.path.abspath(os.path.join(directory, match[0])))
    plain = shutil.which("clang", path=path)
    for clang in (*(numbered[major] for major in sorted(numbered, reverse=True)), *((plain,) if plain else ())):
        programs = programs_of(os.path.abspath(clang))
        if not programs.missing:
            yield programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Llvm(Toolchain):
    """clang, lld and llvm-ar, with the headers and libraries of their system."""

    kind: ClassVar[str] = "llvm"

    programs: LlvmPrograms

    def programs_run(self) -> tuple[str, ...]:
        """Return the three, and the clang that a wrapper runs."""
        clang, lld, ar = self.programs.clang, self.programs.lld, self.programs.ar
        return (clang, *compilers_behind(clang), lld, ar)

    def refusal(self, target: str) -> str:
        """Serve the host, and targets for which a program with C library headers links."""
        known = find_target(target)
        if known.name == host_target() or can_cross(self, known):
            return ""
        return f"clang finds no C library for '{target}' on this machine"

    def cc(self, target: str, language: str = "c") -> tuple[str, ...]:
        """Return clang, with the path of its lld."""
        mode = "--driver-mode=g++" if language == "c++" else "--driver-mode=gcc"
        linker = ("--start-no-unused-arguments", f"--ld-path={self.programs.lld}", "--end-no-unused-arguments")
        # A crash must not leave reproducers behind.
        return (self.programs.clang, mode, *self._target(target), *linker, "-fno-crash-diagnostics")

    def clang_ir(self, target: str) -> tuple[str, ...]:
        return (self.programs.clang, *self._target(target), "-Wno-override-module", "-fno-crash-diagnostics")

    def lld(self, target: str) -> tuple[str, ...]:
        """Return ld.lld in the target's emulation."""
        known = find_target(target)
        if known.format == "elf":
            return (self.programs.lld, "-m", known.emulation)
        if known.format == "coff":
            return (self.programs.lld, "-m", "i386pep")
        name = {"wasm": "wasm-ld", "macho": "ld64.lld"}[known.format]
        program = os.path.join(os.path.dirname(os.path.realpath(self.programs.lld)), name)
        if not os.access(program, os.X_OK):
            raise UnsupportedError(f"there is no {name} beside ld.lld, so no lld for target '{target}'")
        return (program,)

    def listing(self, target: str, depfile: str) -> tuple[str, ...]:
        """Ask for no list if this lld writes none; then every searched path counts."""
        # Slots and zero-argument super() do not go together in a dataclass.
        words = Toolchain.listing(self, target, depfile)
        return words if find_target(target).format == "elf" else words[1:]

    def linker(
        self, target: str, language: str, words: Sequence[str], *, passed: Collection[str], output: str
    ) -> list[str]:
        """Ask clang once, and then run lld without it."""
        if find_target(target).format != "elf":
            return []
        return link_line(
            self.cc(target, language),
            words,
            passed=passed,
            output=output,
            about=identity((self.programs.clang, self.programs.lld)),
            environment=self.environment(),
        )

    def report_words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Ask clang for compilations, and lld for optimization."""
        if argv[0] == self.programs.clang:
            return ("-ftime-report",) if "-c" in argv else ()
        return ("-mllvm", "-time-passes") if argv[0] == self.programs.lld and "--lto-emit-llvm" in argv else ()

    def ar(self) -> tuple[str, ...]:
        return (self.programs.ar,)

    def _target(self, target: str) -> tuple[str, ...]:
        # A configuration file of the machine could add any option.
        return (f"--target={find_target(target).triple}", "--no-default-config")
