"""Fixtures of all tests: SCons projects, and golden files, which `--bless` rewrites."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.paths import ROOT, source_paths

sys.path[:0] = [path for path in source_paths() if path not in sys.path]

from cratewright.pipeline import settings  # noqa: E402
from tests.support.scons_project import IN_PLACE, INSTALLED, SconsProject, available_forms  # noqa: E402

Golden = Callable[[str, str], None]

if _workers := os.environ.get("CRATE_WORKERS"):  # also for engines created without an environment
    settings.default_workers = lambda: _workers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bless` and `--installed`."""
    parser.addoption("--bless", action="store_true", help="rewrite the golden files with the actual output")
    parser.addoption("--installed", action="store_true", help="build all projects with the installed cratewright")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Build projects with the checkout, and in modules with `BOTH_FORMS` with the installed cratewright as well.

    Those modules test where the package, its data and its plugins are found.
    """
    if "scons_form" in metafunc.fixturenames:
        forms: tuple[str, ...] = (IN_PLACE,)
        if getattr(metafunc.module, "BOTH_FORMS", False):
            forms = available_forms()
        elif metafunc.config.getoption("--installed"):
            forms = (INSTALLED,)
        metafunc.parametrize("scons_form", forms)


@pytest.fixture
def scons_project(tmp_path: Path, scons_form: str) -> SconsProject:
    """Return an empty project."""
    return SconsProject(tmp_path / "project", form=scons_form)


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.exhaustive)], ids=["some", "all"])
def thorough(request: pytest.FixtureRequest) -> bool:
    """Return whether to take all steps; without `--exhaustive` a test takes only the most useful ones."""
    return bool(request.param)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return a function that compares a text with a file below `tests/golden`."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{name} does not exist; run with --bless and review the file"
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; run with --bless if the change is intended"

    return compare
