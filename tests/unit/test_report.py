"""Reports made from the events of a build.

No build runs: the events are written here.
"""

from __future__ import annotations

import json
import re
import tracemalloc
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity
from cratewright.base.errors import FormatError, VersionError
from cratewright.report import REPORT_FORMATS, report_text
from cratewright.report.page import critical_path
from cratewright.report.recording import read_recording
from cratewright.system import events
from cratewright.system.event_file import EventFile

WARNING = Diagnostic(
    Severity.WARNING,
    "unused </script> 50%",
    "src/ä b.c",
    3,
    4,
    code="-Wunused",
    related=(RelatedPlace("here", "b.h", 1),),
    rendered="src/ä b.c:3:4: warning: unused\n  x\n  ^\x01",
)
ERROR = Diagnostic(Severity.ERROR, "no 'y'", "a.comp", 4)
STEP = "compile_codegen_unit"
BUILD = (
    events.BuildStarted(events.EVENTS_VERSION, "0.1.0", 0.0, 2),
    events.ToolsFound("stub", "text", "stub 1"),
    events.CrateDeclared("lib", "", "stub", "text", ("rlib",), ()),
    events.CrateDeclared("app", "", "stub", "text", ("cdylib",), (":lib",)),
    events.UnitStarted(STEP, "lib", "x.c", 1),
    events.UnitEnded(STEP, "lib", "x.c", 1, 0.0, "made", diagnostics=(WARNING.of("lib", "x.c"),)),
    events.UnitEnded(STEP, "lib", "y.c", 0, 0.0, "reused", diagnostics=(WARNING.of("lib", "y.c"),)),
    events.UnitExplained(STEP, "lib", "x.c", ("new",)),
    events.StageEnded("codegen", "lib", "lib.rlink", 0.0, False),
    events.UnitStarted(STEP, "app", "a.comp", 2),
    events.UnitEnded(STEP, "app", "a.comp", 2, 0.0, "failed", diagnostics=(ERROR.of("app", "a.comp"),)),
    events.UnitStarted(STEP, "app", "b.comp", 1),
    events.StageEnded("codegen", "app", "app.rlink", 0.0, True),
    events.CratesLinked("app", "cdylib", ("lib",), ("dynamic",)),
    events.OutputMade("app", "app.spv", 100),
)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Return the event file of a failed build that was killed while it wrote a line."""
    file = EventFile(str(tmp_path / "e"))
    for event in BUILD:
        file(event)
    with open(tmp_path / "e", "ab") as out:
        out.write(b'{"event":"build-en')
    return tmp_path / "e"


def _report(path: Path, form: str) -> str:
    return report_text(read_recording(path.read_bytes(), path=str(path)), form)


def test_read_recording(recorded: Path) -> None:
    build = read_recording(recorded.read_bytes(), path="e")
    assert build.status is None
    assert {(unit.name, unit.outcome) for unit in build.units} == {
        ("x.c", "made"),
        ("y.c", "reused"),
        ("a.comp", "failed"),
        ("b.comp", "unfinished"),
    }
    assert [(item.diagnostic.text, item.units) for item in build.messages] == [
        (WARNING.text, ["lib: x.c", "lib: y.c"]),
        (ERROR.text, ["app: a.comp"]),
    ]
    assert next(unit for unit in build.units if unit.name == "x.c").causes == ("new",)


def test_sarif(recorded: Path) -> None:
    document: Any = json.loads(_report(recorded, "sarif"))
    (run,) = document["runs"]
    warning, error = run["results"]
    assert warning["ruleId"] == "-Wunused" and run["tool"]["driver"]["rules"][warning["ruleIndex"]]["id"] == "-Wunused"
    place = warning["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "src/%C3%A4%20b.c"}, "region": {"startLine": 3, "startColumn": 4}}
    assert warning["relatedLocations"][0]["message"]["text"] == "here"
    assert error["level"] == "error"
    assert run["invocations"] == [{"executionSuccessful": False}]


def test_junit(recorded: Path) -> None:
    root = ET.fromstring(_report(recorded, "junit"))
    app = next(suite for suite in root if suite.get("name") == "app")
    assert (app.get("tests"), app.get("failures"), app.get("errors")) == ("2", "1", "1")
    (failure,) = root.iter("failure")
    assert [each.text for each in root.iter("system-err")][1] == str(WARNING)
    assert "no 'y'" in (failure.get("message") or "")
    assert len(list(root.iter("system-err"))) == 2


def test_github(recorded: Path) -> None:
    first, second = _report(recorded, "github").splitlines()
    assert first == "::warning file=src/ä b.c,line=3,col=4,title=-Wunused::unused </script> 50%25 (2 units)"
    assert second == "::error file=a.comp,line=4::no 'y'"


def test_trace(recorded: Path) -> None:
    rows = json.loads(_report(recorded, "trace"))["traceEvents"]
    slices = [row for row in rows if row["ph"] == "X"]
    assert {row["name"] for row in slices} >= {"lib: x.c", "app: a.comp", "lib.rlink"}
    assert all(row["dur"] > 0 and row["ts"] >= 0 for row in slices)
    assert {row["args"]["name"] for row in rows if row["ph"] == "M"} >= {"worker 1", "worker 2", "workers", "stages"}


def test_html_is_self_contained_and_escapes_its_data(recorded: Path) -> None:
    page = _report(recorded, "html")
    assert not re.search(r"""(src|href)=["']https?:""", page)
    (data,) = re.findall(r'<script type="application/json" id="build">(.*?)</script>', page, re.DOTALL)
    assert "<" not in data
    build = json.loads(data)
    assert build["messages"][0]["text"] == WARNING.text
    assert len(build["units"]) == 4


