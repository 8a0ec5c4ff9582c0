"""Dumps of linked modules and of preprocessed sources, also of failed builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.test_sdk import sdk, use_sdk

__all__ = ["sdk"]

NEEDS = compute("store.data[i] = missing(1.0) + there(2.0);", before="float missing(float x);\nfloat there(float x);")
THERE = "#version 460\nfloat there(float x) { return x; }\n"


def _names(shaders: ShaderProject, directory: str) -> list[str]:
    return sorted(path.name for path in (shaders.path / directory).iterdir())


@pytest.mark.parametrize("several", [False, True])
def test_modules_are_dumped_if_a_symbol_is_missing(shaders: ShaderProject, several: bool) -> None:
    shaders.crates(
        "m = env.Crate('m', ['m.glsl'])\n"
        + "".join(
            f"Default(env.Crate('a_{lto}', ['a.comp'], deps=m, crate_type='cdylib', lto='{lto}', "
            f"multimodule={several}, dump_pre_link='pre_{lto}'))\n"
            for lto in ("off", "thin", "fat")
        ),
        {"a.comp": NEEDS, "m.glsl": THERE},
    )
    shaders.scons("-k", expect=2)
    assert shaders.error().count("unresolved symbol `missing(float)`") == 3
    for lto in ("off", "thin", "fat"):
        assert _names(shaders, f"pre_{lto}") == [f"a_{lto}.a.comp.spv", "m.m.glsl.spv"]
        assert not shaders.exists(f"a_{lto}.spv")


SOURCES = {
    "d/a.comp": compute(
        "#ifdef FAST\n store.data[i] = SCALE * part(1.0);\n#endif", before='#include "h.glsl"\nfloat part(float x);'
    ),
    "d/h.glsl": "const float scale = 2.0;\n#define SCALE scale\n",
    "l.glsl": "#version 460\nfloat part(float x) { return dFdx(x); }\n",
    "two.hlsl": '#include "h.hlsl"\n[shader("compute")] [numthreads(1, 1, 1)] void one() { b[0] = VALUE; }\n'
    '[shader("pixel")] float4 two() : SV_Target { return VALUE; }\n',
    "h.hlsl": "#define VALUE 7\nRWBuffer<float> b;\n",
    "bad.comp": "#version 460\n#define WRONG 1.0 +\nfloat there(float x);\nvoid main() { float f = WRONG ; }\n",
    "gone.comp": '#version 460\n#include "nowhere.h"\nvoid main() { }\n',
}


@pytest.mark.parametrize("program", [False, True])
def test_preprocessed_sources_are_dumped(shaders: ShaderProject, sdk: Path, program: bool) -> None:
    if program:
        use_sdk(shaders, sdk)
    shaders.crates(
        "for name in ('first', 'again'):\n"
        "    Default(env.Crate(name, ['d/a.comp', 'l.glsl', 'two.hlsl'], crate_type='rlib', defines=['FAST'], "
        "include_dirs=['d'], dump_source=name + '_seen'))\n",
        SOURCES,
    )
    shaders.scons()
    for directory in ("first_seen", "again_seen"):
        assert _names(shaders, directory) == [
            "d.a.comp.comp.glsl", "l.glsl.comp.glsl", "l.glsl.frag.glsl",
            "two.hlsl.comp.one.hlsl", "two.hlsl.frag.two.hlsl",
        ]  # fmt: skip
    text = shaders.read("first_seen/d.a.comp.comp.glsl")
    assert "SCALE" not in text and "#if" not in text and "const float scale = 2.0" in text
    assert "VALUE" not in shaders.read("first_seen/two.hlsl.comp.one.hlsl")
    shaders.crates(
        "Default(env.Crate('bad', ['bad.comp', 'gone.comp'], crate_type='cdylib', dump_source='bad_seen'))\n"
    )
    shaders.scons(expect=2)
    assert _names(shaders, "bad_seen") == ["bad.comp.comp.glsl", "gone.comp.comp.glsl"]
    assert "WRONG" not in shaders.read("bad_seen/bad.comp.comp.glsl")
    assert "nowhere.h" in shaders.read("bad_seen/gone.comp.comp.glsl")
