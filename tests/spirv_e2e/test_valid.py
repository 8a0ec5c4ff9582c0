"""Valid shaders link to valid images in every mode."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.spirv.conftest import Validate
from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import instructions

NARROW = (
    "#extension GL_EXT_shader_16bit_storage : require\n#extension GL_EXT_shader_8bit_storage : require\n"
    "#extension GL_AMD_gpu_shader_half_float : require\n"
)


UNROLL = "#extension GL_EXT_control_flow_attributes : require\nprecision mediump float;\n"


INTRINSIC = (
    "#extension GL_EXT_spirv_intrinsics : require\n"
    'spirv_instruction(id = 127) float negated(float a);\nspirv_instruction(set = "GLSL.std.450", id = 4)\n'
    "float positive(float a);\n"
)


UNIFORM_FLOW = "#extension GL_EXT_subgroup_uniform_control_flow : require\n"


FILTER = "Texture2D tex : register(t0);\nSamplerState how : register(s1);\n"


def _store(before: str, value: str) -> str:
    return compute(f"store.data[i] = {value};", before=before)


REFERENCE = (
    "#extension GL_EXT_buffer_reference : require\nlayout(buffer_reference, std430) buffer Ref { float v; };\n"
    "layout(push_constant) uniform P { Ref ref; };\n"
)


LIGHT = (
    "struct Light { vec3 p; float k; mat3 m; };\nlayout(binding = 1, std140) uniform U { Light light; } u;\n"
    "layout(binding = 2, std430) buffer S { Light light; Light many[]; } s;\n"
)


TWICE = "#version 460\nfloat f(float x) { return x * 2.0; }\n"


ASSEMBLY = """\
OpCapability Shader
OpCapability Linkage
OpExtension "SPV_KHR_linkonce_odr"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
DECORATION
%void = OpTypeVoid
%nothing = OpTypeFunction %void
%float = OpTypeFloat 32
%type = OpTypeFunction %float %float
%two = OpConstant %float 2
%main = OpFunction %void None %nothing
%start = OpLabel
%call = OpFunctionCall %float %f %two
OpReturn
OpFunctionEnd
%f = OpFunction %float None %type
%x = OpFunctionParameter %float
%body = OpLabel
%value = OpFMul %float %x %x
OpReturnValue %value
OpFunctionEnd
"""


def _assembly(decoration: str, value: str = "OpFMul %float %x %x") -> str:
    return ASSEMBLY.replace("DECORATION", decoration).replace("OpFMul %float %x %x", value)


CASES: Mapping[str, Mapping[str, str]] = {
    "half_in_uniforms": {"a.comp": _store(NARROW + "layout(binding = 1) uniform U { f16vec2 h; } u;", "float(u.h.y)")},
    "half_in_arrays": {
        "a.comp": _store(
            NARROW + "struct Q { f16vec4 h[3]; };\nlayout(binding = 1) uniform U { Q q[2]; } u[2];",
            "float(u[1].q[1].h[2].x)",
        )
    },
    "half_not_read": {
        "a.comp": _store(NARROW + "layout(binding = 1) uniform U { float16_t h; float x; } u;", "u.x"),
    },
    "byte_in_uniforms": {
        "a.comp": _store(NARROW + "layout(binding = 1) uniform U { uint8_t b; } u;", "float(uint(u.b))"),
    },
    "half_pushed": {"a.comp": _store(NARROW + "layout(push_constant) uniform U { float16_t h; } u;", "float(u.h)")},
    "half_between_stages": {
        "a.vert": f"#version 460\n{NARROW}layout(location = 0) in f16vec4 a;\nlayout(location = 0) out f16vec4 b;\n"
        "void main() { b = a; gl_Position = vec4(a); }\n",
        "a.frag": f"#version 460\n{NARROW}layout(location = 0) in B {{ f16vec4 a[2]; }} b;\n"
        "layout(location = 0) out f16vec4 c;\nvoid main() { c = b.a[1]; }\n",
    },
    "mediump_unrolled": {
        "a.frag": f"#version 460\n{UNROLL}layout(location = 0) in vec4 a;\nlayout(location = 0) out vec4 c;\n"
        "void main() { float s = 0.0; [[unroll]] for (mediump int i = 0; i < 4; ++i) {\n"
        "float q = a[i] * 2.0; if (q > 1.0) s += q; else s -= q; } c = vec4(s); }\n",
    },
    "attributes_after": {
        "a.comp": _store(UNIFORM_FLOW + "float f(float x);", "f(2.0)").replace(
            "main()", "main() [[subgroup_uniform_control_flow]]"
        ),
        "m.glsl": f"#version 460\n{UNIFORM_FLOW}float f(float x) [[subgroup_uniform_control_flow]] {{ return x; }}\n",
    },
    "intrinsics": {
        "a.comp": _store(INTRINSIC + "float f(float x);", "f(positive(negated(store.data[i])))"),
        "m.glsl": f"#version 460\n{INTRINSIC}float f(float x) {{ return negated(x); }}\n",
    },
    "copied_between_blocks": {"a.comp": _store(LIGHT, "s.light.k; s.light = u.light; s.many[1] = u.light")},
    "copied_beside_a_call": {
        "a.comp": _store(LIGHT + "float f(float x);", "f(2.0); s.light = u.light"),
        "m.glsl": TWICE,
    },
    "copied_in_a_library": {
        "a.comp": _store("float f(float x);", "f(2.0)"),
        "m.glsl": f"#version 460\n{LIGHT}float f(float x) {{ s.light = u.light; return s.many[1].k * x; }}\n",
    },
    "reference_and_library": {"a.comp": _store(REFERENCE + "float f(float x);", "f(ref.v)"), "m.glsl": TWICE},
    "reference_in_a_library": {
        "a.comp": _store("float f(float x);", "f(2.0)"),
        "m.glsl": f"#version 460\n{REFERENCE}float f(float x) {{ return x * ref.v; }}\n",
    },
    "coherent_and_volatile": {
        "a.comp": _store(
            "layout(binding = 1) coherent volatile buffer B { uint v[]; } b;\n"
            "layout(binding = 2, r32ui) volatile coherent uniform uimage2D im;",
            "float(b.v[1] + imageLoad(im, ivec2(0)).x)",
        )
    },
    "linkage_of_nothing": {"a.spvasm": _assembly("")},
    "linkage_once": {
        "a.spvasm": _assembly('OpDecorate %f LinkageAttributes "once" LinkOnceODR'),
        "b.spvasm": _assembly('OpDecorate %f LinkageAttributes "once" LinkOnceODR'),
    },
    "texture_copied": {
        "a.frag.hlsl": f"{FILTER}float4 main(float2 uv : TEXCOORD0) : SV_Target\n"
        "{ Texture2D t = tex; SamplerState s = how; return t.Sample(s, uv); }\n",
    },
    "texture_in_a_struct": {
        "a.frag.hlsl": f"{FILTER}struct T {{ Texture2D t; SamplerState s; }};\n"
        "float4 f(T t, float2 uv) { return t.t.Sample(t.s, uv); }\n"
        "float4 main(float2 uv : TEXCOORD0) : SV_Target { T t; t.t = tex; t.s = how; return f(t, uv); }\n",
    },
}  # fmt: skip


MODES = (("off", 0), ("off", 3), ("thin", 0), ("thin", 3), ("fat", 3))


def _crates(name: str, files: Mapping[str, str], lto: str, opt: int, target: str) -> str:
    libraries = [f"{name}/{file}" for file in files if file.endswith(".glsl")]
    sources = [f"{name}/{file}" for file in files if not file.endswith(".glsl")]
    options = f"target={target!r}, opt_level={opt}"
    crate = f"{name}_{lto}_{opt}"
    declared = f"l = [env.Crate('{crate}_l', {libraries!r}, {options})]\n" if libraries else "l = []\n"
    return (
        f"{declared}Default(env.Crate('{crate}', {sources!r}, deps=l, crate_type='cdylib', multimodule=True, "
        f"lto='{lto}', {options}))\n"
    )


@pytest.mark.parametrize("target", ["vulkan1.3", "vulkan1.1"])
def test_valid_shaders_link(shaders: ShaderProject, validate: Validate, target: str) -> None:
    modes = MODES if target == "vulkan1.3" else (("off", 3), ("thin", 3))
    text = "".join(_crates(name, files, *mode, target) for name, files in CASES.items() for mode in modes)
    shaders.crates(text, {f"{name}/{file}": source for name, files in CASES.items() for file, source in files.items()})
    shaders.scons("-j2")
    images = sorted(shaders.path.glob("*.spvs/**/*.spv"))
    assert len(images) >= len(CASES) * len(modes)
    for image in images:
        validate(image)


def test_one_module_of_different_shaders(shaders: ShaderProject, validate: Validate) -> None:
    subgroup = "#version 460\n#extension GL_KHR_shader_subgroup_basic : require\n"
    groups = {
        "references": {"a.comp": _store(REFERENCE, "ref.v"), "b.comp": _store("float f(float x);", "f(1.0)")},
        "stages": {
            "a.vert": f"{subgroup}void main() {{ gl_Position = vec4(gl_SubgroupSize); }}\n",
            "a.frag": f"{subgroup}layout(location = 0) out vec4 c;\nvoid main() {{ c = vec4(gl_SubgroupSize); }}\n",
        },
    }
    crates = "".join(
        f"Default(env.Crate('{name}_{lto}_{opt}', {[f'{name}/{file}' for file in files]!r}, deps=m, opt_level={opt}, "
        f"crate_type='cdylib', lto='{lto}'))\n"
        for name, files in groups.items()
        for lto, opt in MODES
    )
    files = {f"{name}/{file}": text for name, group in groups.items() for file, text in group.items()}
    shaders.crates(f"m = env.Crate('m', ['m.glsl'])\n{crates}", {"m.glsl": TWICE, **files})
    shaders.scons("-j2")
    images = sorted(shaders.path.glob("*.spv"))
    assert len(images) == len(groups) * len(MODES)
    for image in images:
        validate(image)


def test_different_memory_models_are_an_error_with_sources(shaders: ShaderProject) -> None:
    vulkan = _store("#pragma use_vulkan_memory_model\nfloat f(float x);", "f(1.0)")
    address = (
        "#extension GL_EXT_buffer_reference : require\nlayout(buffer_reference) buffer R { float v; };\n"
        "layout(set=0, binding=7) uniform U { R r; };\nfloat f(float x) { return r.v + x; }\n"
    )
    for lto in ("off", "thin", "fat"):
        shaders.crates(
            "m = env.Crate('m', ['m.glsl'])\n"
            f"Default(env.Crate('a', ['a.comp'], deps=m, crate_type='cdylib', lto='{lto}'))\n",
            {"a.comp": vulkan, "m.glsl": address},
        )
        shaders.scons(expect=2)
        error = shaders.error()
        assert "differ in their memory model" in error and "use_vulkan_memory_model" in error
        assert "a.comp" in error and "m.glsl" in error and "input module" not in error


ONCE = """\
OpCapability Shader
OpCapability Linkage
OpExtension "SPV_KHR_linkonce_odr"
OpMemoryModel Logical GLSL450
OpName %f "once(f1;"
OpName %square "square"
OpDecorate %f LinkageAttributes "once(f1;" LinkOnceODR
OpDecorate %g LinkageAttributes "NAME(f1;" Export
OpDecorate %square RelaxedPrecision
%float = OpTypeFloat 32
%type = OpTypeFunction %float %float
%f = OpFunction %float None %type
%x = OpFunctionParameter %float
%body = OpLabel
%square = OpFMul %float %x %x
OpReturnValue %square
OpFunctionEnd
%g = OpFunction %float None %type
%y = OpFunctionParameter %float
%start = OpLabel
%value = OpFunctionCall %float %f %y
OpReturnValue %value
OpFunctionEnd
"""


def test_linkonce_definitions_are_merged(shaders: ShaderProject, validate: Validate) -> None:
    declared = "float a(const float x);\nfloat b(const float x);\n"
    files = {
        "a.spvasm": ONCE.replace("NAME", "a"),
        "b.spvasm": ONCE.replace("NAME", "b"),
        # An ordinary definition takes precedence.
        "c.glsl": "#version 460\nfloat once(const float x) { return x - 1.0; }\n",
        "two.comp": _store(declared, "a(1.0) + b(2.0)"),
        "three.comp": _store(declared + "float once(const float x);\n", "a(1.0) + b(2.0) + once(3.0)"),
    }
    shaders.crates(
        "a, b, c = (env.Crate(n, Glob(n + '.[sg]*')) for n in 'abc')\n"
        "both = env.Crate('both', ['a.spvasm', 'b.spvasm'])\n"
        + "".join(
            f"Default(env.Crate('{name}_{shader}_{lto}', ['{shader}.comp'], deps={deps}, crate_type='cdylib', "
            f"lto='{lto}', opt_level=0))\n"
            for name, deps in (("apart", "[a, b]"), ("together", "[both]"), ("strong", "[a, b, c]"))
            for shader in ("two", "three")
            for lto in ("off", "thin", "fat")
        ),
        files,
    )
    shaders.scons("-j2")
    for image in sorted(shaders.path.glob("*.spv")):
        validate(image)
        count = [words[0] & 0xFFFF for words in instructions(image)]
        strong = image.name.startswith("strong_three")
        assert count.count(133) == (0 if strong else 1), image.name
        assert (131 in count) == strong, image.name
    assert len(list(shaders.path.glob("*.spv"))) == 18


def test_recursion_error_uses_the_names_of_the_assembly(shaders: ShaderProject) -> None:
    text = _assembly("", "OpFunctionCall %float %f %x")
    shaders.crates("Default(env.Crate('a', ['a.spvasm'], crate_type='cdylib'))\n", {"a.spvasm": text})
    shaders.scons(expect=2)
    assert "%f calls itself" in shaders.error() and "%f -> %f" in shaders.error()
