"""Rebuilds after an edit: only what the edit can change, and no other image differs."""

from __future__ import annotations

from tests.spirv_e2e.shader_project import ShaderProject, compute

V = "#version 460\n"
SCONSTRUCT = """\
env["CRATE_OPT_LEVEL"] = ARGUMENTS.get("opt", "0")
env["CRATE_DEBUGINFO"] = "none"
env["CRATE_INCLUDE_DIRS"] = ["first", "second"]
maths = env.Crate("maths", Glob("maths/*.glsl"))
noise = env.Crate("noise", Glob("noise/*"), deps=[maths])
env.Crate("app", Glob("*.comp"), deps=[noise, maths], crate_type="cdylib", multimodule=True)
"""
FILES = {
    "maths/half.glsl": V + "float half_of(float x) { return 0.5 * x; }\n",
    "maths/twice.glsl": V + "#include <k.h>\nfloat twice(float x) { return K * x; }\n",
    "noise/noise.glsl": V + "float twice(float x);\nfloat noise(float x) { return twice(x) + 1.0; }\n",
    "second/k.h": "#define K 2.0\n",
    "first/.keep": "",
    "half.comp": compute("store.data[i] = half_of(1.0);", before="float half_of(float x);"),
    "noise.comp": compute("store.data[i] = noise(1.0);", before="float noise(float x);"),
    "alone.comp": compute("store.data[i] = 1.0;"),
}
ARCHIVE_MATHS = ["Archiving libmaths.rlib", "Compiling crate maths.rlink", "Linking app.spv.json"]


def _built(shaders: ShaderProject) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (shaders.path / "app.spvs").iterdir()}


def _edited(shaders: ShaderProject, files: dict[str, str]) -> set[str]:
    """Write files and rebuild; return the images that differ."""
    before = _built(shaders)
    shaders.write(files)
    shaders.scons()
    after = _built(shaders)
    assert before.keys() == after.keys()
    steps, built = shaders.steps(), shaders.built()
    assert shaders.up_to_date()
    shaders.output = "\n".join([*steps, *built])
    return {name for name in after if after[name] != before[name]}


def test_library_edit_relinks_only_its_users(any_shaders: ShaderProject) -> None:
    any_shaders.crates(SCONSTRUCT, FILES)
    any_shaders.scons()
    assert "crate app: 3 images: 3 linked, 0 reused" in any_shaders.built()
    changed = _edited(any_shaders, {"maths/half.glsl": FILES["maths/half.glsl"].replace("0.5", "0.25")})
    assert changed == {"half.comp.spv"}
    assert any_shaders.steps() == ARCHIVE_MATHS
    assert any_shaders.built() == [
        "crate app: 3 images: 1 linked, 2 reused",
        "crate maths: 2 units: 1 compiled, 1 reused",
    ]


def test_shader_edit_relinks_one_image(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    changed = _edited(shaders, {"alone.comp": FILES["alone.comp"].replace("= 1.0", "= 2.0")})
    assert changed == {"alone.comp.spv"}
    assert shaders.steps() == ["Compiling crate app.rlink", "Linking app.spv.json"]
    assert shaders.built() == [
        "crate app: 3 images: 1 linked, 2 reused",
        "crate app: 3 units: 1 compiled, 2 reused",
    ]


def test_comment_changes_no_image(shaders: ShaderProject) -> None:
    """The crate is compiled again, but nothing is relinked."""
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    text = FILES["maths/half.glsl"].replace("0.5", "/* a half */ 0.5") + "// the end\n"
    assert _edited(shaders, {"maths/half.glsl": text}) == set()
    assert "Compiling crate maths.rlink" in shaders.steps()
    assert not any("linked" in line and not line.endswith(" 0 linked, 3 reused") for line in shaders.built())


def test_unused_function_changes_no_image(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    text = FILES["maths/half.glsl"] + "float third(float x) { return x / 3.0; }\n"
    assert _edited(shaders, {"maths/half.glsl": text}) == set()


def test_changed_and_shadowed_includes(shaders: ShaderProject) -> None:
    """Editing, shadowing and unshadowing an include rebuild its readers."""
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    original = _built(shaders)
    expected = ["crate app: 3 images: 1 linked, 2 reused", "crate maths: 2 units: 1 compiled, 1 reused"]
    assert _edited(shaders, {"second/k.h": "#define K 3.0\n"}) == {"noise.comp.spv"}
    assert shaders.steps() == ARCHIVE_MATHS and shaders.built() == expected
    assert _edited(shaders, {"first/k.h": "#define K 4.0\n"}) == {"noise.comp.spv"}
    assert shaders.steps() == ARCHIVE_MATHS and shaders.built() == expected
    assert _edited(shaders, {"maths/k.h": "#define K 5.0\n"}) == set()  # not searched for names in angle brackets
    shaders.remove("first/k.h", "maths/k.h")
    assert _edited(shaders, {"second/k.h": "#define K 2.0\n"}) == {"noise.comp.spv"}
    assert _built(shaders) == original
    assert "crate maths: 2 units: 0 compiled, 2 reused" in shaders.built()


def test_opt_level_relinks_without_recompiling(shaders: ShaderProject) -> None:
    """The images of each level are cached."""
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    original = _built(shaders)
    shaders.scons("opt=3")
    assert "crate app: 3 images: 3 linked, 0 reused" in shaders.built()
    assert not any("compiled" in line and "0 compiled" not in line for line in shaders.built())
    assert _built(shaders) != original
    shaders.scons()
    assert "crate app: 3 images: 0 linked, 3 reused" in shaders.built()
    assert _built(shaders) == original


def test_deleted_image_is_restored(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    original = _built(shaders)
    shaders.remove("app.spvs/half.comp.spv")
    shaders.scons()
    assert "crate app: 3 images: 0 linked, 3 reused" in shaders.built()
    assert _built(shaders) == original
