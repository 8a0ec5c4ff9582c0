"""Lua built with every LTO mode: its own tests pass, and it is no larger than a plain build.

The project is `examples/lua`. No test uses the network: LUA_SDIST names the archive of the sources.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from cratewright import content_digest
from cratewright.base.digest import value_digest
from cratewright.system.fs import write_atomic
from cratewright.testing import require_tool
from cratewright_native.toolchains.choose import choose_toolchain
from cratewright_native.toolchains.probe import cache_directory
from tests.native_e2e.native_scons import NativeProject
from tests.support.casd import serving_casd
from tests.support.native_project import TARGET
from tests.support.paths import ROOT
from tests.support.scons_project import available_forms

LUA = ".sdist/lua54"
LEFT_OUT = ("onelua.c", "ltests.c")
MAX_SIZE_RATIO = 1.02
# The release profile, as flags of the compiler.
FLAGS = ["-O3", "-fPIC", "-ffunction-sections", "-fdata-sections", "-DLUA_USE_LINUX", "-w"]
LINK_FLAGS = ["-pie", "-Wl,--gc-sections", "-Wl,-E"]


def copy_of_example(path: Path, kind: str) -> NativeProject:
    archive = os.environ.get("LUA_SDIST", "")
    require_tool(os.path.isfile(archive), "the archive that LUA_SDIST names")
    project = NativeProject(path, kind, form=available_forms()[-1])
    project.environ["LUA_SDIST"] = archive
    shutil.copytree(ROOT / "examples/lua", project.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".sdist"))
    return project


MODES = ("off", "thin", "fat")


@pytest.mark.parametrize(
    ("kind", "modes"),
    [
        pytest.param("llvm", ("thin",), id="llvm-thin"),
        pytest.param("llvm", MODES, marks=pytest.mark.exhaustive, id="llvm"),
        pytest.param("zig", MODES, marks=pytest.mark.exhaustive, id="zig"),
    ],
)
def test_lua(tmp_path: Path, kind: str, modes: Sequence[str]) -> None:
    lua = copy_of_example(tmp_path / "lua", kind)
    sizes: dict[str, int] = {}
    programs: dict[str, bytes] = {}
    for lto in modes:
        assert "final OK !!!" in lua.scons("-j2", f"lto={lto}", "check")
        assert (f"crate lua: {lto} LTO" in lua.output) is (lto != "off")
        assert (" compiled, 0 reused" in lua.output) is (lto != "fat"), "fat LTO reuses the modules of thin LTO"
        programs[lto] = (lua.path / "lua").read_bytes()
        sizes[lto] = stripped_size(lua.path / "lua")
    for lto in {*modes} - {"off"}:
        own = plain_build_size(lua, f"-flto={'full' if lto == 'fat' else lto}")
        print(f"{kind}, {lto}: {sizes[lto]} bytes, by the compiler alone {own}, ratio {sizes[lto] / own:.3f}")
        assert sizes[lto] <= MAX_SIZE_RATIO * own
    if kind == "llvm" and modes == MODES:
        assert built_remotely(lua, tmp_path) == programs["thin"]


def built_remotely(lua: NativeProject, scratch: Path) -> bytes:
    """Return the thin LTO program, with each compilation and each backend job in a sandbox of its own."""
    (scratch / "farm").mkdir()
    there = NativeProject(scratch / "there", lua.kind, form=lua.form)
    files = shutil.ignore_patterns(".crate-cache", ".scons*", "*.rl*", "*.lto", "lua", ".*.state")
    shutil.copytree(lua.path, there.path, dirs_exist_ok=True, ignore=files)
    with serving_casd(scratch / "farm") as url:
        there.environ |= {**lua.environ, "CRATE_REMOTE": url, "CRATE_EVENTS": "e.jsonl", "CRATE_CACHE": "off"}
        there.scons("-j2", "lto=thin")
    assert json.loads(there.read("e.jsonl").splitlines()[-1])["elsewhere"] == 66 and there.errors == ""
    return (there.path / "lua").read_bytes()


def plain_build_size(project: NativeProject, lto: str) -> int:
    """Return the stripped size of the program that one plain call of the compiler makes.

    The size depends on the compiler alone and costs a whole build, so it is kept between runs.
    """
    toolchain = choose_toolchain(str(project.path), compiler=project.environ["CRATE_CC"])
    sources = [path.relative_to(project.path) for path in sorted((project.path / LUA).glob("*.c"))]
    words = [*FLAGS, lto, *(str(path) for path in sources if path.name not in LEFT_OUT), *LINK_FLAGS, "-lm", "-ldl"]
    archive = content_digest(Path(project.environ["LUA_SDIST"]).read_bytes())
    key = value_digest((toolchain.version, archive, *words))
    kept = cache_directory() / f"size-by-hand-{key}"
    if not kept.exists():
        program = f"by-hand{lto}"
        command = [*toolchain.cc(TARGET), *words, "-o", program]
        subprocess.run(command, env=toolchain.environment(), cwd=project.path, check=True)
        write_atomic(str(kept), str(stripped_size(project.path / program)).encode())
    return int(kept.read_text())


def stripped_size(program: Path) -> int:
    """Return the size of a program without its symbols."""
    stripped = program.with_suffix(".stripped")
    subprocess.run(["strip", "-o", stripped, program], check=True)
    return stripped.stat().st_size
