"""Demangling. The names in the table were made by glslang 13.1.1 for functions with such parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright_spirv.text.demangle import demangle

# the last rows are subpasses, arrays sized by a specialisation constant, references and HLSL's resources
TYPES = [
    ("f1;", "float"),
    ("i1;", "int"),
    ("u1;", "uint"),
    ("b1;", "bool"),
    ("d1;", "double"),
    ("f161;", "float16_t"),
    ("i81;", "int8_t"),
    ("u81;", "uint8_t"),
    ("i161;", "int16_t"),
    ("u161;", "uint16_t"),
    ("i641;", "int64_t"),
    ("u641;", "uint64_t"),
    ("vf2;", "vec2"),
    ("vf3;", "vec3"),
    ("vf4;", "vec4"),
    ("vi2;", "ivec2"),
    ("vi3;", "ivec3"),
    ("vi4;", "ivec4"),
    ("vu2;", "uvec2"),
    ("vu3;", "uvec3"),
    ("vu4;", "uvec4"),
    ("vb2;", "bvec2"),
    ("vb3;", "bvec3"),
    ("vb4;", "bvec4"),
    ("vd2;", "dvec2"),
    ("vd3;", "dvec3"),
    ("vd4;", "dvec4"),
    ("vf162;", "f16vec2"),
    ("vf163;", "f16vec3"),
    ("vf164;", "f16vec4"),
    ("vi82;", "i8vec2"),
    ("vu84;", "u8vec4"),
    ("vi163;", "i16vec3"),
    ("vu162;", "u16vec2"),
    ("vi642;", "i64vec2"),
    ("vu644;", "u64vec4"),
    ("mf22;", "mat2"),
    ("mf33;", "mat3"),
    ("mf44;", "mat4"),
    ("mf23;", "mat2x3"),
    ("mf24;", "mat2x4"),
    ("mf32;", "mat3x2"),
    ("mf34;", "mat3x4"),
    ("mf42;", "mat4x2"),
    ("mf43;", "mat4x3"),
    ("md22;", "dmat2"),
    ("md34;", "dmat3x4"),
    ("mf1622;", "f16mat2"),
    ("mf1643;", "f16mat4x3"),
    ("f1[4];", "float[4]"),
    ("vf3[2];", "vec3[2]"),
    ("f1[2][3];", "float[2][3]"),
    ("struct-Ray-vf3-vf3-f11;", "Ray"),
    ("struct-Hit-struct-Ray-vf3-vf3-f11-i1[2]1;", "Hit"),
    ("struct-In_ner-struct-Hit-struct-Ray-vf3-vf3-f11-i1[2]1[3]-mf331;", "In_ner"),
    ("struct-Ray-vf3-vf3-f11[2];", "Ray[2]"),
    ("p1;", "sampler"),
    ("s21;", "sampler2D"),
    ("s11;", "sampler1D"),
    ("s31;", "sampler3D"),
    ("sC1;", "samplerCube"),
    ("sS21;", "sampler2DShadow"),
    ("sS11;", "sampler1DShadow"),
    ("sSC1;", "samplerCubeShadow"),
    ("sA21;", "sampler2DArray"),
    ("sA11;", "sampler1DArray"),
    ("sAC1;", "samplerCubeArray"),
    ("sAS21;", "sampler2DArrayShadow"),
    ("sASC1;", "samplerCubeArrayShadow"),
    ("sAS11;", "sampler1DArrayShadow"),
    ("sR21;", "sampler2DRect"),
    ("sSR21;", "sampler2DRectShadow"),
    ("sB1;", "samplerBuffer"),
    ("s2M1;", "sampler2DMS"),
    ("sA2M1;", "sampler2DMSArray"),
    ("is21;", "isampler2D"),
    ("us31;", "usampler3D"),
    ("isB1;", "isamplerBuffer"),
    ("usAC1;", "usamplerCubeArray"),
    ("pS1;", "samplerShadow"),
    ("t11;", "texture1D"),
    ("t21;", "texture2D"),
    ("t31;", "texture3D"),
    ("tC1;", "textureCube"),
    ("tA21;", "texture2DArray"),
    ("tAC1;", "textureCubeArray"),
    ("tB1;", "textureBuffer"),
    ("t2M1;", "texture2DMS"),
    ("tA2M1;", "texture2DMSArray"),
    ("it21;", "itexture2D"),
    ("utA21;", "utexture2DArray"),
    ("tR21;", "texture2DRect"),
    ("I11;", "image1D"),
    ("I21;", "image2D"),
    ("I31;", "image3D"),
    ("IC1;", "imageCube"),
    ("IA21;", "image2DArray"),
    ("IB1;", "imageBuffer"),
    ("I2M1;", "image2DMS"),
    ("IA2M1;", "image2DMSArray"),
    ("iI21;", "iimage2D"),
    ("uI31;", "uimage3D"),
    ("IR21;", "image2DRect"),
    ("IAC1;", "imageCubeArray"),
    ("IA11;", "image1DArray"),
    ("i64I21;", "i64image2D"),
    ("u64I31;", "u64image3D"),
    ("as1;", "accelerationStructureEXT"),
    ("rq1;", "rayQueryEXT"),
    ("IP1;", "subpassInput"),
    ("iIP1;", "isubpassInput"),
    ("uIPM1;", "usubpassInputMS"),
    ("f16s21;", "f16sampler2D"),
    ("f1[s216172782];", "float[]"),
    ("s21[3];", "sampler2D[3]"),
    ("1;", "reference"),
    ("struct-A-vf4[2]1[3][4];", "A[3][4]"),
    ("t211;", "texture2D"),
    ("I221;", "image2D"),
    ("block--struct-S-vf3-i11[0]1;", "block"),
]


@pytest.mark.parametrize(("mangled", "source"), TYPES)
def test_types(mangled: str, source: str) -> None:
    assert demangle(f"f({mangled}") == f"f({source})"


@pytest.mark.parametrize(
    ("mangled", "source"),
    [
        ("a(", "a()"),
        ("b(f1;vf3;i1;", "b(float, vec3, int)"),
        ("_q_(vf3;mf33[2];i1;", "_q_(vec3, mat3[2], int)"),
        ("N::q(f1;", "N::q(float)"),
        ("at(struct-Ray-vf3-vf3-f11;f1;", "at(Ray, float)"),
    ],
)
def test_functions(mangled: str, source: str) -> None:
    assert demangle(mangled) == source


@pytest.mark.parametrize("name", ["", "main", "(", "f(f1", "f(zz;", "f(;", "f(vf9;", "f(f1;;", "$init:a.glsl"])
def test_other_names_are_left_alone(name: str) -> None:
    assert demangle(name) == name


@given(st.text() | st.from_regex(r"[a-z]+\((([vm]?[fiub](16)?[0-9]{1,2}(\[[0-9]*\])*|struct-[A-Z]-f11);)*"))
def test_any_name_is_accepted(name: str) -> None:
    assert isinstance(demangle(name), str)
