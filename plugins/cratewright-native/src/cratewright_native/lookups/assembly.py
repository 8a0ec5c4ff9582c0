"""The files that an assembler reads. The assembler itself is asked, because macros can form directives and names.

It is given preprocessed text.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cratewright import CratewrightError, SourceError, pattern

from ..toolchains.toolchain import Toolchain

__all__ = ["assembly_of", "files_asked_for", "reads_nothing"]

_ASKED = pattern(r"error: Could not find (incbin|include) file '(.*)'$", re.MULTILINE)
_HARMLESS = pattern(rb"(?i)inc|macro|irp")
_ABSOLUTE = pattern(r'"(/[^"\n]+)"|(?<![\w.)\]%/"])(/[\w.~\\&-][^\s"\',;)>]*)')
_PARAMETER = pattern(r"\\[A-Za-z_.@(]|&")
_DEPTH = 24
_ROUNDS = 64
_ASM = pattern(r'asm (?:[a-z]+ )*"((?:[^"\\]|\\.)*)"')


def reads_nothing(text: bytes) -> bool:
    """Return whether assembly contains nothing that could read a file, however constructed."""
    return _HARMLESS.search(text) is None


def files_asked_for(
    text: bytes, words: Sequence[str], toolchain: Toolchain, find: Callable[[str], str], *, path: str
) -> dict[str, str]:
    """Return the files that LLVM's assembler reads for a text, each by the name that it asks for.

    It runs in an empty directory, reports missing files, and is given those, so it does not matter how a name was made.

    Shape: `words` are the command that assembles to an object; `find` returns the path of a name, or an empty string.
    Raises: SourceError for a name that cannot be followed.
    """
    found: dict[str, str] = {}
    with toolchain.scratch() as directory:
        place = directory.joinpath(*("d" for _ in range(_DEPTH)))
        place.mkdir(parents=True)
        (directory / "module.s").write_bytes(text)
        command = (*words, "-x", "assembler", "-c", str(directory / "module.s"), "-o", str(directory / "module.o"))
        found.update((name, find(name)) for name in _absolute(text, path))
        for _ in range(_ROUNDS):
            asked = [(kind, name) for kind, name in _missing(command, place, toolchain, path) if name not in found]
            if not asked:
                return found
            for kind, name in asked:
                found[name] = find(name)
                if found[name]:
                    content = _give(place, name, found[name], directory, path)
                    if kind == "include":
                        found.update((other, find(other)) for other in _absolute(content, path))
    raise SourceError.at(path, 1, f"assembly includes files more than {_ROUNDS} deep")


def assembly_of(listing: str) -> Iterator[str]:
    """Yield the inline assembly of a module in LLVM's text form."""
    for found in _ASM.findall(listing):
        yield re.sub(r"\\([0-9A-Fa-f]{2})", lambda code: chr(int(code[1], 16)), found)


def _missing(command: Sequence[str], place: Path, toolchain: Toolchain, path: str) -> list[tuple[str, str]]:
    said: list[str] = []

    def refused(text: str) -> CratewrightError:
        said.append(text)
        return SourceError(path)

    try:
        toolchain.run(command, cwd=place, what=path, refused=refused)
    except SourceError:
        return list(dict.fromkeys(_ASKED.findall(said[0])))
    return []


def _give(place: Path, name: str, file: str, directory: Path, path: str) -> bytes:
    """Put a file where a name refers to, and return its content."""
    there = os.path.normpath(place / name)
    if not there.startswith(str(directory / "d")):
        raise SourceError.at(
            path,
            1,
            f"assembly reads '{name}', which leads too far up",
            hint="add the directory to include_dirs and name the file from there",
        )
    os.makedirs(os.path.dirname(there), exist_ok=True)
    if not os.path.lexists(there):
        try:
            os.symlink(file, there)
        except OSError:  # on Windows, few users may make links
            shutil.copyfile(file, there)
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _absolute(text: bytes, path: str) -> list[str]:
    """Return a possible absolute name, which the assembler reads silently."""
    if reads_nothing(text):
        return []
    pairs = _ABSOLUTE.findall(text.decode("utf-8", "surrogateescape"))
    names = list(dict.fromkeys(quoted or bare for quoted, bare in pairs))
    made_up = next((name for name in names if _PARAMETER.search(name)), "")
    if made_up:
        raise SourceError.at(
            path,
            1,
            f"assembly builds the absolute path '{made_up}', which is not tracked",
            hint="use a relative path in the macro, and add the directory to include_dirs",
        )
    return names
