"""Choosing a toolchain: the user's, or the first that works; and remembering what probing it found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright import Session, ToolError
from cratewright.testing import require_tool
from cratewright_native.backend import NativeBackend
from cratewright_native.toolchains import choose as choose_module
from cratewright_native.toolchains.choose import choose_toolchain
from cratewright_native.toolchains.probe import compilers_behind, remembered
from cratewright_native.toolchains.session import chosen
from tests.support.native_project import TARGET, Project, named

ProjectWith = Callable[[str], Project]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _installation(directory: Path, clang: str, lld: str, suffix: str = "") -> None:
    _script(directory / f"clang{suffix}", f'[ "$1" = --version ] && echo "clang version {clang}" || exit 1')
    _script(directory / f"ld.lld{suffix}", f'echo "LLD {lld} (compatible with GNU linkers)"')
    _script(directory / f"llvm-ar{suffix}", "exit 0")


@pytest.mark.parametrize("kind", ["zig", "llvm", "gcc"])
def test_named_compiler_is_used(kind: str, tmp_path: Path) -> None:
    assert choose_toolchain(str(tmp_path), compiler=named(kind)).kind == kind


def test_llvm_directory(tmp_path: Path) -> None:
    clang = named("llvm")
    home = os.path.dirname(os.path.dirname(os.path.realpath(f"/usr/bin/{clang}")))
    if not os.path.exists(f"{home}/bin/ld.lld"):
        pytest.skip("clang is not in a directory of its own")
    toolchain = choose_toolchain(str(tmp_path), llvm=home)
    assert toolchain.kind == "llvm" and toolchain.cc("x86_64-linux-gnu")[0] == f"{home}/bin/clang"
    assert toolchain.version == choose_toolchain(str(tmp_path), compiler=clang).version


def test_unusable_named_compiler_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"cannot find compiler 'clang-99'(?s:.*)by CC or CXX"):
        choose_toolchain(str(tmp_path), compiler="clang-99")
    with pytest.raises(ToolError, match=r"clang is missing"):
        choose_toolchain(str(tmp_path), llvm=str(tmp_path))
    _script(tmp_path / "tcc", "echo tcc 1")
    with pytest.raises(ToolError, match="is neither clang nor gcc"):
        choose_toolchain(str(tmp_path), compiler=str(tmp_path / "tcc"))


def test_clang_and_lld_must_have_one_version(tmp_path: Path) -> None:
    _installation(tmp_path, "19.1.0", "18.1.0")
    with pytest.raises(ToolError, match=r"have different versions: clang version 19\.1\.0; LLD 18\.1\.0"):
        choose_toolchain(str(tmp_path), compiler=str(tmp_path / "clang"))


def test_first_working_toolchain_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer clang is skipped if it does not compile, or if its lld has another version."""
    clang = named("llvm")
    _installation(tmp_path / "bin", "99.0.0", "99.0.0", "-99")
    _installation(tmp_path / "bin", "98.0.0", "97.0.0", "-98")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert choose_toolchain(str(tmp_path)).version == choose_toolchain(str(tmp_path), compiler=clang).version


def test_broken_zig_is_an_error(tmp_path: Path) -> None:
    """It tells its version, but compiles nothing: without a trial it would fail in the middle of a build."""
    script = (
        'case "$1" in version) echo 0.99;; clang) echo clang version 99.0;; *) echo no such thing >&2; exit 1;; esac'
    )
    _script(tmp_path / "zig", script)
    with pytest.raises(ToolError, match="a sample: zig failed") as caught:
        choose_toolchain(str(tmp_path), compiler=str(tmp_path / "zig"))
    assert "no such thing" in str(caught.value)


def test_zig_is_chosen_without_clang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named("zig")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_toolchain(str(tmp_path)).kind == "zig"


def test_no_working_toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installation(tmp_path / "bin", "99.0.0", "99.0.0", "-99")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(choose_module, "bundled_zig", lambda: "")
    with pytest.raises(ToolError, match="no working C compiler") as caught:
        choose_toolchain(str(tmp_path))
    assert [label for label, _ in caught.value.context] == ["clang-99"]
    assert "cratewright-native[zig]" in caught.value.hint


