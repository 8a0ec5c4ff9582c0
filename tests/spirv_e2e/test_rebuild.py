"""What is done again after an edit: exactly what the edit can change, and no byte of anything else."""

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
    """Return which images differ after a build with some files changed."""
    before = _built(shaders)
    shaders.write(files)
    shaders.scons()
    after = _built(shaders)
    assert before.keys() == after.keys()
    steps, built = shaders.steps(), shaders.built()
    assert shaders.up_to_date()
    shaders.output = "\n".join([*steps, *built])
    return {name for name in after if after[name] != before[name]}


def test_a_library_function(any_shaders: ShaderProject) -> None:
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


def test_one_shader(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    changed = _edited(shaders, {"alone.comp": FILES["alone.comp"].replace("= 1.0", "= 2.0")})
    assert changed == {"alone.comp.spv"}
    assert shaders.steps() == ["Compiling crate app.rlink", "Linking app.spv.json"]
    assert shaders.built() == [
        "crate app: 3 images: 1 linked, 2 reused",
        "crate app: 3 units: 1 compiled, 2 reused",
    ]


def test_a_comment(shaders: ShaderProject) -> None:
    """It is compiled again, and nothing comes of it."""
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    text = FILES["maths/half.glsl"].replace("0.5", "/* a half */ 0.5") + "// the end\n"
    assert _edited(shaders, {"maths/half.glsl": text}) == set()
    assert "Compiling crate maths.rlink" in shaders.steps()
    assert not any("linked" in line and not line.endswith(" 0 linked, 3 reused") for line in shaders.built())


def test_an_unused_function(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    text = FILES["maths/half.glsl"] + "float third(float x) { return x / 3.0; }\n"
    assert _edited(shaders, {"maths/half.glsl": text}) == set()


def test_an_include(shaders: ShaderProject) -> None:
    """Its edit, its shadow and the end of its shadow reach what read it."""
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    original = _built(shaders)
    expected = ["crate app: 3 images: 1 linked, 2 reused", "crate maths: 2 units: 1 compiled, 1 reused"]
    assert _edited(shaders, {"second/k.h": "#define K 3.0\n"}) == {"noise.comp.spv"}
    assert shaders.steps() == ARCHIVE_MATHS and shaders.built() == expected
    assert _edited(shaders, {"first/k.h": "#define K 4.0\n"}) == {"noise.comp.spv"}
    assert shaders.steps() == ARCHIVE_MATHS and shaders.built() == expected
    assert _edited(shaders, {"maths/k.h": "#define K 5.0\n"}) == set()  # an angled name is not looked for there
    shaders.remove("first/k.h", "maths/k.h")
    assert _edited(shaders, {"second/k.h": "#define K 2.0\n"}) == {"noise.comp.spv"}
    assert _built(shaders) == original
    assert "crate maths: 2 units: 0 compiled, 2 reused" in shaders.built()


def test_options(shaders: ShaderProject) -> None:
    """What is only asked of the link compiles nothing; each level's images are kept."""
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


def test_a_deleted_image_comes_back(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons()
    original = _built(shaders)
    shaders.remove("app.spvs/half.comp.spv")
    shaders.scons()
    assert "crate app: 3 images: 0 linked, 3 reused" in shaders.built()
    assert _built(shaders) == original
