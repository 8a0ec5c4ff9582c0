"""Keeps the text of each unit as the compiler sees it, for people, even if it fails to compile."""

from __future__ import annotations

from collections.abc import Iterable

from ..compilers.glslang import Compiler, StageSource, prelude
from ..text.includes import IncludeResolver

__all__ = ["Recorder"]


class Recorder:
    """Wraps a compiler: compiles in two passes, and keeps the last text of each stage and entry point."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._texts: dict[str, bytes] = {}
        self._entries: set[str] = set()

    @property
    def latest(self) -> bool:
        """Keep the wrapped compiler."""
        return self._compiler.latest

    def files(self, directory: str) -> tuple[tuple[str, bytes], ...]:
        """Return the texts as files in a directory."""
        return tuple((f"{directory}/{name}", text) for name, text in self._texts.items())

    def version(self) -> str:
        """As the wrapped compiler."""
        return self._compiler.version()

    def programs(self) -> tuple[str, ...]:
        """As the wrapped compiler."""
        return self._compiler.programs()

    def warm(self, target: str, versions: Iterable[int], *, hlsl: bool = False) -> None:
        """As the wrapped compiler."""
        self._compiler.warm(target, versions, hlsl=hlsl)

    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        """As the wrapped compiler; a text that it refuses is kept unchanged."""
        self._texts[_name(source)] = prelude(source)
        return self._compiler.preprocess(source, includes)

    def compile_whole(self, source: StageSource) -> tuple[bytes, str] | None:
        """Return None: only two passes have a text in between."""
        return None

    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        """As the wrapped compiler."""
        name = _name(source)
        if not keep_uncalled:
            self._entries.add(name)
        # An entry point is compiled once more without its body, for what its variables begin with.
        if not keep_uncalled or name not in self._entries:
            self._texts[name] = text
        return self._compiler.compile(source, text, keep_uncalled=keep_uncalled)


def _name(source: StageSource) -> str:
    entry = f".{source.entry_point}" if source.language == "hlsl" else ""
    return f"{source.path.replace('/', '.')}.{source.stage}{entry}.{source.language}"
