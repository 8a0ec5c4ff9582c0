"""The command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

import cratewright
from cratewright import cli, testing
from cratewright.formats.metadata import (
    PRODUCER,
    CrateMetadata,
    CrateReference,
    encode_dylib,
    encode_rlib,
    encode_rlink,
    identified,
)
from cratewright.formats.stage_record import StageRecord, encode_record
from cratewright.plugins.plugin import BLOCKED, Plugin
from cratewright.plugins.registry import Registry
from cratewright.rules.dependency_format import Linkage
from cratewright.values.crate import CrateType
from cratewright.values.module import EntryPoint, ModuleCodegen, Symbol
from cratewright.values.native_library import parse_library
from cratewright.values.options import Options

RAW = CrateMetadata(
    name="noise",
    version="1.2.3",
    backend="stub",
    fingerprint="stub 1",
    target="text",
    crate_types=(CrateType.RLIB,),
    dependencies=(CrateReference("maths", "12ab", "ab" * 32), CrateReference("base", "34cd")),
    options=Options(()),
    modules=(
        ModuleCodegen(
            name="a.o",
            data=b"data",
            exports=(Symbol("f", "float f()", "a.stub", 3, "float (int)"), Symbol("h", "h")),
            imports=(Symbol("g", "g", "a.stub", 4, "void ()"),),
            entry_points=(EntryPoint("vertex", "main"),),
            attributes=(("key", "value"),),
        ),
    ),
    natives=(parse_library("static=z", where="here"), parse_library("m", where="here")),
    allocator="needs",
    metadata=("with", "words"),
)
CRATE = identified(RAW)


def test_help(golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    done = _run("--help")
    assert done.returncode == 0
    # Python 3.13 breaks usage lines elsewhere.
    text = done.stdout.replace("optional arguments:", "options:")
    golden("help.txt", " ".join(text.split()) + "\n")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, NO_COLOR="1"), redirect_stdout(out), redirect_stderr(err):
        try:
            status: object = cli.main(arguments)
        except SystemExit as stop:
            status = stop.code
    assert isinstance(status, int)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def _start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as users do."""
    site = str(Path(cratewright.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "cratewright.cli", *arguments],
        env={**os.environ, "PYTHONPATH": site, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_version() -> None:
    done = _start("--version")
    assert (done.returncode, done.stdout) == (0, f"cratewright {cratewright.__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("inspect",), ("backends", "x")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 2
    assert "usage: cratewright" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("build",), ("watch",), ("link", "a.rlink")])
@pytest.mark.parametrize("count", ["0", "-1", "x"])
def test_numbers_of_jobs(command: tuple[str, ...], count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, f"-j{count}"])
    assert ended.value.code == 2
    assert f"takes a number of jobs, at least 1, not '{count}'" in capsys.readouterr().err


def test_a_directory_that_was_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(["build"]) == 2
    assert "there is no current directory" in capsys.readouterr().err


def test_a_build_directory_that_is_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crates.toml").write_text("")
    (tmp_path / "taken").write_text("")
    assert cli.main(["build", "--build-dir", "taken"]) == 2
    assert "--build-dir taken: this is not a directory" in capsys.readouterr().err


