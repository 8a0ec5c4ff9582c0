"""Fixtures of the Slang backend's end-to-end tests."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.spirv.conftest import device, missing, validate
from tests.spirv_e2e.shader_project import ShaderProject
from tests.support.scons_project import available_forms

__all__ = ["device", "require_slang", "validate"]


def require_slang() -> None:
    """Skip the test if Slang is missing, or fail it if tools are required."""
    for name in ("cratewright-slang", "slangpy"):
        if not any(True for _ in distributions(name=name)):
            missing(name)


@pytest.fixture
def slang(tmp_path: Path) -> ShaderProject:
    """Return an empty project."""
    require_slang()
    return ShaderProject(tmp_path / "project", form=available_forms()[-1])
