"""Where a link may write and remove files: below the crate's output directory, and dumps below their directories.

`OutputArea` also resolves symbolic links. Output names come from sources, from metadata of crates built elsewhere,
from plugins and from state files; none of them can place a file outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..base.errors import OutputError
from ..base.host import WINDOWS
from ..base.patterns import pattern
from ..base.printable import printable

_LONGEST = 255
"""Bytes; the limit of file systems for one name."""
_LONGEST_PATH = 3000
"""Bytes; leaves room for the directory within the system's limit for a path."""


def check_output_path(path: str, *, where: str) -> str:
    """Return a path that names a file below the directory it is relative to.

    Shape: `/`-separated; `where` names the crate or file that gives it, for the message.
    Raises: OutputError for a path that is absolute, contains `..` or has a part that cannot be a file name.
    """
    problem = _problem(path)
    if problem:
        raise OutputError(
            f"{where}: {printable(repr(path))} cannot be an output",
            context=(("reason", problem),),
            hint="outputs must be below the output directory of their crate; rename what the file is named after",
        )
    return path


def check_output_paths(paths: Iterable[str], *, where: str) -> tuple[str, ...]:
    """Return the paths of one link, each of which names a separate file.

    Raises: OutputError as `check_output_path`, and for a repeated path or one that is the directory of another.
    """
    seen: dict[str, None] = {}
    for path in paths:
        if check_output_path(path, where=where) in seen:
            raise OutputError(f"{where}: two outputs would be called {path}", hint=_RENAME)
        seen[path] = None
    for path in seen:
        at = path.find("/")
        while at > 0:
            if path[:at] in seen:
                raise OutputError(f"{where}: {path[:at]} would be a file, and the directory of {path}", hint=_RENAME)
            at = path.find("/", at + 1)
    return tuple(seen)


_RENAME = 'rename one source, or give it a name of its own: (path, {"name": ...})'


def folded(path: str) -> str:
    """Return a form equal for paths that are one to a file system that ignores case or normalizes Unicode."""
    if path.isascii():
        return path.lower()
    import unicodedata  # noqa: PLC0415 - names are rarely anything but ASCII

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def fits_a_path(text: str) -> bool:
    """Return whether a text is a path that every tool passes on unchanged.

    Shape: UTF-8 without control characters, and without quotes and backslashes, which dependency files, `#line` and the
    output of drivers escape in different ways.
    """
    return _UNFIT.search(text) is None


_UNFIT_FOR_WINDOWS = pattern(r"[<>:|?*]")
"""A colon would name a drive, or a stream of another file."""
_DEVICE = pattern(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?\Z", re.IGNORECASE)
_UNFIT = pattern(r'[\x00-\x1f"\\\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def _problem(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/"):
        return "it is absolute"
    if ".." in parts:
        return "it steps out of the directory"
    if "" in parts or "." in parts:
        return "a part of it is not a name"
    if not fits_a_path(path) or (WINDOWS and _UNFIT_FOR_WINDOWS.search(path)):
        return "it has a character that names of files cannot have"
    if WINDOWS and any(_DEVICE.match(part) or part[-1] in ". " for part in parts):
        return "on Windows a part of it names a device or another file"
    sizes = [len(part.encode()) for part in parts]
    if max(sizes) > _LONGEST or sum(sizes) > _LONGEST_PATH:
        return f"it is too long: names of files have up to {_LONGEST} bytes"
    return ""
