"""The newest glslang: the same objects as by the plugin's own, and more extensions."""

from __future__ import annotations

import runpy
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import ConfigurationError, SourceError, ToolError, UnsupportedError, ValidationError
from cratewright_spirv.compile.request import UnitRequest, UnitResult
from cratewright_spirv.compile.unit import compile_unit
from cratewright_spirv.compilers import choice, glslang_latest, glslang_library, latest_wheel
from cratewright_spirv.compilers.choice import find_compiler
from cratewright_spirv.compilers.glslang import Compiler, Glslang
from cratewright_spirv.compilers.glslang_latest import LatestGlslang
from cratewright_spirv.spirv_tools.tools import Library, ValidatorOptions, find_tools
from cratewright_spirv.text import extensions

HERE = Path(__file__).resolve()
BF16 = b"#extension GL_EXT_bfloat16 : require\n"
BUFFER = b"layout(local_size_x = 1) in; layout(set = 0, binding = 0) buffer B { float x[]; };\n"


def unit(root: Path, text: bytes, path: str = "u.glsl", **fields: object) -> UnitRequest:
    stage = {"comp": "comp", "frag": "frag"}.get(path.rsplit(".", maxsplit=1)[-1])
    base = UnitRequest(root=str(root), path=path, text=text, language="glsl", stage=stage, target="vulkan1.3")
    return replace(base, **fields)


def names(result: UnitResult) -> list[list[str]]:
    return [[symbol.name for symbol in variant.exports] for variant in result.variants]


def test_table_of_extensions(latest: Compiler) -> None:
    """The names equal those that `list_extensions.py` finds, and the README lists them."""
    script = runpy.run_path(str(HERE.parents[1] / "native/list_extensions.py"))
    wheel = Path(glslang_library._find(glslang_library._folder(), "libglslang"))
    newer, lost = script["newer"](Glslang(), latest, script["names"](wheel, latest_wheel.library_path()))
    assert (set(newer), lost) == (set(extensions.NEWER), [])
    assert {name for name in newer if script["takes"](latest, name, macro=True)} == set(extensions.NEWER_MACROS)
    readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert [name for name in newer if f"`{name}`" not in readme] == []


PARAMETERS = {
    "scalars": b"float f(float a, const in vec3 b, inout mat4 c, out uint d) { d = 1u; return a; }",
    "unnamed": b"float f(float, int[2][3]) { return 1.0; }",
    "arrays": b"float f(float a[2], in vec2[3] b, float[2] c[4]) { return a[1]; }",
    "structs": b"struct S { vec2 a; float b[3]; }; S f(S s, S[2] t) { return t[1]; }",
    "sampler": b"vec4 f(sampler2D s, sampler2DShadow d, highp usamplerCube c) { return textureLod(s, vec2(0), 0.0); }",
    "apart": b"vec4 f(texture2D t[3], sampler s) { return textureLod(sampler2D(t[0], s), vec2(0), 0.0); }",
    "images": b"void f(image2D i, writeonly image3D w, coherent readonly uimageBuffer b) { }",
    "attachment": b"vec4 f(subpassInput s) { return subpassLoad(s); }",
    "acceleration": b"#extension GL_EXT_ray_query : require\nvoid f(accelerationStructureEXT a, rayQueryEXT q) { }",
    "pointers": b"#extension GL_EXT_buffer_reference : require\n"
    b"layout(buffer_reference) buffer P { float v; }; float f(P p) { return p.v; }",
    "names_like_types": b"struct imageData { float v; }; float f(imageData texture) { return texture.v; }",
    "overloads": b"float f(float a) { return a; } vec2 f(vec2 a) { return a; } float f(float a, int b) { return a; }",
    "nothing": b"void f() { } float g(void) { return 1.0; }",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_library_keeps_its_functions(latest: Compiler, name: str, tmp_path: Path, spirv) -> None:
    request = unit(tmp_path, b"#version 460\n%s\n" % PARAMETERS[name])
    mine, theirs = compile_unit(request, latest), compile_unit(request, Glslang())
    assert names(mine) == names(theirs)
    assert mine.diagnostics == ()
    for variant in mine.variants:
        spirv.validate(variant.data, "spv1.6")
        assert "cw_" not in spirv.disassemble(variant.data)


@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_library_with_initialised_variables(latest: Compiler, debuginfo: str, tmp_path: Path, spirv) -> None:
    """The initialiser is kept, without the calls that made glslang keep the functions."""
    text = b"float seed = 3.0;\nfloat far(float x);\nfloat f(sampler2D s, float x) { return far(x) * ++seed; }\n"
    (variant,) = compile_unit(unit(tmp_path, text, debuginfo=debuginfo), latest).variants
    spirv.validate(variant.data, "spv1.6")
    assert variant.initialiser == "$init:u.glsl"
    shown = spirv.disassemble(variant.data)
    assert shown.count("OpFunction ") == 3 and shown.count("OpFunctionCall") == 1
    assert "cw_kee" not in shown and "cw_kept" not in shown


def test_function_that_cannot_be_kept_is_a_warning(latest: Compiler, tmp_path: Path) -> None:
    """The other functions are exported."""
    text = b"#extension GL_EXT_shader_image_load_formatted : require\n#define K(t) t\n" + PARAMETERS["overloads"]
    call = glslang_latest.keeping
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glslang_latest, "keeping", lambda *a: call(*a).replace(b"vec2 cw_", b"nothing cw_"))
        result = compile_unit(unit(tmp_path, text), latest)
    assert names(result) == [["f(f1;", "f(f1;i1;"]]
    (warning,) = result.diagnostics
    shown = str(warning)
    assert shown.startswith("u.glsl:3:37: warning: 'f' : no other unit can call it") and "CRATE_GLSLANG=wheel" in shown


