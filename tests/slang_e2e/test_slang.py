"""Slang crates in real builds: what their images compute, and what an edit rebuilds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject
from tests.support.page import blocks
from tests.support.paths import ROOT
from tests.support.slang_shapes import APP, COMPUTE, CRATES, HEADER, SHAPES, digests, write

Validate = Callable[[Path], None]


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
@pytest.mark.parametrize("multimodule", [True, False])
def test_images_compute_the_expected_values(slang: ShaderProject, validate: Validate, device, lto, multimodule) -> None:
    import numpy as np

    write(slang, CRATES, SHAPES | APP, lto=lto, multimodule=multimodule, opt_level="3")
    slang.scons()
    assert slang.up_to_date()
    x = np.linspace(0.5, 2.0, 64, dtype=np.float32)
    expected = {"areas": x * x + 4 * x * x + 4, "slopes": 3 * x * x + 2, "alone": x + 1}
    manifest = slang.manifest("app")
    assert sorted(entry["name"] for entry in manifest["entries"]) == ["alone", "areas", "slopes", "turned"]
    for entry in manifest["entries"]:
        image = slang.path / entry.get("module", "app.spv")
        validate(image)
        if entry["name"] in expected:
            binding = next(row for row in entry["descriptors"] if row["name"] == "d")
            (found,) = run(device, image.read_bytes(), entry["name"], binding, x)
            assert np.allclose(found, expected[entry["name"]], rtol=1e-5), entry["name"]
    rows = {path: row["crates"] for row in manifest["modules"] for path in [Path(row["path"]).name]}
    if multimodule:
        assert rows["main.areas.spv"] == ["app", "lib"]


def run(device, image: bytes, name: str, binding: dict[str, int], values) -> list[object]:
    from tests.support.vulkan_device import Resource

    return list(device.run(image, [Resource(binding["binding"], values, set=binding["set"])], entry=name).values())


def test_edit_relinks_the_entry_points_that_use_it(slang: ShaderProject) -> None:
    own = {
        "app/other.slang": APP["app/main.slang"]
        .replace("import lib.cost;", "")
        .replace("d[i.x] = slope(d[i.x]) + unit() - 1.0;", "d[i.x] = 0.0;")
    }
    write(slang, CRATES, SHAPES | APP | own, lto="thin", multimodule=True)
    slang.scons()
    first = digests(slang)
    assert len(first) == 8
    text = SHAPES["lib/cost.slang"]
    slang.write({"lib/cost.slang": text.replace("2.0 * x", "5.0 * x")})
    slang.scons()
    second = digests(slang)
    assert [name for name in first if first[name] != second[name]] == ["main.slopes.spv"]
    assert "4 optimized" not in slang.output
    slang.write({"lib/cost.slang": text.replace("module cost;", "module cost; // a comment")})
    slang.scons()
    slang.write({"lib/cost.slang": text})
    slang.scons()
    assert digests(slang) == first
    slang.write({"lib/detail/sphere.slang": SHAPES["lib/detail/sphere.slang"].replace("4.0 *", "3.0 *")})
    slang.scons()
    third = digests(slang)
    assert sorted(name for name in first if first[name] != third[name]) == ["main.areas.spv", "other.areas.spv"]
    slang.write({"lib/scale.h": "#define SCALE 2.0\n"})
    slang.scons()
    fourth = digests(slang)
    assert sorted(name for name in third if third[name] != fourth[name]) == [
        "main.areas.spv", "main.slopes.spv", "other.areas.spv",
    ]  # fmt: skip


def test_entry_points_are_in_the_order_of_their_sources(slang: ShaderProject, validate: Validate) -> None:
    """Also if those of several sources are compiled as one program."""
    more = "".join(f"public float f{at}(float x) {{ return sin(x * {at}); }}\n" for at in range(60))
    files = {f"{name}.slang": f"module {name};\n{more.replace('f', name)}".replace(f"{name}loat", "float")
             for name in ("one", "two")}  # fmt: skip
    for at, name in enumerate(("one", "two") * 3):
        files[f"e{at}.slang"] = (
            f"import {name};\nRWStructuredBuffer<float> d{at};\n"
            f'[shader("compute")] [numthreads(1, 1, 1)] void main() {{ d{at}[0] = {name}{at}({at}); }}\n'
        )
    crates = """\
