"""SCons's own database: what it has built, and from what."""

from __future__ import annotations

import hashlib
import io
import os
import pickle

import SCons.dblite
import SCons.SConsign

_NAME = ".sconsign.dblite"

_MAX_SIZE = 1 << 28


def read_database(root: str) -> bytes:
    """Return the content of SCons's database; empty if it is not a file."""
    try:
        return bounded_content(os.path.join(root, _NAME))
    except OSError:
        return b""


def database_digest(database: bytes) -> str:
    """Return the digest of the content of SCons's database, empty if there is none."""
    return hashlib.sha256(database).hexdigest() if database else ""


def bounded_content(path: str) -> bytes:
    """Return the content of a file.

    Raises: OSError if it is no regular file, or larger than SCons or this package writes.
    """
    # A pipe has no end.
    if not os.path.isfile(path) or os.path.getsize(path) > _MAX_SIZE:
        raise OSError(path)
    with open(path, "rb") as file:
        return file.read()


def database_is_default() -> bool:
    """Return whether SCons keeps its database where it does by default."""
    memory = SCons.SConsign
    is_default = memory.DB_Name is None and memory.DB_Module is SCons.dblite and memory.ForDirectory is memory.DB
    return is_default and f"{memory.current_sconsign_filename()}.dblite" == _NAME


def is_same_database(before: bytes, now: bytes) -> bool:
    """Return whether two contents of SCons's database hold the same data.

    SCons may or may not share strings between what it has read and computed, and `pickle` writes a shared string once.
    """
    if before == now:
        return True
    try:
        return _unshared(before) == _unshared(now)
    except Exception:  # a damaged file may raise anything
        return False


def _unshared(memory: bytes) -> dict[str, bytes]:
    """Return the database's entry of each directory, with nothing shared."""
    found = {}
    for name, entries in pickle.loads(memory).items():
        written = io.BytesIO()
        pickler = pickle.Pickler(written)
        pickler.fast = True
        pickler.dump(pickle.loads(entries))
        found[name] = written.getvalue()
    return found
