"""What compiling a unit read, and where it searched, as compiler and assembler report it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cratewright import Observed, SourceError, UnitStencil, content_digest, decode_depfile, pattern

from ..arguments.compiler_flags import embed_directories, file_words, included_files
from ..toolchains.compile_words import user_words
from ..toolchains.toolchain import Completed
from .assembly import assembler_lookups
from .observe import FileFacts, FileMemory, Search, earlier, read_facts
from .queries import expanded_queries, literal_queries
from .search_path import parse_search_path, plain
from .unit_command import UnitCommand
from .world import World

UnitFiles = Mapping[str, FileFacts | None]
"""The files that a unit read, by path; None for those that change only with the toolchain's version."""

# gcc's name for the file by which it passes assembly on.
_PASSED = pattern(r"/cc\w{6}\.s\Z|\{standard input\}")


def listed_files(
    unit: UnitCommand, stencil: UnitStencil, directory: Path, output: Completed
) -> tuple[tuple[str, ...], tuple[Observed, ...]]:
    """Return the files that a compile in `directory` read, and the paths that its assembler missed."""
    depfile = directory / "module.d"
    names = _project_paths(depfile.read_text("utf-8", "surrogateescape"), unit) if depfile.exists() else ()
    if unit.language != "assembler":
        return names, ()
    directories = stencil.options.texts("include_dirs")
    if unit.toolchain.kind == "gcc":
        read = assembled_files(unit, output)
        world = World(unit.toolchain.root, frozenset(map(plain, directories)))
        world.miss_all(earlier(read, ("", *map(plain, directories))))
        found = world.found
    else:
        found = assembler_lookups(unit, directories, preprocess=stencil.path.endswith(".S"))
        read = tuple(path for path, digest in found.items() if digest not in (None, "directory"))
    return (*names, *read), tuple(Observed(path, digest) for path, digest in found.items() if path not in read)


def assembled_files(unit: UnitCommand, output: Completed) -> tuple[str, ...]:
    """Return the files that GNU's assembler read, except the compiler's output and the source."""
    listing = output.stdout.decode("utf-8", "surrogateescape")
    names = _project_paths(listing, unit) if listing else ()
    own = (unit.file, os.path.basename(unit.file))
    return tuple(name for name in names if name not in own and not _PASSED.search(name))


def _project_paths(depfile: str, unit: UnitCommand) -> tuple[str, ...]:
    """Return the files that a depfile names, by their paths in the project."""
    prefix = os.path.join(unit.toolchain.root, "")
    names = decode_depfile(depfile, name=unit.path)
    return tuple(dict.fromkeys(plain(name.removeprefix(prefix)) for name in names))


def search_of(unit: UnitCommand, stencil: UnitStencil, files: UnitFiles, stderr: str) -> Search:
    """Return where a unit's includes were searched for."""
    words = user_words(stencil.options, unit.language)
    root, incomplete = unit.toolchain.root, False

    def read(path: str) -> bytes:
        return Path(root, path).read_bytes()

    queries = literal_queries(unit, files, read)
    if queries is None:
        queries, incomplete = expanded_queries(unit, files, read)
    return Search(
        path=parse_search_path(stderr),
        embed=tuple(map(plain, embed_directories(words))),
        included=included_files(words),
        precompiled=unit.toolchain.kind == "gcc",
        warned=any("missing-include-dirs" in word for word in words),
        queries=queries,
        file_words=tuple(file_words(words)),
        incomplete=incomplete,
    )


def file_facts(
    unit: UnitCommand, stencil: UnitStencil, memory: FileMemory, names: Iterable[str]
) -> tuple[dict[str, FileFacts | None], int]:
    """Return the facts about all files that were read, and when the newest of them last changed.

    Raises: SourceError if the source has changed meanwhile.
    """
    source = read_facts(stencil.source)
    if content_digest(_read(memory.root, unit.file)) != source.digest:
        raise SourceError.at(stencil.path, 1, "the source changed while it was compiled", hint="build again")
    headers = unit.toolchain.headers
    files: dict[str, FileFacts | None] = {unit.file: source}
    newest = 0
    for path in names:
        if path == unit.file:
            continue
        if headers and path.startswith(headers):
            files[path] = None
            continue
        try:
            files[path], changed = memory.facts(path)
        except OSError as error:
            raise SourceError.at(path, 1, f"disappeared while it was compiled ({error.strerror})") from error
        newest = max(newest, changed)
    return files, newest


def _read(root: str, path: str) -> bytes:
    try:
        return Path(root, path).read_bytes()
    except OSError:
        return b""
