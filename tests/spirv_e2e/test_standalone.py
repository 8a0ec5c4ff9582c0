"""`cratewright build` and `init`: workspaces without an SConstruct, also called by CMake and Meson."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cratewright.testing import require_tool
from tests.support.bounds import HANG
from tests.support.paths import ROOT, source_paths
from tests.support.scons_project import IN_PLACE, server_of

EXAMPLES = ROOT / "examples"
SHADERS = EXAMPLES / "from-cmake" / "shaders"
OUTPUTS = ("libnoise.rlib", "noise.rlink", "shaders.rlink", "shaders.spv", "shaders.spv.json")


def _environment(where: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRATE_", "SCONS"))}
    path = os.pathsep.join([str(where), str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "PYTHONPATH": os.pathsep.join(source_paths())}


def _cratewright(where: Path, *words: str, expect: int = 0) -> str:
    environ = _environment(where)
    del environ["PYTHONPATH"]
    done = server_of(IN_PLACE).run(words, cwd=where, environ=environ, timeout=HANG, program="cratewright")
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def _project(where: Path) -> Path:
    shutil.copytree(SHADERS, where / "shaders")
    return where


def test_build_beside_the_sources(tmp_path: Path) -> None:
    shaders = _project(tmp_path) / "shaders"
    out = _cratewright(shaders, "build", "--depfile", "d.d", "--profile", "release")
    assert "1 image: 1 linked" in out
    rule = (shaders / "d.d").read_text().split()
    assert [word for word in rule if word != "\\"] == [
        "libnoise.rlib:", "clouds.comp", "constants.h", "crates.toml", "noise.glsl",
    ]  # fmt: skip
    assert all((shaders / name).exists() for name in OUTPUTS)
    assert "up to date" in _cratewright(shaders, "build", "--profile", "release")
    (shaders / "constants.h").write_text("#define HASH_DIRECTION vec2(1.0, 2.0)\n")
    out = _cratewright(shaders, "build", "--profile", "release")
    assert "constants.h changed" in out
    assert "Compiling crate shaders.rlink" not in out


def test_build_directory_gives_the_same_bytes(tmp_path: Path) -> None:
    one = _project(tmp_path / "on, e")
    two = _project(tmp_path / "two" / "deep" / "er")
    sources = sorted(path.name for path in (one / "shaders").iterdir())
    _cratewright(one, "build", "shaders/crates.toml", "--build-dir", "b", "--depfile", "b.d", "shaders")
    _cratewright(two / "shaders", "build", "--build-dir", "../../b")
    for name in OUTPUTS:
        assert (one / "b" / name).read_bytes() == (two.parent / "b" / name).read_bytes(), name
    assert sorted(path.name for path in (one / "shaders").iterdir()) == sources
    assert (one / "b" / ".crate-cache").is_dir()
    assert (one / "b.d").read_text().startswith("b/shaders.spv.json: \\\n  shaders/clouds.comp \\\n")
    assert "shaders.spv" in _cratewright(one, "explain", "b/shaders.spv")


def test_selected_crates_and_files(tmp_path: Path) -> None:
    shaders = _project(tmp_path) / "shaders"
    _cratewright(shaders, "build", "noise", "-j1")
    assert not (shaders / "shaders.rlink").exists()
    _cratewright(tmp_path, "build", "shaders/crates.toml", "shaders/shaders.spv", "--depfile", "d.d")
    assert (tmp_path / "d.d").read_text().startswith("shaders/shaders.spv: ")
    out = _cratewright(shaders, "build", "shader", expect=2)
    assert "'shader' is neither a crate" in out
    assert "did you mean 'shaders'" in out
    assert "no such workspace" in _cratewright(tmp_path, "build", expect=2)
    (tmp_path / "crates.toml").write_text("")
    assert "target of --depfile, which is missing" in _cratewright(tmp_path, "build", "--depfile-target=x", expect=2)
    assert "+-shaders.spv" in _cratewright(shaders, "build", "shaders", "--", "--tree=all")
    assert "only 'build'" in _cratewright(tmp_path, "backends", "--", "-x", expect=2)
    (shaders / "noise.glsl").write_text("#version 460\nfloat hash(vec2 p) { return q; }\n")
    (tmp_path / "d.d").unlink()
    out = _cratewright(tmp_path, "build", "shaders/crates.toml", "--depfile", "d.d", expect=2)
    assert "noise.glsl:2" in out
    assert not (tmp_path / "d.d").exists()


def test_error_does_not_mention_the_packaged_sconstruct(tmp_path: Path) -> None:
    (tmp_path / "crates.toml").write_text("x = [\n")
    assert _cratewright(tmp_path, "build", expect=2) == "cratewright: crates.toml:1: this is not TOML: invalid value\n"


def test_init_drafts_a_workspace(tmp_path: Path) -> None:
    project = tmp_path / "particles"
    shutil.copytree(
        EXAMPLES / "particles", project, ignore=shutil.ignore_patterns("SConstruct", "*.spv*", "*.rl*", ".*")
    )
    assert "cdylib of 7 sources" in _cratewright(project, "init")
    _cratewright(project, "build", "--target", "vulkan1.3", "particles")
    assert (project / "particles.spv").exists()
    assert "already exists" in _cratewright(project, "init", expect=2)
    _cratewright(tmp_path, "init", "particles", "--sconstruct")
    (project / "crates.toml").unlink()
    assert "cdylib of 7 sources" in _cratewright(project, "init")  # outputs are not taken for sources
    (project / "particles.spv").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", "CRATE_TARGET=vulkan1.3"],
        cwd=project,
        env=_environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "particles.spv").exists()
    (tmp_path / "empty").mkdir()
    assert "holds no sources" in _cratewright(tmp_path, "init", "empty", expect=2)


CALLERS = {
    "cmake": (["cmake", "-S", ".", "-B", "build", "-G", "Ninja"], ["cmake", "--build", "build"]),
    "meson": (["meson", "setup", "build"], ["ninja", "-C", "build"]),
}


@pytest.mark.parametrize("caller", CALLERS)
def test_called_by_another_build_system(tmp_path: Path, caller: str) -> None:
    project, tools = tmp_path / "project", tmp_path / "tools"
    environ = _environment(tools)
    for tool in (caller, "ninja", "c++"):
        require_tool(shutil.which(tool, path=environ["PATH"]) is not None, tool)
    shutil.copytree(EXAMPLES / f"from-{caller}", project)
    tools.mkdir()
    script = tools / "cratewright"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cratewright "$@"\n')
    script.chmod(0o755)
    configure, build = CALLERS[caller]

    def run(words: list[str]) -> str:
        done = subprocess.run(words, cwd=project, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run(configure)
    assert "Compiling crate" in run(build)
    assert "bytes of SPIR-V 1.5" in run(["build/show"])
    assert "no work to do" in run(build)
    (project / "shaders" / "constants.h").write_text("#define HASH_DIRECTION vec2(1.0, 2.0)\n")
    assert "constants.h changed" in run(build)
    assert "no work to do" in run(build)
    assert sorted(path.name for path in (project / "shaders").iterdir()) == sorted(
        path.name for path in (EXAMPLES / f"from-{caller}" / "shaders").iterdir()
    )
