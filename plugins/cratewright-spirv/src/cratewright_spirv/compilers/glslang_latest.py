"""The newest glslang in this process, as the library in the slangpy wheel.

It behaves like `Glslang`: the same calls give objects with the same symbols. Nothing else in that wheel is loaded, and
none of its Python modules is imported. The library reads GLSL without includes, so incomplete text goes through the
other glslang's preprocessor first, from which extensions unknown to it are hidden.
"""

from __future__ import annotations

import ctypes
import re
from array import array
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from cratewright import ToolError, UnsupportedError, pattern

from ..base.redirection import quiet
from ..base.stages import STAGES
from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_SOURCE, DEBUG_TYPE_BASIC, is_debug_set
from ..binary.module import HEADER_WORDS, build, literal, spans
from ..text.diagnostics import GlslangMessage, read_glslang_log
from ..text.extensions import NEWER, NEWER_MACROS
from ..text.includes import IncludeResolver
from ..text.scan import Function, LineMap
from ..text.sources import glsl_version
from .glslang import (
    DEFAULT_VERSION,
    Compiler,
    CompileRefused,
    Glslang,
    StageSource,
    defines,
    prelude,
    target_numbers,
    version_end,
)
from .keep_uncalled import FIRST_LINE, MAIN, keeping, kept_functions, without_keeper
from .latest_wheel import HLSL_HINT, latest_version, library_path

_STAGES = {stage.word: stage.slang for stage in STAGES}
_DEBUG = {"none": 0, "line": 1, "full": 2}
_EXTENSION = pattern(rb"^[ \t]*#[ \t]*extension[ \t]+(GL_\w+)[ \t]*:[ \t]*(\w+)", re.M)
# Preprocessors print a pragma without its spaces.
_HIDDEN = pattern(rb"#pragma cw_extension\s*(GL_\w+)\s*:\s*(\w+)")

_SOURCE_FILE_AT = 3

_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


class _Request(ctypes.Structure):
    # The order is that of `glslang_CompileRequest_1_2` of Slang; the size in front says which one it is.
    _fields_ = (
        ("size", ctypes.c_size_t),
        ("path", ctypes.c_char_p),
        *((name, ctypes.c_void_p) for name in ("begin", "end")),
        *(("diagnose", _WRITE), ("diagnose_data", ctypes.c_void_p)),
        *(("write", _WRITE), ("write_data", ctypes.c_void_p)),
        *((name, ctypes.c_int) for name in ("stage", "action", "optimization", "debug")),
        ("target", ctypes.c_char_p),
        *((name, ctypes.c_int) for name in ("major", "minor", "patch")),
        ("entry_point", ctypes.c_char_p),
    )


class LatestGlslang(Compiler):
    """glslang 16 of the slangpy wheel; GLSL only, one thread.

    Raises: ToolError, when made, if the wheel is missing or of an unknown release.
    """

    latest = True

    def __init__(self) -> None:
        self._version = latest_version()
        self._front = Glslang()

    def version(self) -> str:
        return f"{self._version}, {self._front.version()}"

    def preprocess(self, source: StageSource, includes: IncludeResolver) -> bytes:
        _check_language(source)
        defined = {name for name, _ in source.defines}
        newer = tuple((name, "1") for name in NEWER_MACROS if name not in defined)
        seen = replace(source, defines=(*source.defines, *newer))
        return _HIDDEN.sub(rb"#extension \1 : \2", self._front.preprocess_as(seen, includes, _hidden))

    @step("glslang: compile")
    def compile_whole(self, source: StageSource) -> tuple[bytes, str] | None:
        text, macros = prelude(source), defines(source)
        if macros:
            text = _versioned(text)
            end = version_end(text)
            text = text[:end] + macros + b"#line %d\n" % (text.count(b"\n", 0, end) + 1) + text[end:]
        try:
            return _compile(source, text)
        except CompileRefused:
            return None

    @step("glslang: compile")
    def compile(self, source: StageSource, text: bytes, *, keep_uncalled: bool) -> tuple[bytes, str]:
        if not keep_uncalled or not text.endswith(MAIN):
            return _compile(source, text)
        functions: list[Function | None] = list(kept_functions(text))
        lost: list[Function] = []
        while True:
            try:
                data, log = _compile(source, keeping(text, functions) if any(functions) else text)
                return without_keeper(data), log + _lost(source, text, lost)
            except CompileRefused as refused:
                at = _uncallable(read_glslang_log(refused.log, source.path))
                function = functions[at] if at is not None and at < len(functions) else None
                if at is None or function is None:
                    raise
                lost.append(function)
                functions[at] = None


@cache
def library_function(name: str, result: Any, *arguments: Any) -> Any:
    """Return a function of the library.

    Raises: ToolError if it cannot be loaded.
    """
    try:
        function = getattr(ctypes.CDLL(str(library_path())), f"glslang_{name}")
    except (OSError, AttributeError) as error:
        raise ToolError(
            "the newest glslang cannot be loaded", context=(("reason", error),), hint="set CRATE_GLSLANG=wheel"
        ) from error
    function.restype, function.argtypes = result, arguments
    return function