def test_backends(stub_only: Registry, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_a_broken_plugin_is_an_error_of_the_list(stub_only: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    stub_only._plugins["bad"] = Plugin("bad", "bad_module", "cratewright-bad 2", broken="it does not load")
    stub_only._plugins["no"] = Plugin("no", "no_module", "cratewright-no 3", broken=BLOCKED)
    assert cli.main(["backends"]) == 2
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "stub (for tests)"
    at = lines.index("plugin bad (cratewright-bad 2): broken")
    assert lines[at + 1 : at + 3] == ["  module:      bad_module", "  reason:      it does not load"]
    assert "plugin no (cratewright-no 3): blocked" in lines
    assert "a plugin cannot be used: bad" in said.err and "no" not in said.err.split("bad")[1].splitlines()[0]


def test_no_backends(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "default_registry", Registry)
    assert cli.main(["backends"]) == 0
    assert "pip install cratewright-spirv" in capsys.readouterr().out


DETAILS = [
    "crate noise 1.2.3, metadata with words",
    f"  stable id:   {CRATE.stable_id}",
    f"  interface:   {CRATE.interface}",
    f"  content:     {CRATE.content}",
    "  backend:     stub, target text",
    f"  tools:       {PRODUCER}, stub 1",
    "  crate types: rlib",
    "  depends on:  maths 12ab, interface abababababab",
    "               base 34cd, interface not known",
    "  libraries:   static=z dylib=m",
    "  allocator:   needs",
]


@pytest.mark.parametrize(("encode", "name"), [(encode_rlib, "libnoise.rlib"), (encode_rlink, "noise.rlink")])
def test_inspect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], encode: Callable[[CrateMetadata], bytes], name: str
) -> None:
    (tmp_path / name).write_bytes(encode(CRATE))
    assert cli.main(["inspect", str(tmp_path / name)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *DETAILS,
        "  module a.o: 4 bytes, 3a6eb0790f39",
        "    entry point main (vertex)",
        "    exports float f(): float (int) at a.stub:3",
        "    exports h",
        "    imports g: void ()",
        "    key: value",
    ]


def test_inspect_a_dylib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = ((CrateReference("maths", "12ab"), Linkage.DYNAMIC), (CrateReference("base", "34cd"), Linkage.STATIC))
    (tmp_path / "libnoise.so").write_bytes(b"\x7fELF" + encode_dylib(CRATE, inside) + b"more")
    assert cli.main(["inspect", str(tmp_path / "libnoise.so")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *DETAILS,
        "  linked with: dynamic maths 12ab",
        "               static base 34cd",
        "  module a.o",
        "    entry point main (vertex)",
        "    exports float f(): float (int) at a.stub:3",
        "    exports h",
    ]


REPORT = {
    "mode": "fat",
    "optimized": 1,
    "reused": 0,
    "offered": {"maths": 2},
    "bytes_before": 10,
    "bytes_after": 4,
    "seconds": 0.25,
}


def test_inspect_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of what is linked, only the build knows what LTO did."""
    (tmp_path / "app").write_bytes(b"\x7fELF")
    (tmp_path / ".app.state").write_bytes(encode_record(StageRecord(report=json.dumps(REPORT))))
    assert cli.main(["inspect", str(tmp_path / "app")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "link-time optimization of app",
        "  mode:        fat",
        "  modules:     1 optimized, 0 reused",
        "  offered:     2 of maths",
        "  bytes:       10 before, 4 after",
        "  seconds:     0.25",
    ]


@pytest.mark.parametrize("report", ["", "[]", "{", '{"mode": "fat"}', "3", "[" * 100_000])
def test_inspect_beside_a_state_that_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], report: str
) -> None:
    (tmp_path / ".a.spv.json.state").write_bytes(encode_record(StageRecord(report=report)))
    (tmp_path / "a.spv.json").write_text('{"module": "a.spv"}')
    assert cli.main(["inspect", str(tmp_path / "a.spv.json")]) == 0
    assert json.loads(capsys.readouterr().out) == {"module": "a.spv"}


def _shell(name: str) -> str:
    pytest.importorskip("shtab")
    program = shutil.which(name)
    testing.require_tool(program is not None, name)
    assert program is not None
    return program


def test_bash_completes(tmp_path: Path) -> None:
    """What `completion` prints is taken by the shell, and knows commands, words and options."""
    bash = _shell("bash")
    done = _run("completion", "bash")
    assert done.returncode == 0
    (tmp_path / "script").write_text(done.stdout)
    ask = 'source ./script\nask() { COMP_WORDS=(cratewright "$@"); COMP_CWORD=$#; COMPREPLY=(); '
    ask += '_shtab_cratewright; echo "${COMPREPLY[@]}"; }\n'
    ask += "ask rep; ask report --fo; ask report --format s; ask cache st"
    asked = subprocess.run([bash, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.splitlines() == ["report", "--format", "sarif", "stats"]
    for shell, word in (("zsh", "#compdef cratewright"), ("tcsh", "complete cratewright")):
        assert word in _run("completion", shell).stdout


@pytest.mark.parametrize(
    ("shell", "ask", "answer"),
    [
        ("tcsh", "source script; complete cratewright", "verify-reproducible"),
        ("zsh", "fpath=(. $fpath); autoload -U compinit; compinit -u -d dump; print $_comps[cratewright];"
         "autoload +X _cratewright; functions _cratewright", "_shtab_cratewright"),
    ],
)  # fmt: skip
def test_other_shells_take_the_script(shell: str, ask: str, answer: str, tmp_path: Path) -> None:
    program = _shell(shell)
    for name in ("script", "_cratewright"):
        (tmp_path / name).write_text(_run("completion", shell).stdout)
    asked = subprocess.run([program, "-f", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stderr) == (0, "") and answer in asked.stdout


def test_inspect_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.spv.json").write_text('{"module": "a.spv"}')
    assert cli.main(["inspect", str(tmp_path / "a.spv.json")]) == 0
    assert json.loads(capsys.readouterr().out) == {"module": "a.spv"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "cannot read file"),
        (b"", "is neither an .rlib, an .rlink, a dylib of a crate, a manifest nor an image"),
        (b"\x7fELF", "is neither an .rlib, an .rlink, a dylib of a crate, a manifest nor an image"),
        (encode_rlib(CRATE)[:100], "is truncated or damaged"),
        (encode_rlink(CRATE)[:-1], "is truncated or damaged"),
        (b'{"a":' * 100_000, "is not a manifest"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": "\xff"}', "is not a manifest"),
    ],
)
def test_inspect_what_is_none(tmp_path: Path, data: bytes | None, said: str) -> None:
    path = tmp_path / "file"
    if data is not None:
        path.write_bytes(data)
    done = _run("inspect", str(path))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("cratewright: ") and said in done.stderr and "Traceback" not in done.stderr
    assert data is None or "hint:" in done.stderr


def test_inspect_a_directory(tmp_path: Path) -> None:
    done = _start("inspect", str(tmp_path))
    assert done.returncode == 2 and f"{tmp_path} is a directory\n  hint: " in done.stderr


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    big = CrateMetadata(
        **{
            **{name: getattr(CRATE, name) for name in CrateMetadata.__slots__},
            "modules": tuple(ModuleCodegen(name=f"{number}.o", data=b"") for number in range(20_000)),
        }
    )
    (tmp_path / "big.rlink").write_bytes(encode_rlink(big))
    site = str(Path(cratewright.__file__).parents[1])
    done = subprocess.run(
        f"'{sys.executable}' -m cratewright.cli inspect big.rlink | head -n 1",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": site},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("crate noise 1.2.3, metadata with words\n", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    """Is an error of the command, not of Python; a closed one is no error."""
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


def test_figures_of_a_cache_are_numbers(tmp_path: Path) -> None:
    done = _run("cache", "gc", "--json", "--cache", str(tmp_path / "cache"))
    found = json.loads(done.stdout)
    assert (found["entries"], found["freed_bytes"]) == (0, 0) and found["directory"] == str(tmp_path / "cache")


def test_a_server_is_not_made_smaller_from_here(tmp_path: Path) -> None:
    """An error where there is nothing else to do; a directory beside it is made smaller, whether it answers or not."""
    url = "http://127.0.0.1:1/x"
    done = _run("cache", "gc", "--cache", url)
    assert done.returncode == 2 and not done.stdout
    assert f"the cache {url} cannot be made smaller from here" in done.stderr and "refused" in done.stderr
    found = json.loads(_run("cache", "gc", "--json", "--cache", f"{tmp_path / 'near'}, {url}").stdout)
    assert found["1 freed_bytes"] == 0 and found["2 size"] == "left to the server"


def test_a_cache_that_cannot_be_verified(tmp_path: Path) -> None:
    """Is an error: no entries at all would be whole as well."""
    (tmp_path / "file").write_bytes(b"")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))  # and nobody listens
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
    for action, place, said in (
        ("verify", str(tmp_path / "file"), "is not a directory"),
        ("stats", str(tmp_path / "file"), "is not a directory"),
        ("gc", str(tmp_path / "file"), "is not a directory"),
        ("verify", url, "cannot be verified"),
        ("verify", f"{tmp_path}, {url}", "cannot be verified"),
    ):
        done = _run("cache", action, "--cache", place)
        assert (done.returncode, done.stdout) == (2, ""), place
        assert said in done.stderr and "Traceback" not in done.stderr
    listening.close()
