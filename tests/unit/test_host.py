"""What Windows does differently with paths and files, told on this system by saying that it is Windows."""

from __future__ import annotations

import ast
import ntpath
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cratewright.base import host
from cratewright.base.errors import OutputError
from cratewright.report import sarif
from cratewright.rules import output_name, output_place
from cratewright.system import fs
from cratewright.values.crate import unit_name
from cratewright.workers.interpreter import isolated
from tests.support.paths import ROOT


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the rules of paths be those of Windows."""
    for module in (host, output_place, sarif):
        monkeypatch.setattr(module, "WINDOWS", True)
    monkeypatch.setattr("cratewright.values.crate.WINDOWS", True)


@pytest.mark.parametrize("path", ["C:evil", "C:/evil", "a:stream", "nul", "a/CON.spv", "Lpt1.txt", "a.", "b /c", "d?"])
def test_outputs_that_lead_elsewhere(windows: None, path: str) -> None:
    with pytest.raises(OutputError, match="cannot be an output"):
        output_place.check_output_path(path, where="x")


@pytest.mark.parametrize("path", ["console.spv", "a/nullable", "comet", "com.spv", "x.y"])
def test_outputs_that_do_not(windows: None, path: str) -> None:
    assert output_place.check_output_path(path, where="x") == path


def test_they_are_names_like_others_elsewhere() -> None:
    for path in ("C:evil", "nul", "a.", "a:b"):
        assert output_place.check_output_path(path, where="x") == path


def test_drives(windows: None) -> None:
    assert host.is_absolute("C:/x") and host.is_absolute("/x") and not host.is_absolute("x/C:")
    assert unit_name("C:/far/a.c", "here") == unit_name("C:/far/a.c", "").replace("here", "") == "__root/C/far/a.c"
    assert sarif._uri("C:/a b.c") == "file:///C:/a%20b.c" and sarif._uri("a b.c") == "a%20b.c"
    assert output_name.seen_from("C:/a", "C:/a/b") == "b"


def test_plain_paths_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fs, "os", SimpleNamespace(path=ntpath, sep="\\"))
    assert fs.plain_path("C:\\a\\b\\..\\c") == "C:\\a\\c"
    assert fs.plain_path("C:/a/./b") == "C:\\a\\b"
    assert fs.plain_path("\\\\server\\share\\a\\..\\b") == "\\\\server\\share\\b"


def test_a_file_that_somebody_has_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Windows refuses to replace it; who has it open is waited for, and named if it takes too long."""
    really, refusals = os.replace, [3]

    def replace(source: str, target: str) -> None:
        if refusals[0]:
            refusals[0] -= 1
            raise PermissionError(13, "Access is denied")
        really(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(host.time, "sleep", lambda seconds: None)
    with pytest.raises(OutputError, match="cannot write"):
        fs.write_atomic(str(tmp_path / "file"), b"here nobody waits")
    monkeypatch.setattr(host, "WINDOWS", True)
    fs.write_atomic(str(tmp_path / "file"), b"text")
    assert (tmp_path / "file").read_bytes() == b"text"
    refusals[0] = 1000
    with pytest.raises(OutputError, match=r"(?s)cannot write .*file.*Access is denied"):
        fs.write_atomic(str(tmp_path / "file"), b"other")
    assert (tmp_path / "file").read_bytes() == b"text" and len(os.listdir(tmp_path)) == 1


def test_where_nothing_can_be_locked_nothing_is_swept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lock tells that a build lives; without, what another has left may be in use."""
    from cratewright.system import scratch

    monkeypatch.setattr(host, "_posix_locks", lambda: None)
    (tmp_path / (scratch._prefix() + "0.lock")).touch()
    scratch._sweep(str(tmp_path))
    assert not host.can_lock() and len(os.listdir(tmp_path)) == 1
    monkeypatch.undo()
    scratch._sweep(str(tmp_path))
    assert host.can_lock() and not os.listdir(tmp_path)


FORKING = {"zygote.py", "worker.py", "changes.py", "forked.py"}
"""Modules that run only where there is a fork, so that what they use is there."""
GUARDED = {
    "watchdog.py": {"posix_spawn", "POSIX_SPAWN_OPEN", "POSIX_SPAWN_DUP2", "set_blocking"},
    "memory.py": {"sysconf"},
    "scratch.py": {"statvfs"},
    "build.py": {"sched_getaffinity"},
    "event_file.py": {"set_blocking"},
    "conformance.py": {"killpg", "SIGKILL"},
}
"""What is asked for, or caught, where it is used."""


def test_what_is_not_everywhere_is_asked_of_one_module() -> None:
    text = (ROOT / "tests/support/other_system.py").read_text(encoding="utf-8")
    lacking = {*re.findall(r'"(\w+)"', text.partition("KILL = ")[0].partition("_MODULES = ")[2]), "POSIX_SPAWN_OPEN"}
    found: dict[str, set[str]] = {}
    modules: dict[str, set[str]] = {}
    for path in [*ROOT.glob("site_scons/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in lacking:
                if node.value.id in ("os", "signal", "socket"):
                    found.setdefault(path.name, set()).add(node.attr)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
                modules.setdefault(path.name, set()).update(names & {"fcntl", "resource", "pwd", "grp", "termios"})
    assert len(lacking) > 40 and found["host.py"] >= {"killpg", "fchmod", "waitid"}
    rest = {name: names - GUARDED.get(name, set()) for name, names in found.items() if name != "host.py"}
    assert not {name: names for name, names in rest.items() if names and name not in FORKING}
    assert {name for name, names in modules.items() if names} == {"host.py"}


@pytest.mark.parametrize(("unwanted", "place"), [(True, None), (False, None), (False, "kept=here")])
def test_where_other_interpreters_keep_bytecode(
    unwanted: bool, place: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, a worker would load what an earlier one has compiled of a plugin that was edited since."""
    monkeypatch.setattr(sys, "dont_write_bytecode", unwanted)
    monkeypatch.setattr(sys, "pycache_prefix", place)
    code = "import sys; print((sys.dont_write_bytecode, sys.pycache_prefix, sys.flags.isolated))"
    done = subprocess.run([sys.executable, *isolated(), "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == (unwanted, place, 1)
