"""What all tests share: projects that SCons builds, golden texts, and `--bless`, which rewrites them."""

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

if _workers := os.environ.get("CRATE_WORKERS"):  # for engines as well that are given no environment
    settings.default_workers = lambda: _workers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bless` and `--installed`."""
    parser.addoption("--bless", action="store_true", help="rewrite the golden texts with what came out")
    parser.addoption("--installed", action="store_true", help="build all projects with the installed cratewright")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Build projects with the checkout, and with the installed cratewright as well in modules with `BOTH_FORMS`.

    Those are about what the form decides: where the package, its data and its plugins are found.
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
    """Give an empty project."""
    return SconsProject(tmp_path / "project", form=scons_form)


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.exhaustive)], ids=["some", "all"])
def thorough(request: pytest.FixtureRequest) -> bool:
    """Say whether to take all steps: without `--exhaustive` a test takes those that find most."""
    return bool(request.param)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Give a function that compares a text with the file of a name below `tests/golden`."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{name} is not there; run with --bless and look at what it makes"
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; --bless if it should"

    return compare
