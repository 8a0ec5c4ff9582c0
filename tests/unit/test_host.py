"""Windows rules for paths and files, tested here by patching the platform flag."""

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
    """Apply the path rules of Windows."""
    for module in (host, output_place, sarif):
        monkeypatch.setattr(module, "WINDOWS", True)
    monkeypatch.setattr("cratewright.values.crate.WINDOWS", True)


@pytest.mark.parametrize("path", ["C:evil", "C:/evil", "a:stream", "nul", "a/CON.spv", "Lpt1.txt", "a.", "b /c", "d?"])
def test_reserved_windows_names_are_rejected(windows: None, path: str) -> None:
    with pytest.raises(OutputError, match="cannot be an output"):
        output_place.check_output_path(path, where="x")


@pytest.mark.parametrize("path", ["console.spv", "a/nullable", "comet", "com.spv", "x.y"])
def test_similar_names_are_accepted_on_windows(windows: None, path: str) -> None:
    assert output_place.check_output_path(path, where="x") == path


def test_reserved_names_are_accepted_on_other_systems() -> None:
    for path in ("C:evil", "nul", "a.", "a:b"):
        assert output_place.check_output_path(path, where="x") == path


def test_paths_with_drives(windows: None) -> None:
    assert host.is_absolute("C:/x") and host.is_absolute("/x") and not host.is_absolute("x/C:")
    assert unit_name("C:/far/a.c", "here") == unit_name("C:/far/a.c", "").replace("here", "") == "__root/C/far/a.c"
    assert sarif._uri("C:/a b.c") == "file:///C:/a%20b.c" and sarif._uri("a b.c") == "a%20b.c"
    assert output_name.seen_from("C:/a", "C:/a/b") == "b"


def test_plain_windows_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fs, "os", SimpleNamespace(path=ntpath, sep="\\"))
    assert fs.plain_path("C:\\a\\b\\..\\c") == "C:\\a\\c"
    assert fs.plain_path("C:/a/./b") == "C:\\a\\b"
    assert fs.plain_path("\\\\server\\share\\a\\..\\b") == "\\\\server\\share\\b"


def test_write_waits_for_a_file_that_is_open_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Windows does not replace an open file; the write is retried, and fails with the reason if it takes too long."""
    really, refusals = os.replace, [3]

    def replace(source: str, target: str) -> None:
        if refusals[0]:
            refusals[0] -= 1
            raise PermissionError(13, "Access is denied")
        really(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(host.time, "sleep", lambda seconds: None)
    with pytest.raises(OutputError, match="cannot write"):
        fs.write_atomic(str(tmp_path / "file"), b"not retried here")
    monkeypatch.setattr(host, "WINDOWS", True)
    fs.write_atomic(str(tmp_path / "file"), b"text")
    assert (tmp_path / "file").read_bytes() == b"text"
    refusals[0] = 1000
    with pytest.raises(OutputError, match=r"(?s)cannot write .*file.*Access is denied"):
        fs.write_atomic(str(tmp_path / "file"), b"other")
    assert (tmp_path / "file").read_bytes() == b"text" and len(os.listdir(tmp_path)) == 1


def test_without_locks_nothing_is_swept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lock shows that a build is alive; without locks, scratch files of others may be in use."""
    from cratewright.system import scratch

    monkeypatch.setattr(host, "_posix_locks", lambda: None)
    (tmp_path / (scratch._prefix() + "0.lock")).touch()
    scratch._sweep(str(tmp_path))
    assert not host.can_lock() and len(os.listdir(tmp_path)) == 1
    monkeypatch.undo()
    scratch._sweep(str(tmp_path))
    assert host.can_lock() and not os.listdir(tmp_path)


FORKING = {"zygote.py", "worker.py", "changes.py", "forked.py"}
"""Modules that run only where `fork` exists, and so do the names they use."""
GUARDED = {
    "watchdog.py": {"posix_spawn", "POSIX_SPAWN_OPEN", "POSIX_SPAWN_DUP2", "set_blocking"},
    "memory.py": {"sysconf"},
    "scratch.py": {"statvfs"},
    "build.py": {"sched_getaffinity"},
    "event_file.py": {"set_blocking"},
    "conformance.py": {"killpg", "SIGKILL"},
}
"""Names whose absence is handled where they are used."""


def test_platform_specific_names_are_used_only_in_host() -> None:
    text = (ROOT / "tests/support/like_windows.py").read_text(encoding="utf-8")
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
def test_other_interpreters_use_the_same_bytecode_settings(
    unwanted: bool, place: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a worker could load outdated bytecode of a plugin that was edited."""
    monkeypatch.setattr(sys, "dont_write_bytecode", unwanted)
    monkeypatch.setattr(sys, "pycache_prefix", place)
    code = "import sys; print((sys.dont_write_bytecode, sys.pycache_prefix, sys.flags.isolated))"
    done = subprocess.run([sys.executable, *isolated(), "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == (unwanted, place, 1)
