"""Where the tests find what they test."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["ROOT", "source_paths"]

ROOT = Path(__file__).resolve().parents[2]


def source_paths() -> list[str]:
    """Return what goes in front of `sys.path`: the checkout's core always, its plugins unless they are installed.

    A plugin that is installed has parts that were compiled for it; its sources alone would hide them.
    """
    plugins = [path for path in sorted(ROOT.glob("plugins/*/src/*")) if (path / "__init__.py").exists()]
    return [str(ROOT / "site_scons"), *(str(path.parent) for path in plugins if find_spec(path.name) is None)]
