"""Variants of shaders: their table in every mode, sharing of equal images, and errors."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from cratewright.testing import require_tool
from tests.spirv.conftest import Validate
from tests.spirv_e2e.shader_project import WITH_C, ShaderProject, compute
from tests.spirv_e2e.words import entry_points

LIT = compute(
    "float x = twice(store.data[i]);\n"
    "for (int n = 0; n < LIGHTS; n++) x += store.data[n];\n"
    "#ifdef SHADOWS\nx *= 3.0;\n#endif\n"
    "#if FOG\nx = fract(x);\n#endif\n"
    "store.data[i] = x;",
    before="float twice(float x);",
)
FOGGY = compute("store.data[i] = float(FOG);")
FILES = {"lit.comp": LIT, "foggy.comp": FOGGY, "m.glsl": "float twice(float x) { return x * 2.0; }\n"}
AXES = '{"LIGHTS": [4, 1], "FOG": [0, 1], "SHADOWS": [True, False]}'
SAME_AXES = '{"SHADOWS": (False, True), "LIGHTS": [1, 4], "FOG": [1, 0]}'
PLAIN = '("foggy.comp", {"name": "plain", "variants": {}, "defines": {"FOG": 0}})'
SOURCES = f'["lit.comp", ("foggy.comp", {{"when": "not SHADOWS"}}), {PLAIN}]'
KEYS = [
    f"FOG={fog},LIGHTS={lights},SHADOWS={word}"
    for fog, lights, word in ((0, 1, "off"), (0, 1, "on"), (1, 1, "off"), (1, 1, "on"), (1, 4, "off"), (1, 4, "on"))
]
MODES = list(itertools.product(("off", "thin", "fat"), (True, False)))


def _crate(name: str, axes: str = AXES, **words: object) -> str:
    options = ", ".join(
        f"{word}={value!r}" for word, value in {"multimodule": True, "debuginfo": "none", **words}.items()
    )
    given = f'deps=["m"], variants={axes}, when="FOG == 1 or LIGHTS < 4", crate_type="cdylib"'
    return f'env.Crate("{name}", {SOURCES}, {given}, {options})\n'


def _crates(axes: str) -> str:
    crates = "".join(_crate(f"{lto}_{many}", axes, lto=lto, multimodule=many) for lto, many in MODES)
    return f'env.Crate("m", ["m.glsl"])\n{crates}'


def _rows(manifest: Mapping[str, Any], of: str) -> dict[str, Mapping[str, Any]]:
    return {row["key"]: row for row in manifest["variants"] if row["of"] == of}


def test_every_mode(shaders: ShaderProject, validate: Validate) -> None:
    shaders.crates(_crates(AXES), FILES)
    shaders.scons("-n")
    assert not shaders.exists("off_True.spvs")
    shaders.scons("-j2")
    for lto, many in MODES:
        name = f"{lto}_{many}"
        manifest = shaders.manifest(name)
        lit, foggy = _rows(manifest, "lit.comp"), _rows(manifest, "foggy.comp")
        assert list(lit) == KEYS and list(foggy) == [key for key in KEYS if key.endswith("off")]
        assert lit[KEYS[1]]["values"] == {"FOG": 0, "LIGHTS": 1, "SHADOWS": True}
        rows = [*lit.values(), *foggy.values()]
        assert [row["entry_point"] for row in rows] == manifest["entry_points"][:-1]
        for row in rows:
            assert row["module"] == (manifest["module"][row["entry_point"]] if many else manifest["module"])
            assert ("comp", row["name"]) in entry_points(shaders.path / row["module"])
        for row in manifest["modules"]:
            validate(shaders.path / row["path"])
        if many:
            files = [row["path"] for row in manifest["modules"]]
            assert sorted(files) == [f"{name}.spvs/{file}" for file in shaders.images(name)]
            assert set(files) == {row["module"] for row in manifest["entries"]} and len(files) == len(KEYS) + 2
            # Only FOG affects the code; a source without variants has its own image.
            assert foggy[KEYS[0]]["module"] == f"{name}.spvs/plain.comp.spv"
            assert (
                foggy[KEYS[2]]["module"]
                == foggy[KEYS[4]]["module"]
                == f"{name}.spvs/{foggy[KEYS[2]]['entry_point']}.spv"
            )
    assert shaders.up_to_date()
    shaders.crates(_crates(SAME_AXES))
    assert shaders.up_to_date()
    # An edit that affects only some combinations.
    shaders.write({"lit.comp": LIT.replace("x *= 3.0;", "x *= 4.0;")})
    shaders.scons("thin_True.spvs")
    assert "crate thin_True: thin LTO: 3 optimized, 7 reused" in shaders.output
    shaders.scons("-c")
    assert not shaders.exists("off_True.spvs") and not shaders.exists("fat_False.spv")


def test_images_that_become_equal_are_removed(shaders: ShaderProject) -> None:
    options = 'variants={"FOG": [0, 1]}, crate_type="cdylib", multimodule=True, disassemble=True'
    crate = f'env.Crate("app", ["a.comp"], {options})\n'
    shaders.crates(crate, {"a.comp": FOGGY})
    shaders.scons()
    both = ["a.FOG-0.comp.spv", "a.FOG-0.comp.spvasm", "a.FOG-1.comp.spv", "a.FOG-1.comp.spvasm"]
    assert shaders.images("app") == both
    shaders.write({"a.comp": compute("store.data[i] = 2.0;")})
    shaders.scons()
    assert shaders.images("app") == both[:2]
    assert {row["module"] for row in shaders.manifest("app")["variants"]} == {"app.spvs/a.FOG-0.comp.spv"}
    assert shaders.up_to_date()
    shaders.write({"a.comp": FOGGY})
    shaders.scons()
    assert shaders.images("app") == both


TOML = """\
[crate.m]
sources = "m.glsl"
[crate.app]
type = "cdylib"
multimodule = true
debuginfo = "none"
deps = ["m"]
sources = ["lit.comp", {path = "foggy.comp", when = "not SHADOWS"},
           {path = "foggy.comp", name = "plain", variants = {}, defines = {FOG = 0}}]
