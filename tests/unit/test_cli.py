"""The command line: help, version, usage errors, the list of backends, and unwritable output."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cratewright
from cratewright import cli
from cratewright.plugins.plugin import BLOCKED, Plugin
from cratewright.plugins.registry import Registry
from tests.support.command_line import run_cli, start_cli


def test_help(golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    done = run_cli("--help")
    assert done.returncode == 0
    # Python 3.13 wraps usage lines differently, and 3.9 had another heading.
    text = done.stdout.replace("optional arguments:", "options:")
    golden("help.txt", " ".join(text.split()) + "\n")


def test_version() -> None:
    done = start_cli("--version")
    assert (done.returncode, done.stdout) == (0, f"cratewright {cratewright.__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("inspect",), ("backends", "x")])
def test_usage_errors(arguments: tuple[str, ...]) -> None:
    done = run_cli(*arguments)
    assert done.returncode == 2
    assert "usage: cratewright" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("build",), ("watch",), ("link", "a.rlink")])
@pytest.mark.parametrize("count", ["0", "-1", "x"])
def test_invalid_number_of_jobs(command: tuple[str, ...], count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, f"-j{count}"])
    assert ended.value.code == 2
    assert f"takes a number of jobs, at least 1, not '{count}'" in capsys.readouterr().err


def test_removed_current_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(["build"]) == 2
    assert "there is no current directory" in capsys.readouterr().err


def test_build_directory_that_is_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crates.toml").write_text("")
    (tmp_path / "taken").write_text("")
    assert cli.main(["build", "--build-dir", "taken"]) == 2
    assert "--build-dir taken: this is not a directory" in capsys.readouterr().err


def test_list_of_backends(stub_only: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["backends"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "stub (for tests)"
    assert "  tools:       stub 1" in lines
    assert "  targets:     text text2" in lines
    assert "  options:     shout" in lines
    assert lines[-4:] == [
        "plugin cratewright.testing (for tests)",
        "  module:      cratewright.testing",
        "  hooks:       cratewright_register_backend",
        "  backends:    stub",
    ]


def test_broken_plugin_fails_the_list_of_backends(stub_only: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    stub_only._plugins["bad"] = Plugin("bad", "bad_module", "cratewright-bad 2", broken="it does not load")
    stub_only._plugins["no"] = Plugin("no", "no_module", "cratewright-no 3", broken=BLOCKED)
    assert cli.main(["backends"]) == 2
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "stub (for tests)"
    at = lines.index("plugin bad (cratewright-bad 2): broken")
    assert lines[at + 1 : at + 3] == ["  module:      bad_module", "  reason:      it does not load"]
    assert "plugin no (cratewright-no 3): blocked" in lines
    assert "a plugin cannot be used: bad" in printed.err and "no" not in printed.err.split("bad")[1].splitlines()[0]


def test_no_backends(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "default_registry", Registry)
    assert cli.main(["backends"]) == 0
    assert "pip install cratewright-spirv" in capsys.readouterr().out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
def test_unwritable_output(tmp_path: Path) -> None:
    """A full disk is an error without a traceback; closed standard output is no error."""
    site = str(Path(cratewright.__file__).parents[1])
    (tmp_path / "e.jsonl").write_text(
        '{"event":"build-started","time":0,"version":1,"cratewright":"","started":0,"jobs":1}\n'
    )
    for words in ("cache stats --json", "schema --events", "report e.jsonl --format html"):
        for output, status, said in (
            ("/dev/full", 2, "cratewright: standard output cannot be written: No space left on device\n"),
            ("&-", 0, ""),
        ):
            done = subprocess.run(
                f"'{sys.executable}' -m cratewright {words} >{output}",
                shell=True,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": site},
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (status, said), words


def test_cache_statistics_are_numbers(tmp_path: Path) -> None:
    done = run_cli("cache", "gc", "--json", "--cache", str(tmp_path / "cache"))
    found = json.loads(done.stdout)
    assert (found["entries"], found["freed_bytes"]) == (0, 0) and found["directory"] == str(tmp_path / "cache")


def test_gc_of_a_server(tmp_path: Path) -> None:
    """It is an error, unless there is also a directory, which is collected even if the server does not answer."""
    url = "http://127.0.0.1:1/x"
    done = run_cli("cache", "gc", "--cache", url)
    assert done.returncode == 2 and not done.stdout
    assert f"the cache {url} cannot be made smaller from here" in done.stderr and "refused" in done.stderr
    found = json.loads(run_cli("cache", "gc", "--json", "--cache", f"{tmp_path / 'near'}, {url}").stdout)
    assert found["1 freed_bytes"] == 0 and found["2 size"] == "left to the server"


def test_cache_that_cannot_be_verified(tmp_path: Path) -> None:
    """It is an error, since finding no entries must not count as success."""
    (tmp_path / "file").write_bytes(b"")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))  # bound, but not listening
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
    for action, place, said in (
        ("verify", str(tmp_path / "file"), "is not a directory"),
        ("stats", str(tmp_path / "file"), "is not a directory"),
        ("gc", str(tmp_path / "file"), "is not a directory"),
        ("verify", url, "cannot be verified"),
        ("verify", f"{tmp_path}, {url}", "cannot be verified"),
    ):
        done = run_cli("cache", action, "--cache", place)
        assert (done.returncode, done.stdout) == (2, ""), place
        assert said in done.stderr and "Traceback" not in done.stderr
    listening.close()
