"""The `CRATE_*` settings that steer how a build is run, not what it makes.

Knows nothing of where they were set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..cache.database import DEFAULT_LIMIT, EmbeddedStore
from ..cache.store import CacheKvStore, GuardedStore, NoStore, ReadStore, WriteStore
from ..errors import ConfigurationError, near_miss
from ..registry import Registry

__all__ = ["SETTINGS", "read_memory", "read_mode", "read_store", "read_time_passes", "read_verify"]

SETTINGS: Mapping[str, str] = {
    "CRATE_CACHE": "where results are kept: a directory, a URL that a plugin knows, or `off`; else `.crate-cache`",
    "CRATE_CACHE_MODE": "`read-write`; `read` changes nothing of the store; `write` fills it and believes nothing",
    "CRATE_CACHE_SIZE": "how large the directory may become, such as `5G`; what was unused for longest goes first",
    "CRATE_CACHE_VERIFY": "`1` makes every hit again and compares",
    "CRATE_EVENTS": "a file for the build's events, as JSON lines",
    "CRATE_MEMORY": "how much memory heavy jobs may use together, such as `8G`; what is free if not set",
    "CRATE_PLUGINS": "words such as `-native`, each of which leaves a plugin out",
    "CRATE_REMOTE": "reserved",
    "CRATE_REQUIRE_TOOLS": "`1` in tests: a missing tool is a failure",
    "CRATE_TIMEOUT": "seconds after which a unit is ended with all that it has started; 300 if not set",
    "CRATE_TIME_PASSES": "`1` prints where each stage's seconds went",
    "CRATE_TRACE_PLUGINS": "`1` prints which plugins there are and which of their hooks are called",
}
"""The settings that are no backend's own, and what each is for."""

_MODES = ("read-write", "read", "write")
_UNITS = {"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}


def read_store(environ: Mapping[str, str], root: str, registry: Registry) -> CacheKvStore:
    """Return the store that `CRATE_CACHE` names: `off`, a URL or a directory; `.crate-cache` where it is empty.

    Raises: ConfigurationError for a size or a mode that is none; as `Registry.open_store` for a URL.
    """
    setting, mode = environ.get("CRATE_CACHE", ""), read_mode(environ)
    if setting == "off":
        return NoStore()
    if "://" in setting:
        store: CacheKvStore = GuardedStore(registry.open_store(setting), setting)
    else:
        limit = _size("CRATE_CACHE_SIZE", environ) or DEFAULT_LIMIT
        directory = os.path.join(root, setting or ".crate-cache")
        store = EmbeddedStore(directory, limit, read_only=mode == "read")
    return {"read": ReadStore, "write": WriteStore}[mode](store) if mode in ("read", "write") else store


def read_mode(environ: Mapping[str, str]) -> str:
    """Return what may be done with the store: `read`, `write` or both.

    Raises: ConfigurationError for another word.
    """
    text = environ.get("CRATE_CACHE_MODE", "") or _MODES[0]
    if text not in _MODES:
        raise ConfigurationError(
            f"CRATE_CACHE_MODE takes {', '.join(_MODES)}, not '{text}'", hint=near_miss(text, _MODES)
        )
    return text


def read_memory(environ: Mapping[str, str]) -> int | None:
    """Return how much memory heavy jobs may use together; None to go by what is free.

    Units: bytes.
    Raises: ConfigurationError for a size that is none.
    """
    return _size("CRATE_MEMORY", environ)


def read_verify(environ: Mapping[str, str]) -> bool:
    """Return whether hits are compiled again and compared.

    Raises: ConfigurationError for anything else than 0 or 1.
    """
    return _flag("CRATE_CACHE_VERIFY", environ)


def read_time_passes(environ: Mapping[str, str]) -> bool:
    """Return whether a stage tells where its seconds went.

    Raises: ConfigurationError for anything else than 0 or 1.
    """
    return _flag("CRATE_TIME_PASSES", environ)


def _flag(name: str, environ: Mapping[str, str]) -> bool:
    text = environ.get(name, "")
    if text not in ("", "0", "1"):
        raise ConfigurationError(f"{name} takes 0 or 1, not '{text}'")
    return text == "1"


def _size(name: str, environ: Mapping[str, str]) -> int | None:
    """Return the bytes that a setting names, None if it is not set.

    Shape: a number and perhaps one of K, M, G, T, with iB or B behind it as one likes; 1024 each.
    """
    text = environ.get(name, "")
    word = text.strip().upper()
    if not word:
        return None
    number = word.rstrip("BIKMGT")
    unit = word[len(number) :].replace("IB", "").rstrip("B") if number else ""
    try:
        size = int(float(number) * (1 << _UNITS[unit]))
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise ConfigurationError(f"{name} takes a size such as 500M or 5G, not '{text}'")
    return size
