"""Crates of type `object`: one module of functions that other crates can use as a source."""

from __future__ import annotations

import pytest

from cratewright_spirv.binary.module import parse
from tests.spirv_e2e.shader_project import STORE, ShaderProject, compute

FILES = {
    "hash.glsl": "float hash(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }\n",
    "noise.glsl": "float hash(vec2 p);\nfloat scale(float x);\n"
    "float noise(vec2 p) { return mix(hash(floor(p)), hash(floor(p) + 1.0), scale(p.x)); }\n",
    "scale.glsl": STORE + "float scale(float x) { return x * x + store.data[0]; }\n",
    "a.comp": compute("store.data[i] = noise(vec2(i));", before="float noise(vec2 p);"),
}


def _opcodes(shaders: ShaderProject, crate: str) -> list[int]:
    data = (shaders.path / f"{crate}.spv").read_bytes()
    return sorted(words[0] for words in parse(data, crate).instructions)


def test_object_is_a_source_of_another_crate(shaders: ShaderProject) -> None:
    """The image has the same instructions as if built from the original sources."""
    modes = ("off", "thin", "fat")
    shaders.crates(
        'dep = env.Crate("dep", ["hash.glsl"])\nlib = env.Crate("lib", ["noise.glsl", "scale.glsl"], deps=[dep])\n'
        'Default(env.Crate("whole", ["a.comp"], deps=[lib], crate_type="cdylib", lto="thin", opt_level="3"))\n'
        + "".join(
            f"""
for keep in (False, True):
    o = env.Crate(f"o_{lto}_{{keep}}", ["noise.glsl", "scale.glsl"], deps=[dep], crate_type="object", lto="{lto}",
        keep_exports=keep, opt_level="0", disassemble=True)
    Default(o, env.Crate(f"p_{lto}_{{keep}}", [o.image, "a.comp"], crate_type="cdylib", lto="thin", opt_level="3"))
fast = env.Crate("fast_{lto}", ["noise.glsl", "scale.glsl"], deps=[dep], crate_type="object", lto="{lto}",
    opt_level="3")
Default(env.Crate("q_{lto}", [fast.image, "a.comp"], crate_type="cdylib", opt_level="3"))
"""
            for lto in modes
        ),
        FILES,
    )
    shaders.scons("-j2")
    whole = _opcodes(shaders, "whole")
    for lto in modes:
        for keep in (False, True):
            assert _opcodes(shaders, f"p_{lto}_{keep}") == whole, (lto, keep)
            text = shaders.read(f"o_{lto}_{keep}.o.spvasm")
            linked = {line.split('"')[1].partition("(")[0] for line in text.splitlines() if "LinkageAttributes" in line}
            assert linked == {"noise", "scale"} | ({"hash"} if keep else set()), linked
    assert shaders.up_to_date()


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"x.comp": compute("")}, "", "it has an entry point, and an object is a library"),
        (
            {"x.glsl": "layout(binding = 0) uniform sampler2D s;\nfloat f() { return texture(s, vec2(0)).x; }\n"},
            "",
            "it differs from stage to stage",
        ),
        (
            {"x.glsl": "vec2 two = vec2(gl_GlobalInvocationID.x);\nfloat f() { return two.x; }\n"},
            "",
            "cannot be part of",
        ),
        ({"x.glsl": "float f();\nfloat g() { return f(); }\n"}, "", "unresolved symbol `f()`"),
        (FILES, ", multimodule=True", "'multimodule' applies to images, and an object is not one"),
        (FILES, ", dump_post_opt='d'", "'dump_post_opt' applies to images, and an object is not one"),
    ],
)
def test_invalid_objects(shaders: ShaderProject, files: dict[str, str], options: str, message: str) -> None:
    names = [name for name in files if name != "a.comp"]
    shaders.crates(f"Default(env.Crate('o', {names!r}, crate_type='object'{options}))\n", files)
    shaders.scons(expect=2)
    assert message in shaders.output + shaders.errors, shaders.errors
    assert not shaders.exists("o.o.spv")
