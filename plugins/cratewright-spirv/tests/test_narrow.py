"""Rewriting of conversions to 8-bit and 16-bit types."""

from __future__ import annotations

import pytest

from cratewright_spirv.compile.narrow import widened

STORAGE = "#version 460\n#extension GL_EXT_shader_16bit_storage : require\n"
BOTH = STORAGE + "#extension GL_EXT_shader_8bit_storage : require\n"
ARITHMETIC = STORAGE + "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : enable\n"
CASES = {
    "a constant": (STORAGE, "float16_t(1)", "float16_t(float(1))"),
    "nested": (STORAGE, "float16_t(f(float16_t(x), 2))", "float16_t(float(f(float16_t(float(x)), 2)))"),
    "over lines": (STORAGE, "float16_t\n (\n1)", "float16_t\n (float(\n1))"),
    "vectors": (BOTH, "f16vec2(v) i8vec3(w) u16vec4(x)", "f16vec2(vec2(v)) i8vec3(ivec3(w)) u16vec4(uvec4(x))"),
    "integers": (BOTH, "uint8_t(1.5) int16_t(x)", "uint8_t(uint(1.5)) int16_t(int(x))"),
    "other names": (STORAGE, "to_float16_t(1) float16_t x; float16_t[2](a, b)", None),
    "what glslang refuses": (STORAGE, "f16vec2(1, 2)", None),
    "no end": (STORAGE, "float16_t(1", None),
    "no such type": ("#version 460\n", "float16_t(1)", None),
    "arithmetic": (ARITHMETIC, "float16_t(1)", None),
    "arithmetic on another": (ARITHMETIC, "int16_t(1.5)", "int16_t(int(1.5))"),
}


@pytest.mark.parametrize("name", CASES)
def test_conversions(name: str) -> None:
    head, code, expected = CASES[name]
    text = (head + code).encode()
    found = widened(text)
    assert found == (head + (expected or code)).encode()
    assert (found is text) == (expected is None)
