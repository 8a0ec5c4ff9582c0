"""Entry points of installed distributions, read from their `entry_points.txt` alone.

`importlib.metadata` finds the same, but imports `email` and more, which takes longer than importing a backend. It is
asked only if modules come from something other than directories.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module, machinery
from operator import attrgetter
from pathlib import Path

from ..base.values import dataclass

__all__ = ["PluginEntry", "entry_points"]

_SUFFIXES = (".dist-info", ".egg-info")
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """A name that a distribution gives to `target`, `module` or `module:attribute`; `origin` is it and its version."""

    name: str
    target: str
    origin: str

    def load(self) -> object:
        """Import what it names.

        Raises: whatever importing it raises; AttributeError if the module lacks the attribute.
        """
        module, _, attribute = self.target.partition("[")[0].partition(":")
        found = import_module(module.strip())
        return attrgetter(attribute.strip())(found) if attribute.strip() else found


def entry_points(group: str) -> list[PluginEntry]:
    """Return the entry points of one group. Of two distributions of one name, the first on the path counts."""
    if not _are_directories():
        return list(_asked(group))
    found: list[PluginEntry] = []
    for place in _distributions():
        targets = _targets(os.path.join(place, "entry_points.txt"), group)
        if targets:
            origin = _words(place)
            found += [PluginEntry(name, target, origin) for name, target in targets]
    return found


def _are_directories() -> bool:
    """Return whether distributions can only be directories, or files, in directories of the path."""
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    return finders == [machinery.PathFinder] and not any(
        path.lower().endswith(".egg") or os.path.isfile(path) for path in sys.path
    )


def _asked(group: str) -> Iterator[PluginEntry]:
    from importlib import metadata  # noqa: PLC0415 - see above

    for entry in metadata.entry_points(group=group):
        about = entry.dist.metadata if entry.dist else None
        yield PluginEntry(entry.name, entry.value, f"{about['Name']} {about['Version']}" if about else "installed")


def _distributions() -> Iterator[str]:
    seen: set[str] = set()
    for path in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(path or "."))
        except OSError:
            continue
        for name in names:
            stem, suffix = os.path.splitext(name.lower())
            plain = re.sub(r"[-_.]+", "-", stem.partition("-")[0])
            if suffix in _SUFFIXES and plain not in seen:
                seen.add(plain)
                yield os.path.join(path, name)


def _targets(path: str, group: str) -> list[tuple[str, str]]:
    """Return the names of one section of a table, with what is behind the `=` of each."""
    found: list[tuple[str, str]] = []
    section = ""
    for line in map(str.strip, _text(path).splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif section == group and line and not line.startswith("#"):
            name, _, target = line.partition("=")
            found.append((name.strip(), target.strip()))
    return found


def _words(place: str) -> str:
    """Return a distribution's name and version, as its own file says, or else the name of the directory."""
    text = _text(os.path.join(place, "METADATA")) or _text(os.path.join(place, "PKG-INFO"))
    said: dict[str, str] = {}
    for line in text.splitlines():
        if not line:  # after it comes the description
            break
        field, _, value = line.partition(":")
        said.setdefault(field.lower(), value.strip())
    name, _, version = Path(place).stem.partition("-")
    return f"{said.get('name', name)} {said.get('version', version)}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except _NOT_THERE:
        return ""
