"""Variants of Slang sources: each is linked with modules compiled with its macros, in every mode."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cratewright import LinkError
from cratewright.testing import require_tool
from cratewright_slang.backend import SlangBackend
from tests.slang_e2e.conftest import require_slang
from tests.spirv.conftest import Validate
from tests.spirv_e2e.shader_project import ShaderProject
from tests.support.shader_build import ShaderBuild

COMPUTE = 'RWStructuredBuffer<float> d;\n[shader("compute")] [numthreads(LIGHTS, 1, 1)] void '
FILLER = "".join(f"public float f{at}(float x) {{ return sin(x * {at}.5) + {at}; }}\n" for at in range(40))
LIBRARY = {
    "m.slang": f"module m;\nimport n;\n{FILLER}public float scaled(float x) {{ return x * N; }}\n",
    "n.slang": 'module n;\n#include "n.h"\npublic static const int N = SIZE;\n',
    "n.h": "#if FOG\n#define SIZE 7\n#else\n#define SIZE 5\n#endif\n",
    "p.slang": "module p;\npublic float plain(float x) { return x + 1; }\n",
}
APP = {
    "a.slang": f"import m;\nimport q;\n{COMPUTE} main() {{ d[0] = q(scaled(f1(d[0]))); }}\n",
    # Only the first axis affects it.
    "b.slang": f"import m;\nimport p;\n{COMPUTE.replace('LIGHTS', '1')} one() {{ d[0] = plain(f1(d[0])); }}\n"
    '[shader("compute")] [numthreads(1, 1, 1)] void two() { d[0] = plain(scaled(d[0])); }\n',
    "q.slang": "module q;\n#ifdef DEBUG\npublic float q(float x) { return x + 2; }\n#else\n"
    "public float q(float x) { return x * 3; }\n#endif\n",
}
AXES = {"FOG": [0, 1], "LIGHTS": [1, 4], "DEBUG": [False, True]}
WHEN = "FOG == 1 or LIGHTS < 4"


@pytest.fixture
def project(tmp_path: Path) -> ShaderBuild:
    require_slang()
    made = ShaderBuild(tmp_path, backend=SlangBackend)
    made.write(LIBRARY | APP)
    return made


def rows(files: Mapping[str, bytes]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    table = json.loads(files["app.spv.json"])["variants"]
    return {(row["of"], row["own_name"], row["key"]): row for row in table}


@pytest.mark.parametrize("debuginfo", ["none", "full"])
def test_variants_equal_plain_macros(project: ShaderBuild, validate: Validate, tmp_path: Path, debuginfo: str) -> None:
    """In every mode, a variant equals the source compiled with its macros."""
    words = {"debuginfo": debuginfo}
    lib = project.compile("lib", ["m.slang", "n.slang", "p.slang"], variants={"FOG": [1, 0], "MORE": [1, 2]}, **words)
    sources = [name for name in APP if name != "q.slang"]
    app = project.compile("app", [*sources, "q.slang"], [lib], variants=AXES, when=WHEN, **words)
    assert len(app.modules) == 18 and len(lib.modules) == 12
    one_by_one = {}
    for fog, lights, debug in ((0, 1, False), (0, 1, True), (1, 1, False), (1, 1, True), (1, 4, False), (1, 4, True)):
        defines = {"FOG": fog, "LIGHTS": lights, **({"DEBUG": None} if debug else {})}
        other = project.compile("lib", ["m.slang", "n.slang", "p.slang"], defines={"FOG": fog}, **words)
        plain = project.compile("app", [*sources, "q.slang"], [other], defines=defines, **words)
        files = project.link_all(plain, [other], multimodule=True)
        key = f"DEBUG={'on' if debug else 'off'},FOG={fog},LIGHTS={lights}"
        for row in json.loads(files["app.spv.json"])["entries"]:
            one_by_one[row["source"], row["name"], key] = files[row["module"]]
    for lto in ("off", "thin", "fat"):
        for multimodule in (True, False):
            files = project.link_all(app, [lib], lto=lto, multimodule=multimodule)
            table = rows(files)
            assert table.keys() == one_by_one.keys()
            for name, data in files.items():
                if name.endswith(".spv"):
                    (tmp_path / "image.spv").write_bytes(data)
                    validate(tmp_path / "image.spv")
            if multimodule:
                # DEBUG and LIGHTS do not affect b, and FOG does not affect its first entry point.
                count = len({row["module"] for row in table.values()})
                assert count == len({data for data in one_by_one.values()}) == 6 + 1 + 2
                assert len([name for name in files if name.endswith(".spv")]) == count
            if multimodule and lto == "off":
                assert {key: files[row["module"]] for key, row in table.items()} == one_by_one


def test_module_with_other_macros_is_refused(project: ShaderBuild) -> None:
    lib = project.compile("lib", ["m.slang", "n.slang", "p.slang"], variants={"FOG": [0, 1]})
    app = project.compile("app", list(APP), [lib], variants={**AXES, "FOG": [1, 2]})
    with pytest.raises(LinkError) as caught:
        project.link_all(app, [lib], multimodule=True)
    assert "m.slang is compiled with another 'FOG' than a.slang" in str(caught.value)
    assert [value for _, value in caught.value.context] == ["FOG=0", "FOG=1", "FOG=2"]


@pytest.mark.parametrize(
    ("text", "axes"),
    [
        ("#define CAT_(a, b) a##b\n#define CAT(a, b) CAT_(a, b)\npublic static const int N = CAT(FO, G);\n", {}),
        ("public static const int N = OTHER;\n", {"OTHER": ["FOG"]}),
        ("public static const int N = FO\\\nG;\n", {}),
    ],
)
def test_pasted_macro_names_count(project: ShaderBuild, text: str, axes: Mapping[str, list[str]]) -> None:
    """Otherwise one of two different modules would be linked for both."""
    project.write({"n.slang": f"module n;\n{text}"})
    (axis, values), *_ = [*axes.items(), ("LIGHTS", [1])]
    defines = {} if axis == "LIGHTS" else {axis: values[0]}
    lib = project.compile("lib", ["m.slang", "n.slang"], variants={"FOG": [2, 3]}, defines={"LIGHTS": 1, **defines})
    app = project.compile(
        "app", ["a.slang", "q.slang"], [lib], variants={"FOG": [2, 3]}, defines={"LIGHTS": 1, **defines}
    )
    files = project.link_all(app, [lib], multimodule=True)
    assert len({row["module"] for row in rows(files).values()}) == 2


def test_variants_of_one_source_are_not_compiled_together(project: ShaderBuild) -> None:
    """Variants that need the same modules are grouped with other sources, not with each other."""
    lib = project.compile("lib", ["m.slang", "n.slang", "p.slang"], defines={"FOG": 1})
    text = f"import m;\nimport p;\n{COMPUTE} main() {{ d[0] = plain(f2(d[0])) + LIGHTS; }}\n"
    names = [f"e{at}.slang" for at in range(3)]
    project.write(dict.fromkeys(names, text))
    app = project.compile("app", names, [lib], variants={"LIGHTS": [1, 2, 3]}, defines={"FOG": 1})
    images = {lto: project.link_all(app, [lib], lto=lto, multimodule=True) for lto in ("off", "thin", "fat")}
    for files in images.values():
        table = rows(files)
        assert len({row["module"] for row in table.values()}) == 3, "expected one module per value of LIGHTS"
    entries = json.loads(images["thin"]["app.spv.json"])["entries"]
    assert {row["workgroup_size"][0] for row in entries} == {1, 2, 3}


SCONSTRUCT = """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="slang", CRATE_TARGET="vulkan1.3", CC="cc")
lib = env.Crate("lib", ["m.slang", "n.slang", ("p.slang", {"variants": {}})], variants={"FOG": [0, 1]})
app = env.Crate("app", ["a.slang", "b.slang", ("q.slang", {"when": "FOG == LIGHTS"})], deps=[lib], lto="thin",
    variants={"FOG": [0, 1], "LIGHTS": [1, 4], "DEBUG": [False, True]}, when="FOG == 1 or LIGHTS < 4",
    crate_type="cdylib", multimodule=True)
