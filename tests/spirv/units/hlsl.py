"""The same features in HLSL."""

from __future__ import annotations

from tests.spirv.units.case import HLSL_OUT, hlsl_case

HLSL = (
    hlsl_case(
        "HLSL: groupshared",
        "INCLUDE\nuint f@(uint k) { return tile[63 - k]; }\n",
        header="groupshared uint tile[64];\n",
        before="INCLUDE\n",
        declare="uint f@(uint);",
        call="tile[index] = index * 3; GroupMemoryBarrierWithGroupSync(); data[id.x] = f@(index);",
    ),
    hlsl_case(
        "HLSL: static variables are each unit's own",
        "static uint g = 3;\nuint f@() { g += 1; return g; }\n",
        before="static uint g = 40;\n",
        call="data[id.x] = f@() + f@() * 10 + g * 100;",
        one="static uint g2 = 3;\nuint f@() { g2 += 1; return g2; }\nstatic uint g = 40;\n"
        f"{HLSL_OUT}[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex) { uint a = f@(); "
        "uint b = f@(); data[id.x] = a + b * 10 + g * 100; }\n",
    ),
    hlsl_case(
        "HLSL: a constant buffer",
        "INCLUDE\nuint f@() { return (uint)k[1].x; }\n",
        header="[[vk::binding(1, 0)]] cbuffer P { float4 k[4]; };\n",
        before="INCLUDE\n",
        call="data[id.x] = f@() + (uint)k[0].y;",
    ),
    hlsl_case(
        "HLSL: a specialisation constant",
        "INCLUDE\nuint f@() { return N * 10; }\n",
        header="[[vk::constant_id(4)]] const uint N = 3;\n",
        before="INCLUDE\n",
        call="data[id.x] = f@() + N;",
        constants=({}, {4: 9}),
    ),
    hlsl_case(
        "HLSL: the size of its workgroups in a library of GLSL",
        "uint f@() { return gl_WorkGroupSize.x * 10u; }\n",
        hlsl_libraries=False,
        call="data[id.x] = f@() + 1;",
        one=f"{HLSL_OUT}[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex) { data[id.x] = 641; }\n",
    ),
    hlsl_case(
        "HLSL: groupshared that a library of GLSL shares",
        "shared uint tile[64];\nuint f@(uint k) { return tile[63u - k]; }\n",
        hlsl_libraries=False,
        before="groupshared uint tile[64];\n",
        declare="uint f@(uint);",
        call="tile[index] = index * 3; GroupMemoryBarrierWithGroupSync(); data[id.x] = f@(index);",
        one=f"groupshared uint tile[64];\n{HLSL_OUT}uint f(uint k) {{ return tile[63 - k]; }}\n"
        "[numthreads(64, 1, 1)]\n"
        "void main(uint3 id : SV_DispatchThreadID, uint index : SV_GroupIndex) {\n"
        "tile[index] = index * 3; GroupMemoryBarrierWithGroupSync(); data[id.x] = f(index); }\n",
    ),
)
