"""Units of several crates that share resources, buffers, initialisers and names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cratewright.base.errors import ValidationError
from cratewright_spirv.binary import opcodes as op
from cratewright_spirv.binary.enumerants import RESTRICT
from cratewright_spirv.binary.module import parse
from cratewright_spirv.binary.program import Program
from tests.support.memory_store import MemoryStore
from tests.support.shader_build import ShaderBuild
from tests.support.vulkan_device import ComputeDevice, storage


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
@pytest.mark.parametrize("target", ["vulkan1.0", "vulkan1.3"])
def test_restrict_is_kept_only_if_all_units_declare_it(lto: str, target: str, tmp_path: Path) -> None:
    build = ShaderBuild(tmp_path, target=target)
    resources = """
layout(set = 0, binding = 1) {0} buffer B {{ uint b[]; }};
layout(set = 0, binding = 2) restrict buffer Same {{ uint same[]; }};
layout(set = 0, binding = 3, r32ui) {0} uniform uimage2D image;
"""
    read = "b[i] + same[i] + imageLoad(image, ivec2(i, 0)).x"
    write = "b[i] = x; same[i] = x; imageStore(image, ivec2(i, 0), uvec4(x)); same[i + 64] = f(i);"
    build.write(
        {
            "lib.glsl": f"#version 460{resources.format('restrict readonly')}uint f(uint i) {{ return {read}; }}\n",
            "main.comp": f"#version 460{resources.format('restrict writeonly')}layout(local_size_x = 64) in;\n"
            f"uint f(uint i);\nvoid main() {{ uint i = gl_GlobalInvocationID.x; uint x = f(i); {write} }}\n",
        }
    )
    deps = [build.compile("lib", ["lib.glsl"])]
    image_ = build.link(build.compile("image", ["main.comp"], deps), deps, lto=lto)["main.comp"]
    program = Program.of(parse(image_.data, "image"))
    restricted = [
        words for words in program.preamble
        if (words[0] & 0xFFFF, words[2:3]) == (op.DECORATE, (RESTRICT,))
        or (words[0] & 0xFFFF, words[3:4]) == (op.MEMBER_DECORATE, (RESTRICT,))
    ]  # fmt: skip
    assert len(restricted) == 1
    assert [row["binding"] for row in image_.row["descriptors"]].count(2) == 1


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_equal_hlsl_buffers_are_merged_in_any_order_of_use(lto: str, tmp_path: Path) -> None:
    build = ShaderBuild(tmp_path, store=STORE)
    declared = "RWStructuredBuffer<uint> one : register(u0);\nRWStructuredBuffer<uint> two : register(u1);\n"
    build.write(
        {
            "lib.hlsl": f"{declared}void f(uint k) {{ two[k] = k * 3; }}\n",
            "main.comp.hlsl": f"{declared}void f(uint k);\n[numthreads(64, 1, 1)]\n"
            "void main(uint3 id : SV_DispatchThreadID) { one[id.x] = 1; f(id.x); two[id.x] += 1; }\n",
        }
    )
    deps = [build.compile("lib", ["lib.hlsl"])]
    image = build.link(build.compile("image", ["main.comp.hlsl"], deps), deps, lto=lto)["main.comp.hlsl"]
    assert [(row["binding"], row["name"]) for row in image.row["descriptors"]] == [(0, "one"), (1, "two")]


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_source_of_two_crates_is_initialised_in_each(lto: str, tmp_path: Path, device: ComputeDevice) -> None:
    build = ShaderBuild(tmp_path, store=STORE)
    build.write(
        {
            "common.glsl": "#version 460\nuint STATE = START;\nuint NAME() { STATE += 1u; return STATE; }\n",
            "main.comp": "#version 460\nlayout(local_size_x = 64) in;\n"
            "layout(set = 0, binding = 0) buffer Out { uint data[]; };\nuint f(); uint g();\n"
            "void main() { data[gl_GlobalInvocationID.x] = f() * 100u + g(); }\n",
        }
    )
    deps = [
        build.compile(name, ["common.glsl"], defines={"NAME": name, "STATE": f"s{name}", "START": start})
        for name, start in (("f", "3u"), ("g", "5u"))
    ]
    image = build.link(build.compile("image", ["main.comp"], deps), deps, lto=lto)["main.comp"]
    found = device.run(image.data, [storage(0, np.zeros(64, np.uint32))], entry=image.row["name"])
    assert set(found[0].tolist()) == {406}


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_initialisers_run_only_in_shaders_that_use_their_unit(lto: str, tmp_path: Path, device: ComputeDevice) -> None:
    build = ShaderBuild(tmp_path, store=STORE)
    shader = "#version 460\nlayout(local_size_x = 64) in;\nuint {0}();\nvoid main() {{ {0}(); }}\n"
    build.write(
        {
            "common.glsl": "#version 460\nlayout(set = 0, binding = 0) buffer Out { uint data[]; };\n"
            "uint add() { return atomicAdd(data[gl_GlobalInvocationID.x], AMOUNT); }\n"
            "uint STATE = add();\nuint NAME() { return 1u; }\n",
            "a.comp": shader.format("f"),
            "b.comp": shader.format("g"),
        }
    )
    deps = [
        build.compile(name, ["common.glsl"], defines={"NAME": name, "STATE": f"s{name}", "add": f"a{name}"} | more)
        for name, more in (("f", {"AMOUNT": "3u"}), ("g", {"AMOUNT": "5u"}))
    ]
    images = build.link(build.compile("image", ["a.comp", "b.comp"], deps), deps, lto=lto)
    for source, amount in (("a.comp", 3), ("b.comp", 5)):
        image = images[source]
        found = device.run(image.data, [storage(0, np.zeros(64, np.uint32))], entry=image.row["name"])
        assert set(found[0].tolist()) == {amount}, source


def test_hlsl_buffer_passed_to_another_unit_has_a_hint(tmp_path: Path) -> None:
    build = ShaderBuild(tmp_path, store=STORE)
    head = "uint f(RWStructuredBuffer<uint> b, uint i)"
    build.write(
        {
            "lib.hlsl": f"{head} {{ return b[i]; }}\n",
            "main.comp.hlsl": f"RWStructuredBuffer<uint> d : register(u0);\n{head};\n[numthreads(64, 1, 1)]\n"
            "void main(uint3 i : SV_DispatchThreadID) { d[i.x] = f(d, i.x); }\n",
        }
    )
    deps = [build.compile("lib", ["lib.hlsl"])]
    with pytest.raises(ValidationError, match="declare the buffer in the unit that uses it"):
        build.link(build.compile("image", ["main.comp.hlsl"], deps), deps, lto="off", opt_level="0")


@pytest.mark.parametrize("opt_level", ["0", "3"])
@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_resources_with_one_binding_keep_their_names(lto: str, opt_level: str, tmp_path: Path) -> None:
    build = ShaderBuild(tmp_path, store=STORE)
    declared = "Texture2D picture : register(t0);\nSamplerState how : register(s0);\n"
    build.write(
        {
            "lib.hlsl": f"{declared}float4 f(float2 uv) {{ return picture.Sample(how, uv); }}\n",
            "main.frag.hlsl": "float4 f(float2 uv);\n"
            "float4 main(float2 uv : TEXCOORD0) : SV_Target { return f(uv); }\n",
        }
    )
    deps = [build.compile("lib", ["lib.hlsl"])]
    image = build.link(build.compile("image", ["main.frag.hlsl"], deps), deps, lto=lto, opt_level=opt_level)
    found = [(row["kind"], row["name"]) for row in image["main.frag.hlsl"].row["descriptors"]]
    assert found == [("sampled-image", "picture"), ("sampler", "how")]


STORE = MemoryStore()
