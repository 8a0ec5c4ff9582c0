"""The workgroup's size, in units that do not declare it."""

from __future__ import annotations

from tests.spirv.units.case import AT, INDEX, OUT, compute

SIZES = (
    compute("the workgroup's size", "uint f@() { return gl_WorkGroupSize.x * 1000u; }\n", call="f@()"),
    compute(
        "the workgroup's size, by a macro and in every dimension",
        "#define SIZE gl_WorkGroupSize\nuint f@() { return SIZE.x + SIZE.y * 100u + SIZE.z * 10000u; }\n",
        call="f@()",
        layout="layout(local_size_x = 8, local_size_y = 4, local_size_z = 2) in;\n",
    ),
    compute(
        "the workgroup's size, in a library of the stage",
        "#pragma shader_stage(compute)\nuint f@() { return gl_WorkGroupSize.x * 1000u; }\n",
        call="f@()",
    ),
    compute(
        "the workgroup's size, specialised",
        "uint f@() { return gl_WorkGroupSize.x * 1000u + gl_WorkGroupSize.y; }\n",
        call="f@()",
        layout="layout(local_size_x_id = 7, local_size_y = 2) in;\n",
        size=0,
    ),
    compute(
        "the workgroup's size, specialised and run",
        "uint f@() { return gl_WorkGroupSize.x * 1000u + gl_WorkGroupSize.y; }\n",
        call="f@()",
        layout="layout(local_size_x = 32, local_size_x_id = 7) in;\n",
        size=32,
        constants=({}, {7: 32}),
    ),
    compute(
        "a shared array of the workgroup's size",
        f"shared uint tile[gl_WorkGroupSize.x];\n"
        f"uint f@() {{ tile[{INDEX}] = {INDEX} * 5u; barrier(); return tile[63u - {INDEX}] + tile.length(); }}\n",
        call="f@()",
    ),
    compute(
        "a shared array of the workgroup's size, in two units",
        f"INCLUDE\nuint f@() {{ return tile[gl_WorkGroupSize.x - 1u - {INDEX}]; }}\n",
        header="shared uint tile[gl_WorkGroupSize.x];\n",
        before="INCLUDE\n",
        call=f"tile[{INDEX}] = {INDEX} * 5u; barrier(); {AT}f@();",
    ),
    compute(
        "a shared array of a specialised size, in two units",
        f"INCLUDE\nuint f@() {{ return tile[gl_WorkGroupSize.x - 1u - {INDEX}]; }}\n",
        header="shared uint tile[gl_WorkGroupSize.x * 2u];\n",
        before="INCLUDE\n",
        layout="layout(local_size_x = 32, local_size_x_id = 5) in;\n",
        size=32,
        call=f"tile[{INDEX}] = {INDEX} * 5u; barrier(); {AT}f@();",
    ),
    compute(
        "constants of the workgroup's size",
        "const uint AREA = gl_WorkGroupSize.x * gl_WorkGroupSize.y;\nconst uvec2 TWO = gl_WorkGroupSize.xy;\n"
        "const bool WIDE = gl_WorkGroupSize.x > 4u;\n"
        "uint f@() { uint a[AREA]; a[0] = 9u; return AREA * 10u + TWO.y + (WIDE ? 1000u : 0u) + a[0] + a.length(); }\n",
        call="f@()",
        layout="layout(local_size_x = 16, local_size_y = 4) in;\n",
    ),
    compute(
        "the workgroup's size, two libraries away",
        "uint g@();\nuint f@() { return g@() + 1u; }\n",
        "uint g@() { return gl_WorkGroupSize.x * 10u; }\n",
        call="f@()",
    ),
    compute(
        "the workgroup's size, of two entry points",
        "shared uint tile[gl_WorkGroupSize.x];\n"
        "uint f@() { tile[0] = 1u; return gl_WorkGroupSize.x + tile.length(); }\n",
        call="f@()",
        others=(
            ("layout(local_size_x = 16) in;\n", f"{OUT}uint f@();\nvoid main() {{ {AT}f@(); }}\n"),
            ("layout(local_size_x_id = 3) in;\n", f"{OUT}uint f@();\nvoid main() {{ {AT}f@(); }}\n"),
        ),
    ),
    compute(
        "a size that the library declares",
        "layout(local_size_x = 32) in;\nuint f@() { return gl_WorkGroupSize.x; }\n",
        call="f@() + gl_WorkGroupSize.x",
        layout=" ",
        size=32,
        one=f"layout(local_size_x = 32) in;\n{OUT}uint f@() {{ return gl_WorkGroupSize.x; }}\n"
        f"void main() {{ {AT}f@() + gl_WorkGroupSize.x; }}\n",
    ),
    compute(
        "a specialised size that the library declares",
        "layout(local_size_x = 32, local_size_x_id = 11) in;\nuint f@() { return 5u; }\n",
        call="f@()",
        layout=" ",
        size=32,
    ),
    compute(
        "a size that both declare",
        "layout(local_size_x = 32) in;\nuint f@() { return gl_WorkGroupSize.x; }\n",
        call="f@()",
        size=32,
    ),
)