def test_critical_path_follows_dependencies() -> None:
    build = read_recording(
        b"\n".join(
            json.dumps(row).encode()
            for row in (
                {"event": "build-started", "time": 0, "version": 1},
                {"event": "crate-declared", "time": 0, "crate": "lib", "dependencies": []},
                {"event": "crate-declared", "time": 0, "crate": "app", "dependencies": [":lib"]},
                {"event": "crate-declared", "time": 0, "crate": "other", "dependencies": []},
                *(
                    {"event": "stage-ended", "time": end, "seconds": seconds, "failed": False, "stage": stage}
                    | {"crate": crate, "target": "t", "diagnostics": []}
                    for stage, crate, end, seconds in (
                        ("codegen", "app", 1.0, 1.0),
                        ("codegen", "lib", 3.0, 3.0),
                        ("codegen", "other", 3.5, 3.5),
                        ("archive", "lib", 4.0, 0.9),
                        ("link", "app", 6.0, 2.0),
                    )
                ),
            )
        ),
        path="e",
    )
    assert [(row["stage"], row["crate"]) for row in critical_path(build)] == [
        ("codegen", "lib"),
        ("archive", "lib"),
        ("link", "app"),
    ]


def test_invalid_field_is_named(recorded: Path) -> None:
    """Each field with a wrong value is rejected by name, unless it is never read."""
    lines = recorded.read_bytes().splitlines()[:-1]
    for number, line in enumerate(lines):
        row = json.loads(line)
        for name in row:
            for value in (None, [1], {"a": 1}, 1e400, "\ud800"):
                told = json.dumps({**row, name: value}).replace("Infinity", "1e400").encode()
                data = b"\n".join([*lines[:number], told, *lines[number + 1 :], b""])
                try:
                    build = read_recording(data, path="e")
                except (FormatError, VersionError) as error:
                    assert name in str(error) or name in ("event", "version"), error
                    continue
                for form in REPORT_FORMATS:
                    assert "Infinity" not in report_text(build, form)
    with pytest.raises(FormatError, match="e holds the events of 2 builds"):
        read_recording(b"\n".join([*lines, *lines, b""]), path="e")


def test_files_that_are_not_recordings() -> None:
    for data in (b"", b"{}\n", b"[1]\n", b'{"event":"build-ended","time":1}\n'):
        with pytest.raises(FormatError, match="holds no build events"):
            read_recording(data, path="e")
    with pytest.raises(FormatError, match="e:2: this is not a build event"):
        read_recording(b'{"event":"build-started","version":1,"time":0}\nnonsense\n{}\n', path="e")
    with pytest.raises(FormatError, match="lacks a field"):
        read_recording(b'{"event":"build-started","version":1,"time":0}\n{"event":"unit-ended","time":1}\n', path="e")
    for wrong in ('{"severity":"bad","text":""}', '{"text":""}', '{"severity":"note","text":"","line":"x"}', "3"):
        said = f'{{"event":"unit-ended","time":1,"crate":"a","unit":"u","step":"s","diagnostics":[{wrong}]}}\n'
        with pytest.raises(FormatError, match="lacks a field"):
            read_recording(b'{"event":"build-started","version":1,"time":0}\n' + said.encode(), path="e")
    with pytest.raises(FormatError, match="e:1: this is not a build event"):
        read_recording(b'{"event":"build-started","version":1,"time":NaN}\n{}\n', path="e")
    with pytest.raises(VersionError, match="version 99"):
        read_recording(b'{"event":"build-started","version":99,"time":0}\n', path="e")


def test_junit_does_not_copy_earlier_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Appending each to the text so far would be quadratic: memory between two warnings must be that of one."""
    taken: list[int] = []
    base = 0

    def text_of(diagnostic: Diagnostic) -> str:
        nonlocal base
        taken.append(tracemalloc.get_traced_memory()[1] - base)
        text = f"{diagnostic.line:04}{'.' * 10_000}"
        base = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        return text

    warnings = tuple(Diagnostic(Severity.WARNING, "", "a.c", number + 1) for number in range(100))
    file = EventFile(str(tmp_path / "e"))
    file(BUILD[0])
    file(events.UnitEnded(STEP, "app", "a.c", 1, 0.0, "made", diagnostics=warnings))
    monkeypatch.setattr(Diagnostic, "__str__", text_of)
    tracemalloc.start()
    try:
        text = _report(tmp_path / "e", "junit")
    finally:
        tracemalloc.stop()
    assert text.count("." * 10_000) == len(warnings)
    assert len(taken) >= len(warnings) and max(taken[1 : len(warnings)]) < 100_000