def test_probe_is_repeated_when_its_program_changes(tmp_path: Path) -> None:
    _installation(tmp_path, "19.1.0", "19.1.0")
    program = tmp_path / "clang"
    runs: list[str] = []

    def ask() -> str:
        runs.append(program.read_text())
        return f"answer {len(runs)}"

    def answer() -> str:
        from cratewright_native.toolchains.probe import identity

        return remembered("question", identity((str(program),)), ask)

    assert [answer(), answer()] == ["answer 1", "answer 1"]
    _script(program, "another")
    assert [answer(), answer()] == ["answer 2", "answer 2"]
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_text("{")
    assert answer() == "answer 3"


def test_failed_probe_is_not_remembered(tmp_path: Path) -> None:
    def fail() -> str:
        raise ToolError("no")

    with pytest.raises(ToolError):
        remembered("question", (), fail)
    assert remembered("question", (), lambda: "yes") == "yes"


def test_unwritable_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert choose_toolchain(str(tmp_path), compiler=named("zig")).kind == "zig"


def test_fingerprint_has_versions_and_no_paths(project: Project, tmp_path: Path) -> None:
    text = project.backend.fingerprint()
    assert project.toolchain.version in text and "/" not in text
    other = NativeBackend()
    environ = project.backend.session.environ
    other.init(Session(root=str(tmp_path), target=project.target, environ=environ))
    assert other.fingerprint() == text


def test_toolchains_have_different_fingerprints(project_with: ProjectWith) -> None:
    assert len({project_with(kind).backend.fingerprint() for kind in ("zig", "llvm", "gcc")}) == 3


@pytest.mark.parametrize(
    ("name", "kind"), [("cc", ""), ("g++", "gcc"), ("c++", ""), ("clang++-19", "llvm"), ("x86_64-linux-gnu-gcc", "gcc")]
)
def test_other_compiler_names(tmp_path: Path, name: str, kind: str) -> None:
    require_tool(bool(shutil.which(name)), name)
    found = choose_toolchain(str(tmp_path), compiler=name)
    assert not kind or found.kind == kind
    project = Project(tmp_path / "p", name)
    project.write(a_cc="int f(bool);\n", b_c="int g(void) { return 1; }\n")
    assert project.compile("a.cc").modules and project.compile("b.c").modules


@pytest.mark.parametrize(("name", "hint"), [("ccache gcc", "CRATE_CC=gcc"), ("gcc -m32", "'flags'")])
def test_compiler_must_be_one_word(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(ToolError, match=f"compiler '{name}' is more than one word") as caught:
        choose_toolchain(str(tmp_path), compiler=name)
    assert hint in caught.value.hint


@pytest.mark.parametrize("kind", ["llvm", "gcc"])
def test_fingerprint_of_a_wrapper_covers_its_text(tmp_path: Path, kind: str) -> None:
    """A wrapper reports the same version whatever flags it adds, and may name its compiler in variables."""
    real = shutil.which(named(kind)) or ""
    tools = tmp_path / "tools"
    name = "clang" if kind == "llvm" else "gcc"
    suffix = os.path.basename(real).removeprefix(name)
    beside = ("ld.lld", "llvm-ar") if kind == "llvm" else ("g++", "gcc-ar")
    tools.mkdir()
    for tool in beside:
        (tools / tool).symlink_to(shutil.which(tool + suffix) or "")

    def fingerprint(word: str) -> str:
        _script(tools / name, f'a={real[:6]}; b={real[6:]}; exec "$a$b" {word} "$@"')
        backend = NativeBackend()
        backend.init(Session(root=str(tmp_path), target=TARGET, environ=(("CRATE_CC", str(tools / name)), ("X", word))))
        chosen.cache_clear()
        return backend.fingerprint()

    first = fingerprint("-DW=1")
    assert fingerprint("-DW=1") == first != fingerprint("-DW=5")
    assert os.path.realpath(compilers_behind(str(tools / name))[0]) == compilers_behind(real)[0]


def test_gcc_is_refused_without_a_fixed_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choose_module, "WORKING_DIRECTORY", "/is/not/there")
    with pytest.raises(ToolError, match=r"(?s)gcc would record .* there is no /is/not/there here.*use clang"):
        choose_module.choose_toolchain(str(tmp_path), compiler="gcc")
