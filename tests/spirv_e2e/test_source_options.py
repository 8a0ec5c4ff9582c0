"""Options of single sources: their effects, and errors that name unsupported ones."""

from __future__ import annotations

import itertools

import pytest

from tests.spirv.conftest import Validate
from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import instructions

SHADER = compute("float x = store.data[i]; float y = x; store.data[i] = y;")
HARD, ASIS = {"name": "hard", "opt_level": 3}, {"name": "asis", "opt_level": 3, "spirv_opt": False}
SOURCES = f"""["a.comp", ("a.comp", {HARD!r}), ("a.comp", {ASIS!r})]"""


def _count(shaders: ShaderProject, name: str) -> int:
    return len(list(instructions(shaders.path / name)))


@pytest.mark.parametrize("lto", ["off", "thin"])
def test_source_has_its_own_opt_level(shaders: ShaderProject, lto: str) -> None:
    crate = f'"m", {SOURCES}, crate_type="cdylib", opt_level=0, lto="{lto}", multimodule=True, '
    crate += 'spirv_metadata="full"'
    shaders.crates(f"Default(env.Crate({crate}))\n", {"a.comp": SHADER})
    shaders.scons()
    plain, hard, asis = (_count(shaders, f"m.spvs/{name}.spv") for name in ("a.comp", "hard.comp", "asis.comp"))
    assert hard < plain == asis
    assert "spirv_opt is off" in shaders.output
    alone = crate.replace("opt_level=0", "opt_level=3").replace("'opt_level': 3, 'spirv_opt'", "'spirv_opt'")
    shaders.crates(f"Default(env.Crate({alone}))\n", {})
    shaders.scons()
    assert _count(shaders, "m.spvs/asis.comp.spv") == plain and "spirv_opt is off" not in shaders.output
    shaders.crates(f"Default(env.Crate({crate.replace('3', '1', 1)}))\n", {})
    shaders.scons()
    assert "1 compiled" not in shaders.output and "3 reused" in shaders.output
    assert shaders.up_to_date()


def test_sources_of_one_image_must_agree(shaders: ShaderProject) -> None:
    files = {"a.comp": SHADER, "b.comp": SHADER}
    sources = '["a.comp", ("b.comp", {"opt_level": 3})], crate_type="cdylib", opt_level=0'
    shaders.crates(f'Default(env.Crate("m", {sources}))\n', files)
    shaders.scons(expect=2)
    assert "sources of one image differ in 'opt_level'" in shaders.error() and "a.comp, b.comp" in shaders.error()
    shaders.crates(f'Default(env.Crate("m", {sources}, lto="fat"))\n')
    shaders.scons(expect=2)
    assert "b.comp: no source can have its own 'opt_level' with fat LTO" in shaders.error()
    shaders.crates(f'Default(env.Crate("m", {sources}, lto="thin"))\n')
    shaders.scons()


def test_library_cannot_have_its_own_opt_level(shaders: ShaderProject) -> None:
    text = 'Default(env.Crate("m", [("m.glsl", {"opt_level": 3})]))\n'
    shaders.crates(text, {"m.glsl": "float f(float x) { return x; }\n"})
    shaders.scons(expect=2)
    assert "m.glsl: a library cannot have its own 'opt_level'" in shaders.error()


REFUSED = (
    "lto", "multimodule", "libs", "lib_dirs", "prefer_dynamic", "exports", "allocator", "export_include_dirs",
    "spirv_metadata", "spirv_val", "preserve_bindings", "scalar_block_layout", "disassemble", "dump_post_link",
)  # fmt: skip


def test_crate_options_are_rejected_for_sources(shaders: ShaderProject) -> None:
    shaders.crates(
        "import os\nfrom SCons.Errors import UserError\n"
        f"for word in {REFUSED!r}:\n"
        "    try:\n"
        '        env.Crate(f"crate_{word}", [("a.comp", {word: "off"})])\n'
        "    except UserError as error:\n"
        "        print('REFUSED', str(error).splitlines()[0])\n"
        "env.CrateWorkspace('crates.toml')\n",
        {"a.comp": SHADER, "crates.toml": "[crate.c]\nsources = [\n{path = 'a.comp', spirv-val = false}\n]\n"},
    )
    shaders.scons(expect=2)
    for word in REFUSED:
        assert f"REFUSED '{word}' is an option of crates" in shaders.output, word
    assert "crates.toml:3: 'spirv-val' is an option of crates" in shaders.error()


def test_units_with_and_without_debug_information(shaders: ShaderProject, validate: Validate) -> None:
    crates = ""
    for crate, source, library in itertools.product(("none", "full"), ("none", "line", "full"), ("none", "full")):
        name = f"{crate}_{source}_{library}"
        crates += (
            f'l = env.Crate("l_{name}", ["m.glsl"], debuginfo="{library}")\n'
            f'Default(env.Crate("{name}", ["b.comp", ("a.comp", {{"debuginfo": "{source}"}})], deps=[l], '
            f'debuginfo="{crate}", crate_type="cdylib", opt_level={"03"[len(name) % 2]}))\n'
        )
    files = {
        "m.glsl": "#version 460\nfloat q = 1.0;\n"
        "float f(float x) { float y = x * 2.0; if (y > 1.0) y += q; return y; }\n",
        "a.comp": compute("float x = f(store.data[i]); store.data[i] = x;", before="float f(float x);"),
        "b.comp": compute("store.data[i] += 1.0;"),
    }
    shaders.crates(crates, files)
    shaders.scons("-j2")
    for image in sorted(shaders.path.glob("*.spv")):
        validate(image)
        # The crate decides whether the image has debug information.
        assert (b"NonSemantic.Shader.DebugInfo" in image.read_bytes()) <= image.name.startswith("full"), image.name
