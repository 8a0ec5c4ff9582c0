"""Fixtures of the native backend's tests: projects per toolchain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.native_project import Project, named


@pytest.fixture(params=["zig", "llvm", "gcc"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Return a project, once per toolchain."""
    return Project(tmp_path / "project", named(request.param))


@pytest.fixture(params=["zig", "llvm"])
def llvm_project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Return a project, once per LLVM toolchain."""
    return Project(tmp_path / "project", named(request.param))


@pytest.fixture
def project_with(tmp_path: Path) -> Callable[[str], Project]:
    """Return a function that makes a project for a given toolchain."""
    return lambda kind: Project(tmp_path / kind, named(kind))
