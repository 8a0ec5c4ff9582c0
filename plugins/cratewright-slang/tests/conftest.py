"""Skips or fails all tests where Slang is missing."""

from __future__ import annotations

from importlib.metadata import distributions

import pytest

from cratewright.testing import require_tool


@pytest.fixture(autouse=True, scope="session")
def _slang() -> None:
    """Skip every test if Slang is missing, or fail it if tools are required."""
    for name in ("cratewright-slang", "slangpy"):
        require_tool(any(True for _ in distributions(name=name)), name)
