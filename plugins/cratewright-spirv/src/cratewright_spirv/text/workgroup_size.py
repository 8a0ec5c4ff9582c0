"""Whether a preprocessed GLSL text declares the size of its workgroups, or takes it from what links it."""

from __future__ import annotations

from cratewright import pattern

__all__ = ["declares_size", "takes_size"]

_SIZE = pattern(rb"\blocal_size_[xyz](?:_id)?\b")
_TAKES_SIZE = pattern(rb"\bgl_WorkGroupSize\b|\bderivative_group_\w+\b")


def takes_size(text: bytes) -> bool:
    """Return whether a preprocessed GLSL text depends on a workgroup size that it does not declare."""
    return _TAKES_SIZE.search(text) is not None and not declares_size(text)


def declares_size(text: bytes) -> bool:
    """Return whether a preprocessed GLSL text declares a workgroup size."""
    return b"local_size_" in text and _SIZE.search(text) is not None