@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_extended_instructions_numbered_like_debug_instructions(
    latest: Compiler, debuginfo: str, tmp_path: Path, spirv
) -> None:
    text = b"#version 460\n" + BUFFER + b"void main() { x[0] = roundEven(x[1]) + modf(x[2], x[3]); }\n"
    (variant,) = compile_unit(unit(tmp_path, text, "a.comp", debuginfo=debuginfo), latest).variants
    spirv.validate(variant.data, "spv1.6")
    assert spirv.disassemble(variant.data).count(" RoundEven ") == 1


def test_extensions_behind_macros_and_includes(latest: Compiler, tmp_path: Path, spirv) -> None:
    """The plugin's own glslang preprocesses such sources to the same text."""
    (tmp_path / "b.h").write_bytes(b"#ifdef GL_EXT_bfloat16\n" + BF16 + b"#define REAL bfloat16_t\n#endif\n")
    text = (
        b'#version 460\n#include "b.h"\n'
        + BUFFER
        + b"float far(float x);\nvoid main() { x[0] = far(float(REAL(x[1]))); }\n"
    )
    for debuginfo in ("none", "line", "full"):
        (variant,) = compile_unit(unit(tmp_path, text, "a.comp", debuginfo=debuginfo), latest).variants
        spirv.validate(variant.data, "spv1.6")
        assert "BFloat16TypeKHR" in spirv.disassemble(variant.data)
    with pytest.raises(SourceError, match="REAL"):
        compile_unit(unit(tmp_path, text, "a.comp"), Glslang())


@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_whole_shaders(latest: Compiler, debuginfo: str, tmp_path: Path, spirv) -> None:
    text = (
        b"#version 460\n"
        + BF16
        + BUFFER.replace(b"float", b"bfloat16_t")
        + b"void main() { x[0] = bfloat16_t(K + VULKAN); }\n"
    )
    request = unit(tmp_path, text, "lib/a.comp", debuginfo=debuginfo, defines=(("K", "1.0"),), target="vulkan1.4")
    (variant,) = compile_unit(request, latest).variants
    spirv.validate(variant.data, "vulkan1.4")
    assert variant.data[4:8] == b"\x00\x06\x01\x00"
    shown = spirv.disassemble(variant.data)
    assert "bfloat16_0x1_94p_6" in shown and ("lib/a.comp" in shown) is (debuginfo != "none")


@pytest.mark.parametrize("version", [b"", b"#version 460\n", b"// first\n#version 460\n"])
@pytest.mark.parametrize("defines", [(), (("K", "1"), ("L", "2"))])
@pytest.mark.parametrize("more", [b"", b"float far(float x);\n"])
def test_errors_have_places(latest, version, defines, more, tmp_path: Path) -> None:
    text = version + BUFFER + more + b"void main() { x[K] = y; }\n"
    line = text.count(b"\n")
    defines = defines or (("K", "1"),)
    with pytest.raises(SourceError, match=rf"^a.comp:{line}:22: error: 'y' : undeclared"):
        compile_unit(unit(tmp_path, text, "a.comp", defines=defines), latest)


