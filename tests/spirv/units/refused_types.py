"""Types of one name that are not the same in both units, or cannot be passed."""

from __future__ import annotations

from tests.spirv.units.case import CompileRefused, refused

_AT_1 = "layout(set = 0, binding = 1)"
_AB = "struct S { float a; float b; };\n"
_REFERENCE = "layout(buffer_reference, std430) buffer R { uint x; };\n"
_MATRIX = "coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>"

TYPES: tuple[CompileRefused, ...] = (
    CompileRefused(
        name="a cooperative matrix that is passed to another unit",
        extensions=(
            "GL_KHR_cooperative_matrix",
            "GL_KHR_memory_scope_semantics",
            "GL_EXT_shader_explicit_arithmetic_types",
        ),
        library=f"#pragma use_vulkan_memory_model\n{_MATRIX} f({_MATRIX} a) {{ return a + a; }}\n",
        shader="layout(local_size_x = 32) in;\nlayout(set = 0, binding = 0) buffer B { float16_t x[]; };\n"
        f"{_MATRIX} f({_MATRIX} a);\nvoid main() {{ {_MATRIX} a; coopMatLoad(a, x, 0, 16, 0); a = f(a); "
        "coopMatStore(a, x, 0, 16, 0); }\n",
        words=("cooperative matrices cannot be passed", "lib.glsl", "main.comp"),
    ),
    *(
        refused(
            f"members of one name that are not the same, in {what}",
            f"{declared}uint f() {{ return uint({read}); }}\n",
            declared.replace("float a; float b;", "float b; float a;")
            + f"uint f();\nvoid main() {{ data[0] = f({given}); }}",
            "is not the same member of",
            *words,
            "lib.glsl",
            "main.comp",
            declare="",
        )
        for what, declared, read, given, words in (
            (
                "a block",
                f"{_AT_1} uniform P {{ float a; float b; }} p;\n",
                "p.a",
                ") + uint(p.a",
                ("set = 0, binding = 1",),
            ),
            (
                *("a block in an array", f"{_AT_1} uniform P {{ float a; float b; }} p[2];\n", "p[1].a"),
                *(") + uint(p[0].a", ("set = 0, binding = 1",)),
            ),
            (
                *("a struct in a buffer", f"{_AB}{_AT_1} buffer P {{ S s[]; }} p;\n", "p.s[0].a"),
                *(") + uint(p.s[0].a", ("set = 0, binding = 1",)),
            ),
            (
                *("push constants", "layout(push_constant) uniform P { float a; float b; } p;\n", "p.a"),
                *(") + uint(p.a", ("push_constant",)),
            ),
            ("a shared variable", f"{_AB}shared S s;\n", "s.a", ") + uint(s.a", ("of s",)),
            ("a global", f"{_AB}S s;\n", "s.a", ") + uint(s.a", ("of s",)),
        )
    ),
    *(
        refused(
            f"members of one name that are not the same, in {what}",
            f"struct S {{ float a; float b; }};\n{definition}\n",
            f"struct S {{ float b; float a; }};\n{declaration};\nvoid main() {{ data[0] = {call}; }}",
            *("is not the same member", "lib.glsl", "main.comp"),
            declare="",
        )
        for what, definition, declaration, call in (
            ("a parameter", "uint f(S s) { return uint(s.a); }", "uint f(S)", "f(S(1.0, 2.0))"),
            (
                "an array",
                "uint f(S s[2]) { return uint(s[1].a); }",
                "uint f(S[2])",
                "f(S[2](S(1.0, 2.0), S(1.0, 2.0)))",
            ),
            ("a result", "S f() { return S(1.0, 2.0); }", "S f()", "uint(f().a)"),
        )
    ),
    refused(
        "buffer references of two alignments",
        f"#extension GL_EXT_buffer_reference : require\n{_REFERENCE}uint f(R r) {{ return r.x; }}\n",
        "layout(push_constant) uniform P { R r; } p;\nvoid main() { data[0] = f(p.r) + p.r.x; }",
        *("buffer_reference R", "alignments", "lib.glsl", "main.comp"),
        declare="#extension GL_EXT_buffer_reference : require\n"
        f"{_REFERENCE.replace('std430', 'std430, buffer_reference_align = 4')}uint f(R);",
    ),
)
