"""Inputs, outputs and modes of fragment shaders."""

from __future__ import annotations

from tests.spirv.units.case import COLOUR, DECLARE_F, OUT, in_stage

FRAGMENT = (
    in_stage(
        "two colours that are blended, and a block",
        "frag",
        "layout(location = 0, index = 1) out vec4 second;\nlayout(location = 2) in Surface { vec3 n; } at;\n"
        "void f@() { second = at.n.xyzz; }\n",
        "layout(location = 0, index = 0) out vec4 first;\nvoid f@();\nvoid main() { first = vec4(1); f@(); }\n",
    ),
    in_stage(
        "early fragment tests",
        "frag",
        "layout(early_fragment_tests) in;\nfloat f@(float x) { return x * 2.0; }\n",
        f"{COLOUR}{DECLARE_F}void main() {{ colour = vec4(f@(gl_FragCoord.x)); }}\n",
    ),
    in_stage(
        "depth that a library writes",
        "frag",
        "void f@(float x) { gl_FragDepth = x * 0.5; }\n",
        f"{COLOUR}void f@(float x);\nvoid main() {{ colour = vec4(1); f@(gl_FragCoord.z); }}\n",
    ),
    in_stage(
        "depth that both write",
        "frag",
        "INCLUDE\nvoid f@(float x) { gl_FragDepth = x * 0.5; }\n",
        f"INCLUDE\n{COLOUR}void f@(float x);\n"
        "void main() { colour = vec4(1); gl_FragDepth = 0.0; if (gl_FragCoord.x > 5.0) f@(gl_FragCoord.z); }\n",
        header="layout(depth_less) out float gl_FragDepth;\n",
    ),
    in_stage(
        "less depth, in a library",
        "frag",
        "layout(depth_less) out float gl_FragDepth;\nvoid f@(float x) { gl_FragDepth = x * 0.5; }\n",
        f"{COLOUR}void f@(float x);\nvoid main() {{ colour = vec4(1); f@(gl_FragCoord.z); }}\n",
    ),
    in_stage(
        "depth in a function that is not called",
        "frag",
        "layout(depth_less) out float gl_FragDepth;\nvoid g@(float x) { gl_FragDepth = x * 0.5; }\n"
        "float f@(float x) { return x; }\n",
        f"{COLOUR}{DECLARE_F}void main() {{ colour = vec4(f@(gl_FragCoord.z)); }}\n",
        one=f"{COLOUR}float f@(float x) {{ return x; }}\nvoid main() {{ colour = vec4(f@(gl_FragCoord.z)); }}\n",
    ),
    in_stage(
        "a stencil reference",
        "frag",
        "void f@(int x) { gl_FragStencilRefARB = x; }\n",
        f"{COLOUR}void f@(int x);\nvoid main() {{ colour = vec4(1); f@(3); }}\n",
        extensions=("GL_ARB_shader_stencil_export",),
    ),
    in_stage(
        "coverage after depth",
        "frag",
        "layout(post_depth_coverage) in;\nint f@() { return gl_SampleMaskIn[0]; }\n",
        f"{COLOUR}int f@();\nvoid main() {{ colour = vec4(f@()); }}\n",
        extensions=("GL_ARB_post_depth_coverage",),
    ),
    in_stage(
        "an interlock",
        "frag",
        "layout(pixel_interlock_ordered) in;\nINCLUDE\nvoid f@() { data[0] += 1u; }\n",
        "INCLUDE\nvoid f@();\nvoid main() { beginInvocationInterlockARB(); f@(); endInvocationInterlockARB(); }\n",
        header=OUT,
        extensions=("GL_ARB_fragment_shader_interlock",),
    ),
    in_stage(
        "a sample mask",
        "frag",
        "void f@() { gl_SampleMask[0] = 3; }\n",
        f"{COLOUR}void f@();\nvoid main() {{ colour = vec4(gl_SampleID); f@(); }}\n",
    ),
    in_stage(
        "inputs",
        "frag",
        "INCLUDE\nfloat f@(float x) { return x * uv.x + float(id); }\n",
        f"INCLUDE\n{COLOUR}{DECLARE_F}void main() {{ colour = vec4(f@(uv.y), id, 0, 1); }}\n",
        header="layout(location = 0) in vec2 uv;\nlayout(location = 1) flat in int id;\n"
        "layout(location = 2) in V { vec3 n; float w; } v;\n",
    ),
    in_stage(
        "inputs of a library",
        "frag",
        "layout(location = 0) in vec2 uv;\nlayout(location = 1) flat in int id;\n"
        "float f@(float x) { return x * uv.x + float(id); }\n",
        f"{COLOUR}{DECLARE_F}void main() {{ colour = vec4(f@(1.0)); }}\n",
    ),
    in_stage(
        "outputs",
        "frag",
        "INCLUDE\nvoid f@(float x) { colour.y = x; second = vec2(x); }\n",
        "INCLUDE\nvoid f@(float x);\nvoid main() { colour = vec4(1); f@(gl_FragCoord.x); }\n",
        header=f"{COLOUR}layout(location = 1) out vec2 second;\n",
    ),
    in_stage(
        "an attachment",
        "frag",
        "INCLUDE\nfloat f@(float x) { return x * subpassLoad(before).x; }\n",
        f"INCLUDE\n{COLOUR}{DECLARE_F}void main() {{ colour = subpassLoad(before) * f@(2.0); }}\n",
        header="layout(input_attachment_index = 1, set = 0, binding = 4) uniform subpassInput before;\n",
    ),
    in_stage(
        "discard",
        "frag",
        "void f@(float x) { if (x > 3.0) discard; }\n",
        f"{COLOUR}void f@(float x);\nvoid main() {{ colour = vec4(1); f@(gl_FragCoord.x); }}\n",
    ),
    in_stage(
        "a texture's level, implied",
        "frag",
        "INCLUDE\nvec4 f@(vec2 at) { return texture(image, at); }\n",
        f"INCLUDE\n{COLOUR}vec4 f@(vec2 at);\n"
        f"void main() {{ colour = f@(gl_FragCoord.xy) + texture(image, vec2(1)); }}\n",
        header="layout(set = 0, binding = 5) uniform sampler2D image;\n",
    ),
)
