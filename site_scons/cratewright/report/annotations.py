"""GitHub Actions annotations: lines that a workflow prints, so that messages are shown beside the source.

Source: GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from ..base.diagnostic import Severity
from .recording import Recording, ReportedMessage

_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def github(build: Recording) -> str:
    """Return a line for each diagnostic."""
    return "".join(f"{_line(item)}\n" for item in build.messages)


def _line(item: ReportedMessage) -> str:
    diagnostic = item.diagnostic
    rows = [("file", diagnostic.file), ("line", diagnostic.line), ("endLine", diagnostic.end_line)]
    rows += [("col", diagnostic.column), ("endColumn", diagnostic.end_column), ("title", diagnostic.code)]
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in rows if value)
    many = f" ({len(item.units)} units)" if len(item.units) > 1 else ""
    return f"::{_WORDS[diagnostic.severity]}{properties and ' '}{properties}::{_data(diagnostic.text + many)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
