"""The file of results: the last measurement of each case, so that a table can be renewed in part."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .case import Measured, Reached, Took
from .measure import Cost

__all__ = ["Results"]


@dataclass(slots=True)
class Results:
    """Cases by part and by name, and the versions they were measured with.

    Shape: with a `path` of None, nothing is written.
    """

    path: Path | None
    about: list[str] = field(default_factory=list)
    parts: dict[str, dict[str, Measured]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Results:
        """Return the results in a file, or none if it does not exist."""
        if not path.is_file():
            return cls(path)
        kept = json.loads(path.read_text(encoding="utf-8"))
        parts = {part: {name: _measured(row) for name, row in cases.items()} for part, cases in kept["parts"].items()}
        return cls(path, kept["about"], parts)

    def add(self, part: str, case: Measured) -> None:
        """Store a case in place of its last measurement."""
        self.parts.setdefault(part, {})[case.name] = case
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"about": self.about, "parts": self._rows()}, indent=1)
            made = self.path.with_name(f"{self.path.name}.new")
            made.write_text(text, encoding="utf-8")
            os.replace(made, self.path)

    def cases(self, order: list[str]) -> Iterator[Measured]:
        """Return all cases, part by part."""
        for part in order:
            yield from self.parts.get(part, {}).values()

    def _rows(self) -> dict[str, dict[str, object]]:
        return {part: {name: asdict(case) for name, case in cases.items()} for part, cases in self.parts.items()}


def _measured(row: dict[str, object]) -> Measured:
    ways, goals = row.pop("ways"), row.pop("goals")
    assert isinstance(ways, list) and isinstance(goals, list)
    took = [Took(way["way"], tuple(Cost(**cost) for cost in way["costs"]), way["missing"]) for way in ways]
    return Measured(**row, ways=tuple(took), goals=tuple(Reached(**goal) for goal in goals))  # type: ignore[arg-type]
