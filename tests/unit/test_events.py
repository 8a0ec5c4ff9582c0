"""Build events and the files that they are written to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, get_args

import pytest

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity
from cratewright.base.errors import OutputError
from cratewright.system import events
from cratewright.system.event_file import EventFile
from cratewright.system.event_schema import event_schema

SAID = Diagnostic(Severity.WARNING, "unused", "a.c", 3, 4, related=(RelatedPlace("here", "b.h", 1),))
EVENTS = (
    events.BuildStarted(1, "0.1.0", 1.5, 2),
    events.CrateDeclared("a", "", "stub", "text", ("rlib",), ("b",)),
    events.UnitEnded("compile_codegen_unit", "a", "x.c", 1, 0.25, "made", 7, (SAID,)),
    events.BuildEnded(0, 2.0, 1, 0, 0),
)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_line_per_event(tmp_path: Path) -> None:
    file = EventFile(str(tmp_path / "e"))
    for event in EVENTS:
        file(event)
        assert _rows(tmp_path / "e")[-1]["event"], "written as it happens"
    rows = _rows(tmp_path / "e")
    assert [row["event"] for row in rows] == ["build-started", "crate-declared", "unit-ended", "build-ended"]
    assert rows[2]["diagnostics"][0]["severity"] == "warning"
    assert rows[2]["diagnostics"][0]["related"][0]["file"] == "b.h"
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def test_forked_child_writes_nothing(tmp_path: Path) -> None:
    file = EventFile(str(tmp_path / "e"))
    child = os.fork()
    if child == 0:
        file(EVENTS[0])
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "e").read_bytes() == b""


def test_unwritable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="build events cannot be written"):
        EventFile(str(tmp_path / "no" / "e"))


def test_other_files_and_readerless_pipes_are_refused(tmp_path: Path) -> None:
    """A source is not overwritten, two builds do not share a file, and a pipe without a reader does not block."""
    (tmp_path / "SConstruct").write_text("import cratewright\n")
    with pytest.raises(OutputError, match="overwrite a file of another kind"):
        EventFile(str(tmp_path / "SConstruct"))
    assert (tmp_path / "SConstruct").read_text() == "import cratewright\n"
    with pytest.raises(OutputError, match="build events cannot be written there"):
        EventFile(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="this pipe has no reader"):
        EventFile(str(tmp_path / "pipe"))
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    EventFile(str(tmp_path / "pipe"))(EVENTS[0])
    assert json.loads(os.read(reader, 1 << 16))["event"] == "build-started"
    os.close(reader)

    file = EventFile(str(tmp_path / "e"))
    file(EVENTS[0])
    child = os.fork()
    if child == 0:
        try:
            EventFile(str(tmp_path / "e"))
        except OutputError as error:
            os._exit(7 * ("another build writes" in str(error)))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert len(_rows(tmp_path / "e")) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
def test_file_of_another_user(tmp_path: Path) -> None:
    """The file is readable, but neither it nor its directory is writable."""
    EventFile(str(tmp_path / "e"))(EVENTS[0])
    (tmp_path / "e").chmod(0o644)
    for place in (tmp_path, *tmp_path.parents[:-2]):
        place.chmod(0o755)
    for name in ("e", "new"):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setuid(65534)
                EventFile(str(tmp_path / name))
            except OutputError as error:
                status = 7 * ("Permission denied" in str(error) and "may write" in error.hint)
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7, name
    assert len(_rows(tmp_path / "e")) == 1 and not (tmp_path / "new").exists()


def test_full_disk_is_reported_once() -> None:
    lost: list[str] = []
    file = EventFile("/dev/full", lost.append)
    file(EVENTS[0])
    file(EVENTS[1])
    assert len(lost) == 1 and "/dev/full: build events end here" in lost[0]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    file = EventFile(str(tmp_path / "e"))
    file(events.StageStarted("link", "a", "x\udcff\n"))
    assert len(_rows(tmp_path / "e")) == 1


def test_schema_describes_every_event() -> None:
    schema: Any = event_schema()
    kinds = {row["properties"]["event"]["const"] for row in schema["oneOf"]}
    assert len(kinds) == len(get_args(events.Event))
    by_kind = {row["properties"]["event"]["const"]: row for row in schema["oneOf"]}
    for event in EVENTS:
        row = events.event_row(event, 0.5)
        assert set(row) == set(by_kind[str(row["event"])]["required"])
    assert set(schema["$defs"]) == {"Diagnostic", "RelatedPlace"}
