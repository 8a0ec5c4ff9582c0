"""Linking: selection of archive members, and units that do not fit together, reported in terms of the sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import opcodes

Validate = Callable[[Path], None]
Golden = Callable[[str, str], None]

V = "#version 460\n"
CRATES = """\
base = env.Crate("base", Glob("base/*"))
mid = env.Crate("mid", Glob("mid/*"), deps=[base])
env.Crate("app", Glob("app/*"), deps=[mid], crate_type="cdylib"{more})
"""
BASE = V + "float low(float x) {\n    return 0.5 * x;\n}\n"
MID = V + "float low(float x);\nfloat middle(float x) {\n    return low(x) + 1.0;\n}\n"
APP = compute("store.data[i] = middle(store.data[i]);", before="float middle(float x);")
GOOD = {"base/low.glsl": BASE, "mid/middle.glsl": MID, "app/a.comp": APP}


def _project(shaders: ShaderProject, files: Mapping[str, str], more: str = "") -> None:
    shaders.crates(CRATES.format(more=more), files)


def test_unused_members_and_crates_are_not_linked(shaders: ShaderProject, validate: Validate) -> None:
    """An unused archive member with an undefined symbol, or an unused crate, does not change the image."""
    _project(shaders, GOOD, ', dump_pre_link="pre"')
    shaders.scons()
    image = (shaders.path / "app.spv").read_bytes()
    assert sorted(path.name for path in (shaders.path / "pre").iterdir()) == [
        "app.app.a.comp.spv", "base.base.low.glsl.spv", "mid.mid.middle.glsl.spv",
    ]  # fmt: skip
    assert shaders.manifest("app")["modules"][0]["crates"] == ["app", "base", "mid"]
    shaders.write(
        {
            "mid/unused.glsl": V + "float nowhere(float x);\nfloat unused(float x) { return nowhere(x); }\n",
            "other/o.glsl": V + "float other(float x) { return x; }\n",
        }
    )
    text = shaders.read("SConstruct").replace("deps=[mid]", "deps=[mid, other]")
    shaders.write(
        {"SConstruct": text.replace('env.Crate("app"', 'other = env.Crate("other", Glob("other/*"))\nenv.Crate("app"')}
    )
    shaders.scons()
    assert (shaders.path / "app.spv").read_bytes() == image
    assert shaders.manifest("app")["modules"][0]["crates"] == ["app", "base", "mid"]
    validate(shaders.path / "app.spv")


STAGE_BOUND = {
    "dFdx": ("float edge(float x) { return dFdx(x); }", 207),
    "textureQueryLod": (
        "layout(set = 0, binding = 5) uniform sampler2D picture;\n"
        "float edge(float x) { return textureQueryLod(picture, vec2(x)).x; }",
        105,
    ),
    "discard": ("float edge(float x) { if (x < 0.0) discard; return x; }", 4416),
}
BETWEEN = V + "float edge(float x);\nfloat low(float x) { return edge(x); }\n"
FRAGMENT = (
    V + "float middle(float x);\nlayout(location = 0) out float c;\nvoid main() { c = middle(gl_FragCoord.x); }\n"
)


def _stage_bound(name: str) -> dict[str, str]:
    return {
        "base/edge.glsl": f"{V}{STAGE_BOUND[name][0]}\nfloat calm(float x) {{ return x + 1.0; }}\n",
        "base/low.glsl": BETWEEN,
        "mid/middle.glsl": MID,
    }


@pytest.mark.parametrize("name", STAGE_BOUND)
def test_function_of_another_stage_is_an_error(shaders: ShaderProject, golden: Golden, name: str) -> None:
    _project(shaders, _stage_bound(name) | {"app/a.comp": APP})
    shaders.scons(expect=2)
    golden(f"spirv/stage_{name}.txt", shaders.error())
    assert not shaders.exists("app.spv") and not shaders.exists("app.spv.json")


def test_function_that_differs_by_stage(shaders: ShaderProject, validate: Validate) -> None:
    """`texture` has an implicit level of detail only in fragment shaders; one library works for every stage."""
    library = (
        V + "layout(set = 0, binding = 5) uniform sampler2D picture;\n"
        "float low(float x) { return texture(picture, vec2(x)).x; }\n"
    )
    vertex = V + "float middle(float x);\nvoid main() { gl_Position = vec4(middle(float(gl_VertexIndex))); }\n"
    _project(
        shaders,
        {
            "base/low.glsl": library,
            "mid/middle.glsl": MID,
            "app/a.comp": APP,
            "app/b.frag": FRAGMENT,
            "app/c.vert": vertex,
        },
        ", multimodule=True",
    )
    shaders.scons()
    for name, implicit in (("a.comp", False), ("b.frag", True), ("c.vert", False)):
        image = shaders.path / f"app.spvs/app/{name}.spv"
        validate(image)
        assert (87 in opcodes(image)) == implicit
        assert (88 in opcodes(image)) != implicit
    shaders.write({"SConstruct": shaders.read("SConstruct").replace(", multimodule=True", "")})
    shaders.scons()
    validate(shaders.path / "app.spv")
    assert {87, 88} <= opcodes(shaders.path / "app.spv")


@pytest.mark.parametrize("name", STAGE_BOUND)
def test_other_functions_of_a_stage_bound_unit_work_for_all_stages(
    shaders: ShaderProject, validate: Validate, name: str
) -> None:
    """The fragment shader uses the derivative, the compute shader another function of the same source."""
    _project(
        shaders,
        _stage_bound(name)
        | {
            "app/a.comp": compute("store.data[i] = calm(store.data[i]);", before="float calm(float x);"),
            "app/b.frag": FRAGMENT,
        },
        ", multimodule=True",
    )
    shaders.scons()
    compute_image, fragment = (shaders.path / f"app.spvs/app/{each}.spv" for each in ("a.comp", "b.frag"))
    validate(compute_image)
    validate(fragment)
    bound = STAGE_BOUND[name][1]
    assert not opcodes(compute_image) & {bound, 252} and opcodes(fragment) & {bound, 252}
    shaders.write({"SConstruct": shaders.read("SConstruct").replace(", multimodule=True", "")})
    shaders.scons()
    validate(shaders.path / "app.spv")


MISFITS: dict[str, Mapping[str, str]] = {
    "unresolved": {"base/low.glsl": V + "float lower(float x) { return x; }\n"},
    "unresolved_near": {
        "base/low.glsl": V + "float low(vec2 x) {\n    return x.x;\n}\nfloat low(int x) { return 1.0; }\n"
    },
    "unresolved_several": {
        "base/low.glsl": V + "float unlike(float x) { return x; }\n",
        "app/b.comp": compute("store.data[i] = missing(mat4(i), 1u);", before="float missing(mat4 m, uint n);"),
    },
    "included_is_private": {
        "base/low.glsl": V + '#include "low.h"\nfloat lower(float x) { return low(x); }\n',
        "base/low.h": "float low(float x) { return x; }\n",
    },
    "duplicate": {"mid/again.glsl": V + "float low(float y) { return y; }\n"},
    "duplicate_in_one_crate": {"base/again.glsl": V + "\nfloat low(float y) { return y; }\n"},
    "parameter_differs": {"base/low.glsl": V + "float low(const in float x) { return x; }\n"},
    "result_differs": {"base/low.glsl": V + "int low(float x) { return int(x); }\n"},
    "struct_differs": {
        "base/low.glsl": V + "struct P { float a; float b; };\nfloat low(P p) { return p.a; }\n",
        "mid/middle.glsl": V + "struct P { float a; vec2 b; };\nfloat low(P p);\n"
        "float middle(float x) { return low(P(x, vec2(x))); }\n",
    },
    "recursion": {
        "base/low.glsl": V + "float back(float x);\nfloat low(float x) { return back(x); }\n",
        "base/back.glsl": V + "float low(float x);\nfloat back(float x) { return x > 0.0 ? low(x - 1.0) : 0.0; }\n",
    },
    "wrong_stage_built_in": {"base/low.glsl": V + "float low(float x) { return x + gl_FragCoord.x; }\n"},
    "no_entry_point": {"app/a.comp": V + "float alone(float x) { return x; }\n"},
}


@pytest.mark.parametrize("name", MISFITS)
def test_units_that_do_not_fit(shaders: ShaderProject, golden: Golden, name: str) -> None:
    """The error names the sources, nothing is written, and the corrected build succeeds."""
    files = {**GOOD, **MISFITS[name]}
    text = CRATES.format(more="").replace('Glob("base/*")', 'Glob("base/*.glsl")')
    shaders.crates(text, files)
    shaders.scons(expect=2)
    golden(f"spirv/{name}.txt", shaders.error())
    assert not shaders.exists("app.spv") and not shaders.exists("app.spv.json")
    shaders.remove(*(path for path in files if path not in GOOD))
    shaders.write(GOOD)
    shaders.scons()
    assert shaders.exists("app.spv")
