"""Shared variables of several units."""

from __future__ import annotations

from tests.spirv.units.case import AT, INDEX, OUT, compute

_SUM = "uint f@() { uint s = 0u; for (uint k = 0u; k < 64u; ++k) s = s * 3u + tile[k]; return s; }\n"
_FILL = f"tile[{INDEX}] = {INDEX} * 7u + 1u; barrier(); {AT}f@() + {INDEX};"

SHARED = (
    compute("a shared array", f"INCLUDE\n{_SUM}", header="shared uint tile[64];\n", before="INCLUDE\n", call=_FILL),
    compute(
        "a shared array, each unit's own declaration",
        f"shared uint tile[64];\n{_SUM}",
        before="INCLUDE\n",
        header="shared uint tile[64];\n",
        one=f"layout(local_size_x = 64) in;\nshared uint tile[64];\n{_SUM}{OUT}void main() {{ {_FILL} }}\n",
        call=_FILL,
    ),
    compute(
        "a shared struct and a shared matrix",
        "INCLUDE\nuint f@() { return s.a + uint(s.b.y) + uint(m[1][0]); }\n",
        header="struct S { uint a; vec2 b; };\nshared S s;\nshared mat2 m;\n",
        before="INCLUDE\n",
        call=f"if ({INDEX} == 0u) {{ s.a = 5u; s.b = vec2(1, 8); m = mat2(1, 2, 3, 4); }} barrier(); {AT}f@();",
    ),
    compute(
        "a shared array of two libraries, which the shader does not know",
        f"INCLUDE\nvoid g@() {{ tile[{INDEX}] = {INDEX} * 3u; barrier(); }}\n",
        f"INCLUDE\nuint f@() {{ return tile[63u - {INDEX}]; }}\n",
        header="shared uint tile[64];\n",
        declare="uint f@(); void g@();",
        call=f"g@(); {AT}f@();",
    ),
    compute(
        "atomics on a shared variable",
        "INCLUDE\nvoid f@(uint by) { atomicAdd(total, by); }\n",
        header="shared uint total;\n",
        before="INCLUDE\n",
        declare="void f@(uint);",
        call=f"if ({INDEX} == 0u) total = 0u; barrier(); f@({INDEX}); barrier(); {AT}total;",
    ),
    compute(
        "a shared array of a specialised length",
        f"INCLUDE\nuint f@() {{ return tile[({INDEX} + N) % 64u]; }}\n",
        header="layout(constant_id = 2) const uint N = 64u;\nshared uint tile[N];\n",
        before="INCLUDE\n",
        call=f"tile[{INDEX}] = {INDEX} * 5u; barrier(); {AT}f@();",
        constants=({}, {2: 80}),
    ),
    compute(
        "a shared array of two entry points, of one length each",
        f"INCLUDE\nvoid f@() {{ tile[{INDEX}] = {INDEX}; barrier(); }}\n",
        header="shared uint tile[gl_WorkGroupSize.x];\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"f@(); {AT}tile[gl_WorkGroupSize.x - 1u - {INDEX}];",
        others=(
            (
                "layout(local_size_x = 16) in;\n",
                f"{OUT}INCLUDE\nvoid f@();\nvoid main() {{ f@(); {AT}tile[15u - {INDEX}]; }}\n",
            ),
        ),
    ),
    compute(
        "a shared block",
        "INCLUDE\nvoid f@() { a.x[1] = 3u; }\n",
        extensions=("GL_EXT_shared_memory_block",),
        header="shared A { uint x[4]; } a;\nshared B { uint y[4]; };\n",
        before="INCLUDE\n",
        declare="void f@();",
        call=f"y[0] = 1u; f@(); {AT}a.x[1];",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
    ),
    compute(
        "a shared array that starts as zeros",
        "INCLUDE\nuint f@() { return tile[3]; }\n",
        extensions=("GL_EXT_null_initializer",),
        header="shared uint tile[64] = {};\n",
        before="INCLUDE\n",
        call="f@() + tile[1]",
        size=0,
        layout="layout(local_size_x = 64) in;\n",
    ),
)
