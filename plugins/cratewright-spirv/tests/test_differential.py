"""Shaders without imports compile to the same module as with glslang's own program.

The program reads a file in one pass. Whatever this package does to a text before compilation must not change the
module.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import SourceError
from cratewright_spirv.compile.request import FoundSource, UnitRequest
from cratewright_spirv.compile.unit import compile_unit
from cratewright_spirv.compilers.glslang import Compiler, Glslang
from cratewright_spirv.compilers.glslang_sdk import GlslangExecutable
from cratewright_spirv.spirv_tools.tools import find_tools
from cratewright_spirv.text.includes import IncludeResolver, plain_lines

from .conftest import glslang_directory

STORE = "layout(set = 0, binding = 0) buffer Store { float d[]; };\n"
HALF = "GL_EXT_shader_16bit_storage"
HALF_ARITHMETIC = "GL_EXT_shader_explicit_arithmetic_types_float16"
HALVES = "layout(set = 0, binding = 1) buffer Halves { float16_t h[]; };\n"
USED = "h[0] = h[1];"
INCLUDES = "#extension GL_GOOGLE_include_directive : require\n"

MACROS = (
    "VULKAN", "GL_SPIRV", "GL_core_profile", "GL_compatibility_profile", "GL_es_profile", "GL_ES", "__VERSION__",
    "__LINE__", "GL_FRAGMENT_PRECISION_HIGH", "GL_ARB_gl_spirv", "GL_ARB_compute_shader", "GL_ARB_texture_gather",
    "GL_EXT_ray_tracing", "GL_EXT_shader_16bit_storage", "GL_EXT_null_initializer", "GL_EXT_mesh_shader",
    "GL_EXT_shader_explicit_arithmetic_types_int64", "GL_EXT_buffer_reference", "GL_EXT_spirv_intrinsics",
    "GL_GOOGLE_include_directive", "GL_GOOGLE_cpp_style_line_directive", "GL_KHR_cooperative_matrix",
    "GL_KHR_memory_scope_semantics", "GL_EXT_control_flow_attributes", "GL_EXT_no_such", "__HLSL_VERSION",
)  # fmt: skip


def compute(head: str = "", body: str = "", version: str = "460") -> str:
    """Return a compute shader with the given parts."""
    return f"#version {version}\n{head}layout(local_size_x = 1) in;\n{STORE}void main() {{\nd[0] = 1.0;\n{body}\n}}\n"


def vertex(head: str, version: str = "460") -> str:
    """Return a vertex shader with outputs of both kinds."""
    return (
        f"#version {version}\n{head}layout(location = 0) out highp vec4 a;\nlayout(location = 1) out highp vec4 b;\n"
        "void main() { a = vec4(1); b = a; gl_Position = a; gl_PointSize = 1.0; }\n"
    )


def probe(macros: tuple[str, ...]) -> str:
    """Return statements that depend on the values of macros."""
    tests = (
        f"#ifdef {name}\nd[{at}] = 2.0;\n#if {name} > 99\nd[{at}] = 3.0;\n"
        f"#elif {name} == 1\nd[{at}] = 4.0;\n#endif\n#endif\n"
        for at, name in enumerate(macros, 1)
    )
    return "".join(tests)


PRAGMAS = "\n".join(
    f"#pragma {words}"
    for words in (
        "optimize(off)", "optimize(on)", "debug(on)", "debug(off)", "once", "shader_stage(compute)", "",
        "use_storage_buffer", "use_variable_pointers", "message(x)", "STDGL no(all)", "no.such 1.5 (a, b) = 12",
    )
)  # fmt: skip
INVARIANT = "#pragma STDGL invariant(all)\n"

CASES: dict[str, tuple[str, str]] = {
    "macros.comp": (compute(body=probe(MACROS)), ""),
    "macros-es.comp": (compute(body=probe(MACROS), version="310 es"), ""),
    "macros-core.comp": (compute(body=probe(MACROS), version="450 core"), ""),
    "macros-compatibility.comp": (compute(body=probe(MACROS), version="430 compatibility"), ""),
    "macros-old.frag": (f"#version 140\nout vec4 c;\nfloat d[99];\nvoid main() {{\n{probe(MACROS)}c = vec4(1); }}", ""),
    "value.comp": (compute(body="d[1] = float(VULKAN); d[2] = float(__LINE__); d[3] = float(__VERSION__);"), ""),
    "redefined.comp": (compute("#undef VULKAN\n", "#ifndef VULKAN\nd[1] = 2.0;\n#endif"), ""),
    "line.comp": (compute("#line 70 3\n", "d[1] = float(__LINE__); d[2] = float(__FILE__);"), ""),
    "pragmas.comp": (compute(PRAGMAS + "\n"), ""),
    "memory-model.comp": (compute("#pragma use_vulkan_memory_model\n"), ""),
    "storage-buffer.comp": (compute("#pragma use_storage_buffer\n", version="310 es"), ""),
    "invariant.vert": (vertex(INVARIANT), ""),
    "invariant-es.vert": (vertex(INVARIANT, "310 es"), ""),
    "invariant-spaced.vert": (vertex("  #  pragma  STDGL /* all */ invariant ( all ) // of it\n"), ""),
    "invariant-spliced.vert": (vertex("#pragma STDGL \\\n invariant(all)\n"), ""),
    "invariant-conditional.vert": (vertex(f"#if VULKAN == 100\n{INVARIANT}#endif\n"), ""),
    "invariant-included.vert": (vertex('#include "h.h"\n'), INVARIANT),
    "invariant.frag": (f"#version 460\n{INVARIANT}layout(location = 0) out vec4 a;\nvoid main() {{ a = a; }}", ""),
    "version-120.vert": (vertex("", "120"), ""),
    "version-330.vert": (vertex("", "330 core"), ""),
    "version-comments.comp": ("\n// one\n/* two\n */  #  version  450  core // three\n" + compute()[13:], ""),
    "version-twice.comp": (compute("#version 450\n"), ""),
    "version-late.comp": (STORE + compute(), ""),
    "version-included.comp": (compute('#include "h.h"\n'), "#version 450\n"),
    "version-unknown.comp": (compute(version="470"), ""),
    "extension.comp": (compute(f"#extension {HALF} : require\n{HALVES}", USED), ""),
    "extension-missing.comp": (compute(HALVES, USED), ""),
    "extension-warned.comp": (compute(f"#extension {HALF} : warn\n{HALVES}", USED), ""),
    "extension-disabled.comp": (compute(f"#extension {HALF} : disable\n{HALVES}", USED), ""),
    "extension-unknown.comp": (compute("#extension GL_EXT_no_such : require\n"), ""),
    "extension-tried.comp": (compute("#extension GL_EXT_no_such : enable\n"), ""),
    "extension-behaviour.comp": (compute(f"#extension {HALF} : sometimes\n"), ""),
    "extension-all.comp": (compute(f"#extension all : warn\n{HALVES}", USED), ""),
    "extension-all-required.comp": (compute("#extension all : require\n"), ""),
    "extension-late.comp": (compute(f"float early;\n#extension {HALF} : enable\n{HALVES}", USED), ""),
    "extension-inside.comp": (compute("", f"#extension {HALF} : enable\nd[1] = 2.0;"), ""),
    "extension-off-again.comp": (compute(f"#extension {HALF} : enable\n#extension all : disable\n{HALVES}"), ""),
    "extension-conditional.comp": (compute(f"#ifdef {HALF}\n#extension {HALF} : enable\n#endif\n{HALVES}", USED), ""),
    "extension-included.comp": (compute(f'#include "h.h"\n{HALVES}', USED), f"#extension {HALF} : enable\n"),
    "arithmetic.comp": (
        compute(f"#extension {HALF_ARITHMETIC} : enable\n{HALVES}", "h[0] = h[1] * h[2];"),
        "",
    ),
    "include-backslash.comp": (compute('#include "d\\h.h"\n', "d[1] = D;"), "#define D 2.0\n"),
    "carriage-returns.comp": (compute('#include "h.h"\n', "d[1] = D;").replace("\n", "\r"), "// D\r#define D 2.0\r"),
    "nested.comp": (compute("#if 1\n" * 500 + "#endif\n" * 500), ""),
    "nested-brackets.comp": (compute(f"#if {'(' * 500}1{')' * 500}\n#endif\n"), ""),
    "intrinsics.comp": (
        compute(
            "#extension GL_EXT_spirv_intrinsics : require\nspirv_instruction(id = 127)\nfloat negated(float a);\n"
            'spirv_instruction(set = "GLSL.std.450", id = 4) float positive(float a);\n',
            "d[1] = positive(negated(d[2]));",
        ),
        "",
    ),
    "attributes.comp": (
        compute("#extension GL_EXT_subgroup_uniform_control_flow : require\n").replace(
            "main()", "main() [[subgroup_uniform_control_flow]]"
        ),
        "",
    ),
    "macros.comp.hlsl": (
        "RWStructuredBuffer<float> d : register(u0);\n"
        f"[numthreads(1, 1, 1)] void main() {{\nd[0] = 1.0;\n{probe(MACROS)}}}\n",
        "",
    ),
    "packed.comp.hlsl": (
        '#include "h.h"\ncbuffer C : register(b1) { float2x3 m; };\nRWStructuredBuffer<float> d : register(u0);\n'
        "[numthreads(1, 1, 1)] void main() { d[0] = m[1][2]; }\n",
        "#pragma pack_matrix(row_major)\n",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_LIBRARY_PATH", os.path.join(glslang_directory(), "lib"))
        yield


def by_program(folder: Path, path: str) -> bytes | None:
    """Return the module that the program makes, or None if it refuses the file."""
    stage = path.split(".")[1]
    hlsl = ("-D", "--hlsl-offsets", "-e", "main", "-D__HLSL_VERSION=2016") if path.endswith(".hlsl") else ()
    command = (
        f"{glslang_directory()}/bin/glslangValidator",
        "-V",
        "--target-env",
        "vulkan1.2",
        "-Od",
        "-S",
        stage,
        *hlsl,
    )
    done = subprocess.run((*command, "-o", "out.spv", path), cwd=folder, capture_output=True, check=False)
    return (folder / "out.spv").read_bytes() if done.returncode == 0 else None


def bare(data: bytes) -> bytes:
    """Return a module without its source information."""
    passes = ["--strip-debug", "--compact-ids"]
    return find_tools(None).optimize(data, env="vulkan1.2", passes=passes, validator=None, preserve_bindings=True)


def by_package(request: UnitRequest, compiler: Compiler, found: FoundSource | None) -> bytes | None:
    """Return the module that this package makes, or None if it refuses the file."""
    try:
        (variant,) = compile_unit(request, compiler, found).variants
    except SourceError:
        return None
    return variant.data


@pytest.mark.parametrize("path", CASES)
def test_same_module_as_by_the_program(path: str, tmp_path: Path) -> None:
    text, header = CASES[path]
    (tmp_path / "d").mkdir()
    for place in ("h.h", "d/h.h"):
        (tmp_path / place).write_bytes(header.encode())
    first = re.search("[\r\n]", text).end()
    # The package enables this extension itself.
    explicit = text[:first] + INCLUDES + "#line 2\n" + text[first:] if header and path[-5:] != ".hlsl" else text
    (tmp_path / path).write_bytes(explicit.encode())
    wanted = by_program(tmp_path, path)
    stage, language = path.split(".")[1], "hlsl" if path.endswith(".hlsl") else "glsl"
    request = UnitRequest(
        root=str(tmp_path),
        path=path,
        text=plain_lines(text.encode()),
        language=language,
        stage=stage,
        target="vulkan1.2",
    )
    ways: dict[str, tuple[UnitRequest, Compiler, FoundSource | None]] = {
        "canonical": (request, Glslang(), None),
        "as written": (request, Glslang(), (IncludeResolver(str(tmp_path), (), path, request.text), None)),
        "with lines": (replace(request, debuginfo="line"), Glslang(), None),
    }
    if path.startswith(("macros", "invariant-", "packed", "extension-included")):  # processes are slow
        ways["by an SDK"] = (request, GlslangExecutable(glslang_directory()), None)
    for way, arguments in ways.items():
        found = by_package(*arguments)
        assert (found is None) is (wanted is None), way
        if found is not None and wanted is not None:
            assert bare(found) == bare(wanted), way
