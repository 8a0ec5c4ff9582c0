"""The manifest and the names of entry points and images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from cratewright.formats.figures import compare, read_figures
from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import entry_points

BOTH_FORMS = True

Golden = Callable[[str, str], None]

ONE = compute("store.data[i] = 1.0;")
TWO = compute("store.data[i] = 2.0;")
VERTEX = "#version 460\nvoid main() { gl_Position = vec4(1.0); }\n"


def test_multimodule(any_shaders: ShaderProject) -> None:
    any_shaders.crates(
        'env.Crate("app", ["a/x.comp", "b/x.comp", "x.vert"], crate_type="cdylib", multimodule=True)\n',
        {"a/x.comp": ONE, "b/x.comp": TWO, "x.vert": VERTEX},
    )
    any_shaders.scons()
    manifest = any_shaders.manifest("app")
    assert (manifest["crate"], manifest["target"], manifest["crate_type"]) == ("app", "vulkan1.3", "cdylib")
    assert manifest["entry_points"] == ["a/x.comp", "b/x.comp", "x.vert"]
    assert manifest["module"] == {name: f"app.spvs/{name}.spv" for name in manifest["entry_points"]}
    # Multi-module images keep the entry point's own name.
    assert [(row["stage"], row["name"], row["key"]) for row in manifest["entries"]] == [
        ("compute", "main", "a/x.comp"),
        ("compute", "main", "b/x.comp"),
        ("vertex", "main", "x.vert"),
    ]
    assert not any("renamed_from" in row for row in manifest["entries"])
    assert [row["source"] for row in manifest["entries"]] == ["a/x.comp", "b/x.comp", "x.vert"]
    for row in manifest["modules"]:
        data = (any_shaders.path / row["path"]).read_bytes()
        assert row["size"] == len(data) and row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["instructions"] > 0
    first, second = ((any_shaders.path / f"app.spvs/{name}/x.comp.spv").read_bytes() for name in "ab")
    assert first != second


def test_single_module_renames_only_clashing_entry_points(any_shaders: ShaderProject) -> None:
    any_shaders.crates(
        'env.Crate("app", ["a/x.comp", "b/x.comp", "x.vert"], crate_type="cdylib")\n',
        {"a/x.comp": ONE, "b/x.comp": TWO, "x.vert": VERTEX},
    )
    any_shaders.scons()
    manifest = any_shaders.manifest("app")
    assert manifest["module"] == "app.spv"
    assert entry_points(any_shaders.path / "app.spv") == [("comp", "a/x"), ("comp", "b/x"), ("vert", "main")]
    assert manifest["entry_points"] == ["a/x", "b/x", "main"]
    assert [row.get("renamed_from") for row in manifest["entries"]] == ["main", "main", None]
    assert {row["module"] for row in manifest["entries"]} == {"app.spv"}


def test_equal_names_of_different_stages_do_not_clash(shaders: ShaderProject) -> None:
    shaders.crates('env.Crate("app", ["x.comp", "x.vert"], crate_type="cdylib")\n', {"x.comp": ONE, "x.vert": VERTEX})
    shaders.scons()
    assert entry_points(shaders.path / "app.spv") == [("comp", "main"), ("vert", "main")]
    # The keys are still unique.
    assert shaders.manifest("app")["entry_points"] == ["x.comp", "x.vert"]
    assert [row["name"] for row in shaders.manifest("app")["entries"]] == ["main", "main"]


HLSL = """\
RWStructuredBuffer<float> data : register(u0);
[numthreads(64, 1, 1)] void first(uint3 id : SV_DispatchThreadID) { data[id.x] = 1.0; }
[numthreads(64, 1, 1)] void second(uint3 id : SV_DispatchThreadID) { data[id.x] = 2.0; }
"""


def test_entry_point_option(shaders: ShaderProject) -> None:
    """In GLSL it renames `main`; in HLSL it selects the function."""
    shaders.crates(
        'env.Crate("app", [("a.comp", {"entry_point": "begin"}), '
        '("b.comp.hlsl", {"entry_point": "first", "name": "b1"}), '
        '("b.comp.hlsl", {"entry_point": "second", "name": "b2"})], crate_type="cdylib")\n',
        {"a.comp": ONE, "b.comp.hlsl": HLSL},
    )
    shaders.scons()
    assert entry_points(shaders.path / "app.spv") == [("comp", "begin"), ("comp", "first"), ("comp", "second")]
    assert shaders.manifest("app")["entry_points"] == ["begin", "first", "second"]
    assert not any("renamed_from" in row for row in shaders.manifest("app")["entries"])


CLASHES = {
    "clash_of_suffixes": ('["a.comp", "a.comp.glsl"]', {"a.comp": ONE, "a.comp.glsl": TWO}),
    "clash_of_languages": (
        '["a.comp.glsl", ("a.comp.hlsl", {"entry_point": "first"})]',
        {"a.comp.glsl": ONE, "a.comp.hlsl": HLSL},
    ),
}


@pytest.mark.parametrize("name", CLASHES)
def test_clashing_image_names_are_an_error(shaders: ShaderProject, golden: Golden, name: str) -> None:
    sources, files = CLASHES[name]
    shaders.crates(f'env.Crate("app", {sources}, crate_type="cdylib", multimodule=True)\n', files)
    shaders.scons(expect=2)
    golden(f"spirv/{name}.txt", shaders.error())
    assert not shaders.exists("app.spvs") and not shaders.exists("app.spv.json")
    shaders.crates(
        'env.Crate("app", ["a.comp", ("b.comp", {"name": "other"})], crate_type="cdylib", multimodule=True)\n',
        {"a.comp": ONE, "b.comp": TWO},
    )
    shaders.scons()
    assert shaders.images("app") == ["a.comp.spv", "other.comp.spv"]


def test_obsolete_image_is_removed(any_shaders: ShaderProject) -> None:
    crate = 'env.Crate("app", Glob("*.comp"), crate_type="cdylib", multimodule=True)\n'
    any_shaders.crates(crate, {"a.comp": ONE, "b.comp": TWO})
    any_shaders.scons()
    any_shaders.remove("b.comp")
    any_shaders.scons()
    assert any_shaders.images("app") == ["a.comp.spv"]
    assert any_shaders.manifest("app")["entry_points"] == ["main"]
    any_shaders.write({"b.comp": TWO})
    any_shaders.scons()
    assert any_shaders.images("app") == ["a.comp.spv", "b.comp.spv"]


def test_statistics_of_images_and_their_growth(shaders: ShaderProject) -> None:
    crate = 'env.Crate("app", ["a.comp", "b.comp"], crate_type="cdylib", multimodule={}, opt_level=3, lto="{}")\n'
    modes = [(many, lto) for many in (True, False) for lto in ("off", "thin", "fat")]
    crates = "".join(crate.replace("app", f"{lto}_{many}").format(many, lto) for many, lto in modes)
    a = compute("for (uint n = 0u; n < 4u + gl_WorkGroupID.x; n++) if (store.data[i] > 1.0) store.data[i] += 1.0;")
    shaders.crates(crates, {"a.comp": a, "b.comp": ONE})
    shaders.scons()
    figures = ("loops", "branches", "divergent_branches", "texture_accesses")
    for many, lto in modes:
        rows = shaders.manifest(f"{lto}_{many}")["modules"]
        assert [sum(row[name] for row in rows) for name in figures] == [1, 2, 1, 0]
        assert sum(row["buffer_accesses"] for row in rows) >= 3
        shaders.write({f"{lto}_{many}.json": shaders.read(f"{lto}_{many}.spv.json")})
    shaders.write({"b.comp": compute("if (store.data[i] > 1.0) store.data[i] = 1.0;")})
    shaders.scons()
    for many, lto in modes:
        name = f"{lto}_{many}"
        texts = (shaders.read(f"{name}{end}").encode() for end in (".json", ".spv.json"))
        changes = compare(*(read_figures(text, path=name) for text in texts))
        (image,) = changes.changed
        assert image == ("b.comp" if many else name) and changes.grew
        assert changes.changed[image]["divergent_branches"] == ((0, 1) if many else (1, 2))
