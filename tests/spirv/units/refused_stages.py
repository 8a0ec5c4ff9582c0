"""What only exists in another stage."""

from __future__ import annotations

from tests.spirv.units.case import MESH, OUT, TRIANGLES, CompileRefused, refused_in

STAGES: tuple[CompileRefused, ...] = (
    *(
        refused_in(
            stage,
            f"{what} in {stage}",
            "".join(f"#extension {each} : require\n" for each in extensions) + before + f"void f() {{ {code} }}\n",
            "#extension GL_EXT_ray_tracing : enable\nvoid f();\nvoid main() { f(); }\n",
            *(what, long, "lib.glsl"),
        )
        for stage, long, what, code, before, extensions in (
            ("rgen", "raygen", "gl_ViewIndex", "data[0] = uint(gl_ViewIndex);", OUT, ("GL_EXT_multiview",)),
            ("vert", "vertex", "memoryBarrierShared", "memoryBarrierShared();", "", ()),
            (
                *("vert", "vertex", "gl_CurrentRayTimeNV", "data[0] = uint(gl_CurrentRayTimeNV);", OUT),
                ("GL_NV_ray_tracing_motion_blur", "GL_EXT_ray_tracing"),
            ),
            (
                *("rgen", "raygen", "gl_HitTriangleVertexPositionsEXT"),
                *("data[0] = uint(gl_HitTriangleVertexPositionsEXT[0].x);", OUT),
                ("GL_EXT_ray_tracing_position_fetch", "GL_EXT_ray_tracing"),
            ),
            (
                *("vert", "vertex", "gl_BaryCoordSmoothAMD", "data[0] = uint(gl_BaryCoordSmoothAMD.x);", OUT),
                ("GL_AMD_shader_explicit_vertex_parameter",),
            ),
            ("frag", "fragment", "gl_ViewportMask", "gl_ViewportMask[0] = 1;", "", ("GL_NV_viewport_array2",)),
            (
                *("vert", "vertex", "colorAttachmentReadEXT", "data[0] = uint(colorAttachmentReadEXT(tile).x);"),
                f"{OUT}layout(location = 0) tileImageEXT highp attachmentEXT tile;\n",
                ("GL_EXT_shader_tile_image",),
            ),
        )
    ),
    *(
        refused_in(
            stage,
            f"{what} in {stage}",
            f"{before}float f(float x) {{ {code} return x; }}\n",
            f"{layout}float f(float x);\nvoid main() {{ f(1.0); }}\n",
            name,
            "only exists in a",
            f"{long} entry point",
            "lib.glsl",
        )
        for stage, long, layout in (
            ("tesc", "tess-control", "layout(vertices = 3) out;\n"),
            ("mesh", "mesh", f"#extension GL_EXT_mesh_shader : require\n{MESH}"),
            ("comp", "compute", "layout(local_size_x = 8) in;\n"),
            ("geom", "geometry", TRIANGLES),
        )
        for what, before, code, name in (
            ("one position", "", "gl_Position = vec4(x);", "`gl_Position`"),
            ("one layer", "#extension GL_ARB_shader_viewport_layer_array : require\n", "gl_Layer = 1;", "`gl_Layer`"),
            ("one input", "layout(location = 1) in float v;\n", "x += v;", "the input `v`"),
            ("one output", "layout(location = 1) out float w;\n", "w = x;", "the output `w`"),
        )
        if not (stage == "geom" and what != "one input")
    ),
)
