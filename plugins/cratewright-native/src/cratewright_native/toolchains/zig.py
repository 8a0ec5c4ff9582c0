"""The LLVM in the `ziglang` wheel, through its raw drivers."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from cratewright import UnsupportedError, dataclass, scratch_directory

from .targets import find_target
from .toolchain import Toolchain


def bundled_zig() -> str:
    """Return the path of the real program in the wheel, or an empty string.

    `python -m ziglang` starts the same program ten times as slowly.
    """
    try:
        spec = importlib.util.find_spec("ziglang")
    except (ImportError, ValueError):
        return ""
    for directory in (spec.submodule_search_locations or ()) if spec else ():
        program = shutil.which("zig", path=directory)
        if program:
            return program
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zig(Toolchain):
    """zig's clang, lld and headers for every target it knows.

    Shape: `program` is absolute; `cache` is the directory where zig keeps the C libraries it builds.
    """

    kind: ClassVar[str] = "zig"

    program: str
    cache: str

    @property
    def headers(self) -> str:
        """The directory of everything that comes in the wheel."""
        return os.path.join(os.path.dirname(self.program), "lib", "")

    def programs_run(self) -> tuple[str, ...]:
        return (self.program,)

    def refusal(self, target: str) -> str:
        return ""

    def cc(self, target: str, language: str = "c") -> tuple[str, ...]:
        """Return `zig cc`, which brings headers and libraries; without a CPU named it would take this machine's."""
        driver = "c++" if language == "c++" else "cc"
        return (self.program, driver, "-target", target, "-mcpu=baseline")

    def clang_ir(self, target: str) -> tuple[str, ...]:
        """Return the unmodified driver: `zig cc` knows no `-x ir`.

        They spell the triple differently, hence no warning.
        """
        return (self.program, "clang", f"--target={find_target(target).triple}", "-Wno-override-module")

    def lld(self, target: str) -> tuple[str, ...]:
        """Return lld in the flavour of the target."""
        known = find_target(target)
        if known.format == "macho":
            raise UnsupportedError(f"zig has no lld for target '{target}'")
        if known.format == "wasm":
            return (self.program, "wasm-ld")
        emulation = known.emulation or "i386pep"
        return (self.program, "ld.lld", "-m", emulation)

    def listing(self, target: str, depfile: str) -> tuple[str, ...]:
        """Ask for the list only: zig passes its search directories explicitly."""
        return Toolchain.listing(self, target, depfile)[:1]

    def report_words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Ask clang for compilations; this lld reports nothing."""
        return ("-ftime-report",) if argv[1] in ("cc", "c++", "clang") and "-c" in argv else ()

    def preprocessor_words(self, file: str, language: str) -> tuple[str, ...]:
        """Let clang read it, since zig passes it the words one by one."""
        if language == "assembler":
            raise UnsupportedError(
                "zig cannot take a command line this long for assembly", hint="put the defines into a header"
            )
        return ("-Xclang", f"@{file}")

    def ar(self) -> tuple[str, ...]:
        return (self.program, "ar")

    def environment(self) -> dict[str, str]:
        """Add the cache directory: the default one depends on the directory zig runs in."""
        # Slots and zero-argument super() do not go together in a dataclass.
        known = Toolchain.environment(self)
        return {**known, "ZIG_GLOBAL_CACHE_DIR": self.cache, "ZIG_LOCAL_CACHE_DIR": self.cache}

    def without_noise(self, text: str) -> str:
        """Remove the directories of C libraries in zig's cache."""
        return re.sub(rf"{re.escape(self.cache)}/o/[0-9a-f]{{32}}/", "", text)

    @contextmanager
    def run_environment(self, argv: Sequence[str]) -> Iterator[dict[str, str]]:
        """Give `zig cc` a temporary cache, besides the lasting one for C libraries.

        Otherwise it would reuse results although a header has appeared at a missing path, and keep a copy of every
        object.
        """
        if argv[1] not in ("cc", "c++"):
            yield self.environment()
            return
        with scratch_directory() as directory:
            yield {**self.environment(), "ZIG_LOCAL_CACHE_DIR": str(directory)}
