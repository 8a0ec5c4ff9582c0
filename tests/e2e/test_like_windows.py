"""Builds on a system like Windows: without fork, process groups, fcntl and user ids.

The tests remove these from Python on this system, and put stand-ins where Windows has something else.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.bounds import HANG, ends, until
from tests.support.paths import ROOT
from tests.support.processes import left_processes
from tests.support.scons_project import STUB

LACKING = ROOT / "tests" / "support" / "like_windows.py"
RUN = f"""\
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "site_scons")!r}]
exec(compile(open({str(LACKING)!r}).read(), {str(LACKING)!r}, "exec"))
from cratewright.base import host
from cratewright.workers import spawned
host.WINDOWS = True
host.new_group = lambda: {{"start_new_session": True}}
for module in list(sys.modules.values()):
    if module.__name__.startswith("cratewright.") and hasattr(module, "new_group"):
        module.new_group = host.new_group
lacking = "exec(compile(open({str(LACKING)!r}).read(), 'like_windows', 'exec')); import sys; "
windows = "; import cratewright.base.host as host; host.WINDOWS = True; work()"
spawned._BOOT = lacking + spawned._BOOT.replace("; work()", windows)
"""
SCONS = RUN + 'import SCons.Script.Main\nsys.argv = ["scons", *sys.argv[1:]]\nSCons.Script.Main.main()\n'
TASKKILL = """\
#!/bin/sh
end() { for child in $(cat /proc/$1/task/*/children 2>/dev/null); do end $child; done; kill -KILL $1 2>/dev/null; }
end $4
"""
SCONSTRUCT = (
    STUB
    + """\
lib = env.Crate("lib", Glob("lib/*.stub"))
env.Crate("app", Glob("app/*.stub"), deps=[lib], crate_type="cdylib")
"""
)
FILES = {
    "SConstruct": SCONSTRUCT,
    "lib/one.stub": "export one\n",
    "lib/two.stub": "export two\n",
    "app/app.stub": "entry app\nimport one\n",
    "app/more.stub": "export more\n",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with a project and a `taskkill` that ends a process and its descendants."""
    for name, text in {**FILES, "system/System32/taskkill.exe": TASKKILL, "tmp/.keep": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "system/System32/taskkill.exe").chmod(0o755)
    return tmp_path


def _environ(place: Path) -> Mapping[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("CRATE_", "PYTEST"))}
    system = {"SYSTEMROOT": str(place / "system"), "TMPDIR": str(place / "tmp"), "PLACE": str(place / "tmp")}
    return {**kept, **system, "CRATE_EVENTS": "events.jsonl", "MARK": str(place), "PYTHONDONTWRITEBYTECODE": "1"}


def _scons(place: Path, *words: str, **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SCONS, "-Q", *words], cwd=place, env={**_environ(place), **environ},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_builds_and_reports_failures(place: Path) -> None:
    status, output = _scons(place, "-j2")
    assert status == 0, output
    assert "2 units: 2 compiled" in output and (place / "app.cdylib").read_text().endswith("export one\n")
    status, output = _scons(place, "-j2")
    assert status == 0 and "Compiling" not in output and "up to date" in output
    (place / "lib/two.stub").write_text("crash\n")
    (place / "lib/one.stub").write_text("entri one\n")
    status, output = _scons(place, "-j2", "-k")
    assert status == 2 and "lib/two.stub: the compiler crashed" in output and "unknown statement 'entri'" in output
    (place / "lib/two.stub").write_text("hang\n")
    status, output = _scons(place, CRATE_TIMEOUT="7")
    assert status == 2 and "lib/two.stub: the compiler did not answer within 7 s and was killed" in output
    status, output = _scons(place, CRATE_WORKERS="fork")
    assert status == 2 and "CRATE_WORKERS is 'fork', and this system cannot fork" in output
    for name, text in FILES.items():
        (place / name).write_text(text)
    assert _scons(place, "-j2")[0] == 0
    assert not left_processes(place) and not [
        name for name in os.listdir(place / "tmp") if name.startswith("cratewright")
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_ended_build_leaves_no_process(place: Path, number: int) -> None:
    (place / "lib/two.stub").write_text("hang\n")
    (place / "lib/one.stub").write_text("error one\n")
    process = subprocess.Popen(
        [sys.executable, "-c", SCONS, "-Q", "-k"], cwd=place, env=_environ(place),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    until(lambda: "unit-started" in _events(place) or process.poll() is not None)
    assert process.poll() is None and len(left_processes(place)) > 1
    os.kill(process.pid, number)
    with ends():
        process.communicate(timeout=HANG)
    until(lambda: not left_processes(place))
    (place / "lib/two.stub").write_text("export two\n")
    (place / "lib/one.stub").write_text("export one\n")
    assert _scons(place)[0] == 0
    assert not [name for name in os.listdir(place / "tmp") if name.startswith("cratewright")]


def _events(place: Path) -> str:
    try:
        return (place / "events.jsonl").read_text(encoding="utf-8")
    except OSError:
        return ""


def test_watch_needs_fork(place: Path) -> None:
    program = RUN + "from cratewright.cli import main\nsys.exit(main(['watch']))\n"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, env=_environ(place), capture_output=True, text=True, check=False
    )
    assert done.returncode and "this system cannot fork" in done.stderr and "Traceback" not in done.stderr
