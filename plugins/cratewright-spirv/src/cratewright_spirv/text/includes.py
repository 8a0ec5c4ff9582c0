"""Resolves `#include`, recording every path that was read or missing."""

from __future__ import annotations

import errno
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from cratewright import (
    Digest,
    Observed,
    RelatedPlace,
    SourceError,
    content_digest,
    dataclass,
    logical_path,
    pattern,
    plain_path,
    read_regular,
)

MAX_DEPTH = 64

_INCLUDE = pattern(rb'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)', re.M)
_LONE_RETURN = pattern(rb"\r(?!\n)")
# Not anchored to a line's start: searching a pattern that starts with a literal is far faster.
_ONCE = pattern(rb"#[ \t]*pragma[ \t]+once\b")


@dataclass(frozen=True, slots=True)
class Included:
    """A file found by an include; `shown` is its name in messages and debug info, never absolute."""

    shown: str
    text: bytes
    once: bool


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of a file and what is derived from it."""

    whole: bytes
    digest: Digest
    text: bytes
    once: bool


# By absolute path, as this process last read it: most units include the same files as the one before.
_contents: dict[str, _Content] = {}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A candidate for an include: the path to open, the path to report, the name to show.

    Shape: `file` and `observed` keep the source's `..`, so that a changed link on the way is noticed; `plain` is the
    file it is now.
    """

    file: str
    observed: str
    shown: str
    plain: str


def plain_lines(text: bytes) -> bytes:
    """Return a text without carriage returns that end lines by themselves."""
    return _LONE_RETURN.sub(b"\n", text) if b"\r" in text else text


def _include_lines(text: bytes) -> Iterator[tuple[int, str, bool]]:
    """Yield the line, the name and whether it is angled, for each include of a source."""
    for match in _INCLUDE.finditer(text):
        quoted, angled = match.groups()
        line = text.count(b"\n", 0, match.start()) + 1
        yield line, (angled if quoted is None else quoted).decode(errors="replace"), quoted is None


def redirect(text: bytes, target: Callable[[str, bool], str | None]) -> bytes:
    """Return the text with each include's name replaced by `target(name, angled)`."""

    def replaced(match: re.Match[bytes]) -> bytes:
        quoted, angled = match.groups()
        name = target((angled if quoted is None else quoted).decode(errors="replace"), quoted is None)
        return match.group() if name is None else b'#include "%s"' % name.encode()

    return _INCLUDE.sub(replaced, text)