when = ["FOG == 1 or LIGHTS < 4"]
[crate.app.variants]
LIGHTS = [1, 4]
FOG = [0, 1]
SHADOWS = [true, false]
"""


def test_workspace_builds_the_same_variants(shaders: ShaderProject) -> None:
    call = _crate("app")
    shaders.crates(f'env.Crate("m", ["m.glsl"])\n{call}', FILES)
    shaders.scons()
    made = {name: digest for name, digest in shaders.snapshot().items() if name.startswith("app.spv")}
    shaders.crates('env.CrateWorkspace("crates.toml")\n', {"crates.toml": TOML})
    assert shaders.up_to_date()
    done = subprocess.run(
        [sys.executable, "-m", "cratewright", "link", "app.rlink", "-o", "again"],
        cwd=shaders.path, env=shaders._environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {name: shaders.snapshot()[f"again/{name}"] for name in made} == made


HOST = """\
#include "shaders.h"
#include <stdio.h>
int main(void) {
    shaders_a_comp_key key, other;
    int same;
    key.FOG = 1; key.LIGHTS = -4; key.TYPE = "uvec2(1, 2)"; key.delete_ = 1;
    other = key;
    other.FOG = 2;
    same = shaders_a_comp_find(key)->image == shaders_a_comp_find(other)->image;
    printf("%d %s %d", same, shaders_a_comp_find(key)->entry_point, shaders_a_comp_variant_count);
    key.LIGHTS = 99;
    printf(" %d %d", shaders_a_comp_find(key) == NULL, *shaders_a_comp_find(other)->size > 20);
    return shaders_a_comp_variants()[0].image[0] != 0x07230203;
}
"""


def test_host_looks_up_variants(shaders: ShaderProject) -> None:
    for tool in ("gcc", "g++"):
        require_tool(shutil.which(tool) is not None, tool)
    axes = '{"FOG": [1, 2], "LIGHTS": [-4, 4294967296], "TYPE": ["uvec2(1, 2)", "float"], "delete": [True]}'
    crate = f'env.Crate("app", ["a.comp"], variants={axes}, when="LIGHTS < 0", crate_type="cdylib", multimodule=MANY)\n'
    shaders.header = WITH_C
    host = 'shaders = env.CrateEmbed("shaders", app)\nenv.Program("host", ["host.c", shaders])\n'
    for many, shown in (
        (True, "1 main 4 1 1"),
        (False, "1 a.FOG-1.LIGHTS-minus4.TYPE-uvec2~281~2C~202~29.delete-on 4 1 1"),
    ):
        shaders.crates(
            f"app = {crate.replace('MANY', str(many))}{host}",
            {"a.comp": compute("store.data[i] = float(LIGHTS);"), "host.c": HOST},
        )
        shaders.scons()
        done = subprocess.run([str(shaders.path / "host")], capture_output=True, text=True, check=True)
        assert done.stdout == shown
        for compiler, words in (("gcc", ["-std=c99", "-x", "c"]), ("g++", ["-std=c++11", "-x", "c++"])):
            flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]
            done = subprocess.run(
                [compiler, *words, *flags, "host.c"], cwd=shaders.path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
    assert shaders.up_to_date()


CALLS = {
    "'FOG' is an axis of variants and": '["a.comp"], crate_type="cdylib", variants=V, defines={"FOG": 1}',
    "is given the unit 'a.FOG-0.comp' twice": '["a.comp", "a.comp"], crate_type="cdylib", variants=V',
    "has variants, but no images": '["a.comp"], variants=V',
    "'native' does not support variants": '["a.c"], variants=V, crate_type="cdylib", backend="native", target=X86',
    "'when' excludes all variants": '["a.comp"], crate_type="cdylib", variants=V, when="FOG == 2"',
    "'when' names 'FOGG', which is not an axis": '[("a.comp", {"when": "FOGG == 2"})], crate_type="cdylib", variants=V',
    "'when' has no axes to choose from": '[("a.comp", {"when": "FOG == 2"})], crate_type="cdylib"',
    "too many variants": '[("a.comp", {"variants": {"A": range(200), "B": range(200)}})], crate_type="cdylib"',
    "axis 'FOG' has no values": '["a.comp"], crate_type="cdylib", variants={"FOG": []}',
    "unknown option 'variant'": '["a.comp"], crate_type="cdylib", variant=V',
}
TOMLS = {
    "c.toml:4: axis 'FOG' has no values": 'variants = {FOG = []}',
    "c.toml:5: 'when' excludes all variants": 'variants = {FOG = [0, 1]}\nwhen = "FOG == 2"',
    "c.toml:4: axis 'FOG' cannot have [0] as a value": 'variants = {FOG = [[0]]}',
    "c.toml:4: 'when' has no axes to choose from": 'when = "FOG == 2"',
    "c.toml:1: 'FOG' is an axis of variants and one of 'defines'": 'variants = {FOG = [0]}\ndefines = ["FOG"]',
    "c.toml:4: unknown key 'variant' in [crate.c]\n  hint: did you mean 'variants'?": "variant = {FOG = [0]}",
    "c.toml:3: 'when' has no axes": "",
}  # fmt: skip


def test_invalid_variants(shaders: ShaderProject) -> None:
    calls = [(f'env.Crate("c{at}", {call})', said) for at, (said, call) in enumerate(CALLS.items())]
    workspaces = [(f'env.CrateWorkspace("{at}/c.toml")', said) for at, said in enumerate(TOMLS)]
    asked = [*calls, *workspaces, ('app.images["a.FOG-0.comp"]', "app has no image 'a.FOG-0.comp'")]
    lines = ["from SCons.Errors import UserError", 'V, X86 = {"FOG": [0, 1]}, "x86_64-linux-gnu"']
    lines.append('app = env.Crate("app", ["a.comp"], crate_type="cdylib", multimodule=True, variants=V)')
    for call, said in asked:
        wanted = said.replace("app has", "'app' has")
        lines += ["try:", f"    {call}", f"    print('TAKEN', {call!r})", "except UserError as error:"]
        lines += [f"    print('REFUSED' if {wanted!r} in str(error) else 'OTHERWISE', {call!r}, str(error))"]
    files = {
        f"{at}/c.toml": f'[crate.c]\ntype = "cdylib"\nsources = "a.comp"\n{text}\n'
        for at, text in enumerate(TOMLS.values())
    }
    last = len(TOMLS) - 1
    files[f"{last}/c.toml"] = '[crate.c]\ntype = "cdylib"\nsources = [{path = "a.comp", when = "FOG == 1"}]\n'
    files |= {f"{at}/a.comp": FOGGY for at in range(len(TOMLS))}
    shaders.crates("\n".join(lines) + "\n", {"a.comp": FOGGY, "a.c": "", **files})
    shaders.scons("-n")
    assert "'variants' in app.spv.json says which image a variant has" in shaders.output
    assert shaders.output.count("REFUSED") == len(asked) and "OTHERWISE" not in shaders.output


def test_library_cannot_have_variants(shaders: ShaderProject) -> None:
    crate = 'env.Crate("app", ["a.comp", {}], crate_type="cdylib", variants={{"FOG": [0, 1]}}, multimodule=True)\n'
    a = compute("store.data[i] = f(float(FOG));", before="float f(float x);")
    shaders.crates(crate.format('"m.glsl"'), {"a.comp": a, "m.glsl": "float f(float x) { return x; }\n"})
    shaders.scons(expect=2)
    assert "m.glsl: a library cannot have variants" in shaders.error() and not shaders.exists("app.spv.json")
    shaders.crates(crate.format('("m.glsl", {"variants": {}})'))
    shaders.scons()
    assert len(shaders.manifest("app")["variants"]) == 2