Default(app, env.CrateEmbed("shaders", app))
"""


def test_variants_with_scons(slang: ShaderProject) -> None:
    """A library with variants, a source with axes of its own, and a lookup in the C header."""
    slang.write({"SConstruct": SCONSTRUCT, **LIBRARY, **APP})
    slang.scons()
    assert slang.up_to_date()
    first = slang.snapshot()
    assert "shaders_a_slang_find" in slang.read("shaders.h") and len(slang.images("app")) == 9
    slang.write({"n.h": LIBRARY["n.h"].replace("7", "8")})
    slang.scons()
    differ = {Path(name).name for name, digest in slang.snapshot().items() if first.get(name) != digest}
    assert differ & {*slang.images("app")} == {name for name in slang.images("app") if "FOG-1" in name}
    slang.write({"SConstruct": SCONSTRUCT.replace('"m.slang", "n.slang"', '("m.slang", {"variants": {}}), "n.slang"')})
    slang.scons(expect=2)
    assert "m.slang is compiled with another 'FOG' than a.slang" in slang.errors


TOML = """\
[crate.lib]
backend = "slang"
target = "vulkan1.3"
sources = ["m.slang", "n.slang"]
variants = {FOG = [0, 1]}
[crate.app]
backend = "slang"
target = "vulkan1.3"
type = "cdylib"
multimodule = true
lto = "thin"
deps = ["lib"]
sources = ["a.slang", {path = "c.slang", name = "plain.slang", variants = {}, defines = {FOG = 0}}]
when = "FOG == 1 or LIGHTS < 4"
variants = {FOG = [0, 1], LIGHTS = [1, 4], DEBUG = [false, true]}
"""
IN_TOML = """\
import cratewright
env = Environment(tools=["default", cratewright.tool])
crates = env.CrateWorkspace("crates.toml")
Default(env.Program("host", ["host.c", env.CrateEmbed("shaders", crates["app"])]))
"""
HOST = """\
#include "shaders.h"
#include <stdio.h>
int main(void) {
    for (int at = 0; at < 8; at++) {
        const shaders_a_slang_variant *found;
        shaders_a_slang_key key = {0};
        char name[32];
        FILE *file;
        key.FOG = at & 1; key.LIGHTS = at & 2 ? 4 : 1; key.DEBUG = at >> 2;
        found = shaders_a_slang_find(key);
        if (!found) continue;
        sprintf(name, "found.%d%d%d", key.FOG, (int)key.LIGHTS, key.DEBUG);
        file = fopen(name, "wb");
        fwrite(found->image, 1, *found->size, file);
        fclose(file);
        printf("%s %s\\n", name, found->entry_point);
    }
    return 0;
}
"""


def test_host_program_finds_variants_of_a_workspace(slang: ShaderProject) -> None:
    """The image of each key equals what a plain Slang session compiles with its macros."""
    require_tool(shutil.which("gcc") is not None, "gcc")
    main = f"import m;\n{COMPUTE} main() {{\n#ifdef DEBUG\nd[1] = 11;\n#endif\nd[0] = scaled(d[0]); }}\n"
    files = {**LIBRARY, "a.slang": main, "c.slang": main.replace("LIGHTS", "3")}
    slang.write({**files, "SConstruct": IN_TOML, "crates.toml": TOML, "host.c": HOST})
    slang.scons()
    output = subprocess.run([slang.path / "host"], cwd=slang.path, capture_output=True, text=True, check=True).stdout
    keys = {"010", "011", "110", "111", "140", "141"}
    assert {line.split()[0] for line in output.splitlines()} == {f"found.{key}" for key in keys}
    table = {row["key"]: row["module"] for row in slang.manifest("app")["variants"]}
    for key in keys:
        fog, lights, debug = key
        found = (slang.path / f"found.{key}").read_bytes()
        name = f"DEBUG={'on' if debug == '1' else 'off'},FOG={fog},LIGHTS={lights}"
        assert found == (slang.path / table[name]).read_bytes()
        macros = {"FOG": fog, "LIGHTS": lights, **({"DEBUG": ""} if debug == "1" else {})}
        assert constants_of(found) == constants_of(plain_code(files, "a.slang", macros)), key
    assert slang.up_to_date()


def plain_code(files: Mapping[str, str], source: str, macros: Mapping[str, str]) -> bytes:
    """Return what a Slang session compiles, without cratewright."""
    from cratewright_slang.libslang import Settings, SlangSession

    def read(path: str) -> bytes | None:
        return files[path].encode() if path in files else None

    session = SlangSession(Settings(profile="spirv_1_6", macros=tuple(macros.items()), options=((52, 1),)), read)
    try:
        module, _ = session.load_source("main", source, files[source].encode())
        return session.code(session.link([module.object, module.entry_point(0)]))
    finally:
        session.close()


def constants_of(image: bytes) -> tuple[set[float], list[int]]:
    """Return the constants of an image that show its macros, and its workgroup size."""
    words = array("I", image)
    floats = {struct.unpack("f", struct.pack("I", word))[0] for word in words}
    size = next(words[at + 3] for at in range(5, len(words)) if words[at] == 6 << 16 | 16)
    return floats & {5.0, 7.0, 11.0}, [size]
