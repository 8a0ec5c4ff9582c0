"""Reads the file beside a target, in which a stage keeps its record and the history of its results."""

from __future__ import annotations

from ..formats.stage_record import StageRecord, decode_record, history_in, record_end
from ..rules.output_name import state_path
from .fs import read_regular

_HEAD = 1 << 16
"""Bytes that hold most records: the history behind them may be long."""


def read_record(target: str) -> StageRecord | None:
    """Return the record of a target's last run; None if it is missing or damaged."""
    path = state_path(target)
    try:
        data = read_regular(path, _HEAD)
        return decode_record(data if record_end(data) <= len(data) else read_regular(path))
    except (OSError, ValueError):
        return None


def read_history(target: str) -> bytes:
    """Return the history of a target's results; empty if there is none."""
    try:
        return history_in(read_regular(state_path(target)))
    except (OSError, ValueError):
        return b""
