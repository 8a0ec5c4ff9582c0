"""Chooses a glslang: the newest that is installed, the wheel that always is, or an SDK's program."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property

from cratewright import ConfigurationError, Crate, UnsupportedError, near_miss

from ..text.includes import IncludeResolver
from .glslang import Compiler, Glslang, StageSource
from .latest_wheel import HLSL_HINT, latest_version, usable_latest

_CHOICES = ("auto", "wheel", "latest", "sdk")


@cache
def find_compiler(chosen: str, sdk: str) -> Compiler:
    """Return the compiler that CRATE_GLSLANG and CRATE_SPIRV_SDK name.

    Raises: ConfigurationError for an unknown word; ToolError if it is not installed.
    """
    chosen = _choice(chosen)
    if chosen == "sdk" or (chosen == "auto" and sdk):
        from .glslang_sdk import GlslangExecutable  # noqa: PLC0415 - only for who has an SDK

        if not sdk:
            raise ConfigurationError(
                "CRATE_GLSLANG=sdk, but no SDK is named", hint="set CRATE_SPIRV_SDK to the directory of a Vulkan SDK"
            )
        return GlslangExecutable(sdk)
    if chosen == "latest":
        from .glslang_latest import LatestGlslang  # noqa: PLC0415 - as in _Newest

        return LatestGlslang()
    return _Newest() if chosen == "auto" and usable_latest() else Glslang()


def check_languages(crate: Crate, chosen: str) -> None:
    """Refuse sources of a language that the chosen compiler does not read.

    Raises: UnsupportedError.
    """
    hlsl = next((source for source in crate.sources if source.path.endswith(".hlsl")), None)
    if hlsl is not None and chosen and _choice(chosen) == "latest":
        raise UnsupportedError(
            f"crate '{crate.name}': CRATE_GLSLANG=latest reads no HLSL",
            context=(("source", hlsl.location),),
            hint=HLSL_HINT,
        )


def _choice(word: str) -> str:
    word = word or "auto"
    if word not in _CHOICES:
        raise ConfigurationError(
            f"CRATE_GLSLANG takes {', '.join(_CHOICES)}, not '{word}'", hint=near_miss(word, _CHOICES)
        )
    return word


class _Newest(Compiler):
    """The newest glslang that reads the language of a source."""

    latest = True

    def __init__(self) -> None:
        self._version, self._hlsl = latest_version(), Glslang()

    @cached_property
    def _glsl(self) -> Compiler:
        from .glslang_latest import LatestGlslang  # noqa: PLC0415 - only workers compile

        return LatestGlslang()

    def version(self) -> str:
        return f"{self._version}, {self._hlsl.version()}"

    def warm(self, target: str, versions: Iterable[int], *, hlsl: bool = False) -> None:
        self._glsl.warm(target, versions)
        if hlsl:
            self._hlsl.warm(target, (), hlsl=True)

    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        return self._for(source).preprocess(source, includes)

    def compile_whole(self, source: StageSource) -> tuple[bytes, str] | None:
        return self._for(source).compile_whole(source)

    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        return self._for(source).compile(source, text, keep_uncalled=keep_uncalled)

    def _for(self, source: StageSource) -> Compiler:
        return self._hlsl if source.language == "hlsl" else self._glsl
