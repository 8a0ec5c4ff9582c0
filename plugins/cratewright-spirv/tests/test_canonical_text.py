"""The canonical text of a unit preprocesses to the same tokens as the original."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cratewright_spirv.compilers.glslang import CompileRefused, Glslang, StageSource
from cratewright_spirv.text.canonical_text import Canonical, canonical_lines
from cratewright_spirv.text.conditions import Macros, condition
from cratewright_spirv.text.directives import Obscure, parse_file
from cratewright_spirv.text.includes import IncludeResolver

NAMES = ("A", "B", "C", "VULKAN", "GL_EXT_x")
TOKENS = re.compile(rb"[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|[(){}\[\],;.]|[^\w\s(){}\[\],;.]+")
LINE = re.compile(rb"^#line.*", re.M)


def form(text: str, language: str = "glsl", root: Path = Path("/none"), **fields: object) -> Canonical | None:
    given = {"defines": (), "positions": False, **fields}
    data = text.encode()
    return canonical_lines("u.x", data, language, includes=IncludeResolver(str(root), (), "u.x", data), **given)  # type: ignore[arg-type]


def preprocessed(text: bytes, language: str, defines: tuple[tuple[str, str | None], ...]) -> list[bytes] | None:
    """Return the tokens that glslang's preprocessor returns, or None if it refuses the text."""
    source = StageSource(
        path="u.x", text=text, language=language, stage="comp", entry_point="main", target="vulkan1.2",
        defines=defines, debuginfo="none",
    )  # fmt: skip
    try:
        given = Glslang().preprocess(source, IncludeResolver("/none", (), "u.x", text))
    except CompileRefused:
        return None
    return TOKENS.findall(LINE.sub(b"", given.rstrip(b"\0")))


numbers = st.sampled_from(["0", "1", "2", "7", "010", "0x2", "3u"])
names = st.sampled_from(NAMES)
primary = st.one_of(numbers, names, names.map("defined({})".format), names.map("defined {}".format))
expressions = st.recursive(
    primary,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["&&", "||", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "&", "|"]), inner
        ).map(" ".join),
        inner.map("!{}".format),
        inner.map("!({})".format),
        inner.map("({})".format),
        inner.map("( {} ) // why".format),
        st.tuples(inner, inner).map("{0[0]} /* {0[1]} */".format),
    ),
    max_leaves=6,
)
bodies = st.one_of(numbers, names, st.just(""), st.just("(1)"), st.just("A##B"), st.just("x \\\n y"))
plain = st.one_of(
    st.tuples(names, bodies).map("#undef {0[0]}\n#define {0[0]} {0[1]}\n".format),
    names.map("# undef {}\n".format),
    names.map("#define F_{0}(x) x {0}\n".format),
    names.map("float {0}; /* {0} */ {0}+-{0} . x - -1.e+5 F_{0} (2)\n".format),
    st.sampled_from(["", "// a\n", "/* a\n#if b\n*/\n", "#extension all : warn\n", "a//b\n", "'\n"]),
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    start = st.one_of(
        expressions.map("#if {}\n".format), names.map("#ifdef {}\n".format), names.map("  #  ifndef {}\n".format)
    )
    others = st.lists(st.tuples(expressions.map("#elif {}\n".format), inner).map("".join), max_size=2).map("".join)
    last = st.one_of(st.just(""), inner.map("#else\n{}".format))
    return st.tuples(start, inner, others, last, st.just("#endif\n")).map("".join)


texts = st.recursive(
    st.lists(plain, max_size=4).map("".join),
    lambda inner: st.lists(st.one_of(inner, nested(inner)), max_size=4).map("".join),
    max_leaves=8,
)
defines = st.lists(st.tuples(st.sampled_from(["A", "B"]), st.sampled_from([None, "1", "C"])), max_size=2).map(
    lambda pairs: tuple(sorted(dict(pairs).items()))
)


pytestmark = pytest.mark.usefixtures("glslang_prefix")


@settings(max_examples=200)
@given(text=texts, language=st.sampled_from(["glsl", "hlsl"]), macros=defines, positions=st.booleans())
def test_canonical_text_has_the_same_tokens(
    text: str, language: str, macros: tuple[tuple[str, str | None], ...], positions: bool
) -> None:
    found = form(text, language, defines=macros, positions=positions)
    written = preprocessed(text.encode(), language, macros)
    if found is None or written is None:
        return
    assert preprocessed(found.text, language, found.defines) == written


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("1", 1), ("0", 0), ("ONE", 1), ("defined(ONE)", 1), ("defined ONE && ONE == 1", 1), ("!defined(ONE) || 0", 0),
        ("CHAIN > 0", 1), ("NONE", 0), ("NONE == 0", 1), ("!NONE", 1), ("!!ONE", 1), ("(ONE)", 1), ("GL_EXT_x", None),
        ("GL_EXT_x && NONE", 0), ("ONE || GL_EXT_x", 1), ("GL_EXT_x || ONE", 1), ("defined(VULKAN)", None),
        ("DOUBT", None), ("defined(DOUBT)", None), ("ROUND", None),
        ("CALL", None), ("defined(CALL)", 1), ("CALL(1)", None), ("EMPTY", None),
        ("1 + 1", None), ("1 < 2 == 1", None), ("0x1", None), ("01", None), ("1u", None), ("", None), ("(1", None),
        ("defined(1)", None), ("defined", None), ("1 1", None),
    ],
)  # fmt: skip
def test_condition_is_evaluated_or_left_open(expression: str, answer: int | None) -> None:
    macros = Macros()
    for name, body in (("ONE", "1"), ("CHAIN", "ONE"), ("EMPTY", ""), ("ROUND", "ROUND")):
        macros.define(name.encode(), body.encode())
    macros.define(b"CALL", None)
    macros.doubt(b"DOUBT")
    assert condition(expression.encode())(macros) == answer