def _compile(source: StageSource, text: bytes) -> tuple[bytes, str]:
    _check_language(source)
    _, spirv = target_numbers(source.target)
    data, log = _call(
        _versioned(text.rstrip(b"\0")),
        path=source.path.encode(),
        stage=_STAGES[source.stage],
        debug=_DEBUG[source.debuginfo],
        major=spirv >> 16,
        minor=spirv >> 8 & 0xFF,
        entry_point=b"main",
    )
    messages = log.decode(errors="replace")
    if not data:
        raise CompileRefused(messages)
    return data if source.debuginfo == "none" else _with_repaired_debug_info(data, source.path), messages


def run_action(module: bytes, action: int, optimization: int) -> tuple[bytes, bytes]:
    """Run another action of the library: return the resulting module, or nothing, and its messages."""
    return _call(module, action=action, optimization=optimization)


def _call(given: bytes, **fields: Any) -> tuple[bytes, bytes]:
    function = library_function("compile_1_2", ctypes.c_int, ctypes.POINTER(_Request))
    held = ctypes.create_string_buffer(given, len(given))
    begin = ctypes.addressof(held)
    made, log = list[bytes](), list[bytes]()
    request = _Request(
        size=ctypes.sizeof(_Request),
        begin=begin,
        end=begin + len(given),
        diagnose=_WRITE(lambda data, size, _: log.append(ctypes.string_at(data, size))),
        write=_WRITE(lambda data, size, _: made.append(ctypes.string_at(data, size))),
        **fields,
    )
    with quiet():
        failed = function(ctypes.byref(request))
    return b"" if failed else b"".join(made), b"".join(log)


def _check_language(source: StageSource) -> None:
    if source.language != "glsl":
        raise UnsupportedError(f"{source.path}: the newest glslang does not read HLSL", hint=HLSL_HINT)


def _versioned(text: bytes) -> bytes:
    if glsl_version(text) is not None:
        return text
    return b"#version %d\n#line 1\n%s" % (DEFAULT_VERSION, text)


def _hidden(text: bytes) -> bytes:
    """Return a text with extensions that only the newest glslang knows as pragmas, which preprocessors ignore."""

    def hide(match: re.Match[bytes]) -> bytes:
        return b"#pragma cw_extension %s:%s" % match.groups() if match[1].decode() in NEWER else match[0]

    return _EXTENSION.sub(hide, text) if b"extension" in text else text


def _uncallable(messages: Iterable[GlslangMessage]) -> int | None:
    """Return the failing call among those that keep functions, or the failing variable they take."""
    lines = [message.line for message in messages if message.kind == "error"]
    return lines[0] - FIRST_LINE if lines and lines[0] >= FIRST_LINE else None


def _lost(source: StageSource, text: bytes, functions: Iterable[Function]) -> str:
    lines, warnings = LineMap(text, source.path), list[str]()
    for function in functions:
        file, line = lines.locate(function.offset)
        if file == source.path:
            reason = "no other unit can call it: the newest glslang leaves it out. CRATE_GLSLANG=wheel keeps it"
            warnings.append(f"WARNING: {file}:{line}: '{function.name}' : {reason}\n")
    return "".join(warnings)


def _with_repaired_debug_info(data: bytes, path: str) -> bytes:
    """Return a module whose debug information names the source, and describes unknown types as such.

    Source: the library gives the source no name, and types it cannot describe, such as bfloat16_t, the id 0.
    """
    words = array("I", data)
    found = list(spans(words))
    texts = {
        words[at + 1]: words[at + 2 : end].tobytes().rstrip(b"\0") for opcode, at, end in found if opcode == op.STRING
    }
    unnamed = {number for number, text in texts.items() if not text}
    sets = {
        words[at + 1]
        for opcode, at, end in found
        if opcode == op.EXT_INST_IMPORT and is_debug_set(tuple(words[at:end]))
    }
    is_debug = {at: opcode == op.EXT_INST and words[at + 3] in sets for opcode, at, _ in found}
    named = next((number for number, text in texts.items() if text == path.encode()), None)
    out = words[:HEADER_WORDS]
    strings: dict[int, str] = {}
    number = named or _new_id(out)
    if named is None and unnamed:
        strings[number] = path
    if any(is_debug[at] and 0 in words[at + 5 : end] for _, at, end in found):
        strings[_new_id(out)] = "a type that the compiler does not describe"
    substitute = described = none = 0
    for opcode, at, end in found:
        if opcode == op.STRING:
            for new, text in strings.items():
                out.extend(build(op.STRING, new, *literal(text)))
                substitute = new
            strings = {}
        piece = words[at:end]
        if opcode == op.SOURCE and len(piece) > _SOURCE_FILE_AT and piece[_SOURCE_FILE_AT] in unnamed:
            piece[_SOURCE_FILE_AT] = number
        elif is_debug[at] and piece[4] == DEBUG_SOURCE and piece[5] in unnamed:
            piece[5] = number
        elif is_debug[at] and piece[4] == DEBUG_TYPE_BASIC:
            none = piece[8]
        elif is_debug[at] and none and 0 in piece[5:]:
            if not described:
                described = _new_id(out)
                basic = (piece[1], described, piece[3], DEBUG_TYPE_BASIC, substitute, none, none, none)
                out.extend((9 << 16 | op.EXT_INST, *basic))
            piece[5:] = array("I", (word or described for word in piece[5:]))
        out += piece
    return out.tobytes()


def _new_id(words: array[int]) -> int:
    words[3] += 1
    return words[3] - 1
