"""Compiling GLSL and HLSL units to objects that SPIRV-Tools link and validate."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import ConfigurationError, SourceError
from cratewright_spirv.base.stages import STAGE_NAMES
from cratewright_spirv.compile.unit import compile_unit
from cratewright_spirv.compilers.glslang import Compiler, Glslang
from cratewright_spirv.spirv_tools.tools import find_tools

from .unit_requests import LIBRARY, SHADER, request, symbols, write


def test_shader_links_with_library(compiler: Compiler, tmp_path: Path, spirv) -> None:
    shader = compile_unit(request(tmp_path, SHADER, "a.comp"), compiler)
    part = compile_unit(request(tmp_path, LIBRARY), compiler)
    assert symbols(shader) == [([], ["square(f1;"])]
    assert symbols(part) == [(["square(f1;", "square(vf2;"], [])]
    assert shader.variants[0].entry_point == ("comp", "main")
    assert (shader.variants[0].imports[0].file, shader.variants[0].imports[0].line) == ("a.comp", 2)
    assert part.variants[0].stages == ()
    for result in (shader, part):
        spirv.validate(result.variants[0].data, "spv1.5")
    linked = find_tools(None).link([shader.variants[0].data, part.variants[0].data], env="spv1.5")
    assert "Linkage" not in spirv.disassemble(linked)


@pytest.mark.parametrize("shader", ["glsl", "hlsl"])
@pytest.mark.parametrize("part", ["glsl", "hlsl"])
def test_glsl_and_hlsl_link_with_each_other(shader: str, part: str, library: Glslang, tmp_path: Path, spirv) -> None:
    shaders = {
        "glsl": b"struct P { float a; vec3 n; };\n"
        b"float use(P p, inout float b[2]);\nfloat same(vec2 v, float t[2]);\n"
        b"layout(binding = 0) buffer B { float b; };\n"
        b"void main() { P p; p.a = b; p.n = vec3(1); float t[2]; t[0] = t[1] = b; b = use(p, t) + same(vec2(b), t); }",
        "hlsl": b"struct P { float a; float3 n; };\n"
        b"float use(P p, inout float b[2]);\nfloat same(float2 v, float t[2]);\n"
        b"RWStructuredBuffer<float> o : register(u0);\n[numthreads(1, 1, 1)] void main() { P p; p.a = o[0];"
        b" p.n = float3(1, 1, 1); float t[2]; t[0] = o[0]; t[1] = o[0]; o[0] = use(p, t) + same(float2(1, 1), t); }",
    }
    parts = {
        "glsl": b"struct P { float a; vec3 n; };\nfloat use(P p, inout float b[2]) { b[0] += p.a; return p.n.x; }\n"
        b"float same(vec2 v, float t[2]) { return v.x + t[0]; }",
        "hlsl": b"struct P { float a; float3 n; };\nfloat use(P p, inout float b[2]) { b[0] += p.a; return p.n.x; }\n"
        b"float same(float2 v, float t[2]) { return v.x + t[0]; }",
    }
    first = compile_unit(request(tmp_path, shaders[shader], f"a.comp.{shader}"), library)
    second = compile_unit(request(tmp_path, parts[part], f"l.{part}"), library)
    exports, imports = {s.name for s in second.variants[0].exports}, {s.name for s in first.variants[0].imports}
    assert imports == exports and len(imports) == 2
    linked = find_tools(None).link([first.variants[0].data, second.variants[0].data], env="spv1.5")
    spirv.validate(linked, "vulkan1.2")


def test_header_functions_are_private_and_unused_imports_go(compiler: Compiler, tmp_path: Path, spirv) -> None:
    write(
        tmp_path,
        "inc/h.h",
        "#pragma once\nfloat twice(float x) { return x + x; }\nfloat far(float x);\nfloat never(int x);\n",
    )
    text = b'#include "../inc/h.h"\n#include <h.h>\nfloat own(float x) { return twice(far(x)); }\n'
    result = compile_unit(request(tmp_path, text, include_dirs=("inc",)), compiler)
    assert symbols(result) == [(["own(f1;"], ["far(f1;"])]
    assert (result.variants[0].exports[0].line, result.variants[0].imports[0].file) == (3, "inc/h.h")
    assert [item.path for item in result.observed] == ["inc/h.h"]
    assert result.diagnostics == ()
    spirv.validate(result.variants[0].data, "spv1.5")


def test_same_bytes_in_another_checkout(library: Glslang, tmp_path: Path) -> None:
    results = []
    for name in ("one", "a/longer/two"):
        root = tmp_path / name
        write(root, "inc/h.h", "float twice(float x) { return x + x; }\n")
        text = b'#include "../inc/h.h"\nfloat q = 1.0;\nfloat own(float x) { return twice(x) + q; }\n'
        results.append(compile_unit(request(root, text, debuginfo="full"), library))
    assert results[0] == results[1]
    assert str(tmp_path).encode() not in results[0].variants[0].data


def test_shader_without_imports_is_unchanged(library: Glslang, tmp_path: Path, spirv) -> None:
    text = b"float f(float x) { return x; }\nfloat unused(float x);\nvoid main() { f(1.0); }\n"
    (variant,) = compile_unit(request(tmp_path, text, "a.comp"), library).variants
    assert (variant.exports, variant.imports) == ((), ())
    spirv.validate(variant.data, "vulkan1.2")


def test_initialisers_are_kept(compiler: Compiler, tmp_path: Path, spirv) -> None:
    result = compile_unit(request(tmp_path, b"float q = 1.5;\nfloat f() { return q; }\n"), compiler)
    (variant,) = result.variants
    assert variant.initialiser == "$init:lib/u.glsl"
    assert "$init:lib/u.glsl" in spirv.disassemble(variant.data)
    hlsl = compile_unit(request(tmp_path, b"static float q = 1.5;\nfloat f() { return q; }\n", "u.hlsl"), compiler)
    assert hlsl.variants[0].initialiser == "$init:u.hlsl"
    assert compile_unit(request(tmp_path, LIBRARY), compiler).variants[0].initialiser is None


@pytest.mark.parametrize(
    ("body", "stages"),
    [
        (b"return x;", [()]),
        (b"return dFdx(x);", [()]),
        (b"barrier(); return x;", [()]),
        (b"EmitVertex(); return x;", [()]),
        (b"return texture(s, vec2(x)).x;", [("frag",), tuple(word for word in STAGE_NAMES if word != "frag")]),
    ],
)
def test_library_without_a_stage_fits_every_stage_it_can(
    body: bytes, stages: list[tuple[str, ...]], library: Glslang, tmp_path: Path, spirv
) -> None:
    text = b"layout(binding = 1) uniform sampler2D s;\nfloat f(float x) { %s }\n" % body
    result = compile_unit(request(tmp_path, text), library)
    assert [variant.stages for variant in result.variants] == stages
    for variant in result.variants:
        spirv.validate(variant.data, "spv1.5")


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_stage_compiles_libraries_and_calls(stage: str, library: Glslang, tmp_path: Path, spirv) -> None:
    text = b"float away(float x);\nfloat f(float x) { return away(x); }\n"
    result = compile_unit(request(tmp_path, text, f"u.{stage}"), library)
    assert symbols(result) == [(["f(f1;"], ["away(f1;"])]
    assert result.variants[0].stages == (stage,)
    spirv.validate(result.variants[0].data, "spv1.5")


def test_definition_with_other_spelling_is_no_import(library: Glslang, tmp_path: Path) -> None:
    text = b"const int N = 4;\nfloat f(float a[N]);\nfloat g() { float a[4]; return f(a); }\n"
    text += b"float f(float a[4]) { return a[1]; }\n"
    assert symbols(compile_unit(request(tmp_path, text), library)) == [(["g(", "f(f1[4];"], [])]


def test_hlsl_entry_points(compiler: Compiler, tmp_path: Path, spirv) -> None:
    text = (
        b"float away(float x);\nRWStructuredBuffer<float> o : register(u0);\n"
        b'[shader("compute")] [numthreads(8, 1, 1)] void cs(uint3 id : SV_DispatchThreadID) { o[id.x] = away(1.0); }\n'
        b'[shader("pixel")] float4 ps() : SV_Target { return 1.0; }\n'
    )
    for stage, name, imports in (("comp", "cs", ["away(f1;"]), ("frag", "ps", [])):
        result = compile_unit(request(tmp_path, text, "p.hlsl", stage=stage, entry_point=name), compiler)
        assert result.variants[0].entry_point == (stage, name)
        assert symbols(result) == [([], imports)]
        assert result.diagnostics == ()
        assert f'"{name}"' in spirv.disassemble(result.variants[0].data)
        spirv.validate(result.variants[0].data, "spv1.5")


def test_static_functions_are_private(library: Glslang, tmp_path: Path) -> None:
    text = b"static float hidden(float x) { return x; }\nfloat shown(float x) { return hidden(x); }\n"
    assert symbols(compile_unit(request(tmp_path, text, "u.hlsl"), library)) == [(["shown(f1;"], [])]


def test_defines_reach_the_source(compiler: Compiler, tmp_path: Path) -> None:
    text = b"#ifdef ON\nfloat f(VALUE x) { return 1.0; }\n#endif\n"
    result = compile_unit(request(tmp_path, text, defines=(("ON", None), ("VALUE", "vec2"))), compiler)
    assert symbols(result) == [(["f(vf2;"], [])]
    with pytest.raises(ConfigurationError, match="more than one line"):
        compile_unit(request(tmp_path, text, defines=(("ON", "1\n#error"),)), compiler)


VERSIONS = [b"", b"#version 450\n", b"// c\n/* d\n */ #version 460 core\n"]


# The executable is slow, so one text shows that it gets the extension; the library shows where it goes.
@pytest.mark.parametrize(
    ("compiler", "version"),
    [*(("library", version) for version in VERSIONS), *((kind, VERSIONS[2]) for kind in ("executable", "latest"))],
    indirect=["compiler"],
)
def test_include_extension_is_enabled_automatically(version: bytes, compiler: Compiler, tmp_path: Path) -> None:
    write(tmp_path, "lib/h.h", "float g(float x) { return x; }\n")
    text = version + b'#include "h.h"\nfloat f(float x) { return g(x); }\nfloat e() { return undefined; }\n'
    lines = text.count(b"\n")
    with pytest.raises(SourceError) as caught:
        compile_unit(request(tmp_path, text), compiler)
    assert str(caught.value) == f"lib/u.glsl:{lines}:20: error: 'undefined' : undeclared identifier"


@pytest.mark.pairwise
@pytest.mark.parametrize("level", ["line", "full"])
@pytest.mark.parametrize("language", ["glsl", "hlsl"])
@pytest.mark.parametrize("kind", ["library", "shader"])
def test_debug_information(level: str, language: str, kind: str, compiler: Compiler, tmp_path: Path, spirv) -> None:
    write(tmp_path, "inc/h.h", "float twice(float x) { return x + x; } // from the header\n")
    main = b"[numthreads(1, 1, 1)] " * (language == "hlsl") + b"void main() { f(1.0); }\n"
    own = b'#include "../inc/h.h"\nfloat away(float x);\nfloat f(float x) { return twice(away(x)); } // from the unit\n'
    text, path = (own, f"lib/u.{language}") if kind == "library" else (own + main, f"lib/u.comp.{language}")
    (variant, *_) = compile_unit(request(tmp_path, text, path, debuginfo=level), compiler).variants
    spirv.validate(variant.data, "spv1.5")
    shown = spirv.disassemble(variant.data)
    assert path in shown and "inc/h.h" in shown and ("OpLine" in shown or " DebugLine " in shown)
    assert ("from the unit" in shown, "from the header" in shown) == (level == "full", level == "full")
    assert "int cw_import_stub" not in shown
    assert str(tmp_path) not in shown


def test_no_debug_instructions_without_debug_information(library: Glslang, tmp_path: Path, spirv) -> None:
    shown = spirv.disassemble(compile_unit(request(tmp_path, LIBRARY), library).variants[0].data)
    assert "OpLine" not in shown and "OpString" not in shown and "u.glsl" not in shown


@pytest.mark.parametrize(("target", "env"), [("vulkan1.0", "spv1.0"), ("vulkan1.1", "spv1.3"), ("vulkan1.3", "spv1.6")])
def test_objects_have_the_targets_version(target: str, env: str, library: Glslang, tmp_path: Path, spirv) -> None:
    result = compile_unit(request(tmp_path, LIBRARY, target=target), library)
    spirv.validate(result.variants[0].data, env)


def test_warming_changes_nothing(library: Glslang, tmp_path: Path) -> None:
    before = compile_unit(request(tmp_path, LIBRARY), library)
    library.warm("vulkan1.3", (450,), hlsl=True)
    assert compile_unit(request(tmp_path, LIBRARY), library) == before
