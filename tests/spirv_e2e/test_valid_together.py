"""Different shaders in one module, which is valid, or the error names them."""

from __future__ import annotations

from tests.spirv.conftest import Validate
from tests.spirv_e2e.shader_project import ShaderProject


def _mesh(kind: str, indices: str, primitives: int, vertices: int = 64) -> str:
    return (
        "#version 460\n#extension GL_EXT_mesh_shader : require\nlayout(local_size_x = 32) in;\n"
        f"layout({kind}, max_vertices = {vertices}, max_primitives = {primitives}) out;\n"
        "layout(location = 0) out vec4 c[];\n"
        f"void main() {{ SetMeshOutputsEXT(3, 1); c[0] = gl_MeshVerticesEXT[0].gl_Position = vec4(1); {indices} }}\n"
    )


TRIANGLE = "gl_PrimitiveTriangleIndicesEXT[0] = uvec3(0, 1, 2);"


LAYER = "gl_MeshPrimitivesEXT[0].gl_Layer = 1;"


APART = {
    "primitives": (_mesh("triangles", TRIANGLE, 126), _mesh("triangles", TRIANGLE, 40, 32)),
    "kinds": (
        _mesh("triangles", TRIANGLE, 126),
        _mesh("lines", "gl_PrimitiveLineIndicesEXT[0] = uvec2(0, 1);", 126),
    ),
}


TOGETHER = {
    "vertices": (_mesh("triangles", TRIANGLE, 126), _mesh("triangles", TRIANGLE, 126, 32)),
    "no_indices": (_mesh("triangles", LAYER, 126), _mesh("triangles", LAYER, 40, 32)),
}


def test_one_module_of_mesh_shaders(shaders: ShaderProject, validate: Validate) -> None:
    """The validator checks each mesh shader against the modes of all; the error suggests separate modules."""
    shaders.crates(
        "".join(
            f"Default(env.Crate('{name}_{lto}_{several}', {[f'{name}/a.mesh', f'{name}/b.mesh']!r}, "
            f"crate_type='cdylib', lto='{lto}', multimodule={several}))\n"
            for name in (*APART, *TOGETHER)
            for lto in ("off", "fat")
            for several in (False, True)
        ),
        {
            f"{name}/{file}": text
            for name, pair in (APART | TOGETHER).items()
            for file, text in zip(("a.mesh", "b.mesh"), pair, strict=True)
        },
    )
    shaders.scons("-k", expect=2)
    for name in APART:
        for lto in ("off", "fat"):
            assert f"{name}_{lto}_False.spv breaks the rules of vulkan1.3" in shaders.error()
            assert not shaders.exists(f"{name}_{lto}_False.spv")
    assert shaders.error().count("each entry point is valid in an image of its own: set multimodule=True") == 4
    assert "a.mesh" in shaders.error() and "b.mesh" in shaders.error()
    images = sorted(shaders.path.glob("*_*.spv*/**/*.spv")) + sorted(shaders.path.glob("*_*.spv"))
    assert len(images) == 2 * len(TOGETHER) + 4 * len(APART | TOGETHER)
    for image in images:
        validate(image)


def _with_feedback(stride: int, body: str, *outs: str) -> str:
    declared = "".join(
        f"layout(location = {at}, xfb_offset = {16 * at}) out vec4 {name};\n" for at, name in enumerate(outs) if name
    )
    return f"#version 460\nlayout(xfb_buffer = 0, xfb_stride = {stride}) out;\n{declared}{body}"


WITHOUT_FEEDBACK = "#version 460\nvoid f() { gl_Position = vec4(1); }\n"


FEEDBACK_FILES = {
    "wide.vert": _with_feedback(32, "void main() { a = vec4(1); b = a; gl_Position = a; }\n", "a", "b"),
    "small.vert": _with_feedback(16, "void main() { a = vec4(1); gl_Position = a; }\n", "a"),
    "plain.vert": WITHOUT_FEEDBACK.replace("f()", "main()"),
    "calls.vert": _with_feedback(32, "void f();\nvoid main() { a = vec4(1); f(); gl_Position = a; }\n", "a"),
    "only.vert": "#version 460\nvoid f();\nvoid main() { f(); gl_PointSize = 1.0; }\n",
    "points.geom": _with_feedback(
        32,
        "layout(points) in;\nlayout(points, max_vertices = 1) out;\n"
        "void main() { a = vec4(1); gl_Position = gl_in[0].gl_Position; EmitVertex(); }\n",
        "a",
    ),
    "same.vert.glsl": _with_feedback(32, "void f() { b = gl_Position; }\n", "", "b"),
    "other.vert.glsl": _with_feedback(16, "void f() { b = gl_Position; }\n", "b"),
    "plain.vert.glsl": WITHOUT_FEEDBACK,
}


FEEDBACK_CASES = {
    "stages": (["wide.vert", "points.geom"], []),
    "strides": (["wide.vert", "small.vert", "plain.vert"], []),
    "library": (["calls.vert", "wide.vert", "only.vert", "points.geom"], ["same.vert.glsl"]),
    "library_without": (["calls.vert", "small.vert"], ["plain.vert.glsl"]),
}


def test_one_module_of_shaders_with_transform_feedback(shaders: ShaderProject, validate: Validate) -> None:
    crates = "".join(
        f"m = env.Crate('{name}_m', {libraries!r}) if {libraries!r} else []\n"
        + "".join(
            f"Default(env.Crate('{name}_{lto}', {sources!r}, deps=m, crate_type='cdylib', lto='{lto}'))\n"
            for lto in ("off", "thin", "fat")
        )
        for name, (sources, libraries) in FEEDBACK_CASES.items()
    )
    shaders.crates(crates, FEEDBACK_FILES)
    shaders.scons("-j2")
    images = sorted(shaders.path.glob("*.spv"))
    assert len(images) == 3 * len(FEEDBACK_CASES)
    for image in images:
        validate(image)
    shaders.crates(
        "m = env.Crate('m', ['other.vert.glsl'])\nenv.Crate('a', ['calls.vert'], deps=m, crate_type='cdylib')\n"
    )
    shaders.scons(expect=2)
    assert "xfb_buffer = 0 has two strides" in shaders.error()
    assert "calls.vert" in shaders.error() and "other.vert.glsl" in shaders.error()
