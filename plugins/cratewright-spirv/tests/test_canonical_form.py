"""The canonical form of units: harmless edits keep it, and a result reused by it equals a new compilation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import CanonicalForm, CompiledUnit, Options, UnitStencil
from cratewright_spirv.compile.canonical_form import canonical_unit, compile_with_form
from cratewright_spirv.compile.positions import AS_WRITTEN, with_ordinals, with_positions
from cratewright_spirv.compilers.glslang import Glslang
from cratewright_spirv.spirv_tools.tools import find_tools

pytestmark = pytest.mark.usefixtures("glslang_prefix")

HEADER = """\
#ifndef HEADER
#define HEADER
#define TWICE(x) ((x) + (x))
float far(float x);
float near(float x) { return TWICE(far(x)); }
#endif
"""
GLSL = """\
#include "h.h"
#define SCALE 3.0
float first(float x) { return near(x) * SCALE; }
#ifdef FANCY
float fancy(float x) { return x; }
#endif
float second(float x) { int old = int(x); return first(x) + float(old); }
"""
ENTRY = """\
#version 460
#define SIZE 64
layout(local_size_x = SIZE) in;
layout(set = 0, binding = 0) buffer B { float b[]; };
#define C_64 0u
#define PASTED(a, b) a ## b
#if defined(BIG) || SIZE > 64
shared float tile[256];
#else
shared float tile[64];
#endif
void main() {
    tile[gl_LocalInvocationIndex] = b[gl_GlobalInvocationID.x + PASTED(C_, 64)];
    barrier();
    b[gl_GlobalInvocationID.x] = tile[63 - gl_LocalInvocationIndex];
}
"""
HLSL = """\
#include "h.h"
#ifdef __HLSL_VERSION
RWStructuredBuffer<float> data;
#endif
float scaled(float x) { return near(x) * 2.0; }
[numthreads(64, 1, 1)]
void main(uint3 id : SV_DispatchThreadID) { data[id.x] = scaled(data[id.x]); }
"""
ASSEMBLY = """\
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpName %one "a ; b"
OpDecorate %one LinkageAttributes "one(" Export
%float = OpTypeFloat 32
%type = OpTypeFunction %float
%value = OpConstant %float 1
%one = OpFunction %float None %type
%label = OpLabel
OpReturnValue %value
OpFunctionEnd
"""
SOURCES = {"lib/u.glsl": GLSL, "u.comp": ENTRY, "u.comp.hlsl": HLSL, "u.spvasm": ASSEMBLY}


@pytest.fixture(scope="module")
def glslang() -> Glslang:
    return Glslang()


def stencil(path: str, text: str, **options: object) -> UnitStencil:
    given = {"debuginfo": "none", "defines": (), "dump_source": "", "entry_point": "", "include_dirs": ("inc",)}
    given |= options
    return UnitStencil(
        backend="spirv",
        fingerprint="",
        target=str(given.pop("target", "vulkan1.2")),
        path=path,
        source=text.encode(),
        options=Options(tuple(sorted(given.items()))),  # type: ignore[arg-type]
    )


class Case:
    """Compiles versions of a source and its header."""

    def __init__(self, root: Path, glslang: Glslang) -> None:
        self.root, self.glslang = root, glslang
        self.texts: dict[int, dict[str, bytes]] = {}

    def build(
        self, path: str, text: str, header: str = HEADER, **options: object
    ) -> tuple[CanonicalForm, CompiledUnit]:
        (self.root / "inc").mkdir(parents=True, exist_ok=True)
        (self.root / "inc" / "h.h").write_text(header)
        given = stencil(path, text, **options)
        form = canonical_unit(given, str(self.root))
        assert form is not None
        result = compile_with_form(given, str(self.root), lambda: self.glslang, lambda: find_tools(None))
        assert result.form == form
        result = replace(result, form=None)
        assert not any(module.attribute(AS_WRITTEN) for module in result.modules)
        # Columns are computed from the texts that were compiled.
        self.texts[id(result)] = {path: text.encode(), "inc/h.h": header.encode()}
        return form, result

    def reused(self, before: tuple[CanonicalForm, CompiledUnit], after: tuple[CanonicalForm, CompiledUnit]) -> bool:
        """Return whether the keys are equal; if so, the old result must become the new one, byte for byte."""
        if before[0].key != after[0].key:
            return False
        bare = with_ordinals(before[1], before[0].parameters, self.texts[id(before[1])].__getitem__)
        assert bare is not None
        given = replace(
            with_positions(bare, after[0].parameters, self.texts[id(after[1])].__getitem__), observed=after[0].observed
        )
        assert given == after[1]
        return True


@pytest.fixture
def case(tmp_path: Path, glslang: Glslang) -> Case:
    return Case(tmp_path, glslang)


def edited(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


# Path, changes of the source, changes of the header, options.
HARMLESS = {
    "a comment": ("lib/u.glsl", [("float first", "/* why */ float first")], [], {}),
    "a comment line": ("u.comp", [("void main", "// how\n\nvoid main")], [], {}),
    "a long comment": ("u.comp.hlsl", [("float scaled", "/* a\n b\n #if c */\nfloat scaled")], [], {}),
    "white space": ("lib/u.glsl", [("near(x) * SCALE;", "near ( x )*SCALE ;")], [], {}),
    "white space in assembly": ("u.spvasm", [("OpTypeFloat 32", "  OpTypeFloat\t32   ; wide")], [], {}),
    "a comment in assembly": ("u.spvasm", [("%float = ", "; types\n\n%float = ")], [], {}),
    "line endings": ("u.comp", [("#version 460\n", "#version 460\r\n")], [], {}),
    "moved down": ("lib/u.glsl", [("float second", "\n\n\n\nfloat second")], [], {}),
    "moved down in a header": ("lib/u.glsl", [], [("float far", "\n\n// far\nfloat far")], {}),
    "moved down in HLSL": ("u.comp.hlsl", [("float scaled", "\n\n\nfloat scaled")], [], {}),
    "an unused macro": ("lib/u.glsl", [("#define SCALE", "#define NOBODY 7\n#define SCALE")], [], {}),
    "an unused macro with parameters": (
        "lib/u.glsl",
        [("#define SCALE", "#define F(a, b) a ## b\n#define SCALE")],
        [],
        {},
    ),
    "an unused macro of macros": ("u.comp.hlsl", [("float scaled", "#define A B\n#define B 1\nfloat scaled")], [], {}),
    "an unused macro of a header": ("lib/u.glsl", [], [("float far", "#define NOBODY 7\nfloat far")], {}),
    "an unused define": ("lib/u.glsl", [], [], {"defines": (("NOBODY", "7"),)}),
    "a dropped branch": ("lib/u.glsl", [("return x; }\n#endif", "return 2.0 * x; }\n#endif")], [], {}),
    "a new dropped branch": ("u.comp", [("void main", "#if 0\nfloat f(\n#endif\nvoid main")], [], {}),
    "another dropped branch": ("u.comp", [("tile[256]", "tile[512]")], [], {}),
    "an equivalent condition": ("u.comp", [("defined(BIG) || SIZE > 64", "SIZE != 64 && !defined BIG")], [], {}),
    "a repeated include": ("lib/u.glsl", [('#include "h.h"\n', '#include "h.h"\n#include "h.h"\n')], [], {}),
    "a comment after code, with lines": ("lib/u.glsl", [("SCALE; }", "SCALE; } // x")], [], {"debuginfo": "line"}),
    "an unused macro, with lines": ("u.comp", [("#define SIZE 64\n", "#define SIZE 64\n")], [], {"debuginfo": "line"}),
}
SIGNIFICANT = {
    "code": ("lib/u.glsl", [("first(x) +", "first(x) -")], [], {}),
    "a constant": ("u.comp", [("63 -", "62 -")], [], {}),
    "a signature": ("lib/u.glsl", [("float first(float x)", "float first(const float x)")], [], {}),
    "a name": ("lib/u.glsl", [("float second", "float third")], [], {}),
    "a used macro": ("lib/u.glsl", [("SCALE 3.0", "SCALE 4.0")], [], {}),
    "a used macro of a header": ("u.comp.hlsl", [], [("(x) + (x)", "(x) - (x)")], {}),
    "a used define": ("lib/u.glsl", [("#define SCALE 3.0\n", "")], [], {"defines": (("SCALE", "4.0"),)}),
    "a branch taken": ("lib/u.glsl", [], [], {"defines": (("FANCY", None),)}),
    "a macro named by pasting": ("u.comp", [("#define C_64 0u", "#define C_64 1u")], [], {}),
    "another branch": ("u.comp", [("SIZE 64", "SIZE 65")], [], {}),
    "a doubled operator": ("u.comp", [("63 - gl_Local", "63 - -gl_Local")], [], {}),
    "a function moved out of a header": (
        "lib/u.glsl",
        [("#define SCALE", "float near(float x) { return TWICE(far(x)); }\n#define SCALE")],
        [("float near(float x) { return TWICE(far(x)); }\n", "")],
        {},
    ),
    "the target": ("u.comp", [], [], {"target": "vulkan1.3"}),
    "debug information": ("u.comp", [], [], {"debuginfo": "line"}),
    "the entry point's name": ("u.comp", [], [], {"entry_point": "other"}),
    "assembly": ("u.spvasm", [("OpConstant %float 1", "OpConstant %float 2")], [], {}),
    "a string in assembly": ("u.spvasm", [('"a ; b"', '"a ;  b"')], [], {}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_edit_reuses_the_result(name: str, case: Case) -> None:
    path, changes, inside, options = HARMLESS[name]
    level = {key: value for key, value in options.items() if key == "debuginfo"}
    before = case.build(path, SOURCES[path], **level)
    after = case.build(path, edited(SOURCES[path], *changes), edited(HEADER, *inside), **options)
    assert case.reused(before, after)


@pytest.mark.parametrize("name", SIGNIFICANT)
def test_significant_edit_recompiles(name: str, case: Case) -> None:
    path, changes, inside, options = SIGNIFICANT[name]
    before = case.build(path, SOURCES[path])
    after = case.build(path, edited(SOURCES[path], *changes), edited(HEADER, *inside), **options)
    assert not case.reused(before, after)


def test_checkouts_have_the_same_form(tmp_path: Path, glslang: Glslang) -> None:
    forms = [Case(tmp_path / name, glslang).build("lib/u.glsl", GLSL) for name in ("one", "two")]
    assert forms[0] == forms[1]


def test_moved_function_recompiles_with_line_information(case: Case) -> None:
    before = case.build("lib/u.glsl", GLSL, debuginfo="line")
    moved = edited(GLSL, ("float second", "\nfloat second"))
    assert not case.reused(before, case.build("lib/u.glsl", moved, debuginfo="line"))


def test_symbol_positions_follow_the_new_source(case: Case) -> None:
    before = case.build("lib/u.glsl", GLSL)
    after = case.build("lib/u.glsl", "\n\n" + GLSL, edited(HEADER, ("float far", "\nfloat far")))
    assert case.reused(before, after)
    (module,) = after[1].modules
    assert {(symbol.name, symbol.file, symbol.line) for symbol in (*module.exports, *module.imports)} == {
        ("first(f1;", "lib/u.glsl", 5),
        ("second(f1;", "lib/u.glsl", 9),
        ("far(f1;", "inc/h.h", 5),
    }


def test_warning_lines_follow_the_new_source(case: Case) -> None:
    text = edited(ENTRY, ("void main", "#extension GL_NO_such : enable\nvoid main"))
    before, after = case.build("u.comp", text), case.build("u.comp", edited(text, ("#extension", "\n\n#extension")))
    assert before[1].diagnostics and before[1].diagnostics != after[1].diagnostics
    assert case.reused(before, after)


def test_warning_columns_follow_the_new_source(case: Case) -> None:
    warned = "#extension GL_NO_such : enable"
    text = edited(ENTRY, ("void main", f"{warned}\nvoid main"))
    before = case.build("u.comp", text)
    for moved in (f"  {warned}", f"/* here */   {warned} // so", f"\n/* it\nends */\n {warned}"):
        after = case.build("u.comp", edited(text, (warned, moved)))
        assert all(item.column for item in (*before[1].diagnostics, *after[1].diagnostics))
        assert case.reused(before, after)
    # If the text is missing, only the column is lost.
    bare = with_ordinals(before[1], before[0].parameters, case.texts[id(before[1])].__getitem__)
    assert bare is not None
    assert [item.column for item in with_positions(bare, before[0].parameters, lambda file: b"").diagnostics] == [0]


@pytest.mark.parametrize(
    "text",
    [
        "float f() { return float(__LINE__); }\n",
        "#define HERE __LINE__\nfloat f() { return float(HERE); }\n",
        "#line 7\nfloat f() { return 1.0; }\n",
        "float f() { return 1.0 \\\n + 2.0; }\n",
        "// a comment that goes on \\\nfloat f() { return 1.0; }\n",
        "float f() { return 1.0; } /* in */ int x; /*\n*/ #define X\n",
        "#define A /* one\n */ 2\nfloat f() { return float(A); }\n",
        "#if 1\nfloat f() { return 1.0; }\n",
        '#ifdef GL_EXT_nothing\n#include "none.h"\n#endif\nfloat f() { return 1.0; }\n',
        "#version 310 es\nfloat f() { return 1.0; }\n",
    ],
)
def test_ambiguous_sources_have_no_form(text: str, tmp_path: Path) -> None:
    assert canonical_unit(stencil("u.glsl", text), str(tmp_path)) is None


def test_no_form_with_full_debug_information_or_binaries(tmp_path: Path) -> None:
    assert canonical_unit(stencil("u.comp", ENTRY, debuginfo="full"), str(tmp_path)) is None
    assert canonical_unit(stencil("u.spv", "x"), str(tmp_path)) is None


def test_branches_on_compiler_macros_are_kept(case: Case) -> None:
    text = edited(ENTRY, ("void main", "#ifdef GL_EXT_ray_query\nfloat q;\n#else\nfloat r;\n#endif\nvoid main"))
    before = case.build("u.comp", text)
    assert not case.reused(before, case.build("u.comp", edited(text, ("float r", "float s"))))


def test_result_compiled_as_written_is_not_reused(case: Case) -> None:
    form, result = case.build("u.comp", ENTRY)
    (module,) = result.modules
    written = replace(result, modules=(replace(module, attributes=((AS_WRITTEN, "1"),)),))
    assert with_ordinals(written, form.parameters, lambda file: b"") is None
