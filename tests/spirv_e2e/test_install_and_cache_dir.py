"""Shaders with SCons's CacheDir and Install, and with a prebuilt rlib."""

from __future__ import annotations

import struct

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import constants

LIBRARY = "#version 460\n#include <k.h>\nfloat scaled(float x) { return x * K; }\n"
FILES = {
    "lib/scaled.glsl": LIBRARY,
    "inc/k.h": "#define K 31.0\n",
    "a.comp": compute("store.data[i] = scaled(store.data[i]);", before="float scaled(float x);"),
    "b.comp": compute("store.data[i] = 1.0;"),
}
LIB = 'lib = env.Crate("lib", Glob("lib/*.glsl"), include_dirs=["inc"])\n'
APP = 'app = env.Crate("app", ["a.comp", "b.comp"], deps=[{lib}], crate_type="cdylib", multimodule=True)\n'


def _has(shaders: ShaderProject, path: str, value: float) -> bool:
    (word,) = struct.unpack("=I", struct.pack("=f", value))
    return (word,) in constants(shaders.path / path)


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_cache_dir_and_install(shaders: ShaderProject, jobs: str) -> None:
    shaders.environ["CRATE_CACHE"] = "off"
    copies = 'env.Install("game", [app.image, app.manifest])\n'
    shaders.crates('CacheDir("kept")\n' + LIB + APP.format(lib="lib") + copies, FILES)
    shaders.scons(jobs)
    before = shaders.snapshot()
    assert shaders.images("app") == ["a.comp.spv", "b.comp.spv"]
    assert _has(shaders, "game/app.spvs/a.comp.spv", 31.0)
    shaders.scons("-c")
    shaders.scons(jobs)
    assert shaders.snapshot() == before
    shaders.scons("-c")
    shaders.write({"inc/k.h": "#define K 37.0\n"})
    shaders.scons(jobs)
    assert _has(shaders, "app.spvs/a.comp.spv", 37.0) and _has(shaders, "game/app.spvs/a.comp.spv", 37.0)
    assert shaders.up_to_date(jobs)


def test_prebuilt_rlib(shaders: ShaderProject) -> None:
    maker = ShaderProject(shaders.path.parent / "maker", form=shaders.form)
    maker.crates(LIB, FILES)
    maker.scons()
    shaders.crates(APP.format(lib='File("pre/liblib.rlib")'), {name: FILES[name] for name in ("a.comp", "b.comp")})
    shaders.write({"pre/liblib.rlib": (maker.path / "liblib.rlib").read_bytes()})
    shaders.scons()
    assert _has(shaders, "app.spvs/a.comp.spv", 31.0)
    assert shaders.up_to_date()
    maker.write({"inc/k.h": "#define K 41.0\n"})
    maker.scons()
    shaders.write({"pre/liblib.rlib": (maker.path / "liblib.rlib").read_bytes()})
    shaders.scons()
    assert shaders.steps() == ["Linking app.spv.json"]
    assert "crate app: 2 images: 1 linked, 1 reused" in shaders.built()
    assert _has(shaders, "app.spvs/a.comp.spv", 41.0)
