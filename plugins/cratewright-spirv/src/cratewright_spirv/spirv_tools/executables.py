"""SPIRV-Tools as programs, one process for each operation.

`Tools` checks arguments and words errors.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from cratewright import ToolError, exit_reason, pattern, run_program, scratch_directory

from .provider import Tools, ValidatorOptions
from .results import INSTALL_HINT, TIDYING, ToolResult, data_of, tool_errors, version_of

_UNKNOWN_FLAG = pattern(r"Unknown flag '(--[\w-]+)'")
_PROGRAMS = ("spirv-link", "spirv-opt", "spirv-val", "spirv-as", "spirv-dis")


class Executables(Tools):
    """SPIRV-Tools as the programs of a Vulkan SDK directory, one process for each operation.

    Raises: ToolError, when made, if one of the programs is missing.
    """

    def __init__(self, directory: str) -> None:
        suffix = ".exe" if sys.platform == "win32" else ""
        for folder in (Path(directory), Path(directory, "bin"), Path(directory, "Bin")):
            self._programs = {name: folder / (name + suffix) for name in _PROGRAMS}
            if all(path.is_file() for path in self._programs.values()):
                return
        raise ToolError(
            f"{directory} is not a directory with SPIRV-Tools",
            context=(("looked for", ", ".join(_PROGRAMS)), ("looked in", "the directory, bin and Bin in it")),
            hint=INSTALL_HINT,
        )

    @cached_property
    def _tool_version(self) -> str:
        answer = self._run("spirv-link", "--version")
        return version_of(data_of(answer, "", "spirv-link", ToolError).decode("utf-8", "replace"))

    def programs(self) -> tuple[str, ...]:
        return tuple(str(path) for path in self._programs.values())

    def _link(self, modules: Sequence[bytes], env: str) -> ToolResult:
        with scratch_directory() as folder:
            names = [f"{at}.spv" for at in range(len(modules))]
            for name, module in zip(names, modules, strict=True):
                Path(folder, name).write_bytes(module)
            arguments = ("--use-highest-version", "--target-env", env, *names, "-o", "-")
            return self._run("spirv-link", *arguments, folder=folder)

    def _optimize(
        self,
        module: bytes,
        env: str,
        passes: Sequence[str],
        validator: ValidatorOptions | None,
        preserve_bindings: bool,
    ) -> ToolResult:
        keep = ("--preserve-bindings",) if preserve_bindings else ()
        checks = ("--skip-validation",) if validator is None else validator.flags()
        flags = (f"--target-env={env}", *checks, *keep, *passes)
        answer = self._run("spirv-opt", *flags, "-", "-o", "-", given=module)
        unknown = _UNKNOWN_FLAG.search(answer.text) if answer.data is None else None
        # Unknown passes are reported by the program, since a newer one may have them.
        if unknown is not None and unknown[1] in TIDYING:
            raise ToolError(
                f"this spirv-opt is too old: it has no {unknown[1]}",
                context=(("program", self._programs["spirv-opt"]), ("version", self._tool_version)),
                hint="use SPIRV-Tools of 2024 or later: set CRATE_SPIRV_SDK to a newer SDK, or leave it out and "
                "`pip install cratewright-spirv`",
            )
        return answer

    def _validate(self, module: bytes, env: str, options: ValidatorOptions) -> ToolResult:
        return self._run("spirv-val", "--target-env", env, *options.flags(), "-", given=module)

    def _assemble(self, text: bytes, env: str) -> ToolResult:
        flags = ("--preserve-numeric-ids", "--target-env", env)
        return self._run("spirv-as", *flags, "-", "-o", "-", given=text)

    def _disassemble(self, module: bytes, env: str) -> ToolResult:
        # The program has no option for the environment; the text does not depend on it.
        return self._run("spirv-dis", "--raw-id", "--no-color", "-", given=module)

    def _run(self, name: str, *arguments: str, given: bytes = b"", folder: Path | None = None) -> ToolResult:
        # Absolute, because the process may start in another directory.
        path = self._programs[name].absolute()
        try:
            done = run_program([str(path), *arguments], what="SPIRV-Tools", input=given, cwd=folder)
        except OSError as error:
            raise ToolError(
                f"{name} cannot be run",
                context=(("program", path), ("reason", error.strerror)),
                hint=INSTALL_HINT,
            ) from error
        if done.status == 0:
            return ToolResult(done.stdout)
        reason = exit_reason(done.status)
        if done.status < 0 or done.status >= 1 << 31:
            raise ToolError(f"{name} crashed", context=(("program", path), ("reason", reason)))
        return ToolResult(None, tool_errors(done.stderr), reason)
