"""What a compilation hangs on beside its source: files it read, and paths where it found nothing.

Knows nothing of compilers: it is told which files were read and where they were looked for. A path that something
could appear at, so that another file would be found than this time, is as much an input as a file.
"""

from __future__ import annotations

import os
import posixpath
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import TypeVar

from cratewright import Observed
from cratewright.digest import content_digest
from cratewright.errors import ToolError
from cratewright.fs import file_stamp
from cratewright.values import dataclass

from .search_path import SearchPath, plain
from .world import World, join

__all__ = ["FileFacts", "FileMemory", "observe", "read_facts", "settled"]

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*(?:include(?:_next)?|import|embed)[ \t]*"([^"\n]+)"', re.MULTILINE)
_ASKED = re.compile(rb'__has_(?:include(?:_next)?|embed)[ \t]*\([ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)')
_ASSEMBLED = re.compile(rb'^[^\n"]*\.(?:incbin|include)[ \t]+"([^"\n]+)"', re.MULTILINE)
_EMBEDDED = re.compile(rb'^(?![ \t]*(?:/[/*]|\*))[^\n]*"[^"\n]*\.incbin\b', re.MULTILINE)

T = TypeVar("T")

# A clock that files are stamped with may be a tick behind the one we read.
_TICK_NS = 10_000_000
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of one file's content.

    Shape: `quoted` are the names it includes with quotes, `asked` those it asks for by `__has_include`, each with
    whether that was with quotes; `assembled` those that assembly reads; `embeds` if inline assembly reads files.
    """

    digest: str
    quoted: tuple[str, ...]
    asked: tuple[tuple[str, bool], ...]
    assembled: tuple[str, ...] = ()
    embeds: bool = False


@dataclass(slots=True)
class FileMemory:
    """What is known of files, each read once as long as it is unchanged.

    One a process: a header is read by many units, a library by many links.
    """

    root: str
    _facts: dict[str, tuple[list[int], FileFacts]] = field(default_factory=dict)
    _digests: dict[str, tuple[list[int], str]] = field(default_factory=dict)

    def facts(self, path: str) -> tuple[FileFacts, int]:
        """Return a file's facts and the time it was last changed.

        Units: nanoseconds.
        Raises: OSError if it is not there.
        """
        return self._read(path, self._facts, read_facts)

    def digest(self, path: str) -> tuple[str, int]:
        """Return a file's digest and the time it was last changed, as `facts`, for a file that includes nothing."""
        return self._read(path, self._digests, content_digest)

    def _read(self, path: str, known: dict[str, tuple[list[int], T]], make: Callable[[bytes], T]) -> tuple[T, int]:
        file = os.path.join(self.root, path)
        status = os.stat(file)
        stamp = file_stamp(status)
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        before = known.get(path)
        if before is not None and before[0] == stamp:
            return before[1], changed
        with open(file, "rb") as stream:
            made = make(stream.read())
        known[path] = (stamp, made)
        return made, changed


def settled(make: Callable[[], tuple[T, int]], message: str) -> T:
    """Return what was made of files, made again if one of them has changed meanwhile.

    Shape: `make` returns it with the time at which one of the files last changed.
    Units: nanoseconds.
    Raises: ToolError with the message if they keep changing; as `make`.
    """
    for _ in range(_ATTEMPTS):
        started = time.time_ns() - _TICK_NS
        made, newest = make()
        if newest < started:
            return made
    raise ToolError(message, hint="build again once they are written")


def read_facts(data: bytes) -> FileFacts:
    """Return the facts of a content."""
    asked = _ASKED.findall(data) if b"__has_" in data else []
    assembled = _ASSEMBLED.findall(data) if b".inc" in data else []
    return FileFacts(
        digest=content_digest(data),
        quoted=_names(_INCLUDE.findall(data)),
        asked=tuple(dict.fromkeys((os.fsdecode(near or far), bool(near)) for near, far in asked)),
        assembled=_names(assembled),
        embeds=b".incbin" in data and _EMBEDDED.search(data) is not None,
    )


def _names(found: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(os.fsdecode(name) for name in dict.fromkeys(found))


def observe(
    source: str,
    files: Mapping[str, FileFacts | None],
    search: SearchPath,
    *,
    root: str,
    bundled: str = "",
) -> tuple[Observed, ...]:
    """Return what a unit hangs on, sorted by path, the source left out.

    Shape: `files` are all that were read, the source among them, by path. No facts of one mean that it changes with
    the toolchain's version alone, as does all that is below `bundled`; such files are left out.
    """
    world = World(root)
    for directory in search.missing:
        world.miss(plain(directory))
    everywhere = (*search.quoted, *search.angled)
    for candidate in {item for path in files for item in _earlier(path, everywhere)}:
        if not _below(candidate, bundled):
            world.miss(candidate)
    outside = tuple(directory for directory in search.angled if not _below(directory, bundled))
    for path, facts in files.items():
        if facts is None:
            continue
        near = posixpath.dirname(path)
        for name in facts.quoted:
            candidate = join(near, name)
            if candidate not in files and _was_found(name, files):
                world.miss(candidate)
        for name, quoted in facts.asked:
            world.ask(name, ((near, *search.quoted) if quoted else ()) + outside)
        for name in facts.assembled:
            world.ask(name, ("", *outside))
    seen = {path: facts.digest for path, facts in files.items() if facts is not None and path != source}
    return tuple(Observed(path, digest) for path, digest in sorted({**world.found, **seen}.items()))


def _was_found(name: str, files: Iterable[str]) -> bool:
    """Return whether an include may have led anywhere: one that is not compiled was not looked for either."""
    tail = "/" + name
    return any(path == name or path.endswith(tail) for path in files)


def _below(path: str, directory: str) -> bool:
    return bool(directory) and path.startswith(directory)


def _earlier(path: str, directories: tuple[str, ...]) -> Iterator[str]:
    """Yield where a file may have been looked for before it was found."""
    for index, directory in enumerate(directories):
        start = directory + "/" if directory not in ("", "/") else directory
        if not path.startswith(start) or (not directory and path.startswith("/")):
            continue
        rest = path[len(start) :]
        for other in directories[:index]:
            yield join(other, rest)
