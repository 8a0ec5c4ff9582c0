"""The shader stages: one table of names, file suffixes and SPIR-V execution models."""

from __future__ import annotations

from cratewright import dataclass

__all__ = ["SHADER_LANGUAGES", "STAGES", "SUFFIXES", "ShaderStage", "stage_name"]


@dataclass(frozen=True, slots=True)
class ShaderStage:
    """A stage's name in messages and metadata, its file suffix and the execution models that mean it."""

    name: str
    suffix: str
    models: tuple[int, ...]


STAGES = (
    ShaderStage("vertex", ".vert", (0,)),
    ShaderStage("tess-control", ".tesc", (1,)),
    ShaderStage("tess-eval", ".tese", (2,)),
    ShaderStage("geometry", ".geom", (3,)),
    ShaderStage("fragment", ".frag", (4,)),
    ShaderStage("compute", ".comp", (5,)),
    ShaderStage("task", ".task", (5364, 5267)),
    ShaderStage("mesh", ".mesh", (5365, 5268)),
    ShaderStage("raygen", ".rgen", (5313,)),
    ShaderStage("intersection", ".rint", (5314,)),
    ShaderStage("any-hit", ".rahit", (5315,)),
    ShaderStage("closest-hit", ".rchit", (5316,)),
    ShaderStage("miss", ".rmiss", (5317,)),
    ShaderStage("callable", ".rcall", (5318,)),
)
SHADER_LANGUAGES = ("glsl", "hlsl", "spvasm", "spv")
"""Languages of sources, which are also suffixes of those that do not name their stage last."""

SUFFIXES: tuple[str, ...] = (*(stage.suffix for stage in STAGES), *(f".{language}" for language in SHADER_LANGUAGES))
"""The suffixes of sources."""

_NAMES = {model: stage.name for stage in STAGES for model in stage.models}


def stage_name(model: int) -> str:
    """Return the name of an execution model's stage; models other than Vulkan stages get a numbered name."""
    return _NAMES.get(model, f"model-{model}")