def test_hint_for_an_extension_names_what_it_needs(latest: Compiler, tmp_path: Path) -> None:
    request = unit(tmp_path, b"#version 460\n" + BF16 + b"void main() { }\n", "a.comp")
    with pytest.raises(SourceError) as caught:
        compile_unit(request, Glslang())
    assert caught.value.hint.startswith("needs GL_EXT_bfloat16: pip install 'cratewright-spirv[latest]'")
    for compiler in (Glslang(), latest):
        for name, hint in ((b"GL_EXT_bfloat61", "did you mean 'GL_EXT_bfloat16'?"), (b"GL_OWN_thing", "no glslang")):
            with pytest.raises(SourceError) as caught:
                compile_unit(replace(request, text=request.text.replace(b"GL_EXT_bfloat16", name)), compiler)
            assert caught.value.hint.startswith(hint)


def test_choice_of_the_compiler(latest: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "slangpy" in latest.version() and isinstance(find_compiler("latest", ""), LatestGlslang)
    assert isinstance(find_compiler("wheel", "/an/sdk"), Glslang)
    with pytest.raises(ConfigurationError, match="CRATE_GLSLANG takes auto, wheel, latest, sdk, not 'newest'"):
        find_compiler("newest", "")
    with pytest.raises(ConfigurationError, match="no SDK is named"):
        find_compiler("sdk", "")
    for version, message in ((None, "is not installed"), ("0.40.0", "of slangpy 0.40.0"), ("0.44", "of slangpy 0.44")):
        monkeypatch.setattr(latest_wheel, "_installed", lambda version=version: version)
        with pytest.raises(ToolError, match=message) as caught:
            LatestGlslang()
        assert "cratewright-spirv[latest]" in caught.value.hint
        # With auto, an unsuitable slangpy is ignored.
        assert isinstance(choice.find_compiler.__wrapped__("auto", ""), Glslang)


def test_hlsl_is_compiled_by_the_plugins_glslang(latest: Compiler, tmp_path: Path) -> None:
    text = b"[numthreads(1, 1, 1)] void main() { }\n"
    request = unit(tmp_path, text, "a.comp.hlsl", language="hlsl", stage="comp")
    assert compile_unit(request, latest).variants == compile_unit(request, Glslang()).variants
    with pytest.raises(UnsupportedError, match="does not read HLSL"):
        compile_unit(request, LatestGlslang())


FDOT = b"""#version 460
#extension GL_EXT_spirv_intrinsics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer B { f16vec2 a; f16vec2 b; float answer; };
spirv_instruction(extensions = ["SPV_VALVE_mixed_float_dot_product"], capabilities = [6912], id = 6916)
float dot_add(f16vec2 a, f16vec2 b, float c);
void main() { answer = dot_add(a, b, answer + 0.0); }
"""
VULKAN = {"env": "vulkan1.2"}


def test_new_capabilities_need_the_newest_tools(latest: Compiler, tmp_path: Path) -> None:
    """Modules with a capability that SPIRV-Tools lack are validated by the tools inside the newest glslang."""
    (variant,) = compile_unit(unit(tmp_path, FDOT, path="a.comp", target="vulkan1.2"), latest).variants
    module, options = variant.data, ValidatorOptions()
    old, new = Library(), find_tools(None)
    with pytest.raises(ValidationError, match="Invalid capability operand: 6912"):
        old.validate(module, **VULKAN, options=options)
    new.validate(module, **VULKAN, options=options)
    assert "6916" in new.disassemble(module, **VULKAN) or "FDot2" in new.disassemble(module, **VULKAN)
    assert new.version() != old.version() and "slangpy" in new.version()
    spoilt = without(module, lambda words: words[0] & 0xFFFF == 71 and words[2] == 33)
    with pytest.raises(ValidationError, match="VUID-StandaloneSpirv-UniformConstant-06677"):
        new.validate(spoilt, **VULKAN, options=options)
    with pytest.raises(ValidationError, match="Invalid capability operand: 6999"):
        new.validate(
            module.replace((6912).to_bytes(4, "little"), (6999).to_bytes(4, "little")), **VULKAN, options=options
        )
    passes = ["-O", "--strip-debug", "--trim-capabilities", "--compact-ids"]
    faster = new.optimize(module, **VULKAN, passes=passes, validator=None, preserve_bindings=False)
    new.validate(faster, **VULKAN, options=options)
    assert len(faster) < len(module) and b"answer" in module and b"answer" not in faster
    for words, keep in ((["-Os"], False), (["-O"], True)):
        with pytest.raises(ToolError, match=r"6912[^$]*only -O, not -(Os|-preserve-bindings): set opt_level=3"):
            new.optimize(module, **VULKAN, passes=words, validator=None, preserve_bindings=keep)


def without(module: bytes, drop: Callable[[array[int]], bool]) -> bytes:
    words, out, at = array("I", module), array("I", module[:20]), 5
    while at < len(words):
        end = at + (words[at] >> 16)
        if not drop(words[at:end]):
            out += words[at:end]
        at = end
    return out.tobytes()
