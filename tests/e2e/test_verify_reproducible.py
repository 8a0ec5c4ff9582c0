"""`cratewright verify-reproducible` names a file that differs, and the first difference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bounds import HANG

SAME = 'Command("out/a.txt", "a.in", Copy("$TARGET", "$SOURCE"))\n'
WRONG = {
    "path": ('open(str(target[0]), "w").write("here " + env.Dir("#").abspath)', "path of the project"),
    "clock": ('import time; open(str(target[0]), "w").write(f"at {time.time_ns()}")', "first difference"),
    "order": ('open(str(target[0]), "w").write(" ".join(set("abcdefghijkl")))', "first difference"),
    "jobs": ('open(f"only-{GetOption(\'num_jobs\')}", "w"); open(str(target[0]), "w")', "build makes it"),
}


def _verify(root: Path, sconstruct: str, *words: str) -> tuple[int, str]:
    (root / "SConstruct").write_text(sconstruct)
    (root / "a.in").write_text("text")
    done = subprocess.run(
        [sys.executable, "-m", "cratewright", "verify-reproducible", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )
    return done.returncode, done.stdout + done.stderr


def test_reproducible_build(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("left by an earlier build")
    assert _verify(tmp_path, SAME) == (0, "1 file is the same in both builds\n")
    assert (tmp_path / "out" / "a.txt").read_text() == "left by an earlier build"
    status, output = _verify(tmp_path, SAME, "a.in")
    assert status == 2 and "nothing to compare" in output


@pytest.mark.parametrize("kind", WRONG)
def test_difference_is_reported(kind: str, tmp_path: Path) -> None:
    body, word = WRONG[kind]
    text = f"def make(target, source, env):\n    {body}\n" + SAME + 'Command("b.bin", "a.in", make)\n'
    status, output = _verify(tmp_path, text)
    assert status == 2 and word in output
    assert (
        "only-1 differs" if kind == "jobs" else "b.bin differs between two builds"
    ) in output and "a.txt" not in output


def test_failing_build_is_reported(tmp_path: Path) -> None:
    status, output = _verify(tmp_path, 'Command("b", "a.in", "false")\n')
    assert status == 2 and "fails in a copy" in output and "Traceback" not in output
    (tmp_path / "SConstruct").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "cratewright", "verify-reproducible"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "neither an SConstruct nor a crates.toml" in done.stderr