class IncludeResolver:
    """Finds includes below a root and records everything, for one unit.

    A quoted name is searched beside the including file, then in each directory in order; an angled name only in the
    directories. A file that is not in the project may be at the same path in a repository.
    """

    def __init__(
        self, root: str, include_dirs: tuple[str, ...], path: str, text: bytes, repositories: tuple[str, ...] = ()
    ) -> None:
        self._root = os.path.normpath(root)
        self._instead: dict[str, bytes] = {}
        self._repositories = repositories
        self._path = path
        self._texts = {path: text}
        self._files = {path: self._candidate(path, path)}
        self._directories = include_dirs
        self._found: dict[tuple[str, str, bool], Included] = {}
        self._contents: dict[str, _Content | None] = {}
        self._observed: dict[str, Observed] = {}
        self._includer: dict[str, tuple[str, str]] = {}

    @property
    def observed(self) -> tuple[Observed, ...]:
        """Return what was read and missing paths, in order of first use."""
        return tuple(self._observed.values())

    @property
    def texts(self) -> Mapping[str, bytes]:
        """Return the unit's and its includes' texts by shown name, as the user wrote them."""
        return self._texts

    def replace_text(self, shown: str, text: bytes) -> None:
        """Replace the text of an included file."""
        self._instead[shown] = text

    def is_include(self, shown: str) -> bool:
        """Return whether a shown name came from an include."""
        return shown in self._includer

    def find(self, name: str, includer: str, *, angled: bool, depth: int = 0) -> Included:
        """Return the file that a name refers to in the file shown as `includer`.

        Raises: SourceError, when there is none, or the nesting is deeper than `MAX_DEPTH`.
        """
        if depth > MAX_DEPTH:
            line, column = self.where(name, includer)
            raise SourceError.at(
                includer,
                line,
                f'includes nest deeper than {MAX_DEPTH} at "{name}"',
                column=column,
                context=self.chain_context(includer, limit=4),
                hint="a file includes itself; guard it with #pragma once or #ifndef",
            )
        key = (name, posixpath.dirname(self._files[includer].file), angled)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._search(name, includer, angled)
        # A header that includes itself must not become its own includer, or the chain has no end.
        if found.shown != self._path:
            self._includer.setdefault(found.shown, (includer, name))
        return found

    def where(self, name: str, includer: str) -> tuple[int, int]:
        """Return the line and column of the name in an include of a file; column 0 if it comes from a macro."""
        text = self._texts.get(includer, b"")
        for line, included, _ in _include_lines(text):
            if included == name:
                written = text.split(b"\n")[line - 1].decode(errors="replace")
                return line, max(written.find(f'"{name}"'), written.find(f"<{name}>")) + 1
        return 1, 0

    def chain_context(self, shown: str, limit: int = MAX_DEPTH) -> tuple[tuple[str, str], ...]:
        """Return the context row with the chain of includes of a file, innermost first; empty for the unit."""
        chain = [f"{file}:{line}" for file, line in self.chain(shown, limit)]
        return (("included from", "\n".join(chain)),) if chain else ()

    def chain(self, shown: str, limit: int = MAX_DEPTH) -> tuple[tuple[str, int], ...]:
        """Return the places of the includes that lead to a file, innermost first; none for the unit."""
        chain: list[tuple[str, int]] = []
        seen: set[str] = set()
        while shown in self._includer and shown not in seen and len(chain) < limit:
            seen.add(shown)
            includer, name = self._includer[shown]
            chain.append((includer, self.where(name, includer)[0]))
            shown = includer
        return tuple(chain)

    def related_places(self, shown: str) -> tuple[RelatedPlace, ...]:
        """Return the chain of includes as related places of a diagnostic."""
        return tuple(RelatedPlace("included from here", *include) for include in self.chain(shown))

    def _search(self, name: str, includer: str, angled: bool) -> Included:
        tried: list[str] = []
        for candidate in self._candidates(name, includer, angled):
            content = self._read(candidate)
            if content is None:
                if candidate.observed not in tried:
                    tried.append(candidate.observed)
                continue
            return self._adopt(candidate, content)
        line, column = self.where(name, includer)
        raise SourceError.at(
            includer,
            line,
            f'cannot find include "{name}"',
            column=column,
            context=(("looked for", "\n".join(tried) or "nothing"), *self.chain_context(includer)),
            hint="add the directory that holds it to include_dirs",
        )

    def _candidates(self, name: str, includer: str, angled: bool) -> Iterator[_Candidate]:
        # As glslang's program reads it on every system.
        name = name.replace("\\", "/")
        if os.path.isabs(name):
            yield self._candidate(name, posixpath.basename(name))
            return
        if not angled:
            here = self._files[includer]
            base = posixpath.dirname(logical_path(here.file, (self._root, *self._repositories)))
            near = posixpath.join(base, name)
            shown = posixpath.normpath(posixpath.join(posixpath.dirname(here.shown), name))
            for directory in ("",) if os.path.isabs(near) else ("", *self._repositories):
                path = posixpath.join(directory, near)
                if name.startswith("../") and not os.path.isdir(posixpath.join(self._root, directory, base)):
                    # Files of another repository in this directory count as if they were here.
                    path = posixpath.normpath(path)
                yield self._candidate(path, shown)
        for directory in self._directories:
            label = posixpath.basename(directory.rstrip("/")) if os.path.isabs(directory) else directory
            yield self._candidate(posixpath.join(directory, name), posixpath.normpath(posixpath.join(label, name)))

    def _candidate(self, path: str, shown: str) -> _Candidate:
        file = posixpath.join(self._root, path)
        plain = plain_path(file)
        if "/.." not in file:
            file = plain
        below = self._below(plain)
        if below is not None:
            shown = below
        elif (logical := logical_path(plain, self._repositories)) != plain:
            shown = logical
        inside = self._below(file)
        return _Candidate(file, file if inside is None else inside, shown, plain)

    def _below(self, file: str) -> str | None:
        """Return a path relative to the root, for a file that lies below it."""
        root = self._root.rstrip("/") + "/"
        return file[len(root) :] if file.startswith(root) else None

    def _read(self, candidate: _Candidate) -> _Content | None:
        if candidate.observed in self._contents:
            return self._contents[candidate.observed]
        try:
            content: _Content | None = _content(candidate.file, read_regular(candidate.file))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            content = None
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise SourceError.at(
                    candidate.shown, 1, "cannot read the include", context=(("reason", error.strerror),)
                ) from error
            content = None  # a pipe or a device: nothing, as for the digest by which a build is up to date
        self._observed[candidate.observed] = Observed(candidate.observed, None if content is None else content.digest)
        self._contents[candidate.observed] = content
        return content

    def _adopt(self, candidate: _Candidate, content: _Content) -> Included:
        shown = candidate.shown
        # Two directories outside the root may share their last name; each file keeps a name of its own.
        while self._files.get(shown, candidate).plain != candidate.plain:
            shown += "~"
        self._files.setdefault(shown, _Candidate(candidate.file, candidate.observed, shown, candidate.plain))
        self._texts[shown] = content.whole
        return Included(shown, self._instead.get(shown, content.text), content.once)


def _content(file: str, whole: bytes) -> _Content:
    known = _contents.get(file)
    if known is None or known.whole != whole:
        once = b"once" in whole and _ONCE.search(whole) is not None
        # Old compilers warn about the pragma instead of obeying it; the include finder obeys it.
        text = plain_lines((_ONCE.sub(b"", whole) if once else whole).removeprefix(b"\xef\xbb\xbf"))
        known = _contents[file] = _Content(whole, content_digest(whole), text, once)
    return known
