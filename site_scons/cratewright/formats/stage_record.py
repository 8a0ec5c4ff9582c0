"""What a stage keeps in a file beside its target: a record of its last run, and the history of its results.

The record says whether the stage is up to date. The history says why its results were made; it is much longer and only
read when the stage runs, so its bytes follow those of the record. The first byte says whether the stage has begun to
run again since the record was written: then its outputs may be newer than the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..base.codec import Codec
from ..base.digest import Digest
from ..base.serializer import DecodeError
from ..base.values import dataclass

_FORMAT = "cratewright stage 3"
_SIZE = 8
"""Bytes before the record: the state, and the record's length."""
RUNNING = 1
"""The first byte of a file whose stage has begun to run again; otherwise 0."""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that was read, or a path that was missing.

    Shape: `path` and `digest` as in `module.Observed`; the numbers are those of `fs.file_stamp`, all zero if the stamp
    does not prove the content.
    """

    path: str
    digest: Digest | None
    modified: int = 0
    changed: int = 0
    size: int = 0
    inode: int = 0

    @property
    def stamp(self) -> list[int]:
        """The numbers as `fs.file_stamp` returns them."""
        return [self.modified, self.changed, self.size, self.inode]


@dataclass(frozen=True, slots=True)
class StageRecord:
    """The last run of a stage.

    Shape: `outputs` are relative to the root; `report` is JSON text or empty; `request` is the digest of the request,
    `inputs` that of the files that other stages made for it.
    """

    observed: tuple[SeenFile, ...] = ()
    outputs: tuple[str, ...] = ()
    report: str = ""
    request: str = ""
    inputs: str = ""

    def report_rows(self) -> Mapping[str, Any]:
        """Return the report, empty if it is missing or unreadable."""
        try:
            rows = json.loads(self.report or "{}")
        except (ValueError, RecursionError):
            return {}
        return rows if isinstance(rows, dict) else {}


_RECORD: Codec[tuple[str, StageRecord]] = Codec(tuple[str, StageRecord])


def encode_record(record: StageRecord, history: bytes = b"") -> bytes:
    """Return the content of the file, of a stage that is not running."""
    data = _RECORD.encode((_FORMAT, record))
    return len(data).to_bytes(_SIZE, "big") + data + history


def decode_record(data: bytes) -> StageRecord | None:
    """Return the record in a file, without its request if the stage has begun to run again.

    Shape: the part up to `record_end` is enough; None for a file of another version or a damaged one.
    """
    end = record_end(data)
    if end > len(data) or data[0] > RUNNING:
        return None
    try:
        form, record = _RECORD.decode(data[_SIZE:end])
    except DecodeError:
        return None
    paths = [*[item.path for item in record.observed], *record.outputs]
    if form != _FORMAT or not all(paths) or "\0" in "".join(paths):
        return None
    return replace(record, request="") if data[0] == RUNNING else record


def history_in(data: bytes) -> bytes:
    """Return the history in a file; empty if it has none."""
    return data[record_end(data) :]


def record_end(data: bytes) -> int:
    """Return how many bytes of a file are before its history; the first 8 tell."""
    return _SIZE + int.from_bytes(data[1:_SIZE], "big")
