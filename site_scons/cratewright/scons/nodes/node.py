"""SCons nodes, as far as types go: SCons has no types to check against."""

from __future__ import annotations

from typing import Any

Node = Any
"""An SCons node."""
