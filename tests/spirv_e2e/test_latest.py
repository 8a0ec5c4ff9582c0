"""Builds with the newest glslang, which a new extension requires, and errors where it cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright_spirv.compilers.latest_wheel import usable_latest
from tests.spirv.conftest import missing
from tests.spirv_e2e.shader_project import ShaderProject

Validate = Callable[[Path], None]

CRATES = """\
lib = env.Crate("lib", ["m.glsl"])
env.Crate("app", ["a.comp"], deps=[lib], crate_type="cdylib", lto="thin", target="vulkan1.4", debuginfo=DEBUG)
dot = {"opt_level": DOT, "debuginfo": DEBUG, "disassemble": True}
env.Crate("dot", ["d.comp"], deps=[lib], crate_type="cdylib", lto="thin", **dot)
env.Crate("hlsl", ["h.comp.hlsl"], crate_type="cdylib")
"""
FILES = {
    "m.glsl": "#version 460\nfloat seed = 2.0;\nfloat twice(float x) { seed += 0.0; return x * seed; }\n",
    "a.comp": """\
#version 460
#extension GL_EXT_bfloat16 : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer B { bfloat16_t d[]; };
float twice(float x);
void main() { uint i = gl_GlobalInvocationID.x; d[i] = bfloat16_t(twice(float(d[i]))); }
""",
    # SPIRV-Tools 2025.5 lacks this extension; the newest glslang contains a version that has it.
    "d.comp": """\
#version 460
#extension GL_EXT_spirv_intrinsics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer B { f16vec2 a; f16vec2 b; float r; };
spirv_instruction(extensions = ["SPV_VALVE_mixed_float_dot_product"], capabilities = [6912], id = 6916)
float dot_add(f16vec2 a, f16vec2 b, float c);
float twice(float x);
void main() { r = dot_add(a, b, twice(r)); }
""",
    "h.comp.hlsl": "RWStructuredBuffer<float> d : register(u0);\n[numthreads(1, 1, 1)] void main() { d[0] = 2.0; }\n",
}


@pytest.fixture(autouse=True)
def latest() -> None:
    if not usable_latest():
        missing("slangpy")


@pytest.mark.parametrize("debuginfo", ["none", "full"])
def test_shader_and_library(shaders: ShaderProject, validate: Validate, debuginfo: str) -> None:
    shaders.environ["CRATE_GLSLANG"] = "auto"
    # The newer SPIRV-Tools offers only -O, which is not used with full debug information.
    level = "0" if debuginfo == "full" else "3"
    shaders.crates(CRATES.replace("DEBUG", repr(debuginfo)).replace("DOT", level), FILES)
    shaders.scons()
    validate(shaders.path / "app.spv")
    validate(shaders.path / "hlsl.spv")
    text = (shaders.path / "dot.spvasm").read_text()
    assert "OpFDot2MixAcc32VALVE" in text and ("OpFunctionCall" in text) == (level == "0")
    assert (shaders.path / "app.spv").read_bytes()[4:8] == b"\x00\x06\x01\x00"
    assert shaders.up_to_date()
    shaders.environ["CRATE_GLSLANG"] = "wheel"
    shaders.scons(expect=2)
    assert "needs GL_EXT_bfloat16: pip install 'cratewright-spirv[latest]'" in shaders.error()


def test_hlsl_is_rejected_while_planning(shaders: ShaderProject) -> None:
    shaders.environ["CRATE_GLSLANG"] = "latest"
    shaders.crates(CRATES.replace("DEBUG", "'none'").replace("DOT", "3"), FILES)
    shaders.scons(expect=2)
    assert "crate 'hlsl': CRATE_GLSLANG=latest reads no HLSL" in shaders.error() and "Compiling" not in shaders.output
