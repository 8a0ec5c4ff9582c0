"""LTO of shaders end to end: what is reoptimized after an edit, and what LTO must preserve."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import opcodes

Validate = Callable[[Path], None]

V = "#version 460\n"
NAME, LINE, CALL = 5, 8, 57
COUNT, USERS = 8, 3
LIBRARY = (
    V + "float low(float x) {\n    return 0.5 * x;\n}\n"
    "float usual(float x) {\n    float y = low(x);\n    return y + 1.0;\n}\n"
    "float rare(float x) {\n    return sqrt(x) * 7.0;\n}\n"
)
CRATES = """\
maths = env.Crate("maths", ["maths.glsl"])
env.Crate("app", Glob("app/*"), deps=[maths], crate_type={types}, lto=ARGUMENTS.get("lto", "thin"),
          opt_level=ARGUMENTS.get("opt", "3"), debuginfo=ARGUMENTS.get("debuginfo", "none"),
          multimodule=ARGUMENTS.get("multi", "1"){more})
"""


def _shader(index: int) -> str:
    users = index < USERS
    call = "rare(usual(store.data[i]))" if users else "usual(store.data[i])"
    before = "float usual(float x);" + (" float rare(float x);" if users else "")
    return compute(f"store.data[i] = {call} + {index}.5;", before=before)


def _project(shaders: ShaderProject, *, types: str = '"cdylib"', more: str = "", **files: str) -> None:
    shaders.crates(
        CRATES.format(types=types, more=more),
        {"maths.glsl": LIBRARY, **{f"app/s{index}.comp": _shader(index) for index in range(COUNT)}, **files},
    )


def _images(shaders: ShaderProject) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (shaders.path / "app.spvs").rglob("*.spv")}


def _optimized(shaders: ShaderProject) -> tuple[int, int]:
    """Return how many modules the last build optimized and reused."""
    found = re.search(r"LTO: (\d+) optimized, (\d+) reused", shaders.output)
    assert found, shaders.output
    return int(found[1]), int(found[2])


def _edit(shaders: ShaderProject, old: str, new: str, name: str = "maths.glsl") -> None:
    text = shaders.read(name)
    assert old in text
    shaders.write({name: text.replace(old, new)})


@pytest.mark.parametrize("debuginfo", ["none", "line"])
def test_edit_reoptimizes_only_its_users(shaders: ShaderProject, validate: Validate, debuginfo: str) -> None:
    _project(shaders)
    shaders.scons(f"debuginfo={debuginfo}")
    assert _optimized(shaders) == (COUNT, 0)
    before = _images(shaders)
    assert len(before) == COUNT
    _edit(shaders, "* 7.0", "* 9.0")
    shaders.scons(f"debuginfo={debuginfo}")
    assert _optimized(shaders) == (USERS, COUNT - USERS)
    after = _images(shaders)
    assert {name for name in before if before[name] != after[name]} == {f"s{index}.comp.spv" for index in range(USERS)}
    for path in (shaders.path / "app.spvs").rglob("*.spv"):
        validate(path)
    _edit(shaders, "* 9.0", "* 7.0")
    shaders.scons(f"debuginfo={debuginfo}")
    assert _optimized(shaders) == (0, COUNT)
    assert _images(shaders) == before
    assert shaders.up_to_date(f"debuginfo={debuginfo}")


HARMLESS: Mapping[str, tuple[str, str]] = {
    "a comment": ("float rare", "// about rare\n\n/* more */\nfloat rare"),
    "white space": ("    return sqrt(x) * 7.0;", "return   sqrt( x )\n*\n7.0;"),
    "a name": ("float y = low(x);\n    return y + 1.0;", "float nearly = low(x);\n    return nearly + 1.0;"),
    "a name of a parameter": ("float rare(float x) {\n    return sqrt(x)", "float rare(float z) {\n    return sqrt(z)"),
    "another order": (
        "float low(float x) {\n    return 0.5 * x;\n}\n"
        "float usual(float x) {\n    float y = low(x);\n    return y + 1.0;\n}\n",
        "float low(float x);\nfloat usual(float x) {\n    float y = low(x);\n    return y + 1.0;\n}\n"
        "float low(float x) {\n    return 0.5 * x;\n}\n",
    ),
    "a function that nobody calls": ("float rare", "double unused(double x) { return x * 2.0LF; }\nfloat rare"),
}


@pytest.mark.parametrize("edit", HARMLESS)
def test_edit_without_effect_reoptimizes_nothing(shaders: ShaderProject, edit: str) -> None:
    _project(shaders)
    shaders.scons()
    before = _images(shaders)
    _edit(shaders, *HARMLESS[edit])
    shaders.scons()
    assert "Linking" not in shaders.output
    assert _optimized(shaders) == (0, COUNT)
    assert _images(shaders) == before


def test_renamed_resource_reoptimizes_nothing(shaders: ShaderProject) -> None:
    """The manifest has the new name."""
    _project(shaders)
    shaders.scons()
    before = _images(shaders)
    shaders.write({"app/s5.comp": _shader(5).replace("} store;", "} pool;").replace("store.data", "pool.data")})
    shaders.scons()
    assert _optimized(shaders) == (0, COUNT)
    assert _images(shaders) == before
    names = [row["descriptors"][0]["name"] for row in shaders.manifest("app")["entries"]]
    assert names == ["pool" if index == 5 else "store" for index in range(COUNT)]


@pytest.mark.parametrize("lto", ["thin", "fat"])
@pytest.mark.parametrize("multi", ["0", "1"])
def test_crate_is_both_rlib_and_optimized_image(
    shaders: ShaderProject, validate: Validate, lto: str, multi: str
) -> None:
    _project(shaders, types='["rlib", "cdylib"]')
    shaders.scons(f"lto={lto}", f"multi={multi}")
    assert shaders.exists("libapp.rlib")
    assert "with 1 of maths" in shaders.output
    manifest = shaders.manifest("app")
    assert manifest["lto"] == lto
    for row in manifest["modules"]:
        image = shaders.path / row["path"]
        validate(image)
        assert row["imported"] == {"maths": 1}
        assert row["size"] == image.stat().st_size < row["size_before_optimisation"]
        assert row["instructions"] < row["instructions_before_optimisation"]
        assert CALL not in opcodes(image), "everything is inlined, across crates"
        assert NAME not in opcodes(image)
    assert len(manifest["modules"]) == (COUNT if multi == "1" else 1)
    assert len(manifest["entries"]) == COUNT
    assert all(row["descriptors"][0]["name"] == "store" for row in manifest["entries"])


@pytest.mark.parametrize("lto", ["thin", "fat"])
def test_images_do_not_depend_on_jobs_or_caches(shaders: ShaderProject, tmp_path: Path, lto: str) -> None:
    _project(shaders)
    shaders.scons("-j1", f"lto={lto}")
    other = ShaderProject(tmp_path / "elsewhere" / "deep", form=shaders.form)
    _project(other)
    other.scons("-j4", f"lto={lto}")
    assert _images(other) == _images(shaders)
    assert other.read("app.spv.json") == shaders.read("app.spv.json")


@pytest.mark.parametrize("lto", ["thin", "fat"])
@pytest.mark.parametrize("multi", ["0", "1"])
def test_line_information_is_kept(shaders: ShaderProject, validate: Validate, lto: str, multi: str) -> None:
    _project(shaders)
    shaders.scons(f"lto={lto}", f"multi={multi}", "debuginfo=line")
    images = [shaders.path / row["path"] for row in shaders.manifest("app")["modules"]]
    for image in images:
        validate(image)
        assert LINE in opcodes(image)
    text = images[0].read_bytes()
    assert b"maths.glsl" in text
    assert b"s0.comp" in text


EVERYTHING = {
    "app/wave.vert": V + "vec4 clip(vec3 p);\nvoid main() { gl_Position = clip(vec3(float(gl_VertexIndex))); }\n",
    "app/tint.frag": V + "vec3 tint(float x);\nlayout(location = 0) out vec4 colour;\n"
    "void main() { colour = vec4(tint(gl_FragCoord.x), 1.0); }\n",
    "app/count.comp": compute("store.data[i] = tally(store.data[i]) + GAIN;", before="float tally(float x);\n"
    "layout(constant_id = 7) const float GAIN = 2.0;"),
    "app/sized.comp": V + "layout(local_size_x_id = 0) in;\n"
    "layout(set = 0, binding = 0) buffer Store { float data[]; } store;\nfloat tally(float x);\n"
    "void main() { store.data[gl_GlobalInvocationID.x] = tally(float(gl_WorkGroupSize.x)); }\n",
    "app/spare.comp": compute("store.data[i] = float(near(i));", before="uint near(uint i);\n"
    "layout(set = 1, binding = 3) uniform Spare { float spare; };"),
    "maths.glsl": V + "layout(constant_id = 3) const float SCALE = 4.0;\nfloat total = 1.5;\n"
    "float tally(float x) { total += x * SCALE; return total; }\n"
    "vec4 clip(vec3 p) { return vec4(p * SCALE, 1.0); }\n",
    "edge.glsl": V + "vec3 tint(float x) {\n#ifdef GL_FRAGMENT_SHADER\n    return vec3(dFdx(x));\n#else\n"
    "    return vec3(x);\n#endif\n}\n",
    "near.hlsl": "uint near(uint i) { return i * 3 + 1; }\n",
}  # fmt: skip


@pytest.mark.pairwise
@pytest.mark.parametrize("lto", ["thin", "fat"])
@pytest.mark.parametrize("multi", ["0", "1"])
@pytest.mark.parametrize("opt", ["0", "3", "s"])
def test_shader_features_are_kept(shaders: ShaderProject, validate: Validate, lto: str, multi: str, opt: str) -> None:
    """Specialisation constants, initialised globals, workgroup sizes, stages and both languages."""
    crates = CRATES.replace('["maths.glsl"]', '["maths.glsl", "edge.glsl", "near.hlsl"]')
    shaders.crates(crates.format(types='"cdylib"', more=', preserve_bindings=ARGUMENTS.get("keep", "0")'), EVERYTHING)
    shaders.scons(f"lto={lto}", f"multi={multi}", f"opt={opt}")
    manifest = shaders.manifest("app")
    rows = {row["source"]: row for row in manifest["entries"]}
    for module in manifest["modules"]:
        validate(shaders.path / module["path"])
    assert rows["app/count.comp"]["workgroup_size"] == [64, 1, 1]
    assert rows["app/sized.comp"]["workgroup_size"] == [1, 1, 1]
    constants = {row["path"]: sorted(each["id"] for each in row["spec_constants"]) for row in manifest["modules"]}
    if multi == "1":
        assert constants["app.spvs/app/count.comp.spv"] == [3, 7]
        assert constants["app.spvs/app/sized.comp.spv"] == [0, 3]
        assert constants["app.spvs/app/wave.vert.spv"] == [3]
        assert constants["app.spvs/app/tint.frag.spv"] == []
        spare = (shaders.path / "app.spvs/app/spare.comp.spv").read_bytes()
        shaders.scons(f"lto={lto}", f"multi={multi}", f"opt={opt}", "keep=1")
        kept = shaders.path / "app.spvs/app/spare.comp.spv"
        validate(kept)
        assert len(kept.read_bytes()) > len(spare)
    else:
        assert constants["app.spv"] == [0, 3, 7]


def test_fat_optimizes_as_well_as_thin(shaders: ShaderProject) -> None:
    """A global variable of several entry points is optimized as in a module with one."""
    crates = CRATES.replace('["maths.glsl"]', '["maths.glsl", "edge.glsl", "near.hlsl"]')
    shaders.crates(crates.format(types='"cdylib"', more=""), EVERYTHING)
    counts = []
    for lto in ("thin", "fat"):
        shaders.scons(f"lto={lto}")
        counts.append({row["path"]: (row["instructions"], row["size"]) for row in shaders.manifest("app")["modules"]})
    assert counts[0] == counts[1]


def test_error_names_lines_without_line_information(shaders: ShaderProject) -> None:
    _project(shaders, **{"maths.glsl": LIBRARY.replace("sqrt(x)", "dFdx(x)")})
    shaders.scons(expect=2)
    assert "maths.glsl:9" in shaders.output
    assert not shaders.exists("app.spv.json")


def test_thin_local_requires_a_crate_without_dependencies(shaders: ShaderProject) -> None:
    _project(shaders)
    shaders.scons("lto=thin-local", expect=2)
    assert "thin-local" in shaders.output
    assert "depends on: maths" in shaders.output
    shaders.crates('env.Crate("app", Glob("app/*"), crate_type="cdylib", lto="thin-local", opt_level=3)\n')
    for index in range(COUNT):
        shaders.write({f"app/s{index}.comp": compute(f"store.data[i] = {index}.0;")})
    shaders.scons()
    assert _optimized(shaders) == (COUNT, 0)


def test_dump_that_lto_never_writes_is_rejected(shaders: ShaderProject) -> None:
    _project(shaders, more=', dump_post_link="dumps"')
    shaders.scons(expect=2)
    assert "dump_post_link" in shaders.output
    shaders.scons("lto=off")
    assert shaders.exists("dumps")


SIZED = V + "layout(local_size_x_id = {id}, local_size_x = {size}) in;\nvoid main() {{ }}\n"


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_each_entry_point_of_a_module_has_its_own_workgroup_size(
    shaders: ShaderProject, validate: Validate, lto: str
) -> None:
    shaders.crates(
        'env.Crate("app", ["a.comp", "b.comp"], crate_type="cdylib", opt_level=3, lto=ARGUMENTS["lto"],\n'
        '          target=ARGUMENTS.get("target", "vulkan1.3"))\n',
        {"a.comp": SIZED.format(id=0, size=32), "b.comp": SIZED.format(id=1, size=64)},
    )
    shaders.scons(f"lto={lto}")
    validate(shaders.path / "app.spv")
    sizes = [row["workgroup_size"] for row in shaders.manifest("app")["entries"]]
    assert sizes == [[32, 1, 1], [64, 1, 1]]
    shaders.scons(f"lto={lto}", "target=vulkan1.2", expect=2)
    assert "differ in how their workgroup's size is specialised" in shaders.output
