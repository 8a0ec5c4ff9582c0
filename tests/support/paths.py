"""Paths of the checkout, and of the packages under test."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["ROOT", "source_paths"]

ROOT = Path(__file__).resolve().parents[2]


def source_paths() -> list[str]:
    """Return the start of `sys.path`: the core of the checkout, and those of its plugins that are not installed.

    The sources of an installed plugin would hide its compiled parts.
    """
    plugins = [path for path in sorted(ROOT.glob("plugins/*/src/*")) if (path / "__init__.py").exists()]
    return [str(ROOT / "site_scons"), *(str(path.parent) for path in plugins if find_spec(path.name) is None)]
