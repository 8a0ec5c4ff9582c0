"""The digest of a program covers its content and that of the files it loads, but not its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cratewright.system import program
from cratewright.system.program import programs_digest
from cratewright.testing import require_tool


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    # All files of a test are recent, and would be read each time.
    monkeypatch.setattr(program, "is_recent", lambda found: False)


def _script(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_digest_depends_on_content_only(tmp_path: Path) -> None:
    first, second = _script(tmp_path / "a/tool", "exit 1"), _script(tmp_path / "b/other", "exit 1")
    assert programs_digest([first]) == programs_digest([second])
    assert programs_digest([first]) != programs_digest([_script(tmp_path / "c/tool", "exit 2")])
    assert programs_digest([first, second]) != programs_digest([first])


def test_edit_that_keeps_size_and_time_is_detected(tmp_path: Path) -> None:
    tool = Path(_script(tmp_path / "tool", "exit 1"))
    before, found = programs_digest([str(tool)]), tool.stat()
    assert programs_digest([str(tool)]) == before
    tool.write_text("#!/bin/sh\nexit 2\n")
    os.utime(tool, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert tool.stat().st_size == found.st_size and tool.stat().st_mtime_ns == found.st_mtime_ns
    assert programs_digest([str(tool)]) != before


def test_programs_run_by_a_script_are_included(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "bin/inner"
    _script(inner, "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for text in (f'exec {inner} -DW=1 "$@"', 'exec inner "$@"', f'[ -n "$X" ] && "{inner}" || exit 3'):
        outer = _script(tmp_path / "outer", text)
        _script(inner, "exit 1")
        before = programs_digest([outer])
        _script(inner, "exit 2")
        assert programs_digest([outer]) != before


def test_shared_libraries_are_included(tmp_path: Path) -> None:
    require_tool(bool(shutil.which("gcc")), "gcc")
    for name, text in (
        ("lib.c", "int f(void) { return 1; }"),
        ("main.c", "int f(void); int main(void) { return f(); }"),
    ):
        (tmp_path / name).write_text(text)

    def make(flags: str) -> None:
        subprocess.run(["gcc", "-shared", "-fPIC", flags, "lib.c", "-o", "libf.so"], cwd=tmp_path, check=True)

    make("-O0")
    words = ["gcc", "main.c", "-L.", "-lf", "-Wl,-rpath,$ORIGIN", "-o", "main"]
    subprocess.run(words, cwd=tmp_path, check=True)
    before = programs_digest([str(tmp_path / "main")])
    assert programs_digest([str(tmp_path / "main")]) == before
    make("-O2")
    assert programs_digest([str(tmp_path / "main")]) != before


def test_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = program.digest_file
    monkeypatch.setattr(program, "digest_file", lambda path: read.append(path) or real(path))
    before = programs_digest([sys.executable])
    assert read
    read.clear()
    assert programs_digest([sys.executable]) == before and not read
    (tmp_path / "home/cratewright/programs.json").write_text('{"format": 1, "files": [1]}')
    assert programs_digest([sys.executable]) == before and read


def test_digest_of_files_that_are_not_programs(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "short").write_bytes(b"\x7fELF\x02\x01")
    for name in ("empty", "short", "", "nothing"):
        assert len(programs_digest([str(tmp_path / name)])) == 64
