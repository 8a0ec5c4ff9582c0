"""Arrays whose length another unit decides."""

from __future__ import annotations

from tests.spirv.units.case import MESH, TRIANGLES, in_stage

ARRAYS = (
    in_stage(
        "arrays of a geometry shader, in a library of no layout",
        "geom",
        "layout(location = 0) in vec4 c[];\nvec4 f@() { return gl_in[2].gl_Position + c[1]; }\n",
        "layout(location = 0) in vec4 c[];\nvec4 f@();\n"
        "void main() { gl_Position = f@() + c[2] + gl_in[1].gl_Position; EmitVertex(); }\n",
        layout=TRIANGLES,
        one=f"{TRIANGLES}layout(location = 0) in vec4 c[];\nvec4 f@() {{ return gl_in[2].gl_Position + c[1]; }}\n"
        "void main() { gl_Position = f@() + c[2] + gl_in[1].gl_Position; EmitVertex(); }\n",
    ),
    in_stage(
        "arrays of a geometry shader that only a library without a layout has",
        "geom",
        "layout(location = 0) in vec4 c[];\nvec4 f@() { return gl_in[2].gl_Position + c[1]; }\n",
        "vec4 f@();\nvoid main() { gl_Position = f@(); EmitVertex(); }\n",
        layout=TRIANGLES,
    ),
    in_stage(
        "arrays of a mesh shader, in a library of no layout",
        "mesh",
        "#pragma shader_stage(mesh)\nlayout(location = 0) out vec4 c[];\n"
        "layout(location = 1) perprimitiveEXT out vec4 d[];\n"
        "void f@() { gl_MeshVerticesEXT[5].gl_Position = vec4(1); c[1] = vec4(1); d[2] = vec4(2); }\n",
        "void f@();\nvoid main() { SetMeshOutputsEXT(9u, 3u); f@(); }\n",
        layout=MESH,
        extensions=("GL_EXT_mesh_shader",),
        one=f"{MESH}layout(location = 0) out vec4 c[];\nlayout(location = 1) perprimitiveEXT out vec4 d[];\n"
        "void f@() { gl_MeshVerticesEXT[5].gl_Position = vec4(1); c[1] = vec4(1); d[2] = vec4(2); }\n"
        "void main() { SetMeshOutputsEXT(9u, 3u); f@(); }\n",
    ),
    in_stage(
        "distances to clip at, of which a library knows nothing",
        "vert",
        "void f@() { gl_Position = vec4(2); }\n",
        "void f@();\nvoid main() { f@(); gl_ClipDistance[0] = 1.0; gl_ClipDistance[1] = 1.0; }\n",
        layout="out float gl_ClipDistance[2];\n",
    ),
    in_stage(
        "an invariant position, in the shader",
        "vert",
        "void f@() { gl_Position = vec4(2); }\n",
        "void f@();\nvoid main() { gl_Position = vec4(1); f@(); }\n",
        layout="invariant gl_Position;\n",
    ),
    in_stage(
        "an invariant position, in a library",
        "vert",
        "invariant gl_Position;\nvoid f@() { gl_Position = vec4(2); }\n",
        "void f@();\nvoid main() { gl_Position = vec4(1); f@(); }\n",
    ),
)
