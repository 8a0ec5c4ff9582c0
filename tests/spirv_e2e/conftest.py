"""Fixtures of the end-to-end tests of the SPIR-V backend: projects and the independent validator."""

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
    """Return an empty project that uses the installed packages with the compiled library, or else the checkout."""
    return ShaderProject(tmp_path / "project", form=available_forms()[-1])


@pytest.fixture
def any_shaders(tmp_path: Path, scons_form: str) -> ShaderProject:
    """Return an empty project for each form of installation."""
    return ShaderProject(tmp_path / "project", form=scons_form)


@pytest.fixture(scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pair")


@pytest.fixture
def shader_pair(_place: Path) -> list[ShaderProject]:
    """Return two empty projects, at the same paths in all tests of a module."""
    for name in ("with_record", "without_record"):
        shutil.rmtree(_place / name, ignore_errors=True)
    return [ShaderProject(_place / name, form=available_forms()[-1]) for name in ("with_record", "without_record")]