lib = env.Crate("lib", ["one.slang", "two.slang"])
for name, words in {"off": {}, "thin": {"lto": "thin"}, "fat": {"lto": "fat"}}.items():
    sources = [f"e{at}.slang" for at in range(6)]
    Default(env.Crate(name, sources, deps=[lib], crate_type="cdylib", multimodule=True, **words))
"""
    slang.write({"SConstruct": HEADER + crates, **files})
    slang.scons("CRATE_EVENTS=events.jsonl")
    rows = {name: slang.manifest(name)["entries"] for name in ("off", "thin", "fat")}
    assert [row["source"] for row in rows["off"]] == [f"e{at}.slang" for at in range(6)]
    words = ("key", "source", "stage", "descriptors")
    assert len({str([[row[word] for word in words] for row in each]) for each in rows.values()}) == 1
    assert "e0.comp +2" in slang.read("events.jsonl"), "three entry points should be one program"
    for name in rows:
        for image in slang.images(name):
            validate(slang.path / f"{name}.spvs" / image)


def test_names_of_equal_entry_points_depend_on_the_whole_crate(slang: ShaderProject, validate: Validate) -> None:
    """Thin LTO links groups of entry points, and a group may hold only one with the name."""

    def entry(name: str, size: int) -> str:
        return f'[shader("compute")] [numthreads({size}, 1, 1)] void {name}() {{ d[0] = f(d[{size}]); }}\n'

    head = "import m;\nRWStructuredBuffer<float> d;\n"
    more = "".join(f"public float f{at}(float x) {{ return sin(x * {at}); }}\n" for at in range(20))
    files = {
        "m.slang": "module m;\npublic float f(float x) { return x * 2.5; }\n" + more,
        "a.slang": head + entry("main", 1) + entry("other", 2),
        # Linked alone, because it is larger than its imports.
        "b.slang": head
        + "".join(f"float g{at}(float x) {{ return cos(x * {at}); }}\n" for at in range(30))
        + entry("main", 3),
        "c.slang": head + entry("main", 4),
        "d.slang": head + entry("b", 5),  # named like a source with a clash
    }
    crates = """\
lib = env.Crate("lib", ["m.slang"])
for lto in ("off", "thin", "fat"):
    sources = ["a.slang", "b.slang", "d.slang", "c.slang"]
    Default(env.Crate(lto, sources, deps=[lib], crate_type="cdylib", lto=lto))
"""
    slang.write({"SConstruct": HEADER + crates, **files})
    slang.scons("CRATE_EVENTS=events.jsonl")
    parts = set(re.findall(r'"unit": ?"(\w\.(?:comp|main)(?: \+\d+)?)"', slang.read("events.jsonl")))
    assert len(parts) > 1 and any("+" in part for part in parts), "expected several groups"
    for lto in ("off", "thin", "fat"):
        sizes = {entry["name"]: entry["workgroup_size"][0] for entry in slang.manifest(lto)["entries"]}
        assert sizes == {"a.main": 1, "other": 2, "b.comp": 3, "b": 5, "c": 4}
        validate(slang.path / f"{lto}.spv")


STAGES = (Path(__file__).parent / "stages.slang").read_text(encoding="utf-8")


@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_every_stage(slang: ShaderProject, validate: Validate, debuginfo: str) -> None:
    options = {"multimodule": True, "lto": "thin", "debuginfo": debuginfo}
    write(
        slang,
        'Default(env.Crate("app", ["s.slang"], crate_type="cdylib", **OPTIONS))\n',
        {"s.slang": STAGES},
        **options,
    )
    slang.scons()
    images = slang.images("app")
    assert [name.split(".")[1] for name in images] == sorted(
        ["any", "as", "box", "call", "ds", "fs", "gs", "hit", "hs", "miss", "ms", "rg", "vs"]
    )
    for name in images:
        validate(slang.path / "app.spvs" / name)
    stages = {entry["name"]: entry["stage"] for entry in slang.manifest("app")["entries"]}
    assert stages["hs"] == "tess-control" and stages["as"] == "task" and stages["rg"] == "raygen"
    assert stages["box"] == "intersection" and stages["call"] == "callable"


EXTERN = {
    "lib/base.slang": """\
