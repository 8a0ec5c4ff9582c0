"""Looks up results by key, checks them against the files they were made from, and stores them.

An unusable entry is a miss, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

from ..base.digest import Digest
from ..base.values import dataclass, maker, state_of
from ..values.module import CompiledUnit, Observed
from ..values.request import LinkResult
from .entry import (
    MOST_ALTERNATIVES,
    ObservedResult,
    RecompileError,
    Result,
    decode_alternatives,
    encode_alternatives,
    open_entry,
    result_bytes,
    result_of,
    seal_entry,
)
from .key import CacheKey
from .store import CacheKvStore, NoStore

_OBSERVING = (CompiledUnit, LinkResult)
"""Results that depend on files besides their key."""


@dataclass(frozen=True, slots=True)
class Found:
    """The cached entry of a key: the result valid now, if any, and those for other states of the files."""

    result: Result | None = None
    alternatives: tuple[ObservedResult, ...] = ()


NOTHING = Found()


class ResultCache:
    """A store, and a function that returns a file's current digest; `note` is called with all keys."""

    def __init__(
        self,
        store: CacheKvStore,
        digest: Callable[[str], Digest | None],
        note: Callable[[Sequence[CacheKey]], None] = lambda keys: None,
    ) -> None:
        self._store = store
        self._digest = digest
        self._note = note

    @property
    def keeps(self) -> bool:
        """Whether the cache can return what it is given."""
        return not isinstance(self._store, NoStore)

    def find(self, keys: Sequence[CacheKey]) -> list[Found]:
        """Look up each key; each level of the store is asked once, for what nearer ones lack.

        A valid entry is copied to the nearer levels, where it is found next time.
        """
        self._note(keys)
        digests: dict[str, Digest | None] = {}
        found = dict.fromkeys(keys, NOTHING)
        nearer: list[CacheKvStore] = []
        for level in self._store.levels:
            missing = [key for key, known in found.items() if known.result is None]
            if not missing:
                break
            entries = level.get_many(missing)
            opened = {key: self._open(key, entries[key], digests) for key in missing if key in entries}
            for store in nearer:
                store.put_many(
                    {
                        key: _joined(key, entries[key], known.alternatives, found[key].alternatives)
                        for key, known in opened.items()
                        if known.result is not None
                    }
                )
            for key, known in opened.items():
                near = found[key].alternatives
                found[key] = Found(known.result, known.alternatives + near) if near else known
            nearer.append(level)
        return [found[key] for key in keys]

    def keep(self, key: CacheKey, result: Result, earlier: Found = NOTHING) -> None:
        """Keep a result beside those found for other states of its files."""
        if not self.keeps:
            return
        observed = observed_files(result)
        others = [alternative for alternative in earlier.alternatives if alternative.observed != observed]
        try:
            new = ObservedResult(observed, result_bytes(without_observed(result)))
            alternatives = encode_alternatives([new, *others][:MOST_ALTERNATIVES])
        except ValueError:  # a field of a wrong type, or too large: it could not be read back
            return
        # Of concurrent writers the last wins; the other's result may be compiled again some day.
        self._store.insert(key, seal_entry(key, alternatives))

    def _open(self, key: CacheKey, data: bytes, digests: dict[str, Digest | None]) -> Found:
        try:
            alternatives = decode_alternatives(open_entry(key, data))
            for position, alternative in enumerate(alternatives):
                if self._holds(alternative.observed, digests):
                    result = result_of(alternative.result)
                    # The files are kept once, beside the result.
                    return Found(
                        _with_files(result, alternative.observed),
                        (alternative, *alternatives[:position], *alternatives[position + 1 :]),
                    )
        except RecompileError:
            return Found()
        return Found(None, alternatives)

    def _holds(self, observed: Iterable[Observed], digests: dict[str, Digest | None]) -> bool:
        """Return whether files are unchanged; `digests` are the current digests known so far."""
        for item in observed:
            path = item.path
            if path not in digests:
                digests[path] = self._digest(path)
            if digests[path] != item.digest:
                return False
        return True


def _joined(key: CacheKey, entry: bytes, far: tuple[ObservedResult, ...], near: tuple[ObservedResult, ...]) -> bytes:
    """Return a far level's entry merged with a nearer one's, whose results must not get lost."""
    if not near:
        return entry
    alternatives = {alternative.observed: alternative for alternative in reversed((far[0], *near, *far[1:]))}
    try:
        return seal_entry(key, encode_alternatives([*reversed(alternatives.values())][:MOST_ALTERNATIVES]))
    except ValueError:
        return entry


def observed_files(result: object) -> tuple[Observed, ...]:
    """Return the files that decided a result in addition to its key."""
    return result.observed if isinstance(result, _OBSERVING) else ()


def without_observed(result: Result) -> Result:
    """Return a result without the files that decided it."""
    return _with_files(result, ())


def _with_files(result: Result, observed: tuple[Observed, ...]) -> Result:
    if isinstance(result, _OBSERVING) and result.observed != observed:
        kind = type(result)
        if kind not in _parts:
            _parts[kind] = maker(kind), state_of(kind), [field.name for field in fields(kind)].index("observed")
        make, state, place = _parts[kind]
        values = state(result)
        changed: Result = make(*values[:place], observed, *values[place + 1 :])
        return changed
    return result


_parts: dict[type, tuple[Callable[..., Any], Callable[[Any], tuple[Any, ...]], int]] = {}
"""By class, what makes a result of its fields, what gives these, and which is the observed files.

`dataclasses.replace` would find that out anew for each hit, which takes a twentieth of a lookup.
"""


def damaged_entries(entries: Iterable[tuple[str, bytes]]) -> list[tuple[str, RecompileError]]:
    """Return the keys of all unusable entries, each with its fault."""
    damaged: list[tuple[str, RecompileError]] = []
    for key, data in entries:
        try:
            for alternative in decode_alternatives(open_entry(CacheKey(key), data)):
                result_of(alternative.result)
        except RecompileError as error:
            damaged.append((key, error))
    return damaged
