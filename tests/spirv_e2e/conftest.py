"""What the end-to-end tests of the SPIR-V backend share: a project, and the independent validator."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.spirv.conftest import validate
from tests.spirv_e2e.shader_project import ShaderProject
from tests.support.scons_project import available_forms

__all__ = ["shader_pair", "shaders", "validate"]


@pytest.fixture
def shaders(tmp_path: Path) -> ShaderProject:
    """Give an empty project for the installed form, which has the compiled library, or else for the checkout."""
    return ShaderProject(tmp_path / "project", form=available_forms()[-1])


@pytest.fixture
def any_shaders(tmp_path: Path, scons_form: str) -> ShaderProject:
    """Give an empty project for each form in turn."""
    return ShaderProject(tmp_path / "project", form=scons_form)


@pytest.fixture(scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pair")


@pytest.fixture
def shader_pair(_place: Path) -> list[ShaderProject]:
    """Give two empty projects, at the same paths in all tests of a module."""
    for name in ("with_record", "without_record"):
        shutil.rmtree(_place / name, ignore_errors=True)
    return [ShaderProject(_place / name, form=available_forms()[-1]) for name in ("with_record", "without_record")]