def test_unused_macros_and_branches_are_removed() -> None:
    text = """\
#version 460
#define USED 3
#define UNUSED 4
#define TWICE 1
#define TWICE 1
#if UNUSED == 4
float a = USED; // three
#elif GL_EXT_x
float b;
#else
float c;
#endif
"""
    found = form(text, defines=(("GIVEN", "1"), ("TWICE", None)))
    assert found is not None
    assert found.text.decode().splitlines() == [
        "#version 460", "#define USED 3", "#define TWICE 1", "#define TWICE 1", "float a = USED ;",
    ]  # fmt: skip
    assert found.defines == (("TWICE", None),)
    assert found.line_positions == (("u.x", 1), ("u.x", 2), ("u.x", 4), ("u.x", 5), ("u.x", 7))


def test_undecided_branches_are_kept() -> None:
    text = "#if 0\nx\n#elif GL_EXT_x\n#define D\ny\n#elif 1\nz\n#else\nw\n#endif\n#ifdef D\nv D\n#endif\n"
    found = form(text)
    assert found is not None
    assert found.text.decode().splitlines() == [
        "#if GL_EXT_x", "#define D", "y", "#else", "z", "#endif", "#if defined(D)", "v D", "#endif",
    ]  # fmt: skip


def test_includes_are_expanded_in_place(tmp_path: Path) -> None:
    (tmp_path / "once.h").write_text("#pragma once\nfloat once();\n")
    (tmp_path / "often.h").write_text('#include "once.h"\nfloat often();\n')
    found = form('#include "often.h"\n#include "often.h"\n#include "once.h"\nx\n', root=tmp_path)
    assert found is not None
    extension = "#extension GL_GOOGLE_include_directive : require"
    assert found.text.decode().splitlines() == [
        extension, "float once ( ) ;", "float often ( ) ;", "float often ( ) ;", "x",
    ]  # fmt: skip
    assert found.line_positions[1:] == (("once.h", 2), ("often.h", 2), ("often.h", 2), ("u.x", 4))
    assert found.prototypes and found.origins == "1 3 1"
    (tmp_path / "self.h").write_text('#include "self.h"\n')
    assert form('#include "self.h"\n', root=tmp_path) is None
    assert form('#include "none.h"\n', root=tmp_path) is None


def test_positions_keep_lines_columns_and_files(tmp_path: Path) -> None:
    (tmp_path / "h.h").write_text("// a header\n\n\tfloat  h ( ) ; /* b */ int i;\n")
    found = form('#version 460\n\n#include "h.h"\n' + "\n" * 20 + "x  x // y\n", root=tmp_path, positions=True)
    assert found is not None
    assert found.text.decode().splitlines() == [
        "#version 460", "#line 1", "#extension GL_GOOGLE_include_directive : require", '#line 2 "h.h"', "",
        "\tfloat  h ( ) ;         int i;", '#line 23 "u.x"', "", "x  x",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["1\n2", "1\r2", "1 \\", "/* a", "1 // b"])
def test_macro_with_line_breaks_or_comments_is_refused(value: str) -> None:
    assert form("x\n", defines=(("A", value),)) is None


def test_parsed_files_are_cached() -> None:
    first = parse_file("f", b"x\n")
    assert parse_file("f", b"x" + b"\n") is first
    assert parse_file("f", b"y\n") is not first
    for _ in range(2):
        with pytest.raises(Obscure):
            parse_file("f", b"#if 1\n")


def test_canonical_text_is_compiled(tmp_path: Path) -> None:
    # glslang refuses characters that are no tokens even in branches that are not taken.
    text = b"#version 460\nlayout(local_size_x = 1) in;\n#if 0\n'\n#endif\nvoid main() {}\n"
    found = form(text.decode())
    assert found is not None and b"'" not in found.text
    source = StageSource(
        path="u.x", text=found.text, language="glsl", stage="comp", entry_point="main", target="vulkan1.2",
        defines=(), debuginfo="none",
    )  # fmt: skip
    whole = Glslang().compile_whole(source)
    if whole is not None:
        two_passes = Glslang()
        given = two_passes.preprocess(replace(source, text=text), IncludeResolver(str(tmp_path), (), "u.x", text))
        assert whole[0] == two_passes.compile(source, given, keep_uncalled=False)[0]
