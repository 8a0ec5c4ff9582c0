"""Debug information in files beside the images, which are built, installed, cleaned and restored."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.support.debug_info import read

Validate = Callable[[Path], None]
Golden = Callable[[str, str], None]

LIBRARY = "#version 460\n\nfloat lit(float x) {\n    return sqrt(x) * 1.125;\n}\n"
FILES = {
    "lib/lit.glsl": LIBRARY,
    "one.comp": compute("store.data[i] = lit(store.data[i]);", before="float lit(float x);"),
    "two.comp": compute("store.data[i] = lit(store.data[i]) + 3.0;", before="float lit(float x);"),
}
CRATES = """\
env.Replace(CRATE_OPT_LEVEL="3", CRATE_DEBUGINFO=ARGUMENTS.get("debuginfo", "full"),
            CRATE_STRIP=ARGUMENTS.get("strip", "split"), CRATE_LTO=ARGUMENTS.get("lto", "off"))
lib = env.Crate("lib", ["lib/lit.glsl"])
one = env.Crate("one", ["one.comp", "two.comp"], deps=lib, crate_type="cdylib")
many = env.Crate("many", ["one.comp", "two.comp"], deps=lib, crate_type="cdylib", multimodule=True)
Default(one, many)
env.Alias("install", env.Install("there", one))
"""
IMAGES = ("one.spv", "many.spvs/one.comp.spv", "many.spvs/two.comp.spv")


def _beside(image: str) -> str:
    return image.removesuffix(".spv") + ".dbg.spv"


def _bytes(project: ShaderProject) -> dict[str, bytes]:
    return {name: (project.path / name).read_bytes() for name in project.snapshot() if name.endswith(".spv")}


@pytest.mark.parametrize("lto", ["off", "thin"])
def test_debug_file_beside_each_image(shaders: ShaderProject, validate: Validate, lto: str) -> None:
    shaders.crates(CRATES, FILES)
    shaders.scons("debuginfo=none", "strip=none", f"lto={lto}")
    plain = _bytes(shaders)
    assert set(plain) == {*IMAGES}
    shaders.scons("strip=none", f"lto={lto}")
    full = _bytes(shaders)
    assert set(full) == {*IMAGES}
    shaders.scons("install", ".", f"lto={lto}")
    split = _bytes(shaders)
    assert set(split) == {*IMAGES, *map(_beside, IMAGES), "there/one.spv", "there/one.dbg.spv"}
    for image in IMAGES:
        assert split[image] == plain[image]
        assert split[_beside(image)] == full[image]
        validate(shaders.path / _beside(image))
        (statement,) = {each.place for each in read(split[_beside(image)]).statements if 1.125 in each.constants}
        assert statement is not None
        assert (statement.file, statement.line, statement.function) == ("lib/lit.glsl", 4, "lit")
    assert split["there/one.spv"] == split["one.spv"]
    assert split["there/one.dbg.spv"] == split["one.dbg.spv"]
    for crate in ("one", "many"):
        for row in shaders.manifest(crate)["modules"]:
            assert row["debug"]["path"] == _beside(row["path"]) and row["debug"]["same_code"] is True
            assert row["debug"]["sha256"] == hashlib.sha256(split[_beside(row["path"])]).hexdigest()
            assert row["sha256"] == hashlib.sha256(split[row["path"]]).hexdigest()
    assert shaders.up_to_date("install", ".", f"lto={lto}")
    # Only the lost files are restored, from the cache.
    (shaders.path / "one.dbg.spv").unlink()
    shaders.scons(f"lto={lto}")
    assert _bytes(shaders) == split
    shaders.write({"lib/lit.glsl": LIBRARY.replace("\n\n", "\n// A comment moves the lines of the file beside.\n\n")})
    shaders.scons(f"lto={lto}")
    moved = _bytes(shaders)
    assert all(moved[image] == split[image] and moved[_beside(image)] != split[_beside(image)] for image in IMAGES)
    shaders.scons("-c", ".", "install", f"lto={lto}")
    assert not _bytes(shaders)


def test_prebuilt_rlib_gives_the_same_files(shaders: ShaderProject) -> None:
    """With and without debug information, the files equal those built from sources."""
    shaders.crates(CRATES, FILES)
    shaders.scons()
    made = _bytes(shaders)
    other = ShaderProject(shaders.path.parent / "other", form=shaders.form)
    other.crates(CRATES.replace('env.Crate("lib", ["lib/lit.glsl"])', 'File("liblib.rlib")'), FILES)
    other.remove("lib/lit.glsl")
    shutil.copy(shaders.path / "liblib.rlib", other.path / "liblib.rlib")
    other.scons("-j4")
    assert _bytes(other) == made
    other.scons("debuginfo=none", "strip=none")
    assert {name: data for name, data in _bytes(other).items() if ".dbg" not in name} == {
        image: made[image] for image in IMAGES
    }
    for name in IMAGES:
        (shaders.path / name).unlink()
        (shaders.path / _beside(name)).unlink()
    for crate in ("one", "many"):
        command = [sys.executable, "-m", "cratewright", "link", f"{crate}.rlink"]
        environ = {**os.environ, "CRATE_GLSLANG": "wheel"}  # as in the build
        done = subprocess.run(command, cwd=shaders.path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert _bytes(shaders) == made


REFUSED = {
    "no_debuginfo": 'env.Crate("a", ["one.comp"], crate_type="cdylib", debuginfo="none", strip="split")\n',
    "object": 'env.Crate("a", ["lib/lit.glsl"], crate_type="object", debuginfo="full", strip="split")\n',
    "source": 'env.Crate("a", [("one.comp", {"strip": "split"})], crate_type="cdylib", debuginfo="full")\n',
    "word": 'env.Crate("a", ["one.comp"], crate_type="cdylib", debuginfo="full", strip="all")\n',
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_strip_options(shaders: ShaderProject, golden: Golden, name: str) -> None:
    shaders.crates(REFUSED[name], FILES)
    shaders.scons(expect=2)
    golden(f"spirv/split_{name}.txt", shaders.error().partition('File "')[0])
    assert not list(shaders.path.glob("*.rlink"))
