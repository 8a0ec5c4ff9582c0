"""Scanning sources for their top-level functions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cratewright_spirv.text.scan import LineMap, missing_bodies, scan, shader_entries

GLSL = b"""#version 450
layout(local_size_x = 8, local_size_y = f(1)) in;
layout(set = 0, binding = 0) uniform Params { float scale; } params;
layout(constant_id = 3) const float SC = float(4);
const float table[2] = float[2](1.0, 2.0);
struct Ray { vec3 o; } ray;
highp float one(in vec3 a, inout float b[3], const float[2] c);
float two(float, vec2 v) { if (true) { return one(v.xyy); } return 2.0; }
float[3] three(void);
void main() { three(); }
"""
HLSL = b"""cbuffer C : register(b0) { float sc; };
RWStructuredBuffer<float4> o : register(u1);
[[vk::binding(1, 2)]] Texture2D<float> t : register(t0);
static float hidden(float a) { return a; }
float lib(float4 a = float4(0, 0, 0, 0), RWTexture2D<float> r, out float b : SV_Depth);
[shader("compute")] [numthreads(8, 1, 1)] void cs(uint3 id : SV_DispatchThreadID) { lib(); }
[shader("pixel")]
float4 ps(float4 p : SV_Position) : SV_Target0 { return p; }
"""


def test_prototypes_and_definitions_of_glsl() -> None:
    found = scan(GLSL)
    assert [f.name for f in found.prototypes] == ["one", "three"]
    assert [f.name for f in found.definitions] == ["two", "main"]
    assert found.prototypes[0].parameters == (b"vec3", b"float[3]", b"float[2]")
    assert found.definitions[0].parameters == (b"float", b"vec2")
    assert found.prototypes[1].parameters == ()
    assert found.prototypes[1].result == b"float [ 3 ]"


def test_prototypes_and_definitions_of_hlsl() -> None:
    found = scan(HLSL)
    (lib,) = found.prototypes
    assert lib.parameters == (b"float4", b"RWTexture2D<float>", b"float")
    assert lib.header == b"float lib(float4 a, RWTexture2D < float > r, out float b)"
    assert [(f.name, f.private) for f in found.definitions] == [("hidden", True), ("cs", False), ("ps", False)]


def test_definitions_are_found_by_their_whole_names() -> None:
    found = scan(b"float domain(float a) { return a; }\nvoid main() {}\n")
    assert found.definition("main") is not None
    assert found.definition("mai") is None


def test_called_prototypes_without_bodies_are_imports() -> None:
    text = b"float a(float x); float b(float x); float c(float x); float c(float y) { return b(y) + c(y); }"
    assert [f.name for f in missing_bodies(scan(text), text)] == ["b"]


def test_body_of_an_overload_does_not_define_another() -> None:
    text = b"float f(float x); float f(vec2 v) { return v.x; } void main() { f(1.0); }"
    assert [f.parameters for f in missing_bodies(scan(text), text)] == [(b"float",)]


def test_braces_in_strings_are_ignored() -> None:
    text = b'void f() { debugPrintfEXT("{ %d"); }\nvoid g() { }\n'
    assert [f.name for f in scan(text).definitions] == ["f", "g"]


def test_lines_follow_the_directives() -> None:
    text = b'#version 450\n#line 1 "inc/x.glsl"\nvoid a() {}\n#line 6 "u.glsl"\n\nvoid b() { }\n#line 40\nvoid c() {}'
    lines = LineMap(text, "u.glsl")
    places = [lines.locate(f.offset) for f in scan(text).definitions]
    assert places == [("inc/x.glsl", 1), ("u.glsl", 7), ("u.glsl", 40)]


def test_shader_attributes_name_entry_points() -> None:
    assert shader_entries(HLSL) == (("compute", "cs"), ("pixel", "ps"))
    assert shader_entries(b'// [shader("compute")] void f()\n') == ()


@given(st.lists(st.sampled_from(["{", "}", "(", ")", ";", "#", "a", " ", "\n", '"', "[", "]", ":", ",", "="])))
def test_any_text_is_accepted(words: list[str]) -> None:
    text = "".join(words).encode()
    missing_bodies(scan(text), text)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(0, 3)), max_size=8))
def test_functions_are_found_with_any_body(functions: list[tuple[str, bool, int]]) -> None:
    text = "\n".join(
        f"float {name}(float x) " + ("{" * (depth + 1) + "f(x);" + "}" * (depth + 1) if body else ";")
        for name, body, depth in functions
    )
    found = scan(text.encode())
    assert [f.name for f in found.definitions] == [name for name, body, _ in functions if body]
    assert [f.name for f in found.prototypes] == [name for name, body, _ in functions if not body]
