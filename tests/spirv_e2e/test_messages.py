"""Errors of the validator, and of sources to which text is appended before compilation."""

from __future__ import annotations

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import instructions, names

SCALAR = "#extension GL_EXT_scalar_block_layout : require\nlayout(binding = 1, scalar) uniform S { float a[3]; } s;\n"
WRONG = "#extension GL_EXT_spirv_intrinsics : require\nspirv_instruction(id = 126) float wrong(float a);\n"


def test_validator_error_names_crate_options(shaders: ShaderProject) -> None:
    crate = 'Default(env.Crate("m", ["a.comp"], crate_type="cdylib"{}))\n'
    shaders.crates(crate.format(""), {"a.comp": compute("store.data[i] = s.a[2];", before=SCALAR)})
    shaders.scons(expect=2)
    error = shaders.error()
    assert "scalar_block_layout=True" in error and "uniform_buffer_standard_layout=True" in error
    assert "command line" not in error and "--" not in error.partition("validator:")[2]
    for option in ("scalar_block_layout", "uniform_buffer_standard_layout"):
        shaders.crates(crate.format(f", {option}=True"))
        shaders.scons()


def test_validator_error_names_a_line(shaders: ShaderProject) -> None:
    shader = compute("\nstore.data[i] = wrong(store.data[i]);", before=WRONG)
    line = shader[: shader.index("wrong(store")].count("\n") + 1
    for lto in ("off", "thin"):
        options = f'crate_type="cdylib", debuginfo="line", lto="{lto}", disassemble=True, dump_post_opt="dumps"'
        shaders.crates(f'Default(env.Crate("m", ["a.comp"], {options}))\n', {"a.comp": shader})
        shaders.scons(expect=2)
        assert f"a.comp:{line}\n" in shaders.error()
        # The rejected image can be inspected.
        assert "OpSNegate" in shaders.read("dumps/m.m.spvasm") and shaders.exists("dumps/m.m.spv")
        assert not shaders.exists("m.spv")


def test_validator_error_names_a_line_without_debuginfo(shaders: ShaderProject) -> None:
    """A rejected image is rebuilt with lines: of the shader, an include or a library."""
    wrong = "{}\n\n\nfloat {}(float x) {{\n    return wrong(x);\n}}\n"
    files = {
        "a.comp": compute("\nstore.data[i] = wrong(store.data[i]);", before=WRONG),
        "b.comp": compute("store.data[i] = inner(store.data[i]);", before='#include "inner.h"'),
        "inner.h": wrong.format(WRONG, "inner"),
        "c.comp": compute("store.data[i] = outer(store.data[i]);", before="float outer(float x);"),
        "l.glsl": wrong.format("#version 460\n" + WRONG, "outer"),
    }
    lines = {"a.comp": "a.comp:10", "b.comp": "inner.h:7", "c.comp": "l.glsl:8"}
    shaders.crates(
        'l = env.Crate("l", ["l.glsl"], dump_source="seen")\n'
        + "".join(
            f'Default(env.Crate("{source[0]}_{lto}", ["{source}"], deps=l, crate_type="cdylib", debuginfo="none", '
            f'opt_level=3, lto="{lto}", dump_post_opt="dumps"))\n'
            for source in lines
            for lto in ("off", "thin", "fat")
        ),
        files,
    )
    shaders.scons("-k", expect=2)
    for source, line in lines.items():
        for lto in ("off", "thin", "fat"):
            told = f"{line}: error: {source[0]}_{lto}.spv breaks the rules of vulkan1.3 here\n"
            assert shaders.output.count(told) == 1
    assert shaders.output.count("  validator:") == 9
    for lto in ("off", "thin", "fat"):
        # The dump is the rejected image, not the one rebuilt to find its lines.
        assert not any(words[0] & 0xFFFF == 8 for words in instructions(shaders.path / f"dumps/a_{lto}.a_{lto}.spv"))


def test_function_without_a_closing_brace(shaders: ShaderProject) -> None:
    library = "float g(float x) { return x; }\n\nfloat f(float x) {\n    if (x > 1.0) { return x;\n}\n"
    shaders.crates('Default(env.Crate("m", ["m.glsl"]))\n', {"m.glsl": library})
    shaders.scons(expect=2)
    assert "m.glsl:3:7: error: 'f' : the body of this function does not end" in shaders.error()
    assert "main" not in shaders.error()


def test_lines_without_names(shaders: ShaderProject) -> None:
    shader = compute("float zed = foo(store.data[i]); store.data[i] = zed;", before="float foo(float x) { return x; }")
    crate = 'Default(env.Crate("{0}", ["a.comp"], crate_type="cdylib", debuginfo="line", spirv_metadata="{0}"))\n'
    shaders.crates("".join(map(crate.format, ("none", "full"))), {"a.comp": shader})
    shaders.scons()
    assert "zed" in names(shaders.path / "full.spv") and not names(shaders.path / "none.spv")
    for image in ("full", "none"):
        assert any(words[0] & 0xFFFF == 8 for words in instructions(shaders.path / f"{image}.spv"))
