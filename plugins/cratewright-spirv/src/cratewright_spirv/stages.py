"""The shader stages: one table of names, file suffixes and SPIR-V execution models."""

from __future__ import annotations

from cratewright import dataclass

__all__ = ["STAGES", "Stage", "stage_name"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's name in messages and metadata, its file suffix and the execution models that mean it."""

    name: str
    suffix: str
    models: tuple[int, ...]


STAGES = (
    Stage("vertex", ".vert", (0,)),
    Stage("tess-control", ".tesc", (1,)),
    Stage("tess-eval", ".tese", (2,)),
    Stage("geometry", ".geom", (3,)),
    Stage("fragment", ".frag", (4,)),
    Stage("compute", ".comp", (5,)),
    Stage("task", ".task", (5364, 5267)),
    Stage("mesh", ".mesh", (5365, 5268)),
    Stage("raygen", ".rgen", (5313,)),
    Stage("intersection", ".rint", (5314,)),
    Stage("any-hit", ".rahit", (5315,)),
    Stage("closest-hit", ".rchit", (5316,)),
    Stage("miss", ".rmiss", (5317,)),
    Stage("callable", ".rcall", (5318,)),
)
_NAMES = {model: stage.name for stage in STAGES for model in stage.models}


def stage_name(model: int) -> str:
    """Return the name of an execution model's stage; models that are no Vulkan stage get a numbered name."""
    return _NAMES.get(model, f"model-{model}")
