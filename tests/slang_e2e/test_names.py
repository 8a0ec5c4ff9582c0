"""Manifests name the parameters of Slang entry points in every mode, though images may lack names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cratewright_slang.backend import SlangBackend
from cratewright_spirv.backend import SpirvBackend
from tests.slang_e2e.conftest import require_slang
from tests.support.shader_build import ShaderBuild

MODULE = "module m;\npublic struct P { public float scale; public int count; }\n"
HEAD = "import m;\nConstantBuffer<P> given;\nRWStructuredBuffer<float> taken;\n"
ENTRY = '[shader("compute")] [numthreads(1, 1, 1)] void %s() { taken[0] += given.scale * given.count; }\n'


@pytest.mark.parametrize("debuginfo", ["none", "line"])
def test_names_are_the_same_in_every_mode(tmp_path: Path, debuginfo: str) -> None:
    require_slang()
    build = ShaderBuild(tmp_path, backend=SlangBackend)
    build.write({"m.slang": MODULE, "a.slang": HEAD + ENTRY % "one" + ENTRY % "two"})
    lib = build.compile("lib", ["m.slang"], debuginfo=debuginfo)
    app = build.compile("app", ["a.slang"], [lib], debuginfo=debuginfo)
    for lto in ("off", "thin", "fat"):
        for multimodule in (True, False):
            for level in ("0", "3"):
                files = build.link_all(app, [lib], lto=lto, multimodule=multimodule, opt_level=level)
                entries = json.loads(files["app.spv.json"])["entries"]
                assert [entry["name"] for entry in entries] == ["one", "two"]
                for entry in entries:
                    assert [row["name"] for row in entry["descriptors"]] == ["given", "taken"]
                    members = entry["descriptors"][0]["block"]["members"]
                    assert [member["name"] for member in members] == ["scale", "count"]
                assert not any(b"taken" in data for name, data in files.items() if name.endswith(".spv"))


GLSL = (
    "#version 460\nlayout(binding = 0) buffer D { float d[]; } %s;\nlayout(local_size_x = 1) in;\n"
    "void main() { %s.d[0] += 1.0; }\n"
)
SLANG = 'RWStructuredBuffer<float> %s;\n[shader("compute")] [numthreads(1, 1, 1)] void main() { %s[0] += 1; }\n'


@pytest.mark.parametrize("backend", [SpirvBackend, SlangBackend])
def test_binding_with_a_name_per_entry_point(tmp_path: Path, backend: type[SpirvBackend]) -> None:
    """Entry points of one image may name the same binding differently."""
    if backend is SlangBackend:
        require_slang()
    text, suffix = (SLANG, "slang") if backend is SlangBackend else (GLSL, "comp")
    build = ShaderBuild(tmp_path, backend=backend)
    sources = {f"{name}.{suffix}": text % (name, name) for name in ("one", "two")}
    build.write(sources)
    app = build.compile("app", list(sources))
    for lto in ("off", "thin", "fat"):
        for multimodule in (True, False):
            entries = json.loads(build.link_all(app, lto=lto, multimodule=multimodule)["app.spv.json"])["entries"]
            assert [[row["name"] for row in entry["descriptors"]] for entry in entries] == [["one"], ["two"]]


SHARED = (
    "#version 460\nlayout(local_size_x = 1) in;\n"
    "layout(binding = 0) readonly buffer Ones { float x[]; } ones;\n"
    "layout(binding = 0) readonly buffer Fours { vec4 x4[]; } fours;\n"
    "layout(binding = 1) buffer Sum { float y[]; } sum;\n"
    "void main() { uint i = gl_GlobalInvocationID.x; sum.y[i] = ones.x[i] + fours.x4[i].y; }\n"
)
SHARED_SLANG = (
    'ByteAddressBuffer bytes;\nRWStructuredBuffer<float> sum;\n[shader("compute")] [numthreads(1, 1, 1)]\n'
    "void main(uint i : SV_DispatchThreadID) { sum[i] = bytes.Load<float>(i * 4) + bytes.Load(i * 8); }\n"
)


@pytest.mark.parametrize("backend", [SpirvBackend, SlangBackend])
def test_buffers_that_share_a_binding(tmp_path: Path, backend: type[SpirvBackend]) -> None:
    """Each of several types for one buffer is described by itself, in every mode."""
    if backend is SlangBackend:
        require_slang()
    name, text = ("a.slang", SHARED_SLANG) if backend is SlangBackend else ("a.comp", SHARED)
    build = ShaderBuild(tmp_path, backend=backend)
    build.write({name: text})
    app = build.compile("app", [name])
    found = set()
    for lto in ("off", "thin", "fat"):
        for level in ("0", "3"):
            (entry,) = json.loads(build.link_all(app, lto=lto, opt_level=level)["app.spv.json"])["entries"]
            rows = [(row["name"], row["binding"], row["block"]["members"][0]["type"]) for row in entry["descriptors"]]
            found.add(tuple(sorted(rows)))
    assert len(found) == 1
    assert len({kind for _, binding, kind in found.pop() if binding == 0}) == 2
