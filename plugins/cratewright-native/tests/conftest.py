"""What the tests share: a project for each toolchain that is here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.native_project import Project, named


@pytest.fixture(params=["zig", "llvm", "gcc"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Give a project for each toolchain in turn."""
    return Project(tmp_path / "project", named(request.param))


@pytest.fixture(params=["zig", "llvm"])
def llvm_project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Give a project for each toolchain with LLVM in it."""
    return Project(tmp_path / "project", named(request.param))


@pytest.fixture
def project_with(tmp_path: Path) -> Callable[[str], Project]:
    """Give a function that makes a project for one kind of toolchain."""
    return lambda kind: Project(tmp_path / kind, named(kind))
