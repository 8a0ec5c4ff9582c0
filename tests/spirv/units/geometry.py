"""Vertices, primitives and patches, from vertex to mesh shaders."""

from __future__ import annotations

from tests.spirv.units.case import MESH, TRIANGLES, in_stage

GEOMETRY = (
    in_stage(
        "the view, in a library of any stage",
        "vert",
        "int f@() { return gl_ViewIndex; }\n",
        "int f@();\nvoid main() { gl_Position = vec4(f@() + gl_ViewIndex); }\n",
        extensions=("GL_EXT_multiview",),
    ),
    in_stage(
        "triangles, in a library of no stage",
        "geom",
        "layout(triangles) in;\nlayout(location = 0) in vec3 c[];\nvec3 f@(int k) { return c[k]; }\n",
        "layout(location = 0) out vec3 o;\nvec3 f@(int k);\nvoid main() { o = f@(1); EmitVertex(); }\n",
        layout="layout(triangles) in;\nlayout(points, max_vertices = 1) out;\n",
    ),
    in_stage(
        "a position",
        "vert",
        "void f@(vec4 p) { gl_Position = p; }\n",
        "void f@(vec4 p);\nvoid main() { f@(vec4(gl_VertexIndex)); }\n",
    ),
    in_stage(
        "a position that both write",
        "vert",
        "void f@(vec4 p) { gl_Position = p; gl_PointSize = 2.0; }\n",
        "void f@(vec4 p);\nvoid main() { gl_Position = vec4(0); if (gl_VertexIndex > 2) f@(vec4(1)); }\n",
    ),
    in_stage(
        "an invariant position",
        "vert",
        "INCLUDE\nvoid f@(vec4 p) { gl_Position = p; }\n",
        "INCLUDE\nvoid f@(vec4 p);\nvoid main() { f@(vec4(gl_VertexIndex)); gl_Position.x += 1.0; }\n",
        header="invariant gl_Position;\n",
    ),
    in_stage(
        "distances to clip at",
        "vert",
        "INCLUDE\nvoid f@(float d) { gl_ClipDistance[1] = d; }\n",
        "INCLUDE\nvoid f@(float d);\nvoid main() { gl_Position = vec4(1); gl_ClipDistance[0] = 1.0; f@(2.0); }\n",
        header="out float gl_ClipDistance[2];\n",
    ),
    in_stage(
        "transform feedback",
        "vert",
        "layout(xfb_buffer = 0, xfb_stride = 16) out;\n"
        "layout(location = 0, xfb_buffer = 0, xfb_offset = 0) out vec4 v;\nvoid f@(vec4 p) { v = p; }\n",
        "void f@(vec4 p);\nvoid main() { gl_Position = vec4(1); f@(vec4(2)); }\n",
    ),
    in_stage(
        "vertices of a geometry shader",
        "geom",
        "INCLUDE\nvoid f@(int k) { gl_Position = gl_in[k].gl_Position; EmitVertex(); }\n",
        "INCLUDE\nvoid f@(int);\nvoid main() { f@(0); f@(1); f@(2); EndPrimitive(); }\n",
        header=TRIANGLES,
    ),
    in_stage(
        "invocations that a library declares",
        "geom",
        "layout(invocations = 4) in;\nvec4 f@() { return vec4(gl_InvocationID); }\n",
        f"{TRIANGLES}vec4 f@();\nvoid main() {{ gl_Position = f@(); EmitVertex(); }}\n",
        layout=" ",
        one="layout(triangles, invocations = 4) in;\nlayout(triangle_strip, max_vertices = 3) out;\n"
        "vec4 f@() { return vec4(gl_InvocationID); }\nvoid main() { gl_Position = f@(); EmitVertex(); }\n",
    ),
    in_stage(
        "a library of no layout",
        "geom",
        "void f@(vec4 p) { gl_Position = p; EmitVertex(); }\n",
        "void f@(vec4 p);\nvoid main() { f@(gl_in[0].gl_Position); f@(gl_in[2].gl_Position); }\n",
        layout=TRIANGLES,
    ),
    in_stage(
        "levels of tessellation",
        "tesc",
        "void f@(float x) { gl_TessLevelOuter[0] = x; gl_TessLevelInner[1] = x; }\n",
        "void f@(float x);\nvoid main() { f@(float(gl_InvocationID)); }\n",
        layout="layout(vertices = 3) out;\n",
    ),
    in_stage(
        "control points",
        "tesc",
        "INCLUDE\nvoid f@() { gl_out[gl_InvocationID].gl_Position = gl_in[0].gl_Position; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { f@(); barrier(); }\n",
        header="layout(vertices = 4) out;\n",
    ),
    in_stage(
        "a patch",
        "tesc",
        "INCLUDE\nvoid f@() { p = vec3(1); }\n",
        "INCLUDE\nvoid f@();\nvoid main() { f@(); p.x += 1.0; }\n",
        layout="layout(vertices = 4) out;\n",
        header="layout(location = 3) patch out vec3 p;\n",
    ),
    in_stage(
        "points of tessellation",
        "tese",
        "layout(point_mode, fractional_odd_spacing, cw) in;\nvec3 f@() { return gl_TessCoord; }\n",
        "vec3 f@();\nvoid main() { gl_Position = vec4(f@(), 1); }\n",
        layout="layout(quads) in;\n",
    ),
    in_stage(
        "vertices of a mesh",
        "mesh",
        "INCLUDE\nvoid f@(uint k) { gl_MeshVerticesEXT[k].gl_Position = vec4(k); }\n",
        "INCLUDE\nvoid f@(uint);\nvoid main() { SetMeshOutputsEXT(64u, 126u); f@(gl_LocalInvocationIndex);\n"
        "gl_MeshVerticesEXT[gl_LocalInvocationIndex + 32u].gl_Position = vec4(1); }\n",
        header=MESH,
        extensions=("GL_EXT_mesh_shader",),
    ),
    in_stage(
        "the workgroup's size, in a mesh",
        "mesh",
        "uint f@() { return gl_WorkGroupSize.x; }\n",
        "uint f@();\nvoid main() { SetMeshOutputsEXT(f@(), 1u); }\n",
        layout=MESH,
        extensions=("GL_EXT_mesh_shader",),
    ),
    in_stage(
        "the payload of a task",
        "task",
        "INCLUDE\nvoid f@() { payload.b[1] = vec2(1); }\n",
        "INCLUDE\nvoid f@();\nvoid main() { payload.a = 1u; f@(); EmitMeshTasksEXT(1u, 1u, 1u); }\n",
        layout="layout(local_size_x = 32) in;\n",
        extensions=("GL_EXT_mesh_shader",),
        header="struct P { uint a; vec2 b[4]; };\ntaskPayloadSharedEXT P payload;\n",
    ),
    in_stage(
        "the payload of a task, in a mesh",
        "mesh",
        "INCLUDE\nvec2 f@() { return payload.b[1]; }\n",
        "INCLUDE\nvec2 f@();\nvoid main() { SetMeshOutputsEXT(payload.a, uint(f@().x)); }\n",
        layout=MESH,
        extensions=("GL_EXT_mesh_shader",),
        header="struct P { uint a; vec2 b[4]; };\ntaskPayloadSharedEXT P payload;\n",
    ),
    in_stage(
        "ids of primitives",
        "vert",
        "layout(location = 5) out vec2 w;\nvoid f@() { w = vec2(gl_InstanceIndex, gl_BaseVertex); }\n",
        "void f@();\nvoid main() { gl_Position = vec4(gl_InstanceIndex); f@(); }\n",
        extensions=("GL_ARB_shader_draw_parameters",),
        one="layout(location = 5) out vec2 w;\nvoid f@() { w = vec2(gl_InstanceIndex, gl_BaseVertex); }\n"
        "void main() { gl_Position = vec4(gl_InstanceIndex); f@(); }\n",
    ),
)
