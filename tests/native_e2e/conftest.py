"""What the end-to-end tests of the native backend share: a project for each toolchain that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject
from tests.support.scons_project import available_forms


# LLVM of the system differs from zig's in how it is called, which the tests of the plugin try by default.
@pytest.fixture(params=["zig", pytest.param("llvm", marks=pytest.mark.exhaustive), "gcc"])
def native(request: pytest.FixtureRequest, tmp_path: Path) -> NativeProject:
    """Give an empty project for each toolchain in turn."""
    return NativeProject(tmp_path / "project", request.param, form=available_forms()[-1])


@pytest.fixture
def any_native(tmp_path: Path, scons_form: str) -> NativeProject:
    """Give an empty project for each form in turn, with whichever toolchain costs least."""
    return NativeProject(tmp_path / "project", "gcc", form=scons_form)
