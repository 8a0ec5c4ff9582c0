"""The command that compiles a source."""

from __future__ import annotations

from pathlib import Path

from cratewright import Options

from ..arguments.response_file import response_file
from ..toolchains.compile_words import compile_words
from ..toolchains.languages import language_of, language_words
from ..toolchains.toolchain import Toolchain

# A single word may have 128 KiB, and so may the variable in which gcc passes them on.
_LIMIT = 96 << 10


def compile_command(
    path: str, target: str, options: Options, toolchain: Toolchain, *, for_lto: bool = True, for_code: bool = False
) -> tuple[str, ...]:
    """Return the command that compiles a source in the project root, without its output."""
    language = language_of(path)
    if language == "object":
        return ()
    words = compile_words(toolchain, target, options, language, path, for_lto=for_lto, for_code=for_code)
    # A path that begins with this would be an option, or a response file.
    file = f"./{path}" if path.startswith(("-", "@")) else path
    if language == "ir":
        return (*toolchain.clang_ir(target), *words, "-x", "ir", "-c", file)
    return (*toolchain.cc(target, language), *words, *language_words(path), "-c", file)


def fit_command(words: tuple[str, ...], language: str, toolchain: Toolchain, directory: Path) -> tuple[str, ...]:
    """Move the preprocessor's words of a command to a file if the command is too long for the system."""
    if sum(map(len, words)) < _LIMIT:
        return words
    # An assembler searches the directories as well.
    prefixes = ("-D", "-U") if language == "assembler" else ("-D", "-U", "-I")
    moved = [word for word in words if word.startswith(prefixes) and len(word) > len("-D")]
    file = directory / response_file("defines.rsp", moved, directory).removeprefix("@")
    kept = tuple(word for word in words if word not in set(moved))
    at = len(kept) - 2  # before -c and the source
    return (*kept[:at], *toolchain.preprocessor_words(str(file), language), *kept[at:])
