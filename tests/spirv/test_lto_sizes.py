"""Sizes with LTO: images of separate units are no larger than one translation unit with `spirv-opt -O`.

`tests/bench/lto_sizes.py` compares hundreds of shaders.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spirv.conftest import EXAMPLE, CopyExample, missing
from tests.support.monolith import PARTICLES, Size, baseline, particles_unit, size_of
from tests.support.scons_project import SconsProject


@pytest.fixture(scope="module")
def baseline_sizes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Size]:
    """Return the size of each shader compiled as one unit, by source."""
    scratch, include = tmp_path_factory.mktemp("baseline"), EXAMPLE / "include"
    found: dict[str, Size] = {}
    for shader, stage in PARTICLES.items():
        text, hlsl = particles_unit(EXAMPLE, shader), shader.endswith(".hlsl")
        try:
            data = baseline(text, stage, scratch, target="vulkan1.3", include=include, defines={}, hlsl=hlsl)
        except FileNotFoundError as error:
            missing(str(error))
        found[shader] = size_of(data)
    return found


@pytest.mark.parametrize("lto", ["thin", "fat"])
def test_no_image_is_larger_than_one_unit(
    tmp_path: Path, copy_example: CopyExample, baseline_sizes: dict[str, Size], lto: str
) -> None:
    project = SconsProject(copy_example(tmp_path / "particles"))
    project.environ["CRATE_LTO"] = lto
    project.scons("multimodule=1")
    for shader, most in baseline_sizes.items():
        found = size_of((project.path / f"particles.spvs/{shader.removesuffix('.hlsl')}.spv").read_bytes())
        assert found.size_bytes <= most.size_bytes, shader
        assert found.instructions <= most.instructions, shader
