"""Forged entries, as an attacker with write access to a store could plant them: well-formed, but with other content."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from cratewright.cache.entry import (
    _ALTERNATIVES,
    ObservedResult,
    RecompileError,
    Result,
    decode_alternatives,
    open_entry,
    result_bytes,
    result_of,
    seal_entry,
)
from cratewright.values.module import Observed

__all__ = ["plant"]

_WORDS = (
    "",
    ".",
    "..",
    "../outside/planted",
    "/tmp/cratewright-planted",
    "a/../../outside/planted",
    "-o",
    "--plugin=evil.so",
    "@evil.rsp",
    "a\0b",
    "a\nb",
    "\x1b[31m",
    "\udcff",
    "x" * 5000,
    "$(touch outside/planted)",
    "${__import__('os').system('touch outside/planted')}",
    "[[[[",
    '{"a": 1}',
    "/dev/zero",
    "pipe",
    "fragment",
)
_NUMBERS = (-1, 0, 1, 2**31, 2**63 - 1, -(2**63), 2**64 - 1)


def plant(key: str, data: bytes, rng: random.Random) -> bytes:
    """Return a forged entry for the same key; the same entry if it cannot be read."""
    try:
        alternatives = decode_alternatives(open_entry(key, data))
        results = [result_of(alternative.result) for alternative in alternatives]
    except RecompileError:
        return data
    made: list[ObservedResult] = []
    for alternative, result in zip(alternatives, results, strict=True):
        observed = alternative.observed
        if rng.random() < 0.2:
            observed = (*observed, Observed(rng.choice(_WORDS), rng.choice((None, "0" * 64, "directory"))))
        elif rng.random() < 0.5:
            observed = ()  # it holds everywhere
        other: Result = result
        for _ in range(rng.choice((1, 1, 2, 5))):
            other = _hostile(other, rng)
        try:
            made.append(ObservedResult(observed, result_bytes(other)))
        except ValueError:
            made.append(ObservedResult(observed, rng.randbytes(rng.randrange(200))))
    return seal_entry(key, _ALTERNATIVES.encode(tuple(made * rng.choice((1, 1, 1, 50)))))


def _hostile(value: Any, rng: random.Random) -> Any:
    """Return a value of the same type with something inside it changed."""
    if is_dataclass(value) and not isinstance(value, type):
        name = rng.choice([field.name for field in fields(value)])
        return replace(value, **{name: _hostile(getattr(value, name), rng)})
    if isinstance(value, tuple):
        return _CHANGES[rng.randrange(len(_CHANGES))](value, rng)
    if isinstance(value, Enum):
        return rng.choice(list(type(value)))
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, str):
        return rng.choice(_WORDS) if rng.random() < 0.8 else value + rng.choice(_WORDS)
    if isinstance(value, bytes):
        return rng.choice((b"", rng.randbytes(50), value[:-1], value * 3, b"../outside/planted\n" + value))
    return rng.choice(_NUMBERS)


def _inside(value: tuple[Any, ...], rng: random.Random) -> tuple[Any, ...]:
    if not value:
        return value
    at = rng.randrange(len(value))
    return (*value[:at], _hostile(value[at], rng), *value[at + 1 :])


_CHANGES: tuple[Callable[[tuple[Any, ...], random.Random], tuple[Any, ...]], ...] = (
    _inside,
    _inside,
    _inside,
    _inside,
    lambda value, rng: (),
    lambda value, rng: value * 2,
    lambda value, rng: value * rng.choice((3, 300)),
    lambda value, rng: value[1:],
    lambda value, rng: value[::-1],
)
