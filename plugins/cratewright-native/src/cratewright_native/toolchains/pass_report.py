"""LLVM's timing reports of passes, extracted from a program's output and summed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from cratewright import dataclass, pattern

_RULE = pattern(r"===-+===")
_SUM = pattern(r"  Total Execution Time: .*")
_HEAD = pattern(r" +--.*--- Name ---")
_COLUMN = r"(?:-----|(\d+\.\d+) \( *\d+\.\d%\)) +"
# The last column is wall time; repeated passes have a number appended.
_ROW = pattern(rf" +(?:(?:-----|\d+\.\d+ \( *\d+\.\d%\)) +)*{_COLUMN}(?:\d+ +)?(\S.*?)(?: #\d+)?")
# The other reports repeat parts or sums of this one.
_WANTED = "Pass execution timing report"


@dataclass(slots=True)
class PassReport:
    """Sums over all programs since they were last taken.

    Units: seconds of wall time, by name of pass.
    """

    _seconds: dict[str, float] = field(default_factory=dict)

    def take(self) -> dict[str, float]:
        """Return the sums, and start anew."""
        seconds, self._seconds = self._seconds, {}
        return seconds

    def without(self, output: str) -> str:
        """Return a program's output without its reports, which are added to the sums."""
        return "".join(self._others(output.splitlines(keepends=True)))

    def _others(self, lines: list[str]) -> Iterator[str]:
        title, rules = "", 0
        for line in lines:
            text = line.rstrip()
            if _RULE.fullmatch(text):
                rules += 1
            elif rules % 2:
                title = text.strip()
            elif rules and (row := _ROW.fullmatch(text)):
                if title == _WANTED and row[2] != "Total" and row[1]:
                    self._seconds[row[2]] = self._seconds.get(row[2], 0.0) + float(row[1])
            elif not rules or (text and not _SUM.fullmatch(text) and not _HEAD.fullmatch(text)):
                yield line
