"""Options of a crate that affect its images: optimization, names, validation, bindings and dumps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import instructions, names, opcodes

Validate = Callable[[Path], None]
Golden = Callable[[str, str], None]

_NAME, _CALL, _BINDING = 5, 57, 33

LIB = {
    "lib.glsl": "#version 460\nconst float unused_table[2] = float[2](1.5, 2.5);\n"
    "float twice(float x) {\n    float result = 2.0 * x;\n    return result;\n}\n"
}
APP = compute(
    "store.data[i] = twice(store.data[i]);",
    before="float twice(float x);\nlayout(set = 0, binding = 6) uniform Unused { vec4 never; } unused;",
)


def _build(shaders: ShaderProject, options: str) -> Path:
    shaders.crates(
        'env["CRATE_DEBUGINFO"] = ARGUMENTS.get("debuginfo", "none")\nlib = env.Crate("lib", ["lib.glsl"])\n'
        f'env.Crate("app", ["a.comp"], deps=[lib], crate_type="cdylib"{options})\n',
        LIB | {"a.comp": APP},
    )
    shaders.scons()
    return shaders.path / "app.spv"


@pytest.mark.parametrize("level", ["0", "1", "2", "3", "s", "z"])
def test_optimization_levels(shaders: ShaderProject, validate: Validate, level: str) -> None:
    image = _build(shaders, f', opt_level="{level}"')
    validate(image)
    # The optimizer inlines; names are stripped at every level, since there is no debug information.
    assert (_CALL in opcodes(image)) == (level == "0")
    assert not names(image)
    row = shaders.manifest("app")["modules"][0]
    assert row["size"] == image.stat().st_size < row["size_before_optimisation"]
    assert shaders.manifest("app")["opt_level"] == level


def test_unused_constants_are_dropped(shaders: ShaderProject) -> None:
    """Without debug information, unused constants are dropped even at opt_level 0."""
    image = _build(shaders, "")
    assert b"\x00\x00\xc0\x3f" not in image.read_bytes()
    assert b"\x00\x00\xc0\x3f" in _build(shaders, ", spirv_opt=False").read_bytes()


KEPT = {"none": set[str](), "name-variables": {"store", "result"}, "full": {"store", "result", "Store", "main"}}


@pytest.mark.parametrize("metadata", KEPT)
def test_metadata_option_selects_names(shaders: ShaderProject, validate: Validate, metadata: str) -> None:
    image = _build(shaders, f', spirv_metadata="{metadata}"')
    validate(image)
    assert names(image) & KEPT["full"] == KEPT[metadata]
    # The manifest has the names of resources in any case.
    (store,) = shaders.manifest("app")["entries"][0]["descriptors"]
    assert store["name"] == "store"


def test_disabled_optimizer_gives_a_warning(shaders: ShaderProject, validate: Validate) -> None:
    image = _build(shaders, ", opt_level=3, spirv_opt=False")
    assert (
        "app.spv: warning: the optimizer should run (opt_level=3, debuginfo=none) but spirv_opt is off\n"
        in shaders.output
    )
    validate(image)
    assert _CALL in opcodes(image)
    quiet = _build(shaders, ', opt_level=0, debuginfo="line", spirv_opt=False')
    assert "warning" not in shaders.output and names(quiet)


def test_preserve_bindings_keeps_unused_descriptors(shaders: ShaderProject, validate: Validate) -> None:
    for options, expected in (
        ("", [0]),
        (", preserve_bindings=True", [0, 6]),
        (", preserve_bindings=True, opt_level=3", [0, 6]),
    ):
        image = _build(shaders, options)
        validate(image)
        found = [words[3] for words in instructions(image) if words[0] & 0xFFFF == 71 and words[2] == _BINDING]
        assert sorted(found) == expected, options


def test_dumps_and_disassembly(any_shaders: ShaderProject) -> None:
    dumps = ", ".join(f'dump_{name}="dump/{name}"' for name in ("pre_link", "post_merge", "post_split", "post_link"))
    any_shaders.crates(
        'lib = env.Crate("lib", ["lib.glsl"])\n'
        f'env.Crate("app", ["a.comp", "b.comp"], deps=[lib], crate_type="cdylib", disassemble=True, {dumps}, '
        'multimodule=ARGUMENTS.get("m", "0"), opt_level=3)\n',
        LIB | {"a.comp": APP, "b.comp": APP},
    )
    any_shaders.scons()
    assert {path.name for path in (any_shaders.path / "dump/pre_link").iterdir()} == {
        "app.a.comp.spv", "app.b.comp.spv", "lib.lib.glsl.spv",
    }  # fmt: skip
    for name in ("post_merge", "post_split", "post_link"):
        (path,) = (any_shaders.path / "dump" / name).iterdir()
        assert path.name == "app.app.spv" and path.read_bytes()[:4] == b"\x03\x02\x23\x07"
        # These are dumped before optimization.
        assert _CALL in opcodes(path)
    assert "OpEntryPoint GLCompute" in any_shaders.read("app.spvasm")
    any_shaders.scons("m=1")
    assert any_shaders.images("app") == ["a.comp.spv", "a.comp.spvasm", "b.comp.spv", "b.comp.spvasm"]
    assert (any_shaders.path / "dump/post_link/app.app.spvs.b.comp.spv").exists()


def _structs(uniform: str, offset: int) -> str:
    """Return a shader with two structs of one layout; unless they are uniform, one is stored as the other."""
    return f"""\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"{"" if uniform == "Uniform" else " %one %two"}
