"""Fixtures of the native backend's end-to-end tests: an empty project per toolchain."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject
from tests.support.scons_project import available_forms


# The system's LLVM is zig's called another way; the plugin's own tests cover that by default.
@pytest.fixture(params=["zig", pytest.param("llvm", marks=pytest.mark.exhaustive), "gcc"])
def native(request: pytest.FixtureRequest, tmp_path: Path) -> NativeProject:
    """Return an empty project, once per toolchain."""
    return NativeProject(tmp_path / "project", request.param, form=available_forms()[-1])


@pytest.fixture
def any_native(tmp_path: Path, scons_form: str) -> NativeProject:
    """Return an empty project, once per form of installation, with the cheapest toolchain."""
    return NativeProject(tmp_path / "project", "gcc", form=scons_form)
