"""The history of a stage: what its last run made and why, as bytes that the next run compares with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..base.codec import Codec
from ..base.serializer import DecodeError
from ..base.values import dataclass
from .explain import LOST, NEW, Change, Observations, changes_between, describe, group
from .key import Fields

_FORMAT = "cratewright history 3"
_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of a result's key, its files, and why it was made again; no causes if it was reused."""

    fields: Fields
    observed: Observations
    causes: tuple[Change, ...] = ()


_RECORD: Codec[Record] = Codec(Record)
# Records are bytes of their own: an edit compares few of them, and a record has a row for each header of its unit.
_HISTORY: Codec[tuple[str, tuple[tuple[str, bytes], ...]]] = Codec(tuple[str, tuple[tuple[str, bytes], ...]])


class StageHistory:
    """Records one run of a stage.

    Shape: `before` is what `encode` returned in the last run, called when first needed; without it, nothing is
    recorded.
    """

    def __init__(self, before: Callable[[], bytes] | None = None) -> None:
        self._read = before
        self._before: Mapping[str, bytes] | None = None
        self._now: dict[str, Record] = {}

    def knows(self, label: str) -> bool:
        """Return whether the stage's last run had a result of this label."""
        return label in self._earlier()

    def observed(self, label: str) -> Observations:
        """Return the files that decided this label's result in the stage's last run, in their state then."""
        before = self._record(label)
        return before.observed if before is not None else ()

    def reused(self, label: str, fields: Fields, observed: Observations) -> None:
        """Record a hit."""
        if self.notes:
            self._now[label] = Record(fields, observed)

    @property
    def notes(self) -> bool:
        """Whether anything is recorded."""
        return self._read is not None

    def made(
        self,
        label: str,
        fields: Fields,
        observed: Observations,
        kept: Observations | None = None,
        elsewhere: Fields | None = None,
    ) -> tuple[Change, ...]:
        """Record a result that was made, and return why; empty if nothing is recorded.

        Shape: without an earlier run to compare with, as in a new checkout, `kept` is compared, the files of a cached
        entry under the same key, or if there was none, `elsewhere`, the nearest result of other machines.
        """
        if not self.notes:
            return ()
        before = self._record(label)
        known = (before.fields, before.observed) if before is not None else (fields, kept) if kept else None
        if known is None and elsewhere is not None:
            known = (elsewhere, ())
        causes = changes_between(known, fields, observed)
        if before is None and elsewhere is None and causes == (Change(LOST),):
            causes = (Change(NEW),)
        self._now[label] = Record(fields, observed, causes)
        return causes

    def reason(self, nouns: Mapping[str, str]) -> str:
        """Return in one line why results were made again, an empty string if all are new.

        Shape: `nouns` maps the prefix of a step's labels, before the colon, to what the step makes. Of several steps,
        the first is reported, since it caused the others.
        """
        causes = {label: record.causes for label, record in self._now.items() if record.causes}
        known = {label: changes for label, changes in causes.items() if changes != (Change(NEW),)}
        if not known:
            return ""
        step = _step(next(iter(known)))
        rows = group({label: changes for label, changes in known.items() if _step(label) == step})
        noun = nouns.get(step, "result")
        words = [f"{describe(change)} ({_count(len(labels), noun)})" for change, labels in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            words.append(_count(len(rows) - _SHOWN, "more cause"))
        new = sum(_step(label) == step for label in causes.keys() - known.keys())
        return "; ".join([*words, *([f"{_count(new, noun)} new"] if new else [])])

    def encode(self, *, failed: bool = False) -> bytes:
        """Return what the next run compares with; if this one failed, with results of the last one not reached."""
        now = {label: _RECORD.encode(record) for label, record in self._now.items()}
        records = {**self._earlier(), **now} if failed else now
        return _HISTORY.encode((_FORMAT, tuple(records.items())))

    def _earlier(self) -> Mapping[str, bytes]:
        if self._before is None:
            self._before = _split(self._read()) if self._read is not None else {}
        return self._before

    def _record(self, label: str) -> Record | None:
        return _decoded(self._earlier().get(label))


def decode_history(data: bytes) -> dict[str, Record]:
    """Return the history of a stage's last run, without what is damaged."""
    records = {label: _decoded(row) for label, row in _split(data).items()}
    return {label: record for label, record in records.items() if record is not None}


def _split(data: bytes) -> Mapping[str, bytes]:
    try:
        form, records = _HISTORY.decode(data)
    except DecodeError:
        return {}
    return dict(records) if form == _FORMAT else {}


def _decoded(record: bytes | None) -> Record | None:
    try:
        return None if record is None else _RECORD.decode(record)
    except DecodeError:
        return None


def _step(label: str) -> str:
    return label.partition(":")[0]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def causes_of(history: bytes) -> dict[str, tuple[Change, ...]]:
    """Return by label why each result of a stage's last run was made; nothing for a reused one."""
    return {label: record.causes for label, record in decode_history(history).items()}
