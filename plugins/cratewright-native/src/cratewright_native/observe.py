"""What a compilation hangs on beside its source: files it read, and paths where it found nothing.

Knows nothing of compilers: it is told which files were read and where they were looked for. A path that something
could appear at, so that another file would be found than this time, is as much an input as a file.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cratewright import Observed
from cratewright.digest import content_digest

from .search_path import SearchPath, plain

__all__ = ["FileFacts", "FileMemory", "observe", "read_facts"]

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*(?:include(?:_next)?|import|embed)[ \t]*"([^"\n]+)"', re.MULTILINE)
_ASKED = re.compile(rb'__has_(?:include(?:_next)?|embed)[ \t]*\([ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)')
_ASSEMBLED = re.compile(rb'^[^\n"]*\.(?:incbin|include)[ \t]+"([^"\n]+)"', re.MULTILINE)
_EMBEDDED = re.compile(rb'^(?![ \t]*(?:/[/*]|\*))[^\n]*"[^"\n]*\.incbin\b', re.MULTILINE)


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
    """The facts of files, each read once as long as it is unchanged. One a process; a header is read by many units."""

    root: str
    _known: dict[str, tuple[tuple[int, int, int], FileFacts]] = field(default_factory=dict)

    def facts(self, path: str) -> tuple[FileFacts, int]:
        """Return a file's facts and the time it was last changed.

        Units: nanoseconds.
        Raises: OSError if it is not there.
        """
        file = os.path.join(self.root, path)
        status = os.stat(file)
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1], changed
        with open(file, "rb") as stream:
            found = read_facts(stream.read())
        self._known[path] = (stamp, found)
        return found, changed


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
    world = _World(root)
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
            candidate = _join(near, name)
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
            yield _join(other, rest)


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory not in ("", "/") else directory + name


class _World:
    """The directories of one moment, each listed once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._names: dict[str, frozenset[str] | None] = {}
        self.found: dict[str, str | None] = {}

    def miss(self, path: str) -> None:
        """Note that a path is not there: itself, or the first of its directories that is not."""
        missing = self._first_missing(path)
        if missing:
            self.found[missing] = None

    def ask(self, name: str, directories: tuple[str, ...]) -> None:
        """Note what a question whether a name can be included has looked at."""
        if name.startswith("/"):
            directories = ("",)
        for directory in directories:
            candidate = _join(directory, name)
            missing = self._first_missing(candidate)
            if not missing:
                try:
                    with open(os.path.join(self._root, candidate), "rb") as file:
                        self.found[candidate] = content_digest(file.read())
                except OSError:
                    continue
                return
            self.found[missing] = None

    def _first_missing(self, path: str) -> str:
        at = path.rfind("/")
        directory = path[:at] if at > 0 else path[: at + 1]
        names = self._listed(directory)
        if names is not None:
            return "" if path[at + 1 :] in names or path[at + 1 :] in ("", ".", "..") else path
        return self._first_missing(directory) if directory not in ("", "/", path) else ""

    def _listed(self, directory: str) -> frozenset[str] | None:
        try:
            return self._names[directory]
        except KeyError:
            pass
        names: frozenset[str] | None
        try:
            names = frozenset(os.listdir(os.path.join(self._root, directory)))
        except OSError:
            names = None
        self._names[directory] = names
        return names
