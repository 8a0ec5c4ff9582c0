"""Every language feature gives the same results across units as within one."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from tests.spirv import language
from tests.spirv.conftest import Validate
from tests.spirv.language import feature as given
from tests.support.scons_project import SconsProject
from tests.support.vulkan_device import ComputeDevice, Resource, Texture, storage, uniform

TOLERANCE = 1e-5

BUILDS = tuple(itertools.product(("none", "line", "full"), ("0", "3")))
FORMS = ("single", "multi")

SCONSTRUCT = f"""\
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3")
low = env.Crate("low", Glob("libraries/*_a.?lsl"))
high = env.Crate("high", Glob("libraries/*_[bc].?lsl"), deps=[low])
for form in {FORMS!r}:
    Default(env.Crate(form, ["glsl.comp", "hlsl.comp.hlsl"], deps=[high], crate_type="cdylib",
                      multimodule=form == "multi"))
"""
PRIVATE = """\
#ifndef KEY_IS
#define KEY_IS 2.0
#endif
const float KEY = KEY_IS;
float mine(float x) { return x + KEY; }
"""


@pytest.fixture(scope="module", params=BUILDS, ids="-".join)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SconsProject:
    """Build both forms of the program in one run, with one unit for each library source."""
    project = SconsProject(tmp_path_factory.mktemp("language") / "project")
    project.environ["CRATE_DEBUGINFO"], project.environ["CRATE_OPT_LEVEL"] = request.param
    files = {
        "SConstruct": SCONSTRUCT,
        "libraries/private.h": PRIVATE,
        "glsl.comp": language.main("glsl"),
        "hlsl.comp.hlsl": language.main("hlsl"),
    }
    for number, feature in enumerate(language.FEATURES):
        for letter, source in zip("abc", feature.glsl, strict=False):
            files[f"libraries/f{number:02}_{letter}.glsl"] = f"#version 460\n{source}\n"
        for letter, source in zip("abc", feature.hlsl, strict=False):
            files[f"libraries/f{number:02}_{letter}.hlsl"] = f"{source}\n"
    project.write(files)
    project.scons("-j2")
    return project


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("caller", ["glsl", "hlsl"])
def test_every_feature(
    built: SconsProject,
    device: ComputeDevice,
    validate: Validate,
    caller: str,
    form: str,
) -> None:
    manifest = json.loads(built.read(f"{form}.spv.json"))
    row = next(row for row in manifest["entries"] if row["source"].startswith(f"{caller}.comp"))
    path = built.path / row["module"]
    validate(path)
    features = language.usable_from(caller)
    resources: list[Resource | Texture] = [
        storage(0, given.INPUT),
        uniform(1, np.array([given.SCALE, given.BIAS, 0, 0], np.float32)),
        storage(2, np.full(len(features) * given.COUNT, np.nan, np.float32)),
        storage(3, given.TABLE),
        Texture(4, given.TEXELS),
    ]
    x = given.INPUT.astype(np.float64)
    for constants, factor in (({}, 4.0), ({3: 1.5}, 1.5)):
        found = device.run(
            path.read_bytes(),
            resources,
            entry=row["name"],
            groups=(given.COUNT // given.GROUP, 1, 1),
            constants=constants,
        )
        wrong = {}
        for feature, values in zip(features, found[2].reshape(len(features), -1), strict=True):
            expected = feature.expected(x, factor)
            error = np.max(np.abs(values - expected) / np.maximum(np.abs(expected), 1))
            if not error <= TOLERANCE:
                wrong[feature.name] = (float(error), values[:4].tolist(), expected[:4].tolist())
        assert not wrong
