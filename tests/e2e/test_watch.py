"""`cratewright watch` rebuilds after every save, misses none, and ends at once with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cratewright.authors.watching import processes_of
from cratewright.testing import require_tool
from tests.support.bounds import HANG, ends, until

SCONSTRUCT = """\
import time
def copy(target, source, env):
    text = source[0].get_text_contents()
    open("began", "a").write("x")
    time.sleep(float(ARGUMENTS.get("wait", 0)))
    if "wrong" in text:
        return 1
    open(str(target[0]), "w").write(text)
for name in Glob("*.in", strings=True):
    Command(name[:-3] + ".out", name, Action(copy, "copy $SOURCE"))
"""


class Watched:
    """A running `cratewright watch`."""

    def __init__(self, root: Path, *words: str) -> None:
        self.root = root
        self.log = root.parent / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cratewright", "watch", *words],
                cwd=root,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text()

    def until(self, true: Callable[[], bool]) -> None:
        until(lambda: true() or self.process.poll() is not None)
        assert true(), self.output()

    def wait_for_builds(self, count: int) -> None:
        """Wait for `count` builds."""
        self.until(lambda: self.output().count("watching\n") >= count)

    def built(self, name: str, text: str) -> bool:
        try:
            return (self.root / f"{name}.out").read_text() == text
        except FileNotFoundError:  # SCons removes it before rebuilding it
            return False


@pytest.fixture
def project(tmp_path: Path) -> Path:
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        require_tool(False, "watchfiles")
    root = tmp_path / "project"
    root.mkdir()
    (root / "SConstruct").write_text(SCONSTRUCT)
    (root / "a.in").write_text("one")
    return root


@pytest.fixture
def watched(project: Path) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def start(*words: str) -> Watched:
        made.append(Watched(project, *words))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.wait()


def test_saved_file_is_built(watched: Callable[..., Watched], tmp_path: Path) -> None:
    here = watched("--exec", "echo x >> ran")
    here.wait_for_builds(1)
    assert here.built("a", "one")
    (here.root / "a.in").write_text("two")
    here.until(lambda: here.built("a", "two"))
    here.until(lambda: "changed: a.in\n" in here.output() and "made: a.out\n" in here.output())
    here.until(lambda: (here.root / "ran").exists() and (here.root / "ran").read_text() == "x\nx\n")
    # A failed build is reported, does not run the command, and the next save repairs it.
    (here.root / "a.in").write_text("wrong")
    here.until(lambda: "failed; watching\n" in here.output())
    (here.root / "a.in").write_text("three")
    here.until(lambda: here.built("a", "three"))
    # A new file, renamed into place as editors do, and an edited SConstruct.
    (here.root / "b.tmp~").write_text("new")
    (here.root / "b.tmp~").rename(here.root / "b.in")
    here.until(lambda: here.built("b", "new"))
    (here.root / "SConstruct").write_text(SCONSTRUCT + 'Command("c.out", "a.in", Copy("$TARGET", "$SOURCE"))\n')
    here.until(lambda: here.built("c", "three"))
    # It comes to rest, though builds write undeclared files.
    before = -1
    while (now := here.output().count("watching\n")) != before:
        before = now
        time.sleep(0.5)
    assert now < 20


def test_change_during_a_build_is_built(watched: Callable[..., Watched]) -> None:
    here = watched("--", "wait=0.7")
    here.until((here.root / "began").exists)
    (here.root / "a.in").write_text("two")  # the running build has read the old content
    here.until(lambda: here.built("a", "two"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_ends_watch_at_once(number: signal.Signals, watched: Callable[..., Watched]) -> None:
    here = watched("--exec", "sleep 361", "--", "wait=0")
    here.until(lambda: "sleep" in _programs_in(here.root))
    (here.root / "began").unlink()
    (here.root / "SConstruct").write_text(SCONSTRUCT.replace('ARGUMENTS.get("wait", 0)', "360"))
    here.until((here.root / "began").exists)
    with ends():
        here.process.send_signal(number)
        status = here.process.wait(HANG)
    assert status == (0 if number == signal.SIGINT else -number)
    until(lambda: not processes_of(here.process.pid) and not _programs_in(here.root))


def _programs_in(place: Path) -> set[str]:
    """Return the names of programs whose working directory is `place`."""
    found = set()
    for entry in os.listdir("/proc"):
        with suppress(OSError):
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd") == str(place):
                found.add(Path("/proc", entry, "comm").read_text().strip())
    return found


KILLED = """\
import os, signal, sys
from cratewright.cli import main
import cratewright.{module} as module
module.own = lambda leader: os.kill(os.getpid(), signal.SIGKILL)
main(["watch", "--exec", "sleep 361"])
"""


@pytest.mark.parametrize("module", ["system.changes", "scons.forked", "cli.watch"])
def test_killed_watch_takes_a_just_started_process_along(module: str, project: Path) -> None:
    """Watch is killed before it can record the process, which would keep the pipe open."""
    wait = {"scons.forked": "360"}.get(module, "0")
    (project / "SConstruct").write_text(SCONSTRUCT.replace('ARGUMENTS.get("wait", 0)', wait))
    with ends():
        done = _run(KILLED.format(module=module), project)
    assert done.returncode == -signal.SIGKILL, done.stderr


INTERRUPTED = """\
import os, signal, sys
from cratewright.cli import main
forks = []
def interrupt():
    forks.append(1)
    if len(forks) == {fork}:
        os.kill(os.getpid(), signal.SIGINT)
os.register_at_fork(after_in_parent=interrupt)
sys.exit(main(["watch", "--exec", "sleep 361"]))
"""


@pytest.mark.parametrize("fork", [1, 2, 3])
def test_interrupt_during_a_fork_is_not_lost(fork: int, project: Path) -> None:
    """Python discards exceptions raised by its at-fork functions."""
    with ends():
        done = _run(INTERRUPTED.format(fork=fork), project)
    assert done.returncode == (2 if fork == 1 else 0), done.stderr


ENDED = """\
from cratewright.scons.forked import ForkedBuild
from cratewright.system.changes import Changes
from cratewright.system.child import owns
for end in (ForkedBuild.outcome, ForkedBuild.interrupt):
    build = ForkedBuild(lambda: 0)
    assert owns(build.process)
    while not build.read():
        pass
    end(build)
    assert not owns(build.process)
changes = Changes(["."])
assert owns(changes._process)
changes.close()
assert not owns(changes._process)
"""


def test_ended_process_is_forgotten(project: Path) -> None:
    """Otherwise its reused process id could be killed later."""
    done = _run(ENDED, project)
    assert done.returncode == 0, done.stderr


def _run(script: str, root: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", script]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, timeout=HANG)


def test_without_watchfiles(tmp_path: Path) -> None:
    (tmp_path / "SConstruct").write_text("")
    (tmp_path / "watchfiles.py").write_text("")
    script = "import sys; sys.modules['watchfiles'] = None\nfrom cratewright.cli import main\nsys.exit(main(['watch']))"
    done = _run(script, tmp_path)
    assert done.returncode == 2 and "pip install 'cratewright[watch]'" in done.stderr and "Traceback" not in done.stderr
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    words = [sys.executable, "-m", "cratewright", "watch"]
    done = subprocess.run(words, cwd=nothing, capture_output=True, text=True, check=False, timeout=HANG)
    assert done.returncode == 2 and "neither an SConstruct nor a crates.toml" in done.stderr
