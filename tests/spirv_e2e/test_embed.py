"""`env.CrateEmbed`: images in programs and libraries, and headers with the layout of the shaders' blocks."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cratewright.testing import require_tool
from tests.spirv_e2e.shader_project import WITH_C, ShaderProject, compute

PROGRAM = 'shaders = env.CrateEmbed("shaders", app)\nenv.Default(env.Program("prog", ["main.c", shaders]))\n'
MAIN = """\
#include "shaders.h"
#include <stdio.h>
#include <string.h>
static int same(const char *path, const uint32_t *words, size_t size) {
    char data[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(data, 1, sizeof data, file) : 0;
    return length == size && size % 4 == 0 && memcmp(data, words, size) == 0;
}
"""
BLOCKS = """\
#version 460
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 8, local_size_y = 4) in;
layout(buffer_reference, std430) buffer Node { float value; };
struct Inner { vec3 a; float b; dvec2 wide; };
struct Tail { vec3 only; };
layout(set = 1, binding = 2, std140) uniform Standard {
    float scalars[3]; mat3 turn; mat2x4 tall; layout(row_major) mat3x2 rows; Inner inner[2];
    vec2 pairs[2][3]; int signed_; int delete;
} standard;
layout(set = 1, binding = 3, scalar) buffer Scalar {
    float first; double second; int8_t small; uint16_t half_; f16vec3 halves; uint64_t big; mat3 tight; Tail tails[];
} scalar_;
layout(set = 0, binding = 7, std430) readonly buffer Runtime { Inner items[]; } runtime[4];
layout(push_constant, std430) uniform Pushed {
    vec2 offset; layout(offset = 32) Node node; uint count; float NULL, linux;
} pushed;
layout(constant_id = 5) const int LIGHTS = 3;
void main() {
    float sum = standard.scalars[LIGHTS] + standard.turn[1][2] + standard.tall[1].w + standard.rows[2].y
        + float(standard.inner[1].wide.y) + standard.pairs[1][2].y + float(standard.delete);
    sum += float(scalar_.second) + float(scalar_.small) + float(scalar_.half_) + float(scalar_.halves.z)
        + float(scalar_.big) + scalar_.tight[2].z + scalar_.tails[3].only.x + runtime[2].items[1].b;
    scalar_.first = sum + pushed.offset.y + pushed.node.value + float(pushed.count)
        + pushed.NULL + pushed.linux;
}
"""


@pytest.fixture
def shaders(shaders: ShaderProject) -> ShaderProject:
    """Return an empty project with C compilers."""
    shaders.header = WITH_C
    return shaders


def _require_tools() -> None:
    for tool in ("gcc", "g++", "as"):
        require_tool(shutil.which(tool) is not None, tool)


def _run(project: ShaderProject, program: str = "./prog") -> str:
    return subprocess.run([program], cwd=project.path, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("multimodule", "jobs"), [(True, "-j4"), (False, "-j1")])
def test_images_in_a_program(shaders: ShaderProject, multimodule: bool, jobs: str) -> None:
    _require_tools()
    key = "a_comp" if multimodule else "a"
    path = "app.spvs/a.comp.spv" if multimodule else "app.spv"
    main = f'int main(void) {{ return !same("{path}", shaders_{key}, shaders_{key}_size); }}\n'
    app = f'app = env.Crate("app", ["a.comp", "b.comp"], crate_type="cdylib", multimodule={multimodule})\n'
    shaders.crates(
        app + PROGRAM,
        {
            "a.comp": compute("store.data[i] = 1.5;"),
            "b.comp": compute("store.data[i] = 2.5;"),
            "main.c": MAIN + main,
        },
    )
    shaders.scons(jobs)
    _run(shaders)
    assert shaders.up_to_date(jobs)
    shaders.write({"a.comp": compute("store.data[i] = 3.5;")})
    out = shaders.scons(jobs)
    _run(shaders)
    # The interface is unchanged: so is the header, and no C is recompiled.
    assert "main.o" not in out.replace("-o prog main.o", "")
    assert "shaders_embed" in out
    shaders.write({"a.comp": compute("store.data[i] = 3.5;").replace("binding = 0", "binding = 3")})
    assert "-o main.o" in shaders.scons(jobs)
    _run(shaders)
    assert shaders.up_to_date()


def test_structs_have_the_layout_of_blocks(shaders: ShaderProject) -> None:
    _require_tools()
    app = 'app = env.Crate("app", ["a.comp"], crate_type="cdylib", scalar_block_layout=True, lto={lto!r})\n'
    shaders.crates(
        app.format(lto="off") + PROGRAM,
        {"a.comp": BLOCKS, "main.c": '#include "shaders.h"\nint main(void) { return 0; }\n'},
    )
    shaders.scons()
    header = shaders.read("shaders.h")
    for compiler, suffix, words in (
        ("gcc", "c", ["-std=c11"]),
        ("gcc", "c", ["-std=c99"]),
        ("gcc", "c", ["-std=gnu11"]),
        ("g++", "cpp", ["-std=c++17"]),
        ("g++", "cpp", ["-std=c++11"]),
    ):
        source = shaders.path / f"check.{suffix}"
        source.write_text('#include "shaders.h"\n')
        flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I."]
        done = subprocess.run(
            [compiler, *words, *flags, source.name], cwd=shaders.path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    # The assertions in the header come from the manifest; these values follow the rules of the specification.
    expected = {
        "standard_block, scalars": 0, "standard_block, turn": 48, "standard_block, tall": 96,
        "standard_block, rows": 128, "standard_block, inner": 160, "standard_block, pairs": 224,
        "standard_block, delete_": 324, "scalar_block, second": 8, "scalar_block, small": 16,
        "scalar_block, half": 18, "scalar_block, halves": 20, "scalar_block, big": 32,
        "scalar_block, tight": 40, "push_constants, node": 32, "push_constants, count": 40,
    }  # fmt: skip
    checks = "\n".join(
        f"_Static_assert(offsetof(shaders_main_{key}) == {at}, {json.dumps(key)});" for key, at in expected.items()
    )
    values = {
        "workgroup_size_x": 8,
        "workgroup_size_y": 4,
        "standard_set": 1,
        "standard_binding": 2,
        "runtime_count": 4,
    }
    checks += "\n".join(
        f"\n_Static_assert(shaders_main_{word} == {number}, {json.dumps(word)});" for word, number in values.items()
    )
    checks += '\n_Static_assert(sizeof(((shaders_main_standard_block *)0)->turn) == 48, "turn");'
    checks += '\n_Static_assert(sizeof(((shaders_main_scalar_block *)0)->tight) == 36, "tight");'
    checks += '\n_Static_assert(sizeof(shaders_Tail) == 12, "tail");'
    checks += '\n_Static_assert(shaders_spec_LIGHTS == 5, "id");\n'
    (shaders.path / "check.c").write_text('#include "shaders.h"\n' + checks)
    done = subprocess.run(
        ["gcc", "-std=c11", "-fsyntax-only", "-I.", "check.c"],
        cwd=shaders.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + header
    for lto in ("thin", "fat"):
        shaders.crates(app.format(lto=lto) + PROGRAM, {})
        shaders.scons()
        assert shaders.read("shaders.h") == header, lto


def test_embedded_images_are_not_exported_by_a_shared_library(shaders: ShaderProject) -> None:
    _require_tools()
    shaders.crates(
        'app = env.Crate("app", ["a.comp", "b.comp"], crate_type="cdylib", multimodule=True)\n'
        'other = env.Crate("other", ["a.comp"], crate_type="cdylib")\n'
        'shaders = env.CrateEmbed("all", [app, other])\n'
        'Default(env.SharedLibrary("lib", ["lib.cpp", shaders]))\n',
        {
            "a.comp": compute("store.data[i] = 1.5;"),
            "b.comp": compute("store.data[i] = 1.5;"),
            "lib.cpp": '#include "all.h"\nextern "C" auto f() { return all_other_main + all_app_b_comp_size; }',
        },
    )
    shaders.scons()
    names = subprocess.run(
        ["nm", "-D", "--defined-only", "liblib.so"], cwd=shaders.path, capture_output=True, text=True, check=True
    )
    assert " f\n" in names.stdout
    assert "all_" not in names.stdout
    # Equal images are stored once.
    assert shaders.read("all_embed.S").count(".incbin") < 3


def test_invalid_embeds(shaders: ShaderProject) -> None:
    library = 'lib = env.Crate("lib", ["l.glsl"])\n'
    files = {"l.glsl": "#version 460\nfloat f() { return 1.0; }\n", "a-b.comp": compute("store.data[i] = 1.0;")}
    files["a_b.comp"] = files["a-b.comp"]
    shaders.crates(library + 'env.CrateEmbed("shaders", lib)\n', files)
    assert "crate 'lib' has no images" in shaders.scons(expect=2)
    shaders.crates('env.CrateEmbed("shaders", ["x"])\n', {})
    assert "can embed only crates" in shaders.scons(expect=2)
    shaders.crates('env.CrateEmbed("my shaders", [])\n', {})
    out = shaders.scons(expect=2)
    assert "'my shaders' cannot be the name of what is embedded" in out and 'SConstruct", line' in out, out
    app = 'app = env.Crate("app", ["a-b.comp", "a_b.comp"], crate_type="cdylib", multimodule=True)\n'
    shaders.crates(app + 'Default(env.CrateEmbed("shaders", app))\n', {})
    out = shaders.scons(expect=2)
    assert "two images called shaders_a_b_comp" in out
    assert not Path(shaders.path / "shaders.h").exists()
    both = app.replace("multimodule=True", 'target=["vulkan1.1", "vulkan1.2"]')
    shaders.crates(both + 'env.CrateEmbed("shaders", app)\n', {})
    out = shaders.scons(expect=2)
    assert "crate 'app' is for several targets" in out and 'app.targets["vulkan1.1"]' in out
    shaders.crates(both + 'for one in app.targets.values(): env.CrateEmbed("shaders", one)\n', {})
    out = shaders.scons(expect=2)
    assert "'shaders' would make shaders.h, which is already made" in out and 'SConstruct", line' in out, out
    assert "vulkan1.1/app.spv.json" in out


@pytest.mark.parametrize("sources", ['["main.c", shaders]', 'shaders + ["main.c"]', '["main.c", *shaders]'])
def test_images_in_a_crate(shaders: ShaderProject, sources: str) -> None:
    """The header is built first; an edit of a shader body relinks the program without recompiling C."""
    _require_tools()
    shaders.crates(
        'app = env.Crate("app", ["a.comp"], crate_type="cdylib")\nshaders = env.CrateEmbed("shaders", app)\n'
        'native = env.Clone(CRATE_BACKEND="native", CRATE_TARGET="")\n'
        f'Default(native.Crate("prog", {sources}, crate_type="bin"))\n',
        {
            "a.comp": compute("store.data[i] = 1.5;"),
            "main.c": MAIN + 'int main(void) { return !same("app.spv", shaders_main, shaders_main_size); }\n',
        },
    )
    shaders.scons("-j4")
    _run(shaders)
    assert shaders.up_to_date("-j4")
    shaders.write({"a.comp": compute("store.data[i] = 3.5;")})
    shaders.scons("-j4")
    _run(shaders)
    assert "crate prog: 2 units: 1 compiled, 1 reused" in shaders.built(), shaders.built()
    assert shaders.up_to_date("-j4")
