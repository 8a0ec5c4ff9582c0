"""Output on a terminal: colours, counted warnings and progress."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cratewright import Diagnostic, Severity
from cratewright.system.events import StageEnded, UnitEnded, UnitsFound


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colour(environ: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cratewright.scons.reporting.console import wants_colour

    for name in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    with (tmp_path / "out").open("w") as out:
        assert wants_colour(out) is coloured


def test_equal_warnings_are_counted_at_the_end_of_their_stage() -> None:
    from cratewright.scons.reporting.console import Console

    err = io.StringIO()
    hear = Console(io.StringIO(), err)
    warning = Diagnostic(Severity.WARNING, "the same", "w.stub", 2, crate="a")
    for number in range(3):
        hear(UnitEnded("compile_codegen_unit", "a", f"v{number}", 1, 0.0, "made", diagnostics=(warning,)))
        hear(StageEnded("codegen", "b", "b.rlink", 0.0, False))
    hear(StageEnded("codegen", "a", "a.rlink", 0.0, False))
    first = "w.stub:2: warning: the same"
    assert err.getvalue().splitlines() == [first, f"{first} (2 more units)"]


@pytest.mark.parametrize(("term", "rewritten"), [("xterm", True), ("dumb", False)])
def test_progress_line_fits_the_terminal(term: str, rewritten: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long and wide unit names are cut to its columns; a dumb terminal, which cannot rewrite lines, gets few."""
    from cratewright.scons.reporting import console

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(console, "_progress_wanted", lambda: True)
    monkeypatch.setattr(console, "_REDRAW", -1.0)
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("TERM", term)
    out = Terminal()
    hear = console.Console(out, io.StringIO())
    hear(UnitsFound("compile_codegen_unit", "a", 2))
    hear(UnitEnded("compile_codegen_unit", "a", "日本語日本語日本語\x1b[2J", 1, 0.0, "made"))
    hear(UnitEnded("compile_codegen_unit", "a", "x" * 90, 1, 0.0, "made"))
    first = "[1/2] a: 日本語日本語日"
    assert out.getvalue() == (f"{first}\r{' ' * 23}\r[2/2] a: {'x' * 14}\r" if rewritten else "")
