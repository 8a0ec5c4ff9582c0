"""Columns of errors and warnings, which glslang does not report."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import SourceError
from cratewright_spirv.compile.request import UnitRequest
from cratewright_spirv.compile.unit import compile_unit
from cratewright_spirv.compilers.glslang import Glslang

HEAD = "#version 460\nlayout(local_size_x = 1) in;\n"


@pytest.fixture(scope="module")
def compiler() -> Glslang:
    return Glslang()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("void main() { float x = y; }", "u:3:25"),  # quoted, and unique in the line
        ("void main() { float y2 =\ty; }", "u:3:26"),
        ("void main() {\n  float x =  1.0 +   yy;   float z = yy;\n}", "u:4:22"),  # twice in the line
        ("void main() { /* zz */ float x = zz; }", "u:3:34"),  # not in a comment
        ("/* a\n b */ void main() { zz = zz; }", "u:4:21"),
        ("/* grün */ void main() { float x = y; }", "u:3:36"),
        ("void main() {\n  float w = 3.0\n}", "u:5:1"),  # nothing quoted
        ("void main() { int a = 1; int b = a 2; }", "u:3:36"),
        ("#define Q(x) (x + zork)\nvoid main() {\n  float x = 1.0; float t = Q(x);\n}", "u:5:31"),  # from a macro
        ("float g(vec2 v) { return v.x; }\nvoid main() { float x = g(1.0); }", "u:4:25"),
        ("  #error nope\nvoid main() {}", "u:3:4"),
        ("#extension GL_NOT_THERE : require\nvoid main() {}", "u:3:2"),
        ("#define N \\\n  yy + yy\nvoid main() { float x = N; }", "u:5:25"),
        ("void main() { float x = \\\n yy + yy; }", "u:4"),  # two lines joined
        ("#line 40\nvoid main() { float x = y; }", "u:40"),  # the line in the file is unknown
        ('#include  "b.h"\nvoid main() {}', "b.h:2:12"),
        ('#include  "none.h"\nvoid main() {}', "u:3:11"),
        ("void main() { float x = 1.0;", "u:4"),  # the end of the file has no token
        ("void main() { vec3 v = vec2(1) ; }", "u:3:22"),
    ],
)
@pytest.mark.parametrize("debuginfo", ["none", "full"])
def test_columns_of_errors(text: str, place: str, debuginfo: str, compiler: Glslang, tmp_path: Path) -> None:
    (tmp_path / "b.h").write_text("float b(float a) {\n    return unknown; }\n")
    found = _errors(HEAD + text + "\n", compiler, tmp_path, debuginfo)
    assert found[0].place == place
    assert not found[0].end_column or found[0].end_column > found[0].column


def _errors(text: str, compiler: Glslang, root: Path, debuginfo: str = "none", language: str = "glsl"):  # type: ignore[no-untyped-def]
    request = UnitRequest(
        root=str(root), path="u", text=text.encode(), language=language, stage="comp", target="vulkan1.3",
        debuginfo=debuginfo,
    )  # fmt: skip
    with pytest.raises(SourceError) as caught:
        compile_unit(request, compiler)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("  #  extension GL_NOT_THERE : enable\nvoid main() {}", "u:3:6"),
        ("/* ä */ #extension GL_NOT_THERE : warn\nvoid main() {}", "u:3:10"),
        ('#include  "w.h"\nvoid main() {}', "w.h:2:2"),
        ("void main() {\n  float a = 1.0; float x__y = 1.0; a = x__y; }", "u:4:24"),  # twice in the line
    ],
)
@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_columns_of_warnings(text: str, place: str, debuginfo: str, compiler: Glslang, tmp_path: Path) -> None:
    (tmp_path / "w.h").write_text("\n#extension GL_NOT_THERE : enable\n")
    request = UnitRequest(
        root=str(tmp_path), path="u", text=(HEAD + text + "\n").encode(), language="glsl", stage="comp",
        target="vulkan1.3", debuginfo=debuginfo,
    )  # fmt: skip
    (found,) = compile_unit(request, compiler).diagnostics
    assert found.place == place and found.severity.value == "warning"


def test_columns_in_hlsl(compiler: Glslang, tmp_path: Path) -> None:
    text = "[numthreads(1, 1, 1)]\nvoid main() { float a = b + b; }\n"
    assert _errors(text, compiler, tmp_path, language="hlsl")[0].place == "u:2:25"


def test_including_lines_are_related_places(compiler: Glslang, tmp_path: Path) -> None:
    (tmp_path / "b.h").write_text('#include "c.h"\n')
    (tmp_path / "c.h").write_text("float b(float a) { return unknown; }\n")
    (error,) = _errors(HEAD + '#include "b.h"\nvoid main() {}\n', compiler, tmp_path)
    assert [(place.file, place.line) for place in error.related] == [("b.h", 1), ("u", 3)]
