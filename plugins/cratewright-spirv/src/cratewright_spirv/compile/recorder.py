"""Keeps the text of each unit as the compiler sees it, for people, even if it fails to compile."""

from __future__ import annotations

from ..compilers.glslang import Compiler, StageSource, prelude
from ..text.includes import IncludeResolver


class Recorder(Compiler):
    """Wraps a compiler: compiles in two passes, and keeps the last text of each stage and entry point."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self.latest = compiler.latest
        self._texts: dict[str, bytes] = {}
        self._entries: set[str] = set()

    def files(self, directory: str) -> tuple[tuple[str, bytes], ...]:
        """Return the texts as files in a directory."""
        return tuple((f"{directory}/{name}", text) for name, text in self._texts.items())

    def version(self) -> str:
        return self._compiler.version()

    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        # A text that the compiler refuses is kept unchanged.
        self._texts[_name(source)] = prelude(source)
        return self._compiler.preprocess(source, includes)

    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
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