module base;
public interface IShape { float area(float x); }
extern static const int COUNT = 1;
extern struct Shape : IShape;
public float total(float x) { Shape s; return s.area(x) * COUNT; }
""",
    "lib/four.slang": """\
module four;
import base;
export public static const int COUNT = 4;
export public struct Shape : IShape { public float area(float x) { return x * x; } }
""",
    "lib/nine.slang": """\
module nine;
import base;
export public struct Shape : IShape { public float area(float x) { return x + 9.0; } }
""",
    "a.slang": "import base;\nimport four;\n%s void main(uint3 i : SV_DispatchThreadID) { d[i.x] = total(d[i.x]); }\n",
    "b.slang": "import base;\nimport nine;\n%s void main(uint3 i : SV_DispatchThreadID) { d[i.x] = total(d[i.x]); }\n",
    "h.comp.hlsl": '#include "k.hlsli"\n%s void main(uint3 i : SV_DispatchThreadID) { d[i.x] = WaveActiveMax(K); }\n',
    "k.hlsli": "#define K 7.0\n",
    # The middle part is not a stage.
    "noise.simplex.hlsl": "float noise(float x) { return x; }\n",
}


def test_extern_constants_and_types_are_resolved_at_the_link(slang: ShaderProject, validate: Validate, device) -> None:
    """An `extern` takes what the imports of the entry point export. An HLSL source takes part, too."""
    import numpy as np

    crates = 'lib = env.Crate("lib", Glob("lib/*.slang"), include_dirs=["lib"])\n'
    crates += (
        'Default(env.Crate("app", ["a.slang", "b.slang", *Glob("*.hlsl")], deps=[lib], include_dirs=["lib"], '
        'crate_type="cdylib", multimodule=True, lto="thin"))\n'
    )
    slang.write({"SConstruct": HEADER + crates, **{name: text.replace("%s", COMPUTE) for name, text in EXTERN.items()}})
    slang.scons()
    x = np.linspace(0.5, 2.0, 64, dtype=np.float32)
    first = digests(slang)
    assert len(first) == 3
    for entry in slang.manifest("app")["entries"]:
        image = slang.path / entry["module"]
        validate(image)
        (found,) = run(device, image.read_bytes(), entry["name"], entry["descriptors"][0], x)
        expected = {"a": x * x * 4, "b": x + 9, "h": x * 0 + 7}[image.name[0]]
        assert np.allclose(found, expected, rtol=1e-5), image.name
    slang.write({"lib/nine.slang": EXTERN["lib/nine.slang"].replace("9.0", "8.0"), "k.hlsli": "#define K 6.0\n"})
    slang.scons()
    assert sorted(name[0] for name, digest in digests(slang).items() if first[name] != digest) == ["b", "h"]
    slang.write({"h.comp.hlsl": "float4 main() : SV_Target { return 1; }\n"})
    slang.scons(expect=2)
    assert "h.comp.hlsl:1: error: no entry point, although the file is named .comp" in slang.errors


def test_sconstruct_of_the_documentation(slang: ShaderProject) -> None:
    (block,) = blocks((ROOT / "plugins/cratewright-slang/README.md").read_text(encoding="utf-8"))
    app = '[shader("compute")] [numthreads(1, 1, 1)] void fill() { d[0] = one(); }\n'
    slang.write(
        {
            "SConstruct": f"import cratewright\n{block.text}",
            "lib/one.slang": "module one;\npublic float one() { return 1.0; }\n",
            "app/fill.slang": f"import one;\nRWStructuredBuffer<float> d;\n{app}",
        }
    )
    slang.scons()
    assert list(slang.path.glob("app.spvs/**/*.spv"))
