"""SPIRV-Tools of an SDK: how they are found, and what their failures report."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from cratewright import (
    Session,
    ToolError,
)
from cratewright_spirv.backend import SpirvBackend
from cratewright_spirv.spirv_tools import library as library_module
from cratewright_spirv.spirv_tools.executables import Executables
from cratewright_spirv.spirv_tools.results import INSTALL_HINT
from cratewright_spirv.spirv_tools.tools import find_tools

from .tools_samples import (
    ENV,
    PLAIN,
    fast,
    linked,
    objects,
    outcome,
    shared_library,
    wheel_programs,
)


@pytest.mark.parametrize("name", ["spirv-opt", "spirv-val", "glslangValidator"])
def test_fingerprint_of_an_sdk_covers_its_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))

    def install(program: str, text: str) -> None:
        path = tmp_path / "sdk" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho SPIRV-Tools v2026.1 {text}\n")
        path.chmod(0o755)

    def fingerprint() -> str:
        backend = SpirvBackend()
        environ = (("CRATE_SPIRV_SDK", str(tmp_path / "sdk")),)
        backend.init(Session(root=str(tmp_path), target="vulkan1.2", environ=environ))
        return backend.fingerprint()

    for program in ("spirv-link", "spirv-opt", "spirv-val", "spirv-as", "spirv-dis", "glslangValidator"):
        install(program, "")
    before = fingerprint()
    assert "/" not in before and fingerprint() == before
    install(name, "# other bytes")
    assert fingerprint() != before


@pytest.fixture
def sdk(tmp_path: Path) -> Iterator[Path]:
    if sys.platform == "win32":
        pytest.skip("the stand-ins are shell scripts")
    (tmp_path / "bin").mkdir()
    for name in ("spirv-link", "spirv-opt", "spirv-val", "spirv-as", "spirv-dis"):
        stand_in(tmp_path, name, "exit 0")
    yield tmp_path


def stand_in(sdk: Path, name: str, script: str) -> None:
    path = sdk / "bin" / name
    path.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def sample() -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in (0x07230203, 0x00010500, 0, 1, 0))


def test_sdk_without_its_programs(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        find_tools(str(tmp_path))
    assert str(tmp_path) in caught.value.message
    assert "spirv-val" in str(caught.value)
    assert caught.value.hint == INSTALL_HINT


def test_sdk_is_preferred(sdk: Path) -> None:
    assert isinstance(find_tools(str(sdk)), Executables)
    assert isinstance(find_tools(str(sdk / "bin")), Executables)


def test_crash_names_the_signal(sdk: Path) -> None:
    stand_in(sdk, "spirv-opt", "kill -s SEGV $$")
    with pytest.raises(ToolError, match="spirv-opt crashed") as caught:
        fast(Executables(str(sdk)), sample())
    assert dict(caught.value.context)["reason"] == "signal 11 (SIGSEGV)"


def test_old_programs_are_refused(sdk: Path) -> None:
    """Such as version 2023.1 of Debian 12."""
    stand_in(sdk, "spirv-opt", "echo \"error: Unknown flag '--trim-capabilities'. Use --help\" >&2; exit 1")
    tools = Executables(str(sdk))
    with pytest.raises(ToolError, match="too old: it has no --trim-capabilities") as caught:
        tools.optimize(sample(), env=ENV, passes=["--trim-capabilities"], validator=None, preserve_bindings=False)
    assert str(sdk) in str(dict(caught.value.context)["program"]) and "2024" in caught.value.hint
    stand_in(sdk, "spirv-opt", "echo \"error: Unknown flag '--my-pass'. Use --help\" >&2; exit 1")
    with pytest.raises(ToolError, match="spirv-opt: Unknown flag '--my-pass'"):
        tools.optimize(sample(), env=ENV, passes=["--my-pass"], validator=None, preserve_bindings=False)


def test_module_that_crashes_the_linker() -> None:
    programs = wheel_programs()
    with pytest.raises(ToolError, match="spirv-link crashed"):
        programs.link([linked(programs)[:-4]], env=ENV)


def test_hanging_program_is_killed(sdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cratewright.system.child._build.limit", 0.2)
    stand_in(sdk, "spirv-val", "exec sleep 30")
    with pytest.raises(ToolError, match=r"did not answer within 0\.2 s"):
        Executables(str(sdk)).validate(sample(), env=ENV, options=PLAIN)


def test_silent_failure_names_the_exit_status(sdk: Path) -> None:
    stand_in(sdk, "spirv-link", "exit 7")
    with pytest.raises(ToolError, match="spirv-link failed") as caught:
        Executables(str(sdk)).link([sample()], env=ENV)
    assert caught.value.context == (("reason", "exit status 7"),)


def test_program_that_cannot_be_run(sdk: Path) -> None:
    (sdk / "bin" / "spirv-dis").chmod(0)
    (sdk / "bin" / "spirv-dis").unlink()
    (sdk / "bin" / "spirv-dis").write_text("")
    with pytest.raises(ToolError, match="spirv-dis cannot be run"):
        Executables(str(sdk)).disassemble(sample(), env=ENV)


def test_linking_leaves_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    programs = wheel_programs()
    linked(programs)
    outcome(lambda: programs.link(objects(programs)[:1], env=ENV))
    assert list(tmp_path.iterdir()) == []


def test_programs_are_used_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel_programs()

    def missing() -> None:
        raise ToolError("the SPIRV-Tools library cannot be loaded")

    monkeypatch.setattr(library_module, "load", missing)
    assert isinstance(find_tools.__wrapped__(None), Executables)
    monkeypatch.undo()
    shared_library()
    assert isinstance(find_tools.__wrapped__(None), library_module.Library)


def test_nothing_installed_has_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise ToolError("the SPIRV-Tools library cannot be loaded")

    def unknown(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(library_module, "load", missing)
    monkeypatch.setattr("importlib.metadata.distribution", unknown)
    with pytest.raises(ToolError, match="not installed") as caught:
        find_tools.__wrapped__(None)
    assert "CRATE_SPIRV_SDK" in caught.value.hint
