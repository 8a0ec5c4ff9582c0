"""What a compilation depends on besides its source: files it read, and paths it missed.

A missing path is an input like a file: if a file appears there, the compiler finds that one instead.
"""

from __future__ import annotations

import os
import posixpath
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from typing import TypeVar

from cratewright import Digest, Observed, changed_ns, content_digest, dataclass, file_stamp

from .directives import Directives, Query, read_directives
from .search_path import SearchPath, plain
from .world import World, path_in

_ALWAYS = Observed(".", None)
"""The dependency of a unit whose dependencies are unknown: every build compiles it."""

_Parsed = TypeVar("_Parsed")

_SYSTEM = "/usr/"
"""Where no precompiled headers are."""
_TICK_NS = 10_000_000


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file's content."""

    digest: Digest
    directives: Directives


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where a unit has searched, apart from what the text of its files shows.

    Shape: `path` is the compiler's own report; `embed` are directories for `#embed` alone; `included` are the names
    of files that the command line includes; `precompiled` if a precompiled header could replace any header, not
    only those; `warned` if missing directories of the path are reported; `queries` are those made through macros, with
    the querying file; `file_words` are words that may name a file; `incomplete` if not everything is known.
    """

    path: SearchPath = SearchPath()
    embed: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    precompiled: bool = False
    warned: bool = False
    queries: tuple[tuple[str, Query], ...] = ()
    file_words: tuple[str, ...] = ()
    incomplete: bool = False


@dataclass(slots=True)
class FileMemory:
    """Facts about files, each read once while unchanged.

    One per process: many units read a header, many links a library.
    """

    root: str
    _facts: dict[str, tuple[list[int], FileFacts]] = field(default_factory=dict)
    _digests: dict[str, tuple[list[int], Digest]] = field(default_factory=dict)

    def facts(self, path: str) -> tuple[FileFacts, int]:
        """Return a file's facts and the time it was last changed.

        Units: nanoseconds.
        Raises: OSError if it is not there.
        """
        return self._read(path, self._facts, read_facts)

    def digest(self, path: str) -> tuple[Digest, int]:
        """Return a file's digest and the time it was last changed, as `facts`, for a file that includes nothing."""
        return self._read(path, self._digests, content_digest)

    def _read(
        self, path: str, known: dict[str, tuple[list[int], _Parsed]], make: Callable[[bytes], _Parsed]
    ) -> tuple[_Parsed, int]:
        file = os.path.join(self.root, path)
        status = os.stat(file)
        stamp = file_stamp(status)
        before = known.get(path)
        if before is not None and before[0] == stamp:
            return before[1], changed_ns(status)
        with open(file, "rb") as stream:
            made = make(stream.read())
        # If written again within a tick of the clock, it would have the same stamp.
        if changed_ns(status) + _TICK_NS < time.time_ns():
            known[path] = (stamp, made)
        return made, changed_ns(status)


def read_facts(data: bytes) -> FileFacts:
    """Return the facts about a content."""
    return FileFacts(content_digest(data), read_directives(data))


def observe(
    source: str, files: Mapping[str, FileFacts | None], search: Search, *, root: str, bundled: str = ""
) -> tuple[tuple[Observed, ...], int]:
    """Return what a unit depends on besides its source, sorted by path.

    The second result is when the newest of the files that it did not read, but would find now, was changed.

    Shape: `files` are all that were read, including the source, by path. A file without facts, or below `bundled`,
    changes only with the toolchain's version, and is left out.
    Units: nanoseconds.
    """
    absent = tuple(map(plain, search.path.missing))
    world = World(root, {*absent, *search.embed})
    angled = tuple(directory for directory in search.path.angled if not _below(directory, bundled))
    # The compiler does not say between which others it would have searched a missing one.
    everywhere = (*absent, *search.path.quoted, *search.path.angled, *search.embed)
    for directory in absent if search.warned else ():
        world.miss(directory)
    missed = set(earlier(files, everywhere))
    missed.update(candidate for candidate in {*_quoted(files), *_computed(files, everywhere)} if candidate not in files)
    for name in map(plain, search.included):
        missed.update((name, name + ".pch", name + ".gch"))
    if search.precompiled:
        missed.update([path + ".gch" for path in (*missed, *files) if not path.startswith(_SYSTEM)])
    world.miss_all([path for path in missed if not path.startswith(bundled)] if bundled else missed)
    own = ((path, item) for path, facts in files.items() if facts is not None for item in facts.directives.queries)
    for path, item in {*own, *search.queries}:
        near = (posixpath.dirname(path), *search.path.quoted) if item.near else ()
        embed = search.embed if item.kind == "embed" else ()
        world.query(item.name, (*absent, *near, *angled, *embed), beyond=item.kind != "include")
    for word in search.file_words:
        if word and os.path.isfile(os.path.join(root, word)):
            world.look(plain(word))
    if search.incomplete:
        world.found[_ALWAYS.path] = _ALWAYS.digest
    seen = {path: facts.digest for path, facts in files.items() if facts is not None and path != source}
    return tuple(Observed(path, digest) for path, digest in sorted({**world.found, **seen}.items())), world.newest


def _quoted(files: Mapping[str, FileFacts | None]) -> Iterator[str]:
    """Yield the paths where quoted includes were looked up first."""
    for path, facts in files.items():
        for name in facts.directives.quoted if facts is not None else ():
            if not name.startswith("/"):
                yield path_in(posixpath.dirname(path), plain(name))


def _computed(files: Mapping[str, FileFacts | None], directories: tuple[str, ...]) -> Iterator[str]:
    """Yield the paths where files were looked up first, if included by names that no text shows."""
    folders = {posixpath.dirname(path) for path, facts in files.items() if facts and facts.directives.computed}
    if folders:
        names = {name for path in files for name in _candidates(path, directories).names}
        yield from (path_in(folder, name) for folder in folders for name in names)


def _below(path: str, directory: str) -> bool:
    return bool(directory) and path.startswith(directory)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The names by which a file may have been included, and the paths where these were looked up before."""

    names: tuple[str, ...]
    earlier: tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def _candidates(path: str, directories: tuple[str, ...]) -> _Candidates:
    """Return how a file may have been found; cached, because the units of a crate find the same headers."""
    names: list[str] = []
    before: list[str] = []
    for index, directory in enumerate(directories):
        start = directory + "/" if directory not in ("", "/") else directory
        if path.startswith(start) and (directory or not path.startswith("/")) and (rest := path[len(start) :]):
            names.append(rest)
            before += [path_in(other, rest) for other in directories[:index]]
    return _Candidates(tuple(names), tuple(before))


def earlier(paths: Iterable[str], directories: tuple[str, ...]) -> Iterator[str]:
    """Yield the paths that may have been looked up before files were found."""
    for path in paths:
        yield from _candidates(path, directories).earlier
