"""The shader stages: one table of their names, words and numbers."""

from __future__ import annotations

from cratewright import dataclass


@dataclass(frozen=True, slots=True)
class ShaderStage:
    """A stage, by its name in messages and metadata.

    Shape: `word` is the suffix of its files, without a dot; `models` are SPIR-V's execution models, `slang` is Slang's
    number; `attributes` are the words of HLSL's `[shader("...")]`.
    """

    name: str
    word: str
    models: tuple[int, ...]
    slang: int
    attributes: tuple[str, ...]

    @property
    def suffix(self) -> str:
        """The suffix of its files."""
        return f".{self.word}"


# glslang numbers stages by their position here.
STAGES = (
    ShaderStage("vertex", "vert", (0,), 1, ("vertex",)),
    ShaderStage("tess-control", "tesc", (1,), 2, ("hull",)),
    ShaderStage("tess-eval", "tese", (2,), 3, ("domain",)),
    ShaderStage("geometry", "geom", (3,), 4, ("geometry",)),
    ShaderStage("fragment", "frag", (4,), 5, ("fragment", "pixel")),
    ShaderStage("compute", "comp", (5,), 6, ("compute",)),
    ShaderStage("raygen", "rgen", (5313,), 7, ("raygen", "raygeneration")),
    ShaderStage("intersection", "rint", (5314,), 8, ("intersection",)),
    ShaderStage("any-hit", "rahit", (5315,), 9, ("anyhit",)),
    ShaderStage("closest-hit", "rchit", (5316,), 10, ("closesthit",)),
    ShaderStage("miss", "rmiss", (5317,), 11, ("miss",)),
    ShaderStage("callable", "rcall", (5318,), 12, ("callable",)),
    ShaderStage("task", "task", (5364, 5267), 14, ("task", "amplification")),
    ShaderStage("mesh", "mesh", (5365, 5268), 13, ("mesh",)),
)
STAGE_NAMES = {stage.word: stage.name for stage in STAGES}
STAGE_WORDS = {stage.name: stage.word for stage in STAGES}

SHADER_LANGUAGES = ("glsl", "hlsl", "spvasm", "spv")
"""Languages of sources, which are also suffixes of those that do not name their stage last."""

SUFFIXES: tuple[str, ...] = (*(stage.suffix for stage in STAGES), *(f".{language}" for language in SHADER_LANGUAGES))
"""The suffixes of sources."""

_NAMES = {model: stage.name for stage in STAGES for model in stage.models}


def stage_name(model: int) -> str:
    """Return the name of an execution model's stage; models other than Vulkan stages get a numbered name."""
    return _NAMES.get(model, f"model-{model}")
