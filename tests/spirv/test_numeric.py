"""Results of linked shaders on a Vulkan device, compared with numpy.

A software device suffices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.spirv import particles_model as model
from tests.spirv.conftest import CopyExample
from tests.support.scons_project import SconsProject
from tests.support.vulkan_device import ComputeDevice, storage, uniform

COUNT = 512
TOLERANCE = 1e-5

BUILDS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "release single": ({}, "multimodule=0"),
    "release multi": ({}, "multimodule=1"),
    "unoptimized lines": ({"CRATE_OPT_LEVEL": "0", "CRATE_DEBUGINFO": "line"}, "multimodule=0"),
    "optimized full": ({"CRATE_OPT_LEVEL": "3", "CRATE_DEBUGINFO": "full"}, "multimodule=1"),
    "thin single": ({"CRATE_LTO": "thin"}, "multimodule=0"),
    "thin multi": ({"CRATE_LTO": "thin"}, "multimodule=1"),
    "thin lines": ({"CRATE_LTO": "thin", "CRATE_DEBUGINFO": "line"}, "multimodule=0"),
    "thin full, for size": ({"CRATE_LTO": "thin", "CRATE_DEBUGINFO": "full", "CRATE_OPT_LEVEL": "s"}, "multimodule=1"),
    "fat single": ({"CRATE_LTO": "fat"}, "multimodule=0"),
    "fat multi": ({"CRATE_LTO": "fat"}, "multimodule=1"),
    "fat unoptimized": ({"CRATE_LTO": "fat", "CRATE_OPT_LEVEL": "0"}, "multimodule=0"),
}


class Example:
    """A built example: its compute entry points by source."""

    def __init__(self, path: Path, device: ComputeDevice) -> None:
        manifest = json.loads((path / "particles.spv.json").read_text(encoding="utf-8"))
        rows = manifest["entries"]
        self._entries = {row["source"]: ((path / row["module"]).read_bytes(), row["name"]) for row in rows}
        self._device = device

    def run(
        self, source: str, scene: NDArray[np.void], particles: NDArray[np.void], **constants: float
    ) -> tuple[NDArray[np.void], NDArray[np.uint32]]:
        """Return the particles and the list of visible ones afterwards."""
        module, entry = self._entries[source]
        found = self._device.run(
            module,
            [uniform(0, scene), storage(1, particles), storage(2, np.zeros(COUNT + 1, np.uint32))],
            entry=entry,
            groups=(COUNT // 64, 1, 1),
            constants={int(name[1:]): value for name, value in constants.items()},
        )
        return found[1], found[2]


@pytest.fixture(scope="module", params=BUILDS)
def example(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    copy_example: CopyExample,
    device: ComputeDevice,
) -> Example:
    environ, argument = BUILDS[request.param]
    project = SconsProject(copy_example(tmp_path_factory.mktemp("example") / "particles"))
    project.environ.update(environ)
    project.scons(argument)
    return Example(project.path, device)


def _scene(time: float) -> NDArray[np.void]:
    scene = np.zeros((), model.SCENE)
    # In columns: looks along -z from (0, 1.5, 6), with a vertical angle of 60 degrees.
    scene["view_projection"] = [[1.2, 0, 0, 0], [0, 1.7, 0, 0], [0, 0, -1, -1], [0, -2.55, 5.9, 6]]
    scene["attractor"] = [0.5, 2.0, -0.3, 1.5]
    scene["time"], scene["step"], scene["wind_speed"], scene["count"] = time, 1 / 60, 1.5, COUNT
    return scene


def _error(found: NDArray[np.void], expected: NDArray[np.void]) -> float:
    """Return the largest difference, relative for values above one."""
    a, b = (x.view(np.float32).astype(np.float64) for x in (found, expected))
    assert np.all(np.isfinite(a))
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1)))


def test_hlsl_entry_point_calls_a_glsl_library(example: Example) -> None:
    found, _ = example.run("spawn.comp.hlsl", _scene(0), np.zeros(COUNT, model.PARTICLE))
    assert _error(found, model.spawn(COUNT)) <= TOLERANCE


def test_particles_move_as_in_numpy(example: Example) -> None:
    # Particles of all ages, so that some hit the ball or the ground and some respawn.
    particles = model.spawn(COUNT)
    ages = np.linspace(0, 2.5, COUNT, dtype=np.float32)
    particles["age"] = ages
    particles["position"] += ages[:, None] * np.array([0.3, 1.2, -0.2], np.float32)
    found, expected = particles.copy(), particles.copy()
    bounced = started = 0
    for frame in range(12):
        scene = _scene(0.5 + frame / 60)
        found, _ = example.run("simulate.comp", scene, found)
        before = expected
        expected = model.respawn(model.advance(before, scene), scene)
        started += int(np.sum(expected["age"] < before["age"]))
        bounced += int(np.sum(np.max(np.abs(expected["velocity"] - before["velocity"]), axis=1) > 1))
        assert _error(found, expected) <= TOLERANCE, f"step {frame}"
    assert started > 5
    assert bounced > 20


def test_specialisation_constant_of_a_library(example: Example) -> None:
    particles = model.spawn(COUNT)
    found, _ = example.run("simulate.comp", _scene(0.5), particles, c0=1.625)
    assert _error(found, model.advance(particles, _scene(0.5), gravity=1.625)) <= TOLERANCE
    assert _error(found, model.advance(particles, _scene(0.5))) > 0.01


def test_culling_lists_only_visible_particles(example: Example) -> None:
    particles = model.spawn(COUNT)
    particles["position"] *= np.array([12, 20, 12], np.float32)
    _, listed = example.run("cull.comp", _scene(0), particles)
    expected = model.visible(particles, _scene(0))
    assert listed[0] == len(expected)
    assert set(listed[1 : 1 + listed[0]].tolist()) == expected
    assert 20 < len(expected) < COUNT - 20
