"""A user's linker flags, prepared for a link in a scratch directory."""

from __future__ import annotations

import os
from dataclasses import replace

from cratewright import LinkRequest, dataclass

from .ldflags import parse_ldflags, spelled
from .linker_options import Fate

__all__ = ["UsersWords", "users_words"]

_READ = frozenset({Fate.LIST, Fate.VERSIONS, Fate.SCRIPT, Fate.INPUT})


@dataclass(frozen=True, slots=True)
class UsersWords:
    """Arguments of a driver, and files.

    Shape: `read` are absolute; `written` have the name in the scratch directory, and the path that the user gave.
    `missing` are paths where a script was looked for first and not found, relative to the root.
    """

    words: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    written: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


def users_words(request: LinkRequest, root: str) -> UsersWords:
    """Return the words of `ldflags`, with absolute paths for files of the project."""
    words: list[str] = []
    read: list[str] = []
    missing: list[str] = []
    written: dict[str, str] = {}
    for flag in parse_ldflags(request.options.texts("ldflags")):
        fate, value = flag.option.fate, flag.value
        if value and fate is Fate.OUTPUT:
            if value != "-":
                value = written.setdefault(value, f"written-{len(written)}")
        elif value and fate is Fate.SCRIPT and not os.path.isfile(os.path.join(root, value)):
            # Linkers look for scripts where they look for libraries.
            missing.append(value)
            value = os.path.basename(value)
        elif value and (fate in _READ or fate is Fate.DIRECTORY):
            value = os.path.join(root, value)
            if fate in _READ:
                read.append(value)
        # Not all drivers know these and pass them on.
        handed = flag.linker or fate in (Fate.TOLD, Fate.SCRIPT) or flag.option.name == "z"
        words += spelled(replace(flag, value=value, linker=handed))
    return UsersWords(tuple(words), tuple(read), tuple((file, path) for path, file in written.items()), tuple(missing))
