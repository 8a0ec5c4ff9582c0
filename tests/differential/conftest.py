"""The rustc to compare with; without one, tests are skipped, or fail with CRATE_REQUIRE_TOOLS=1."""

from __future__ import annotations

import os

import pytest

from .rustc import Rustc, RustcUnavailableError


@pytest.fixture(scope="session")
def rustc(tmp_path_factory: pytest.TempPathFactory) -> Rustc:
    """Return a working rustc."""
    try:
        return Rustc(tmp_path_factory.mktemp("rustc"))
    except RustcUnavailableError as error:
        if os.environ.get("CRATE_REQUIRE_TOOLS") == "1":
            pytest.fail(f"CRATE_REQUIRE_TOOLS=1, but {error}")
        pytest.skip(str(error))
