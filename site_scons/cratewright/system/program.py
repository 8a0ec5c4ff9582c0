"""Programs identified by their bytes and those of the libraries they load: versions need not change with them.

Digests contain no paths, so they are the same on machines with the same programs.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ..base.digest import value_digest
from ..base.errors import CratewrightError
from ..base.patterns import pattern
from ..base.stamp import file_stamp
from .child import run_program
from .fs import digest_file, is_recent, write_atomic

_FORMAT = 1
_LOADER_CACHE = "/etc/ld.so.cache"
_SEARCH = "LD_LIBRARY_PATH"
_INTERPRETER = 3
_HEADER = struct.Struct("<16x2xH4x8xQ8x4x2xHH")
_PROGRAM_HEADER = struct.Struct("<I4xQ16xQ")
_HEAD = 4096
_SCRIPT = 1 << 16
_NAMED = pattern(r"[\w./+@-]{2,}")
_LISTED = pattern(r"(/\S+) \(0x")


def program_files(programs: Iterable[str]) -> dict[str, str]:
    """Return the digests of the files that make up some programs, as `programs_digest` uses them."""
    known = _Known()
    files = {file: known.digest(file) for program in programs for file in known.files(program)}
    known.keep()
    return files


def programs_digest(programs: Iterable[str]) -> str:
    """Return the digest of some programs, each with its shared libraries, or for a script with the programs it names.

    A file is read again, even by later builds, only after its time stamps, size or inode number change.
    """
    known = _Known()
    digests = [tuple(sorted(known.digest(file) for file in known.files(program))) for program in programs]
    known.keep()
    return value_digest(tuple(digests))


def asked_files() -> dict[str, list[int] | None]:
    """Return the stamp of each file that this process has looked at so far; None for a missing one."""
    return dict(_asked)


_asked: dict[str, list[int] | None] = {}


class _Known:
    """What earlier builds found out about each file: its stamp, its digest, and what it loads."""

    def __init__(self) -> None:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        self._path = os.path.join(base, "cratewright", "programs.json")
        self._files: dict[str, list[object]] = {}
        self._changed = False
        with suppress(OSError, ValueError, LookupError, TypeError), open(self._path, "rb") as file:
            found = json.load(file)
            if found["format"] == _FORMAT:
                self._files = dict(found["files"])

    def digest(self, path: str) -> str:
        """Return the digest of a file's content."""
        return str(self._about(path)[1])

    def files(self, program: str) -> list[str]:
        """Return a program and all files that it loads."""
        files: dict[str, None] = {}
        waiting = [program]
        while waiting:
            path = waiting.pop()
            if path in files:
                continue
            files[path] = None
            loads = self._about(path)[2]
            if isinstance(loads, list) and (not loads or loads[0] == _loader()):
                files.update(dict.fromkeys(map(str, loads[1:])))
            else:
                waiting += _named(path)
        return list(files)

    def keep(self) -> None:
        """Save what was found for later builds."""
        if self._changed:
            data = json.dumps({"format": _FORMAT, "files": self._files}).encode()
            with suppress(CratewrightError):  # the home directory may be read-only
                write_atomic(self._path, data)

    def _about(self, path: str) -> list[object]:
        try:
            found = os.stat(path)
        except OSError:
            _asked[path] = None
            return [None, "", []]
        known = self._files.get(path)
        _asked[path] = stamp = file_stamp(found)
        if isinstance(known, list) and len(known) == 3 and known[0] == stamp and _is_current(known[2]):
            return known
        is_young = is_recent(found)
        about: list[object] = [stamp, digest_file(path) or "", _loads(path)]
        if not is_young:
            self._files[path] = about
            self._changed = True
        return about


def _loader() -> list[object]:
    """Return the state that decides where the loader finds libraries."""
    search: list[object] = [os.environ.get(_SEARCH, "")]
    try:
        _asked[_LOADER_CACHE] = stamp = file_stamp(os.stat(_LOADER_CACHE))
    except OSError:
        _asked[_LOADER_CACHE] = None
        return search
    return [*search, *stamp]


def _is_current(loads: object) -> bool:
    return not isinstance(loads, list) or not loads or loads[0] == _loader()


def _loads(path: str) -> list[object] | None:
    """Return the loader's state and the libraries it loads for a program; None for a script, empty for other files."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return []
    if head.startswith(b"#!"):
        return None
    interpreter = _interpreter(head)
    if not interpreter:
        return []
    search = {_SEARCH: os.environ[_SEARCH]} if _SEARCH in os.environ else {}
    try:
        done = run_program([interpreter, "--list", path], what=path, env=search)
    except OSError:
        return []
    libraries = _LISTED.findall(done.stdout.decode("utf-8", "surrogateescape"))
    return [_loader(), *dict.fromkeys(libraries)]


def _interpreter(head: bytes) -> str:
    """Return the loader that an ELF program asks for, or an empty string."""
    if head[:6] != b"\x7fELF\x02\x01" or len(head) < _HEADER.size:
        return ""
    _, start, size, count = _HEADER.unpack_from(head)
    for at in range(start, start + size * count, size or 1):
        if at + _PROGRAM_HEADER.size > len(head):
            break
        kind, offset, length = _PROGRAM_HEADER.unpack_from(head, at)
        if kind == _INTERPRETER:
            return os.fsdecode(head[offset : offset + length].rstrip(b"\0"))
    return ""


def _named(script: str) -> Iterator[str]:
    """Yield the programs that a script may run: those that any of its words names."""
    try:
        with open(script, "rb") as file:
            text = file.read(_SCRIPT).decode("utf-8", "replace")
    except OSError:
        return
    for word in dict.fromkeys(_NAMED.findall(text)):
        found = shutil.which(word)
        if found:
            yield os.path.realpath(found)
