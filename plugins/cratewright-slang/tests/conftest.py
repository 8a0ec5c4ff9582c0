"""What all tests of Slang need."""

from __future__ import annotations

from importlib.metadata import distributions

import pytest

from cratewright.testing import require_tool


@pytest.fixture(autouse=True, scope="session")
def _slang() -> None:
    """Skip every test where Slang is missing, or fail it; the modules can be imported without."""
    for name in ("cratewright-slang", "slangpy"):
        require_tool(any(True for _ in distributions(name=name)), name)
