"""Slang crates are the same wherever their project is, and cached results of one place serve another."""

from __future__ import annotations

import re
from pathlib import Path

from tests.spirv_e2e.shader_project import ShaderProject

SCONSTRUCT = """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="slang", CRATE_TARGET="vulkan1.3")
env.VariantDir("out/gen", "gen")
made = env.Substfile("out/gen/made.slang", "gen/made.in", SUBST_DICT={"@": "3.0"})
for level in ("none", "line", "full"):
    words = {"debuginfo": level, "include_dirs": ["lib", "inc", "out/gen", "."]}
    lib = env.Crate(f"lib_{level}", ["lib/shapes.slang", *made], **words)
    for lto, several in (("off", True), ("thin", True), ("fat", False)):
        app = env.Crate(f"{lto}_{level}", ["app/main.slang"], deps=[lib], crate_type="cdylib", lto=lto,
            multimodule=several, opt_level="1", **words)
        Default(app, lib)
"""
FILES = {
    "SConstruct": SCONSTRUCT,
    "gen/made.in": "module made;\npublic float made(float x) { return x * @; }\n",
    "inc/scale.h": "#define SCALE 2.0\n",
    "lib/scale.h": "#define SCALE 2.0\n#define OTHER 1.0\n",
    "lib/shapes.slang": 'module shapes;\n#include <inc/scale.h>\n__include "detail/sphere";\nimport made;\n'
    "public float shape(float x) { int a = x; return made(x) * SCALE + a + sphere(x); }\n",
    "lib/detail/sphere.slang": 'implementing shapes;\n#include "../scale.h"\n'
    "public float sphere(float x) { return x * SCALE * OTHER; }\n",
    "app/main.slang": "import shapes;\nRWStructuredBuffer<float> d;\n"
    + "".join(
        f'[shader("compute")] [numthreads(64, 1, 1)] void {name}(uint3 i : SV_DispatchThreadID) '
        f"{{ d[i.x] = shape(d[i.x]) + {name[-1]}; }}\n"
        for name in ("run1", "run2")
    ),
}
OUTSIDE = {
    "m.slang": "module m;\nimport in.n;\npublic float f(float x) { return sin(x) * n(x); }\n",
    "in/n.slang": 'module n;\n#include "k.h"\n#include "../l.h"\n'
    "public float n(float x) { int a = x; return x * K * a * L; }\n",
    "in/k.h": "#define K 2.0\n",
    "l.h": "#define L 2.0\n",
}
MAIN = (
    "import m;\nRWStructuredBuffer<float> d;\n"
    '[shader("compute")] [numthreads(1, 1, 1)] void main() { d[0] = f(d[0]); }\n'
)
SUFFIXES = ("rlib", "rlink", "lto", "spv", "json")


def built(slang: ShaderProject, place: Path, cache: Path) -> dict[str, bytes]:
    project = ShaderProject(place, form=slang.form)
    project.environ = {**slang.environ, "CRATE_CACHE": str(cache)}
    project.write(FILES)
    project.scons()
    slang.output = project.output
    assert "lib/shapes.slang:5:39: warning: " in project.output and str(place) not in project.errors
    return {
        path.relative_to(place).as_posix(): path.read_bytes()
        for path in sorted(place.rglob("*.*"))
        if path.suffix[1:] in SUFFIXES and not path.relative_to(place).parts[0].startswith(".")
    }


def test_same_bytes_and_cache_hits_elsewhere(slang: ShaderProject, tmp_path: Path) -> None:
    """With every level of debug information and LTO, and generated, included and imported files."""
    here = built(slang, tmp_path / "a", tmp_path / "cache")
    there = built(slang, tmp_path / "a place/of a longer name", tmp_path / "other")
    assert {name.rpartition(".")[2] for name in here} == set(SUFFIXES) and len(here) > 40
    assert [name for name in here if here[name] != there.get(name)] == [] and len(here) == len(there)
    assert not [name for name, data in here.items() if str(tmp_path).encode() in data]
    assert not [name for name, data in here.items() if name.endswith(".spv") and b"/dev/null" in data]
    shown = here["thin_line.spvs/app/main.run1.spv"]
    assert all(name in shown for name in (b"out/gen/made.slang", b"lib/detail/sphere.slang", b"app/main.slang"))
    keys = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert keys and keys == {path.name for path in (tmp_path / "other").rglob("*") if path.is_file()}
    third = built(slang, tmp_path / "b/c/d/e", tmp_path / "cache")
    assert third == here
    counts = re.findall(r"(\d+) (?:compiled|optimized|linked), (\d+) reused", slang.output)
    assert len(counts) > 20 and {made for made, _ in counts} == {"0"}


OUTSIDE_SCONSTRUCT = """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="slang", CRATE_TARGET="vulkan1.3")
for level in ("none", "line", "full"):
    words = {"debuginfo": level, "include_dirs": ["#../shared"]}
    # By its absolute path as well.
    lib = env.Crate(f"lib_{level}", [Dir("#").abspath + "/../shared/m.slang", "#../shared/in/n.slang"], **words)
    for lto, several in (("off", True), ("off", False), ("thin", True), ("fat", True)):
        app = env.Crate(f"{lto}_{several}_{level}", ["app/main.slang"], deps=[lib], crate_type="cdylib", lto=lto,
            multimodule=several, **words)
        Default(app, lib)
"""


def test_sources_outside_the_project(slang: ShaderProject, tmp_path: Path) -> None:
    """They are named by their relative paths, so the project may be moved together with them."""
    made: list[dict[str, bytes]] = []
    for place in (tmp_path / "a", tmp_path / "a place" / "deeper"):
        project = ShaderProject(place / "project", form=slang.form)
        files = {f"../shared/{name}": text for name, text in OUTSIDE.items()}
        project.write(files | {"SConstruct": OUTSIDE_SCONSTRUCT, "app/main.slang": MAIN})
        project.scons()
        assert "\n../shared/in/n.slang:4:" in project.output
        paths = (path for path in sorted(project.path.rglob("*.*")) if path.suffix[1:] in SUFFIXES)
        made.append({path.relative_to(project.path).as_posix(): path.read_bytes() for path in paths})
        assert project.up_to_date()
    here, there = made
    assert [name for name in here if here[name] != there.get(name)] == [] and len(here) == len(there) > 40
    assert not [name for name, data in here.items() if str(tmp_path).encode() in data]
    shown = [data for name, data in here.items() if name.endswith(".spv") and "none" not in name]
    assert len(shown) == 8 and all(b"../shared/m.slang" in data and b"../shared/in/n.slang" in data for data in shown)
    project.write({"../shared/in/k.h": "#define K 3.0\n"})
    project.scons()
    assert (project.path / "off_False_none.spv").read_bytes() != here["off_False_none.spv"]
