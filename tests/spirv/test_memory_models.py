"""A shader with Vulkan's memory model calls units that were compiled with GLSL's."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright.base.errors import LinkError
from cratewright_spirv.binary import opcodes as op
from cratewright_spirv.binary.enumerants import VULKAN
from cratewright_spirv.binary.module import parse
from tests.support.shader_build import ShaderBuild

PRAGMA = "#pragma use_vulkan_memory_model\n"
LIBRARY = """
layout(set=0, binding=0) coherent buffer A { float a[]; };
layout(set=0, binding=1) buffer B { volatile float b[]; };
layout(set=0, binding=2) coherent readonly uniform image2D image;
shared float row[64];
shared uint count;
float read(coherent readonly image2D from) { return imageLoad(from, ivec2(0)).x; }
float next(float x);
float f(float x) {
    row[gl_LocalInvocationIndex] = a[gl_GlobalInvocationID.x] * next(x);
    memoryBarrier();
    barrier();
    atomicAdd(count, 1u);
    return row[63u - gl_LocalInvocationIndex] + b[1] + float(count) + read(image);
}
"""
OTHER = "layout(set=0, binding=3) coherent buffer C { float c[]; };\nfloat next(float x) { return x + c[0]; }\n"
SHADER = """layout(local_size_x=64) in;
layout(set=0, binding=4) buffer O { float o[]; };
float f(float x);
void main() { o[gl_GlobalInvocationID.x] = f(o[0]); }
"""
VERSION = "#version 460\n#extension GL_EXT_shader_image_load_formatted : require\n"
MATRICES = """#version 460
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(local_size_x=32) in;
layout(set=0, binding=0) buffer A { float16_t a[]; };
layout(set=0, binding=4) buffer O { float o[]; };
float f(float x);
void main() {
    coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> m;
    coopMatLoad(m, a, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
    coopMatStore(m, a, 256, 16, gl_CooperativeMatrixLayoutRowMajor);
    o[0] = f(o[1]);
}
"""
FORMS = [(lto, multimodule) for lto in ("off", "thin", "fat") for multimodule in (False, True)]


def _model(data: bytes) -> int:
    return next(words[2] for words in parse(data, "image").instructions if words[0] & 0xFFFF == op.MEMORY_MODEL)


def test_library_becomes_what_it_is_with_the_pragma(tmp_path: Path) -> None:
    build = ShaderBuild(tmp_path)
    made = []
    for pragma in ("", PRAGMA):
        build.write(
            {
                "library.glsl": f"{VERSION}{pragma}{LIBRARY}",
                "other.glsl": f"{VERSION}{pragma}{OTHER}",
                "shader.comp": f"{VERSION}{PRAGMA}{SHADER}",
            }
        )
        library = build.compile("library", ["library.glsl", "other.glsl"])
        made.append(build.link(build.compile("image", ["shader.comp"]), [library], lto="thin")["shader.comp"].data)
    assert made[0] == made[1]


@pytest.mark.parametrize(("lto", "multimodule"), FORMS)
def test_library_serves_shaders_of_both_models(tmp_path: Path, lto: str, *, multimodule: bool) -> None:
    build = ShaderBuild(tmp_path)
    plain = "#version 460\nlayout(set=0, binding=0) buffer S { float s; };\nfloat f(float x) { return x * s; }\n"
    build.write({"library.glsl": plain, "plain.comp": f"{VERSION}{SHADER}", "matrices.comp": MATRICES})
    library = build.compile("library", ["library.glsl"])
    images = build.link(
        build.compile("image", ["plain.comp", "matrices.comp"]), [library], lto=lto, multimodule=multimodule
    )
    assert _model(images["matrices.comp"].data) == VULKAN
    assert b"SPV_KHR_vulkan_memory_model" not in images["matrices.comp"].data
    assert (_model(images["plain.comp"].data) == VULKAN) is not multimodule


ADDRESSES = """#extension GL_EXT_buffer_reference : require
layout(buffer_reference) buffer R { float v; };
layout(set=0, binding=0) uniform U { R r; };
float f(float x) { return x + r.v; }
"""
MAIN = "float f(float x);\nlayout(set=0, binding=1) buffer O { float o; };\nvoid main() { WAIT; o = f(o); }\n"


@pytest.mark.parametrize(
    ("stage", "library", "shader"),
    [
        pytest.param(
            "tesc",
            f"{PRAGMA}float f(float x) {{ return x; }}\n",
            "layout(vertices=3) out;\n" + MAIN.replace("WAIT", "barrier()"),
            id="barrier",
        ),
        pytest.param(
            "comp", ADDRESSES, f"{PRAGMA}layout(local_size_x=1) in;\n" + MAIN.replace("WAIT", ""), id="addresses"
        ),
    ],
)
def test_units_whose_accesses_cannot_be_taken_over_are_refused(
    tmp_path: Path, stage: str, library: str, shader: str
) -> None:
    build = ShaderBuild(tmp_path)
    build.write({f"library.{stage}": f"#version 460\n{library}", f"shader.{stage}": f"#version 460\n{shader}"})
    made = build.compile("library", [f"library.{stage}"])
    with pytest.raises(LinkError, match="differ in their memory model"):
        build.link(build.compile("image", [f"shader.{stage}"]), [made])
