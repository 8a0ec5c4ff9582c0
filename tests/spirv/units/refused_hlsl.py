"""Contradictions in HLSL."""

from __future__ import annotations

from tests.spirv.units.case import HLSL_OUT, CompileRefused

HLSL: tuple[CompileRefused, ...] = (
    CompileRefused(
        name="HLSL: groupshared of two types",
        hlsl=True,
        library="groupshared float g[64];\nuint f() { return (uint)g[1]; }\n",
        shader=f"groupshared uint g[64];\n{HLSL_OUT}uint f();\n[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID) { g[id.x] = 1; data[id.x] = f(); }\n",
        words=("`g`", "lib.hlsl", "main.comp.hlsl"),
    ),
    CompileRefused(
        name="HLSL: buffers of two types, one of which shares its block",
        hlsl=True,
        library="RWStructuredBuffer<float> s : register(u2);\nuint f() { return (uint)s[1]; }\n",
        shader=f"{HLSL_OUT}RWStructuredBuffer<uint> s : register(u2);\nuint f();\n[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID) { data[id.x] = s[0] + f(); }\n",
        words=("set = 0, binding = 2", "lib.hlsl", "main.comp.hlsl"),
    ),
    CompileRefused(
        name="HLSL: globals that no block holds",
        hlsl=True,
        library="float4 loose;\nuint f() { return (uint)loose.x; }\n",
        shader=f"uint more;\n{HLSL_OUT}uint f();\n[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID) { data[id.x] = more + f(); }\n",
        words=("set = 0, binding = 0", "$Global", "lib.hlsl", "main.comp.hlsl"),
    ),
)
