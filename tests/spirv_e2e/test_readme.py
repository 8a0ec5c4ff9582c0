"""The tour in README, built as shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.spirv_e2e.shader_project import ShaderProject

README = Path(__file__).resolve().parents[2] / "README.md"


def _tour() -> dict[str, str]:
    """Return the files of the tour by the name on the first line of each block."""
    text = README.read_text(encoding="utf-8").partition("## A tour")[2].partition("\n## ")[0]
    files = {}
    for block in re.findall(r"```(?:glsl|python)\n(.*?)```", text, re.S):
        name = re.match(r"(?://|#) ([\w/.]+)", block)
        assert name is not None, block
        files[name[1]] = block
    return files


def test_tour_builds(shaders: ShaderProject, validate: Callable[[Path], None]) -> None:
    files = _tour()
    assert {"SConstruct", "noise/hash.glsl", "sky/clouds.comp"} == set(files)
    shaders.write(files)
    output = shaders.scons()
    assert "crate noise: 1 unit: 1 compiled, 0 reused" in output
    assert "crate sky: 2 images: 2 linked, 0 reused" in output
    assert sorted(path.name for path in (shaders.path / "sky.spvs").iterdir()) == ["fast.comp.spv", "sky"]
    for path in (shaders.path / "sky.spvs").rglob("*.spv"):
        validate(path)
    shaders.scons(".")
    assert (shaders.path / "assets/sky.spvs/fast.comp.spv").is_file()
    assert shaders.up_to_date()
