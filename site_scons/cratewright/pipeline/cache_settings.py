"""The settings of the cache: where results are kept, and what is allowed there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ..base.errors import ConfigurationError, near_miss
from ..base.patterns import pattern
from ..base.printable import shown_url
from ..cache.database import DEFAULT_LIMIT, EmbeddedStore
from ..cache.level import Level
from ..cache.stack import StackedStore
from ..cache.store import CacheKvStore, NoStore
from ..plugins.registry import Registry
from .settings import read_flag, read_size

_MODES = ("read-write", "read", "write")
_SEPARATOR = pattern(r",\s+|,(?=[a-z][a-z0-9+.-]*://)")


def read_store(environ: Mapping[str, str], root: str, registry: Registry) -> CacheKvStore:
    """Return the store that `CRATE_CACHE` names: `off`, or places, nearest first; `.crate-cache` if empty.

    Raises: ConfigurationError for an invalid size or mode; as `Registry.open_store` for a URL.
    """
    setting = environ.get("CRATE_CACHE", "")
    places = cache_places(setting)
    modes = read_modes(environ)
    if places == ("off",):
        return NoStore()
    limit = read_size("CRATE_CACHE_SIZE", environ) or DEFAULT_LIMIT
    if len(modes) == 1:
        modes = modes * len(places)

    def opened(place: str, mode: str) -> CacheKvStore:
        if is_url(place):
            return registry.open_store(place, environ)
        return EmbeddedStore(os.path.join(root, place), limit, read_only=mode == "read")

    if len(places) == 1 and modes == (_MODES[0],) and not is_url(places[0]):
        return opened(places[0], modes[0])
    levels = [
        Level(opened(place, mode), shown_url(place), reads=mode != "write", writes=mode != "read", far=is_url(place))
        for place, mode in zip(places, modes, strict=True)
    ]
    if len(levels) == 1 and not is_url(places[0]):
        return levels[0]
    directories = [(place, mode) for place, mode in zip(places, modes, strict=True) if not is_url(place)]
    noted = next((place for place, mode in directories if mode != "read"), "")
    shown = noted or next((place for place, _ in directories), "")
    return StackedStore(levels, os.path.join(root, shown) if shown else "", notes=bool(noted))


def read_own_cache(environ: Mapping[str, str], root: str) -> tuple[str, int]:
    """Return the nearest directory of `CRATE_CACHE` for reading and writing, and its limit; nothing if there is none.

    Also nothing if every hit is recomputed: results found by workers would not be compared.
    Units: bytes.
    Raises: ConfigurationError as `read_store`.
    """
    places, modes = cache_places(environ.get("CRATE_CACHE", "")), read_modes(environ)
    if places == ("off",) or read_flag("CRATE_CACHE_VERIFY", environ):
        return "", 0
    for place, mode in zip(places, modes * len(places) if len(modes) == 1 else modes, strict=True):
        if mode == _MODES[0] and not is_url(place):
            return os.path.join(root, place), read_size("CRATE_CACHE_SIZE", environ) or DEFAULT_LIMIT
    return "", 0


def cache_places(setting: str) -> tuple[str, ...]:
    """Return the directories and URLs in a value of `CRATE_CACHE`, nearest first.

    Shape: a comma separates if a space or a URL follows it; any other is part of a directory's name. If there are
    line breaks, only these separate.
    Raises: ConfigurationError for an invalid place, or a duplicate.
    """
    lines = [line for line in setting.split("\n") if line] if "\n" in setting else []
    places = tuple(lines or [place.strip() for place in _SEPARATOR.split(setting or ".crate-cache")])
    if len(places) == 1:
        return places
    for place in places:
        if place in ("", "off") or places.count(place) > 1:
            problem = (
                "names the same place twice" if place not in ("", "off") else f"cannot have '{place}' among others"
            )
            raise ConfigurationError(
                f"CRATE_CACHE {problem}",
                context=(("value", ", ".join(map(shown_url, places))),),
                hint='name each place once, nearest first: "DIRECTORY, https://HOST/PATH"',
            )
    return places


def one_a_line(places: Iterable[str]) -> str:
    """Return a value of `CRATE_CACHE` for places whose paths may contain separators."""
    return "".join(f"{place}\n" for place in places)


def read_modes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is allowed at each place: `read`, `write` or both; one word for all, or one for each.

    Raises: ConfigurationError for an unknown word, or the wrong number of them.
    """
    text = environ.get("CRATE_CACHE_MODE", "") or _MODES[0]
    words = tuple(word.strip() for word in text.split(","))
    for word in words:
        if word not in _MODES:
            raise ConfigurationError(
                f"CRATE_CACHE_MODE takes {', '.join(_MODES)}, not '{word}'", hint=near_miss(word, _MODES, listed=True)
            )
    places = cache_places(environ.get("CRATE_CACHE", ""))
    if len(words) not in (1, len(places)):
        raise ConfigurationError(
            f"CRATE_CACHE_MODE has {len(words)} words for {len(places)} place{'s' * (len(places) > 1)} of CRATE_CACHE",
            hint="give one word for all of them, or one for each, nearest first",
        )
    return words


def is_url(place: str) -> bool:
    """Return whether a place of `CRATE_CACHE` is a server rather than a directory."""
    return "://" in place
