"""The dependencies of a final link: files that the linker read, and paths where it found no library."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from cratewright import Digest, LinkError, Observed, dataclass, pattern

from ..lookups.observe import FileMemory
from ..lookups.search_path import plain
from ..lookups.world import World, path_in

_FILE_NAMES = {
    "elf": ("lib{}.so", "lib{}.a"),
    "coff": ("lib{}.dll.a", "{}.dll.a", "lib{}.a", "lib{}.lib", "{}.lib", "lib{}.dll", "{}.dll"),
    "macho": ("lib{}.tbd", "lib{}.dylib", "lib{}.so", "lib{}.a"),
    "wasm": ("lib{}.so", "lib{}.a"),
}
"""Possible file names of a library `{}`, by the target's format."""

_WORD = pattern(r"(-L|-l|-T|--(?:library-path|library|script|version-script|dynamic-list)(?==|\Z))=?(.*)", re.DOTALL)
_KINDS = {"--library-path": "-L", "--library": "-l"}
_SLASHES = pattern(r"/(?:\.?(?:/|\Z))*")
_ESCAPE = pattern(r"\\([ #])|\$(\$)")
_SHOWN = pattern(r"[\s\"'](-[Ll])([^\s\"']+)")


@dataclass(frozen=True, slots=True)
class LinkSearch:
    """Where a linker searches, and for what.

    Shape: `directories` in order, relative to the project root or absolute; `names` as after `-l`; `scripts` are paths.
    """

    directories: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()


def linked_files(depfile: Path, *, escaped: bool) -> list[str]:
    """Return the files that a linker read, except those made for it, which are beside its list."""
    if not depfile.exists():
        return []
    scratch = os.path.join(depfile.parent, "")
    return [
        path
        for path in parse_link_depfile(depfile.read_text("utf-8", "surrogateescape"), escaped=escaped)
        if not path.startswith(scratch) and (os.path.isabs(path) or not (depfile.parent / path).exists())
    ]


def parse_link_depfile(text: str, *, escaped: bool) -> tuple[str, ...]:
    """Return the files of a linker's list, each once, in order.

    Shape: one per line, verbatim unless `escaped` (only ld.lld escapes).
    """
    rule = text.partition("\n\n")[0].splitlines()[1:]
    found = dict.fromkeys(line.strip().removesuffix(" \\") for line in rule)
    return tuple(_ESCAPE.sub(lambda match: match[1] or match[2], path) for path in found) if escaped else tuple(found)


def link_search(words: Iterable[str], stderr: str, root: str) -> LinkSearch:
    """Return what the words of a link make it search, and those that a verbose driver adds."""
    given = list(_search_words(words))
    # A driver shows each command on a line that begins with a space.
    shown = [found for line in stderr.splitlines() if line.startswith(" ") for found in _SHOWN.findall(line)]
    directories = (_logical(path, root) for kind, path in (*given, *shown) if kind == "-L")
    return LinkSearch(
        directories=tuple(_without_aliases(dict.fromkeys(directories))),
        names=tuple(dict.fromkeys(name for kind, name in (*given, *shown) if kind == "-l")),
        scripts=tuple(dict.fromkeys(path for kind, path in given if kind == "-T" and os.path.isfile(path))),
    )


def _without_aliases(directories: Iterable[str]) -> Iterator[str]:
    """Yield directories, each absolute one once, since drivers name one by several paths."""
    seen: set[tuple[int, int]] = set()
    for directory in directories:
        if os.path.isabs(directory):
            try:
                found = os.stat(directory)
            except OSError:
                pass
            else:
                if (found.st_dev, found.st_ino) in seen:
                    continue
                seen.add((found.st_dev, found.st_ino))
        yield directory


def _search_words(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the short name and the value of each word about directories, libraries and scripts."""
    waiting = ""
    for word in _linker_words(words):
        found = _WORD.match(word)
        if waiting:
            yield waiting, word
            waiting = ""
        elif found:
            kind = _KINDS.get(found[1], found[1] if len(found[1]) == 2 else "-T")
            if found[2]:
                yield kind, found[2]
            else:
                waiting = kind


def _linker_words(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word.startswith("-Wl,"):
            yield from word.split(",")[1:]
        elif word != "-Xlinker":
            yield word


def observe_link(
    listed: Sequence[str],
    search: LinkSearch,
    format: str,
    memory: FileMemory,
    *,
    requested: Collection[str] = (),
    bundled: str = "",
) -> tuple[tuple[Observed, ...], int]:
    """Return what a link depends on, sorted by path, and when one of the files last changed.

    Shape: `listed` are the files that the linker read, without those made for it; a relative one was found on the
    search path. `format` is that of the target; `requested` are files that the request includes. Files below `bundled`
    change only with the toolchain's version.
    Units: nanoseconds.
    Raises: LinkError for a file that has disappeared.
    """
    absolute = [path for path in (*listed, *search.scripts) if os.path.isabs(path)]
    paths = dict.fromkeys(_logical(path, memory.root) for path in absolute)
    wanted = [file_names(name, format) for name in search.names]
    wanted += [(name,) for name in listed if not os.path.isabs(name)]
    wanted += [_names_beside(path, format) for path in paths if posixpath.dirname(path) in search.directories]
    world = World(memory.root)
    for names in dict.fromkeys(wanted):
        _record_lookups(names, search.directories, paths, world)
    seen: dict[str, Digest] = {}
    newest = world.newest
    for path in paths:
        if path in requested or (bundled and path.startswith(bundled)):
            continue
        try:
            seen[path], changed = memory.digest(path)
        except OSError as error:
            raise LinkError(f"{path} disappeared during the link", context=(("reason", error.strerror),)) from error
        newest = max(newest, changed)
    return tuple(Observed(path, digest) for path, digest in sorted({**world.found, **seen}.items())), newest


def _logical(path: str, root: str) -> str:
    """Return a path as units name it: relative to the project root, or absolute outside it."""
    path, prefix = _SLASHES.sub("/", path), os.path.join(root, "")
    return "" if path in (prefix, root) else plain(path.removeprefix(prefix))


def _record_lookups(names: Iterable[str], directories: Iterable[str], found: Collection[str], world: World) -> None:
    """Record what is at each path where one of the names was looked up, up to the file found."""
    for directory in directories:
        for name in names:
            path = path_in(directory, name)
            if path in found:
                return
            # If something is there, the linker has followed it as a script, or skipped it.
            world.look(path)


def file_names(name: str, format: str) -> tuple[str, ...]:
    """Return the names that the linker looks for in each directory for `-l` and a name."""
    return (name[1:],) if name.startswith(":") else tuple(text.format(name) for text in _FILE_NAMES[format])


def _names_beside(path: str, format: str) -> tuple[str, ...]:
    """Return the names by which a file on the search path may have been requested."""
    base = posixpath.basename(path)
    if base.endswith((".o", ".obj")):  # the driver's own start files, which are not searched for
        return ()
    for text in _FILE_NAMES[format]:
        before, _, after = text.partition("{}")
        if base.startswith(before) and base.endswith(after):
            return file_names(base[len(before) : len(base) - len(after)], format)
    return (base,)
