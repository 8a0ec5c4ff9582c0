"""Edits without effect on the compiled code: no unit is recompiled, and outputs equal those of a clean build.

`test_form` of the plugin has the table for single units.
"""

from __future__ import annotations

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute

SCONSTRUCT = """\
env["CRATE_DEBUGINFO"] = "none"
env["CRATE_INCLUDE_DIRS"] = ["inc"]
env["CRATE_DEFINES"] = {defines}
lib = env.Crate("lib", {sources})
env.Crate("app", ["a.comp"], deps=[lib], crate_type="cdylib")
"""
LIBRARY = """\
#version 460
#include <k.h>
#ifdef FAST
float twice(float x) { return x + x; }
#else
float twice(float x) { return K * x; }
#endif
"""
FILES = {
    "inc/k.h": "#define K 2.0\n#define UNUSED 3.0\n",
    "twice.glsl": LIBRARY,
    "other.glsl": "#version 460\nfloat other(float x) { return x + 1.0; }\n",
    "h.hlsl": "float half_of(float x) { return 0.5 * x; }\n",
    "a.comp": compute("store.data[i] = twice(other(1.0));", before="float twice(float x); float other(float x);"),
}
SOURCES = '["twice.glsl", "other.glsl", "h.hlsl"]'

HARMLESS = {
    "a comment": {"twice.glsl": LIBRARY.replace("return K", "/* scaled */ return K")},
    "a function further down": {"twice.glsl": LIBRARY.replace("#ifdef", "\n// more to come\n\n#ifdef")},
    "white space": {"twice.glsl": LIBRARY.replace("K * x", "K  *  x")},
    "a branch that is dropped": {"twice.glsl": LIBRARY.replace("x + x", "2.0 * x")},
    "a macro that nobody uses": {"inc/k.h": FILES["inc/k.h"].replace("3.0", "4.0")},
    "a comment in an include": {"inc/k.h": "// constants\n" + FILES["inc/k.h"]},
    "a comment in HLSL": {"h.hlsl": "// half\n" + FILES["h.hlsl"]},
    "a define that nobody uses": {"SConstruct": ("{'NOBODY': '1'}", SOURCES)},
    "another order of sources": {"SConstruct": ("{}", '["h.hlsl", "other.glsl", "twice.glsl"]')},
}
HARMFUL = {
    "a constant": {"inc/k.h": FILES["inc/k.h"].replace("2.0", "2.5")},
    "a branch that is taken": {"twice.glsl": LIBRARY.replace("K * x", "K * x * x")},
    "a define that is used": {"SConstruct": ("{'FAST': '1'}", SOURCES)},
}


def _edit(shaders: ShaderProject, files: dict[str, object]) -> list[str]:
    """Build, edit and rebuild; compare with a clean build, and return what was recompiled."""
    shaders.crates(SCONSTRUCT.format(defines="{}", sources=SOURCES), FILES)
    shaders.scons()
    for name, text in files.items():
        if isinstance(text, tuple):
            shaders.crates(SCONSTRUCT.format(defines=text[0], sources=text[1]), {})
        else:
            shaders.write({name: str(text)})
    shaders.scons()
    compiled = [line for line in shaders.built() if " compiled" in line and ": 0 compiled" not in line]
    names = ("app.rlink", "lib.rlink", "liblib.rlib", "app.spv", "app.spv.json")
    outputs = {name: (shaders.path / name).read_bytes() for name in names}
    assert shaders.up_to_date()
    shaders.environ["CRATE_CACHE"] = "off"
    shaders.scons("-c")
    shaders.scons()
    assert {name: (shaders.path / name).read_bytes() for name in names} == outputs
    return compiled


@pytest.mark.parametrize("edit", HARMLESS)
def test_harmless_edit_recompiles_nothing(shaders: ShaderProject, edit: str) -> None:
    assert _edit(shaders, dict(HARMLESS[edit])) == []


@pytest.mark.parametrize("edit", HARMFUL)
def test_changed_code_is_recompiled(shaders: ShaderProject, edit: str) -> None:
    assert _edit(shaders, dict(HARMFUL[edit])) == ["crate lib: 3 units: 1 compiled, 2 reused"]


def test_hit_by_canonical_form_passes_verification(shaders: ShaderProject) -> None:
    shaders.crates(SCONSTRUCT.format(defines="{}", sources=SOURCES), FILES)
    shaders.scons()
    shaders.environ["CRATE_CACHE_VERIFY"] = "1"
    shaders.write({"twice.glsl": LIBRARY.replace("#ifdef", "\n// more to come\n\n#ifdef")})
    shaders.scons()
    assert "crate lib: 3 units: 0 compiled, 3 reused" in shaders.built()
