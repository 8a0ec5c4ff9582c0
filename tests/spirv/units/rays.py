"""Stages of ray tracing."""

from __future__ import annotations

from tests.spirv.units.case import OUT, in_stage

RAYS = (
    in_stage(
        "a payload that comes in",
        "rchit",
        "INCLUDE\nvoid f@() { p.xy = hit; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { p = vec4(0); f@(); p.x += hit.y; }\n",
        header="layout(location = 0) rayPayloadInEXT vec4 p;\nhitAttributeEXT vec2 hit;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    in_stage(
        "a payload of another name",
        "rmiss",
        "layout(location = 0) rayPayloadInEXT vec4 q;\nvoid f@() { q.x = 1.0; }\n",
        "layout(location = 0) rayPayloadInEXT vec4 p;\nvoid f@();\nvoid main() { p = vec4(0); f@(); }\n",
        extensions=("GL_EXT_ray_tracing",),
        one="layout(location = 0) rayPayloadInEXT vec4 p;\nvoid f@() { p.x = 1.0; }\n"
        "void main() { p = vec4(0); f@(); }\n",
    ),
    in_stage(
        "two payloads of one type",
        "rgen",
        "INCLUDE\nvec4 f@() { return a - b; }\n",
        f"INCLUDE\nlayout(set = 0, binding = 6) uniform accelerationStructureEXT scene;\n{OUT}vec4 f@();\n"
        "void main() { a = vec4(1); b = vec4(2); "
        "traceRayEXT(scene, 0u, 255u, 0u, 0u, 0u, vec3(0), 0.1, vec3(1), 9.0, 1);\n"
        "data[0] = uint(f@().x); }\n",
        header="layout(location = 0) rayPayloadEXT vec4 a;\nlayout(location = 1) rayPayloadEXT vec4 b;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    in_stage(
        "data of a callable",
        "rgen",
        "INCLUDE\nvec4 f@() { executeCallableEXT(0u, 2); return c; }\n",
        f"INCLUDE\n{OUT}vec4 f@();\nvoid main() {{ c = vec4(1); data[0] = uint(f@().x); }}\n",
        header="layout(location = 2) callableDataEXT vec4 c;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    in_stage(
        "data that comes into a callable",
        "rcall",
        "INCLUDE\nvoid f@() { c.x = 1.0; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { c = vec4(2); f@(); }\n",
        header="layout(location = 0) callableDataInEXT vec4 c;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    in_stage(
        "a shader record",
        "rmiss",
        "INCLUDE\nfloat f@() { return record.x; }\n",
        "INCLUDE\nlayout(location = 0) rayPayloadInEXT vec4 p;\nfloat f@();\n"
        "void main() { p = vec4(f@() + record.y); }\n",
        header="layout(shaderRecordEXT) buffer Record { float x; float y; } record;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    in_stage(
        "an attribute of a hit that is reported",
        "rint",
        "INCLUDE\nvoid f@() { hit = vec2(1); }\n",
        "INCLUDE\nvoid f@();\nvoid main() { f@(); hit.x += 1.0; reportIntersectionEXT(1.0, 0u); }\n",
        header="hitAttributeEXT vec2 hit;\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
    in_stage(
        "a place in the subgroup",
        "rgen",
        "uint f@() { return gl_SubgroupInvocationID + gl_SubgroupEqMask.x; }\n",
        f"{OUT}uint f@();\nvoid main() {{ data[0] = f@(); }}\n",
        extensions=("GL_EXT_ray_tracing", "GL_KHR_shader_subgroup_ballot"),
    ),
    in_stage(
        "how far a ray goes",
        "rint",
        "float f@() { return gl_RayTmaxEXT; }\n",
        "float f@();\nvoid main() { reportIntersectionEXT(f@(), 0u); }\n",
        extensions=("GL_EXT_ray_tracing",),
    ),
)
