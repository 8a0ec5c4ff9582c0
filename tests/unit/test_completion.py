"""Shells complete the command line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cratewright import testing
from tests.support.command_line import run_cli


def _shell(name: str) -> str:
    pytest.importorskip("shtab")
    program = shutil.which(name)
    testing.require_tool(program is not None, name)
    assert program is not None
    return program


def test_bash_completes_commands_options_and_values(tmp_path: Path) -> None:
    bash = _shell("bash")
    done = run_cli("completion", "bash")
    assert done.returncode == 0
    (tmp_path / "script").write_text(done.stdout)
    ask = 'source ./script\nask() { COMP_WORDS=(cratewright "$@"); COMP_CWORD=$#; COMPREPLY=(); '
    ask += '_shtab_cratewright; echo "${COMPREPLY[@]}"; }\n'
    ask += "ask rep; ask report --fo; ask report --format s; ask cache st"
    done = subprocess.run([bash, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["report", "--format", "sarif", "stats"]
    for shell, word in (("zsh", "#compdef cratewright"), ("tcsh", "complete cratewright")):
        assert word in run_cli("completion", shell).stdout


@pytest.mark.parametrize(
    ("shell", "ask", "answer"),
    [
        ("tcsh", "source script; complete cratewright", "verify-reproducible"),
        ("zsh", "fpath=(. $fpath); autoload -U compinit; compinit -u -d dump; print $_comps[cratewright];"
         "autoload +X _cratewright; functions _cratewright", "_shtab_cratewright"),
    ],
)  # fmt: skip
def test_other_shells_accept_the_script(shell: str, ask: str, answer: str, tmp_path: Path) -> None:
    program = _shell(shell)
    for name in ("script", "_cratewright"):
        (tmp_path / name).write_text(run_cli("completion", shell).stdout)
    done = subprocess.run([program, "-f", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and answer in done.stdout
