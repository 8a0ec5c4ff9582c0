"""Workers are forked from a fork of this process if it has one thread, otherwise from a new interpreter.

Each test runs its own program, since pytest's process has threads and open files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

START = """
import os, sys, threading
sys.path[:0] = [{paths}]
from cratewright.workers.pool import WorkerPool
from cratewright.workers.process import WorkerCall
from cratewright.workers.zygote import fork_ahead

from tests.support.worker_functions import evaluate

def ask(expression):
    return pool.call(evaluate, expression, label="x")

# A module that only this process and its forks have.
sys.modules["here_alone"] = sys
FORKED = "'here_alone' in __import__('sys').modules"
stay = threading.Event()
another = threading.Thread(target=stay.wait)
pool = WorkerPool(1, kind="fork", timeout=100)
"""


def _run(program: str, **options: str) -> str:
    text = START.format(paths=f"{str(ROOT)!r}, {str(ROOT / 'site_scons')!r}") + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", f"{text}\nstay.set()"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **options},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("program", "forked"),
    [
        ("print(ask(FORKED))", True),
        ("another.start(); print(ask(FORKED))", False),
        ("fork_ahead(); another.start(); print(ask(FORKED))", True),
        ("another.start(); fork_ahead(); print(ask(FORKED))", False),
        ("fork_ahead(); another.start(); ask('1'); pool.close(); print(ask(FORKED))", False),
    ],
)
def test_forks_only_with_one_thread(program: str, forked: bool) -> None:
    assert _run(program) == f"{forked}\n"


@pytest.mark.parametrize("start", ["fork_ahead()", "another.start()"])
def test_workers_have_the_environment_of_the_first_call(start: str, tmp_path: Path) -> None:
    (tmp_path / "made_later.py").write_text("value = 7\n", encoding="utf-8")
    output = _run(
        f"""
        {start}
        os.environ["SET_LATER"] = "yes"
        del os.environ["SET_BEFORE"]
        os.chdir({str(tmp_path)!r})
        sys.path.append({str(tmp_path)!r})
        print(ask("(os.environ.get('SET_LATER'), os.environ.get('SET_BEFORE'), os.getcwd())"))
        print(ask("__import__('made_later').value"))
        """,
        SET_BEFORE="yes",
    )
    assert output == f"('yes', None, {str(tmp_path)!r})\n7\n"


def test_inherited_processes_close_no_files() -> None:
    """`subprocess` collects children whose Popen objects were dropped when it starts the next one."""
    output = _run(
        """
        for _ in range(8):
            os.popen("sleep 0.3").readable()
        fork_ahead()
        start = "__import__('subprocess').run(['true'], capture_output=True).returncode"
        print([outcome.get() for outcome in pool.map([WorkerCall(evaluate, (start,), "x")] * 9)])
        """
    )
    assert output == f"{[0] * 9}\n"


def test_fork_keeps_no_files_open() -> None:
    """The reader of a pipe waits until every writer has closed it."""
    output = _run(
        """
        ours, theirs = os.pipe()
        fork_ahead()
        os.close(theirs)
        print(os.read(ours, 1))
        print(ask(FORKED))
        """
    )
    assert output == "b''\nTrue\n"


@pytest.mark.parametrize("start", ["fork_ahead()", "another.start()"])
def test_output_of_workers_is_discarded(start: str, tmp_path: Path) -> None:
    output = _run(
        f"""
        sys.stdout = open({str(tmp_path / "log")!r}, "w")
        print("before")
        {start}
        ask("print('chatter', flush=True)")
        ask("os.write(1, b'more')")
        sys.stdout.close()
        """
    )
    assert output == ""
    assert (tmp_path / "log").read_text(encoding="utf-8") == "before\n"


@pytest.mark.parametrize("program", ["fork_ahead()", "fork_ahead(); ask('1')", "another.start(); ask('1')"])
def test_no_worker_outlives_its_caller(program: str) -> None:
    mark = f"cratewright-test-{os.getpid()}"
    _run(program, MARK=mark)
    alive = [path for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)]
    assert not alive


def test_only_the_caller_continues_after_a_fork() -> None:
    """A forked process must never return to the code of its caller."""
    output = _run(
        """
        fork_ahead()
        print(os.getpid() == int(os.readlink("/proc/self")), flush=True)
        try:
            ask("sys.exit(3)")
        except Exception as error:
            print("exit status 3" in str(error))
        """
    )
    assert output == "True\nTrue\n"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
