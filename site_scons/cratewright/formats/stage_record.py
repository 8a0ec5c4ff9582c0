"""A stage's record of its last run, in a file beside its target: what it read, what it made, a line to print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..base.codec import Codec, DecodeError
from ..base.digest import Digest
from ..base.values import dataclass

__all__ = ["SeenFile", "StageRecord", "decode_record", "encode_record"]

_FORMAT = "cratewright stage 2"


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


def encode_record(record: StageRecord) -> bytes:
    """Return the content of the file."""
    return _RECORD.encode((_FORMAT, record))


def decode_record(data: bytes) -> StageRecord | None:
    """Return the record in a file, None if the file is of another version or damaged."""
    try:
        form, record = _RECORD.decode(data)
    except DecodeError:
        return None
    paths = [*[item.path for item in record.observed], *record.outputs]
    return record if form == _FORMAT and all(paths) and "\0" not in "".join(paths) else None
