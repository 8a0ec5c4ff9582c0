"""glslang as a program of the user's Vulkan SDK, one process for each call.

It behaves like `Glslang`: the same calls give objects with the same symbols.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from cratewright import SourceError, ToolError, exit_reason, pattern, run_program, scratch_directory

from ..base.stopwatch import step
from ..text.includes import Included, IncludeResolver, redirect
from ..text.sources import glsl_version
from .glslang import DEFAULT_VERSION, Compiler, CompileRefused, StageSource, defines, prelude, spaced, target_numbers

_PROGRAMS = ("glslangValidator", "glslang")
_ALIAS = pattern(r"(?:\./)?cw-(\d+)-")
_DEBUG: dict[str, tuple[str, ...]] = {"none": (), "line": ("-g",), "full": ("-gV",)}
_SDK_HINT = "name the directory of a Vulkan SDK in CRATE_SPIRV_SDK"


class GlslangExecutable(Compiler):
    """`glslangValidator` or `glslang` of a directory, or of `bin` or `Bin` in it.

    Raises: ToolError, when made, if there is none.
    """

    def __init__(self, directory: str) -> None:
        suffix = ".exe" if sys.platform == "win32" else ""
        folders = [Path(directory), Path(directory, "bin"), Path(directory, "Bin")]
        found = (folder / (name + suffix) for folder in folders for name in _PROGRAMS)
        program = next((path for path in found if path.is_file()), None)
        if program is None:
            raise ToolError(
                f"{directory} is not a directory with glslang",
                context=(
                    ("looked for", " or ".join(_PROGRAMS)),
                    ("looked in", "the directory, bin and Bin in it"),
                ),
                hint=_SDK_HINT,
            )
        self._program = program.absolute()

    def version(self) -> str:
        return self._version

    def programs(self) -> tuple[str, ...]:
        return (str(self._program),)

    @cached_property
    def _version(self) -> str:
        output, _ = self._run(("--version",), None, "")
        return " ".join(output.split("\n", 1)[0].split())

    def warm(self, target: str, versions: Iterable[int], *, hlsl: bool = False) -> None:
        """Do nothing: a process keeps nothing for the next."""

    @step("glslang: preprocess")
    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        target_numbers(source.target)
        defines(source)
        # The program refuses a target together with -E, so the target's macros are passed explicitly.
        macros = (*source.macros, ("VULKAN", "100"))
        flags = [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in macros]
        with scratch_directory() as folder:
            names, missing = _flatten(source, includes, folder)
            output, failed = self._run(("-E", *_flags(source), *flags, _alias(0)), folder, source.path)
        shown = _ALIAS.sub(lambda match: names[int(match[1])], output)
        if not failed:
            return spaced(shown.encode())
        for name, error in missing.items():
            if f"header name: {name}" in output:
                raise error
        raise CompileRefused(shown)

    @step("glslang: compile")
    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        uncalled = ("--keep-uncalled",) if keep_uncalled else ()
        flags = ("--target-env", source.target, "-Od", *uncalled, *_DEBUG[source.debuginfo], *_flags(source))
        with scratch_directory() as folder:
            # Debug information names the file as it is given here.
            name = posixpath.normpath(source.path).replace("../", "").lstrip("/-")
            path = Path(folder, "in", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.rstrip(b"\0"))
            result = Path(folder, "out")
            output, failed = self._run((*flags, "-o", str(result), name), folder / "in", source.path)
            if failed:
                raise CompileRefused(output)
            return result.read_bytes(), output

    def _run(self, arguments: tuple[str, ...], folder: Path | None, source: str) -> tuple[str, bool]:
        """Return what the program printed and whether it refused the source."""
        about = [("program", str(self._program)), *([("source", source)] if source else [])]
        try:
            done = run_program([str(self._program), *arguments], what=source or "glslang", cwd=folder)
        except OSError as error:
            reason = ("reason", error.strerror or "unknown")
            raise ToolError("glslang cannot be run", context=[*about, reason], hint=_SDK_HINT) from error
        output, complaint = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        if done.status == 0:
            return output, False
        # -E prints errors apart from the text, compiling prints them to the output.
        for log in (complaint, output):
            if "ERROR: " in log and done.status > 0:
                return log, True
        reason = ("reason", (complaint or output).strip() or "no reason given")
        raise ToolError(f"glslang ended with {exit_reason(done.status)}", context=[*about, reason])


def _flags(source: StageSource) -> tuple[str, ...]:
    hlsl = ("-D", "--hlsl-offsets", "-e", source.entry_point) if source.language == "hlsl" else ()
    return ("-S", source.stage, *hlsl)


def _alias(number: int) -> str:
    return f"cw-{number}-"


def _flatten(source: StageSource, includes: IncludeResolver, folder: Path) -> tuple[list[str], dict[str, SourceError]]:
    """Write the source and everything it may include to one directory, under numbers.

    Shape: the shown name of each number, and the errors for includes that were not found; whether
    one matters is decided by the conditionals around it.
    """
    names, missing = [source.path], dict[str, SourceError]()
    texts = [_versioned(source)]
    for number, text in enumerate(texts):

        def target(name: str, angled: bool, includer: str = names[number]) -> str | None:
            try:
                found = includes.find(name, includer, angled=angled)
            except SourceError as error:
                missing.setdefault(name, error)
                return None
            if found.shown not in names:
                names.append(found.shown)
                texts.append(_guarded(found, len(names) - 1))
            return _alias(names.index(found.shown))

        Path(folder, _alias(number)).write_bytes(redirect(text, target))
    return names, missing


def _guarded(found: Included, number: int) -> bytes:
    if not found.once:
        return found.text
    guard = b"CW_ONCE_%d" % number
    return b"#ifndef %s\n#define %s\n#line 1\n%s\n#endif\n" % (guard, guard, found.text)


def _versioned(source: StageSource) -> bytes:
    text = prelude(source)
    if source.language == "hlsl" or glsl_version(text) is not None:
        return text
    return b"#version %d\n#line 1\n%s" % (DEFAULT_VERSION, text)
