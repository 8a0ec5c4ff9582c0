"""The shader stages, by Slang's numbers."""

from __future__ import annotations

__all__ = ["vulkan_stage"]

_STAGES = {
    **{1: "vertex", 2: "tess-control", 3: "tess-eval", 4: "geometry", 5: "fragment", 6: "compute"},
    **{7: "raygen", 8: "intersection", 9: "any-hit", 10: "closest-hit", 11: "miss", 12: "callable"},
    **{13: "mesh", 14: "task"},
}


def vulkan_stage(number: int) -> str | None:
    """Return the name of a stage, None if it is not one of Vulkan's."""
    return _STAGES.get(number)
