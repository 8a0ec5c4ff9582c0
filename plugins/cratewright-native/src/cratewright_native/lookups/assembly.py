"""The files that an assembler reads. It reports them itself, because macros can form directives and names."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cratewright import CratewrightError, Digest, SourceError, pattern, scratch_directory

from ..toolchains.toolchain import Toolchain
from .search_path import plain
from .unit_command import UnitCommand
from .world import World

_NOT_FOUND = pattern(r"error: Could not find (incbin|include) file '(.*)'$", re.MULTILINE)
_READING = pattern(rb"(?i)inc|macro|irp")
_ABSOLUTE = pattern(r'"(/[^"\n]+)"|(?<![\w.)\]%/"])(/[\w.~\\&-][^\s"\',;)>]*)')
_PARAMETER = pattern(r"\\[A-Za-z_.@(]|&")
_DEPTH = 24
_ROUNDS = 64
_ASM = pattern(r'asm (?:[a-z]+ )*"((?:[^"\\]|\\.)*)"')


def assembler_lookups(unit: UnitCommand, directories: Iterable[str], *, preprocess: bool) -> dict[str, Digest | None]:
    """Return what LLVM's assembler reads for a unit in assembly, and which paths are missing, as `World.found`.

    Raises: SourceError for a name that cannot be followed.
    """
    root = unit.toolchain.root
    searched = ("", *map(plain, directories))
    world = World(root, searched[1:])

    def find(name: str) -> str:
        world.query(name, searched)
        paths = (os.path.join(root, directory, name) for directory in searched)
        return next((path for path in paths if os.path.isfile(path)), "")

    if preprocess:
        with scratch_directory() as directory:
            text = unit.run((*unit.words, "-E", "-w"), directory / "module.s")
    else:
        text = Path(root, unit.file).read_bytes()
    if _READING.search(text):
        _assembler_inputs(text, unit.driver, unit.toolchain, find, path=unit.path)
    return world.found


def _assembler_inputs(
    text: bytes, words: Sequence[str], toolchain: Toolchain, find: Callable[[str], str], *, path: str
) -> dict[str, str]:
    """Return the files that LLVM's assembler reads for preprocessed text, by the names in the text.

    The assembler runs in an empty directory and reports missing files, which are then put there, until it misses none.
    So it does not matter how a name was formed.

    Shape: `words` are the command that assembles to an object; `find` returns the path of a name, or an empty string.
    Raises: SourceError for a name that cannot be followed.
    """
    found: dict[str, str] = {}
    with scratch_directory() as scratch:
        # Names may lead up as many directories.
        directory = scratch.joinpath(*("d" for _ in range(_DEPTH)))
        directory.mkdir(parents=True)
        (scratch / "module.s").write_bytes(text)
        command = (*words, "-x", "assembler", "-c", str(scratch / "module.s"), "-o", str(scratch / "module.o"))
        found.update((name, find(name)) for name in _absolute_names(text, path))
        for _ in range(_ROUNDS):
            missing = [item for item in _missing(command, directory, toolchain, path) if item[1] not in found]
            if not missing:
                return found
            for kind, name in missing:
                found[name] = find(name)
                if found[name]:
                    content = _provide(name, found[name], directory, scratch, path)
                    if kind == "include":
                        found.update((other, find(other)) for other in _absolute_names(content, path))
    raise SourceError.at(path, 1, f"assembly includes files more than {_ROUNDS} deep")


def assembly_of(listing: str) -> Iterator[str]:
    """Yield the inline assembly of a module in LLVM's text form."""
    for found in _ASM.findall(listing):
        yield re.sub(r"\\([0-9A-Fa-f]{2})", lambda code: chr(int(code[1], 16)), found)


def _missing(command: Sequence[str], directory: Path, toolchain: Toolchain, path: str) -> list[tuple[str, str]]:
    """Return the directives and names of the files that the assembler does not find."""
    output: list[str] = []

    def refused(text: str) -> CratewrightError:
        output.append(text)
        return SourceError(path)

    try:
        toolchain.run(command, cwd=directory, what=path, refused=refused)
    except SourceError:
        return list(dict.fromkeys(_NOT_FOUND.findall(output[0])))
    return []


def _provide(name: str, file: str, directory: Path, scratch: Path, path: str) -> bytes:
    """Put a file where the assembler looks for a name, and return its content."""
    copy = os.path.normpath(directory / name)
    if not copy.startswith(str(scratch / "d")):
        raise SourceError.at(
            path,
            1,
            f"assembly reads '{name}', which leads too far up",
            hint="add the directory to include_dirs and name the file from there",
        )
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    if not os.path.lexists(copy):
        try:
            os.symlink(file, copy)
        except OSError:  # on Windows, few users may make links
            shutil.copyfile(file, copy)
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _absolute_names(text: bytes, path: str) -> list[str]:
    """Return what may be absolute names, whose files the assembler reads without reporting them."""
    if not _READING.search(text):
        return []
    pairs = _ABSOLUTE.findall(text.decode("utf-8", "surrogateescape"))
    names = list(dict.fromkeys(quoted or bare for quoted, bare in pairs))
    built = next((name for name in names if _PARAMETER.search(name)), "")
    if built:
        raise SourceError.at(
            path,
            1,
            f"assembly builds the absolute path '{built}', which is not tracked",
            hint="use a relative path in the macro, and add the directory to include_dirs",
        )
    return names
