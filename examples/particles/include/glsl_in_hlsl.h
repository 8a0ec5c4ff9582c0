// What GLSL's types are called in HLSL; first in an HLSL source, so that both languages share the other headers.
#pragma once
#define ivec3 int3
#define uvec3 uint3
#define vec2 float2
#define vec3 float3
#define vec4 float4
#define mat3 float3x3
#define mat4 float4x4
