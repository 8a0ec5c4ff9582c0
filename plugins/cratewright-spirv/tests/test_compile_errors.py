"""Errors in units, and their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import ConfigurationError, Diagnostic, Severity, SourceError, ToolError
from cratewright_spirv.base.stages import STAGE_NAMES
from cratewright_spirv.compile.stage_compiler import Attempt, StageCompiler
from cratewright_spirv.compile.unit import compile_unit
from cratewright_spirv.compilers.glslang import Compiler, Glslang
from cratewright_spirv.compilers.glslang_sdk import GlslangExecutable

from .unit_requests import LIBRARY, request, symbols, write


@pytest.mark.parametrize("path", ["u.glsl", "u.comp", "u.hlsl"])
def test_recursion_is_reported_at_the_function(compiler: Compiler, tmp_path: Path, path: str) -> None:
    text = b"int g(int n) { return n; }\n\nint f(int n) { return n == 0 ? g(1) : n * f(n - 1); }\n"
    if path == "u.comp":
        text += b"layout(binding = 0) buffer B { int b; };\nvoid main() { b = f(3); }\n"
    with pytest.raises(SourceError) as caught:
        compile_unit(request(tmp_path, text, path), compiler)
    (found,) = caught.value.diagnostics
    assert (found.file, found.line) == (path, 3)
    assert "Recursion detected" in found.text


@pytest.mark.parametrize(
    ("text", "tried"),
    [
        (b"int f(int n) { return n == 0 ? 1 : n * f(n - 1); }\n", {"comp"}),
        (b"int f(int n) { return gl_Wrong; }\n", set(STAGE_NAMES)),
    ],
)
def test_other_stages_are_tried_only_if_they_may_accept_the_source(
    library: Glslang, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, tried: set[str]
) -> None:
    stages, compiled = [], StageCompiler.compile

    def compile_for(unit: StageCompiler, stage: str) -> Attempt:
        stages.append(stage)
        return compiled(unit, stage)

    monkeypatch.setattr(StageCompiler, "compile", compile_for)
    with pytest.raises(SourceError):
        compile_unit(request(tmp_path, text), library)
    assert set(stages) == tried


def test_library_cannot_emit_vertices(compiler: Compiler, tmp_path: Path) -> None:
    vertex = b"struct V { float4 p : SV_Position; };\n"
    writes = b"void f(inout TriangleStream<V> o, V v) { o.Append(v); }\n"
    main = b"[maxvertexcount(3)] void main(triangle V i[3], inout TriangleStream<V> o) { f(o, i[0]); }\n"
    with pytest.raises(SourceError) as caught:
        compile_unit(request(tmp_path, vertex + writes, "u.hlsl"), compiler)
    assert [(each.file, each.line) for each in caught.value.diagnostics] == [("u.hlsl", 2)]
    assert "`f` writes to a stream" in str(caught.value)
    compile_unit(request(tmp_path, vertex + writes + main, "u.hlsl", stage="geom"), compiler)


def test_error_in_an_include_names_the_including_lines(compiler: Compiler, tmp_path: Path) -> None:
    write(tmp_path, "lib/a.h", '\n#include "b.h"\n')
    write(tmp_path, "lib/b.h", "float g() {\n  return wrong;\n}\n")
    with pytest.raises(SourceError) as caught:
        compile_unit(request(tmp_path, b'#version 450\n#include "a.h"\nvoid main() {}\n', "lib/u.comp"), compiler)
    assert str(caught.value) == (
        "lib/b.h:2:10: error: 'wrong' : undeclared identifier\n"
        "  included from: lib/a.h:2\n                 lib/u.comp:2"
    )


def test_missing_include_is_an_error_only_if_active(compiler: Compiler, tmp_path: Path) -> None:
    off = b'#if 0\n#include "nowhere.h"\n#endif\nfloat f() { return 1.0; }\n'
    assert symbols(compile_unit(request(tmp_path, off), compiler)) == [(["f("], [])]
    with pytest.raises(SourceError, match=r'lib/u\.glsl:2:10: error: cannot find include "nowhere\.h"'):
        compile_unit(request(tmp_path, off.replace(b"#if 0", b"#if 1")), compiler)


def test_recursive_includes_are_an_error(library: Glslang, tmp_path: Path) -> None:
    write(tmp_path, "lib/a.h", '#include "a.h"\n')
    with pytest.raises(SourceError, match=r"lib/a\.h:1:10: error: includes nest deeper"):
        compile_unit(request(tmp_path, b'#include "a.h"\n'), library)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"void main() { f(1.0); }\n", "a.comp:1:15: error: 'f' : no matching overloaded function found"),
        (b"\n#error no\n", "a.comp:2:2: error: '#error' : no"),
        (b"\nflot f(float x);\nvoid main() { f(1.0); }\n", "a.comp:2:"),
        (b"float f(Unknown x);\nvoid main() { f(1.0); }\n", "a.comp:1:"),
        (b"void main() {\n", "a.comp:"),
        (b"void f();\0", "a.comp:1: error: a NUL byte is not text"),
        (b"#version 999\nvoid main() {}\n", "a.comp:"),
    ],
)
def test_error_places_and_texts(
    text: bytes, message: str, compiler: Compiler, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError) as caught:
        compile_unit(request(tmp_path, text, "a.comp"), compiler)
    assert str(caught.value).startswith(message)
    assert "9999" not in str(caught.value) and "compilation terminated" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_entry_point_without_a_stage_is_refused(library: Glslang, tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"lib/u\.glsl:2:\d+: error: 'main' is an entry point, but the stage is not known"
    ):
        compile_unit(request(tmp_path, b"\nvoid main() {}\n"), library)


@pytest.mark.parametrize("needs", [b"dFdx(1.0)", b"float(gl_LocalInvocationID.x)", b"float(gl_PrimitiveIDIn)", b"1.0"])
def test_error_without_a_stage_names_the_mistake(needs: bytes, library: Glslang, tmp_path: Path) -> None:
    text = b"#version 450\nfloat f() { return %s; }\nfloat g() { return wrong; }\n" % needs
    with pytest.raises(SourceError) as caught:
        compile_unit(request(tmp_path, text), library)
    assert str(caught.value) == "lib/u.glsl:3:20: error: 'wrong' : undeclared identifier"


def test_warnings_are_reported_once(library: Glslang, tmp_path: Path) -> None:
    text = b"#extension GL_NOT_THERE : enable\nfloat f() { return 1.0; }\n"
    assert compile_unit(request(tmp_path, text), library).diagnostics == (
        Diagnostic(Severity.WARNING, "'#extension' : extension not supported: GL_NOT_THERE", "lib/u.glsl", 1, 2, 1, 11),
    )


def test_unknown_target_is_refused(compiler: Compiler, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown SPIR-V target 'vulkan1\.9'"):
        compile_unit(request(tmp_path, LIBRARY, target="vulkan1.9"), compiler)


def test_missing_sdk_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="is not a directory with glslang"):
        GlslangExecutable(str(tmp_path))


def test_other_failures_are_tool_errors(tmp_path: Path) -> None:
    program = tmp_path / "glslangValidator"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 127\n")
    program.chmod(0o755)
    with pytest.raises(ToolError, match="glslang ended with exit status 127"):
        GlslangExecutable(str(tmp_path)).version()
