"""A user's linker flags, for a link that runs in a scratch directory."""

from __future__ import annotations

import os
from dataclasses import replace

from cratewright import LinkRequest, dataclass

from .ldflags import flag_words, parse_ldflags
from .linker_options import Treatment

_READ = frozenset({Treatment.SYMBOL_LIST, Treatment.VERSION_SCRIPT, Treatment.LINKER_SCRIPT, Treatment.INPUT_FILE})


@dataclass(frozen=True, slots=True)
class LinkFlags:
    """Arguments of a driver, and the files that they name.

    Shape: `read` are absolute; `written` are pairs of a name in the scratch directory and the path that the user gave;
    `missing` are paths relative to the root where a script was looked up first.
    """

    words: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    written: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


def link_flags(request: LinkRequest, root: str) -> LinkFlags:
    """Return the words of `ldflags`, with absolute paths for files of the project."""
    words: list[str] = []
    read: list[str] = []
    missing: list[str] = []
    written: dict[str, str] = {}
    for flag in parse_ldflags(request.options.texts("ldflags")):
        treatment, value = flag.option.treatment, flag.value
        if value and treatment is Treatment.OUTPUT_FILE:
            if value != "-":
                value = written.setdefault(value, f"written-{len(written)}")
        elif value and treatment is Treatment.LINKER_SCRIPT and not os.path.isfile(os.path.join(root, value)):
            # Linkers search for scripts where they search for libraries.
            missing.append(value)
            value = os.path.basename(value)
        elif value and (treatment in _READ or treatment is Treatment.DIRECTORY):
            value = os.path.join(root, value)
            if treatment in _READ:
                read.append(value)
        # Not all drivers know these.
        to_linker = (
            flag.linker or treatment in (Treatment.RESOLUTION, Treatment.LINKER_SCRIPT) or flag.option.name == "z"
        )
        words += flag_words(replace(flag, value=value, linker=to_linker))
    return LinkFlags(tuple(words), tuple(read), tuple((file, path) for path, file in written.items()), tuple(missing))
