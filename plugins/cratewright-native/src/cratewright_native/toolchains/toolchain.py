"""A toolchain: the programs that compile, optimize and link, and how they are run."""

from __future__ import annotations

import os
import re
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import ClassVar

from cratewright import (
    CratewrightError,
    Finished,
    ToolError,
    UnsupportedError,
    dataclass,
    exit_reason,
    pattern,
    run_program,
    scratch_root,
)

from .pass_report import PassReport

FIXED_ENVIRONMENT = {"LC_ALL": "C", "SOURCE_DATE_EPOCH": "0", "ZERO_AR_DATE": "1"}
"""The environment of all programs, so that no result depends on time and place."""
WORKING_DIRECTORY = "/proc/self/cwd"
"""The name of gcc's working directory, the same everywhere."""

_CRASHED = pattern(r"PLEASE (?:submit a bug report|ATTACH)|internal compiler error|LLVM ERROR:|Stack dump:")
# With these errors, an LLVM driver still exits with status 0.
_ASSEMBLY = pattern(r"(?m)^<(?:inline asm|assembly)>:")
_ASSEMBLED_LATE = "build with lto='off' to see the source line of this assembly"
_FAILED = pattern(r"Error running ThinLTO backend.*|Error loading imported file.*")


@dataclass(frozen=True, slots=True)
class Completed:
    """The output of a program that succeeded; paths in `stderr` are relative to the project root."""

    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain(ABC):
    """Programs of one version that belong together.

    Shape: `root` is the absolute project root; `version` is one line without any path; `llvm_major` is 0 for gcc.
    Methods that return a program return the first words of a command line. `report`, if there is one, sums the times of
    passes.
    Units: `timeout` in seconds, for one run of a program.
    """

    kind: ClassVar[str]
    supports_thin: ClassVar[bool] = True

    root: str
    version: str
    llvm_major: int = 0
    report: PassReport | None = field(default=None, compare=False)
    timeout: float = 300.0

    @property
    def shows_columns(self) -> bool:
        """Whether its messages count terminal columns instead of bytes."""
        return False

    @property
    def headers(self) -> str:
        """The directory, with a `/`, of headers that change only with the version; empty if there is none."""
        return ""

    @abstractmethod
    def programs_run(self) -> tuple[str, ...]:
        """Return the programs whose bytes can alter a result, including those that others run."""

    @abstractmethod
    def refusal(self, target: str) -> str:
        """Return why it cannot serve a target, or an empty string."""

    @abstractmethod
    def cc(self, target: str, language: str = "c") -> tuple[str, ...]:
        """Return the driver that compiles `c` or `c++` and does the final link."""

    def compiles(self, language: str) -> bool:
        """Return whether it has a compiler for `objective-c` or `objective-c++`."""
        return True

    def clang_ir(self, target: str) -> tuple[str, ...]:
        """Return the driver that takes `-x ir` and `-fthinlto-index=`.

        Raises: UnsupportedError if the toolchain has no LLVM.
        """
        raise UnsupportedError(f"{self.kind} has no LLVM in it")

    def lld(self, target: str) -> tuple[str, ...]:
        """Return the raw linker.

        Raises: UnsupportedError if the toolchain has no lld.
        """
        raise UnsupportedError(f"{self.kind} has no LLVM in it")

    @abstractmethod
    def ar(self) -> tuple[str, ...]:
        """Return the archiver that indexes bitcode as well as objects."""

    def objcopy(self) -> tuple[str, ...]:
        """Return objcopy, for gcc, whose objects hold IR besides code.

        Raises: UnsupportedError if the toolchain needs none.
        """
        raise UnsupportedError(f"{self.kind} makes objects that need nothing removed")

    def preprocessor_words(self, file: str, language: str) -> tuple[str, ...]:
        """Return the arguments by which the preprocessor reads a response file; drivers may not pass one on.

        Raises: UnsupportedError if there is no way.
        """
        return (f"@{file}",)

    def listing(self, target: str, depfile: str) -> tuple[str, ...]:
        """Return the arguments that make the driver list the files a link reads, and the places searched for libraries.

        Source: GNU ld 2.35, LLD 13: `--dependency-file`.
        """
        return (f"-Wl,--dependency-file={depfile}", "-v")

    def linker(
        self, target: str, language: str, words: Sequence[str], *, passed: Collection[str], output: str
    ) -> list[str]:
        """Return the command by which `cc` would link, or nothing to leave it to the driver.

        Shape: as `link_line`.
        """
        return []

    def environment(self) -> dict[str, str]:
        """Return all environment variables that its programs see.

        Variables that could alter a result, such as CPATH, LIBRARY_PATH and CCC_OVERRIDE_OPTIONS, are not passed on,
        because no cache key includes them.
        """
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            # Files left here by a killed compiler are removed.
            "TMPDIR": scratch_root(),
            **FIXED_ENVIRONMENT,
        }

    def report_words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return the arguments that make a program report its passes on standard error, without altering its output."""
        return ()

    @contextmanager
    def run_environment(self, argv: Sequence[str]) -> Iterator[dict[str, str]]:
        """Yield the environment of one run of a program."""
        yield self.environment()

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | Path,
        what: str,
        outputs: Sequence[str | Path] = (),
        refused: Callable[[str], CratewrightError] | None = None,
    ) -> Completed:
        """Run a program.

        Shape: `what` names the work in messages, such as `main.c` or `thin link of crate 'app'`; `outputs` are the
        files it must have made, not empty, relative to `cwd` or absolute; `refused` makes the error from its output.
        Raises: the error from `refused` if it refused its input; ToolError if there is none, or if it is missing,
        crashed, or succeeded without making its outputs.
        """
        if self.report is not None:
            argv = (*argv, *self.report_words(argv))
        try:
            with self.run_environment(argv) as environment:
                done = run_program(argv, what=what, cwd=cwd, env=environment, timeout=self.timeout)
        except OSError as error:
            raise ToolError(
                f"{what}: {os.path.basename(argv[0])} cannot be run",
                context=(("reason", error.strerror),),
                hint="install cratewright-native[zig], or clang and lld of one version",
            ) from error
        return self.checked(done, argv, cwd=cwd, what=what, outputs=outputs, refused=refused)

    def checked(
        self,
        done: Finished,
        argv: Sequence[str],
        *,
        cwd: str | Path,
        what: str,
        outputs: Sequence[str | Path] = (),
        refused: Callable[[str], CratewrightError] | None = None,
    ) -> Completed:
        """Return the output of a program that ran here or elsewhere, if it succeeded.

        Raises: as `run`.
        """
        stderr = self.with_relative_paths(done.stderr.decode("utf-8", "replace"), cwd)
        if self.report is not None:
            stderr = self.report.without(stderr)
        self._check_crash(done.status, stderr, argv, what)
        if done.status:
            stderr = self.without_noise(stderr)
            if refused is not None:
                raise refused(stderr)
            stderr = stderr.strip() or f"exit status {done.status}"
            raise ToolError(
                f"{what}: {os.path.basename(argv[0])} failed",
                context=(("output", stderr),),
                hint=_ASSEMBLED_LATE if _ASSEMBLY.search(stderr) else "",
            )
        for output in outputs:
            path = os.path.join(cwd, output)
            if not os.path.isfile(path) or os.path.getsize(path) == 0:
                rows = (("output", stderr.strip()),) if stderr.strip() else ()
                raise ToolError(
                    f"{what}: {os.path.basename(argv[0])} succeeded but wrote no output",
                    context=(("toolchain", self.version), *rows),
                )
        return Completed(done.stdout, stderr)

    def with_relative_paths(self, text: str, cwd: str | Path) -> str:
        """Return a program's output with paths below the project root or the scratch directory made relative.

        Shape: temporary files of drivers are named after their kind.
        """
        # The last is gcc's name for the project in debug information.
        for directory in dict.fromkeys((self.root, str(cwd), WORKING_DIRECTORY)):
            if len(directory) > 1:
                text = re.sub(rf"{re.escape(directory)}/(?:\.?/)*", "", text)
        own = rf"{re.escape(scratch_root())}/[^\s:'\"`()]*"
        return re.sub(own, lambda match: "<assembly>" if match[0].endswith(".s") else "<intermediate file>", text)

    def without_noise(self, text: str) -> str:
        """Return a program's output on failure without parts that mean nothing to users."""
        return text

    def _check_crash(self, status: int, output: str, argv: Sequence[str], what: str) -> None:
        program = os.path.basename(argv[0])
        if status == -signal.SIGINT:
            raise ToolError(f"{what}: {program} was interrupted")
        if status < 0 or (status and _CRASHED.search(output)):
            lines = "\n".join(output.strip().splitlines()[:5])
            raise ToolError(
                f"{what}: {program} crashed",
                context=(("toolchain", self.version), ("reason", exit_reason(status)), ("output", lines)),
                hint="this is a bug of the compiler; try another opt_level, or simplify the unit",
            )
        broken = _FAILED.search(output)
        if broken:
            raise ToolError(f"{what}: {program} failed", context=(("output", broken[0]), ("toolchain", self.version)))