OpExecutionMode %main LocalSize 1 1 1
OpDecorate %One Block
OpMemberDecorate %One 0 Offset 0
OpMemberDecorate %One 1 Offset {offset}
OpDecorate %one DescriptorSet 0
OpDecorate %one Binding 0
OpDecorate %Two Block
OpMemberDecorate %Two 0 Offset 0
OpMemberDecorate %Two 1 Offset {offset}
OpDecorate %two DescriptorSet 0
OpDecorate %two Binding 1
%void = OpTypeVoid
%function = OpTypeFunction %void
%float = OpTypeFloat 32
%vector = OpTypeVector %float 3
%One = OpTypeStruct %float %vector
%Two = OpTypeStruct %float %vector
%pointer_one = OpTypePointer {uniform} %One
%pointer_two = OpTypePointer {uniform} %Two
%one = OpVariable %pointer_one {uniform}
%two = OpVariable %pointer_two {uniform}
%main = OpFunction %void None %function
%label = OpLabel
%value = OpLoad %One %one
%other = OpLoad %Two %two
{"" if uniform == "Uniform" else "OpStore %two %value"}
OpReturn
OpFunctionEnd
"""


ARRAY = """\
#version 460
layout(local_size_x = 1) in;
layout(set = 0, binding = 0{layout}) uniform Values {{ float value[4]; vec4 last; }} values;
layout(set = 0, binding = 1) buffer Out {{ float result; }} made;
void main() {{ made.result = values.value[1]; }}
"""
EXTENSION = "#version 460\n#extension GL_EXT_scalar_block_layout : require\n"
STD430 = ARRAY.format(layout=", std430").replace("#version 460\n", EXTENSION)
SCALAR = (
    EXTENSION + "layout(local_size_x = 1) in;\n"
    "layout(set = 0, binding = 0, scalar) buffer Values { float first[3]; vec3 second; } values;\n"
    "void main() { values.second = vec3(values.first[1]); }\n"
)
POINTER = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
%void = OpTypeVoid
%function = OpTypeFunction %void
%float = OpTypeFloat 32
%pointer = OpTypePointer Function %float
%pointer_to_pointer = OpTypePointer Function %pointer
%main = OpFunction %void None %function
%label = OpLabel
%variable = OpVariable %pointer Function
%holder = OpVariable %pointer_to_pointer Function
OpStore %holder %variable
OpReturn
OpFunctionEnd
"""
"""A pointer in a variable, which logical addressing forbids."""

RELAXED = {
    "relax_block_layout": ("vulkan1.0", "a.spvasm", _structs("Uniform", 4)),
    "uniform_buffer_standard_layout": ("vulkan1.1", "a.comp", STD430),
    "scalar_block_layout": ("vulkan1.2", "a.comp", SCALAR),
    "skip_block_layout": ("vulkan1.2", "a.comp", SCALAR),
    "relax_struct_store": ("vulkan1.2", "a.spvasm", _structs("StorageBuffer", 16)),
    "relax_logical_pointer": ("vulkan1.2", "a.spvasm", POINTER),
}


@pytest.mark.parametrize("option", RELAXED)
def test_option_relaxes_validation(shaders: ShaderProject, option: str) -> None:
    target, source, text = RELAXED[option]
    crate = f'env.Crate("app", ["{source}"], crate_type="cdylib", debuginfo="none", target="{target}"'
    shaders.crates(crate + ")\n", {source: text})
    shaders.scons(expect=2)
    assert not shaders.exists("app.spv") and not shaders.exists("app.spv.json")
    shaders.crates(f"{crate}, {option}=True)\n")
    shaders.scons()
    assert shaders.exists("app.spv")


def test_invalid_image_is_not_written(any_shaders: ShaderProject, golden: Golden) -> None:
    """Without validation, it is written."""
    crate = 'env.Crate("app", ["a.comp"], crate_type="cdylib", target="vulkan1.2"'
    any_shaders.crates(crate + ")\n", {"a.comp": SCALAR})
    before = set(any_shaders.snapshot())
    any_shaders.scons(expect=2)
    golden("spirv/invalid.txt", any_shaders.error())
    assert set(any_shaders.snapshot()) - before == {"app.rlink"}
    any_shaders.crates(crate + ", spirv_val=False)\n")
    any_shaders.scons()
    assert any_shaders.exists("app.spv")
