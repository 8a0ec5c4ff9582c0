"""A program with every feature of GLSL and HLSL that separate compilation could break."""

from __future__ import annotations

from tests.spirv.language.feature import COUNT, GROUP, Feature
from tests.spirv.language.hlsl import HLSL
from tests.spirv.language.state import STATE
from tests.spirv.language.values import VALUES

FEATURES = (*VALUES, *STATE, *HLSL)

_GLSL_MAIN = """\
#version 460
#define VEC3 vec3
layout(local_size_x = {group}) in;
layout(set = 0, binding = 0) readonly buffer Input {{ float inputs[]; }};
layout(set = 0, binding = 2) writeonly buffer Results {{ float results[]; }};
{declarations}
void main() {{
  uint id = gl_GlobalInvocationID.x; float x = inputs[id]; float r;
{body}}}
"""
_HLSL_MAIN = """\
#define VEC3 float3
[[vk::binding(0, 0)]] StructuredBuffer<float> inputs;
[[vk::binding(2, 0)]] RWStructuredBuffer<float> results;
{declarations}
[numthreads({group}, 1, 1)] void main(uint3 thread : SV_DispatchThreadID) {{
  uint id = thread.x; float x = inputs[id]; float r;
{body}}}
"""


def usable_from(language: str) -> tuple[Feature, ...]:
    """Return the features that a caller in a language can use, in the order of their results."""
    return tuple(feature for feature in FEATURES if language in feature.callers)


def main(language: str) -> str:
    """Return a compute shader that uses all features; result `k` of invocation `id` is `results[k * COUNT + id]`."""
    features = usable_from(language)
    declarations = "\n".join(feature.declare for feature in features)
    body = "".join(f"  {{ {f.code} }} results[{k * COUNT}u + id] = r;\n" for k, f in enumerate(features))
    template = _GLSL_MAIN if language == "glsl" else _HLSL_MAIN
    return template.format(group=GROUP, declarations=declarations, body=body)
