"""SPIRV-Tools in this process, through a shared library with a plain C interface.

`Tools` checks arguments and words errors.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cratewright import ToolError

from .provider import Tools, ValidatorOptions
from .results import ToolMessage, ToolResult, version_of

_ABI = 5
_UNCHECKED = 1 << 31


class _CMessage(ctypes.Structure):
    _fields_ = (
        ("level", ctypes.c_int32),
        ("line", ctypes.c_uint64),
        ("column", ctypes.c_uint64),
        ("index", ctypes.c_uint64),
        ("text", ctypes.c_char_p),
    )


class _CResult(ctypes.Structure):
    _fields_ = (
        ("succeeded", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_uint64),
        ("messages", ctypes.POINTER(_CMessage)),
        ("message_count", ctypes.c_uint64),
    )


@cache
def load() -> ctypes.CDLL:
    """Return the library.

    Raises: ToolError if it is missing, or of another version than this code.
    """
    path = _path()
    try:
        library = ctypes.CDLL(str(path))
        abi = int(library.cratewright_spirv_abi())
    except (OSError, AttributeError) as error:
        raise ToolError(
            "the SPIRV-Tools library cannot be loaded",
            context=(("library", path), ("reason", error)),
            hint="install cratewright-spirv with a C++17 compiler available, or set CRATE_SPIRV_SDK",
        ) from error
    if abi != _ABI:
        raise ToolError(
            f"the SPIRV-Tools library has interface {abi}; {_ABI} is needed",
            context=(("library", path),),
            hint="install cratewright-spirv again",
        )
    text, number, flags = ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint32
    texts, result = ctypes.POINTER(text), ctypes.POINTER(_CResult)
    library.cratewright_spirv_version.restype = text
    library.cratewright_spirv_free.argtypes = (result,)
    library.cratewright_spirv_free.restype = None
    for name, arguments in {
        "link": (text, texts, ctypes.POINTER(number), number),
        "optimize": (text, text, number, texts, number, flags, flags),
        "validate": (text, text, number, flags),
        "assemble": (text, text, number),
        "disassemble": (text, text, number),
    }.items():
        function = getattr(library, f"cratewright_spirv_{name}")
        function.argtypes, function.restype = arguments, result
    library.cratewright_spirv_instructions.argtypes = (text, number)
    library.cratewright_spirv_instructions.restype = number
    return library


def _path() -> Path:
    suffix = ".dll" if sys.platform == "win32" else ".so"
    return Path(__file__).parents[1] / "_native" / f"libcratewright_spirv{suffix}"


class Library(Tools):
    """SPIRV-Tools inside this process, by the shared library installed beside this module.

    Raises: ToolError, when made, if the library is missing, does not load or is of another build.
    """

    def __init__(self) -> None:
        self._library = load()

    @property
    def _tool_version(self) -> str:
        return version_of(self._library.cratewright_spirv_version().decode())

    def programs(self) -> tuple[str, ...]:
        return (str(_path()),)

    def _link(self, modules: Sequence[bytes], env: str) -> ToolResult:
        count = len(modules)
        sizes = (ctypes.c_uint64 * count)(*map(len, modules))
        return self._call("link", env, (ctypes.c_char_p * count)(*modules), sizes, count)

    def _optimize(
        self,
        module: bytes,
        env: str,
        passes: Sequence[str],
        validator: ValidatorOptions | None,
        preserve_bindings: bool,
    ) -> ToolResult:
        flags = (ctypes.c_char_p * len(passes))(*(name.encode() for name in passes))
        bits = _UNCHECKED if validator is None else validator.bits()
        return self._call("optimize", env, module, len(module), flags, len(passes), bits, preserve_bindings)

    def _validate(self, module: bytes, env: str, options: ValidatorOptions) -> ToolResult:
        return self._call("validate", env, module, len(module), options.bits())

    def _assemble(self, text: bytes, env: str) -> ToolResult:
        return self._call("assemble", env, text, len(text))

    def _disassemble(self, module: bytes, env: str) -> ToolResult:
        return self._call("disassemble", env, module, len(module))

    def _call(self, name: str, env: str, *arguments: object) -> ToolResult:
        pointer = getattr(self._library, f"cratewright_spirv_{name}")(env.encode(), *arguments)
        if not pointer:
            raise ToolError("SPIRV-Tools ran out of memory")
        try:
            result = pointer.contents
            if result.succeeded:
                return ToolResult(ctypes.string_at(result.data, result.size) if result.size else b"")
            # 0 to 2 are kinds of errors, the higher levels remarks.
            return ToolResult(
                None,
                tuple(
                    ToolMessage(at.text.decode("utf-8", "replace").rstrip(), at.index, at.line + 1, at.column + 1)
                    for at in result.messages[: result.message_count]
                    if at.level <= 2
                ),
            )
        finally:
            self._library.cratewright_spirv_free(pointer)
