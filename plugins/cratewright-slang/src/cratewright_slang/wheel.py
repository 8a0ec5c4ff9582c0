"""Slang's compiler library in the slangpy wheel: where it is, its version, starting it.

Only the library is loaded from the wheel, and none of its Python modules is imported.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

from cratewright import ToolError
from cratewright_spirv.sharing import KNOWN_RELEASES, is_known_release, library_in_slangpy

from .com import Object

_SLANG_INSTALL_HINT = "pip install 'cratewright-slang[latest]'"

_I32, _SIZE, _TEXT, _PTR = ctypes.c_int32, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p
_INT, _OUT = ctypes.c_ssize_t, ctypes.POINTER(ctypes.c_void_p)


class SlangLibrary:
    """The loaded library and its global session."""

    def __init__(self) -> None:
        path = slang_library()
        try:
            loaded = ctypes.CDLL(str(path))
            create, self._blob = loaded.slang_createGlobalSession, loaded.slang_createBlob
        except (OSError, AttributeError) as error:
            raise ToolError("Slang cannot be loaded", context=(("reason", error),), hint=_SLANG_INSTALL_HINT) from error
        self.functions = loaded
        self._blob.restype, self._blob.argtypes = _PTR, (_TEXT, _SIZE)
        create.restype, create.argtypes = _I32, (_INT, _OUT)
        out = ctypes.c_void_p()
        if create(0, ctypes.byref(out)) < 0 or not out.value:
            raise ToolError("Slang cannot be started", hint=_SLANG_INSTALL_HINT)
        self.session = Object(out.value)

    def blob(self, data: bytes) -> int:
        """Return a blob with a copy of some bytes."""
        # Slang makes no empty blob.
        made: int = self._blob(data or b"\n", len(data) or 1)
        return made


@cache
def library() -> SlangLibrary:
    """Return the library, started: the first call takes half a second.

    Raises: ToolError.
    """
    return SlangLibrary()


def installed_version() -> str:
    """Return the version of the wheel.

    Raises: ToolError if it is not installed, or of an unknown release.
    """
    from importlib import metadata  # noqa: PLC0415 - slow to import

    try:
        version = metadata.version("slangpy")
    except metadata.PackageNotFoundError as error:
        raise ToolError(
            "Slang is not installed", context=(("looked for", "slangpy"),), hint=_SLANG_INSTALL_HINT
        ) from error
    if not is_known_release(version):
        raise ToolError(
            f"the Slang of slangpy {version} cannot be used",
            context=(("works with", KNOWN_RELEASES),),
            hint=_SLANG_INSTALL_HINT,
        )
    return version


def build_tag() -> str:
    """Return the library's version from its file name: starting it takes half a second."""
    return slang_library().name.partition(".so.")[2] or slang_library().stem


@cache
def slang_library() -> Path:
    """Return the library, without loading the Python package it belongs to.

    Raises: ToolError if it is missing.
    """
    found = library_in_slangpy("libslang-compiler.so.*", "libslang-compiler.*.dylib", "slang-compiler.dll")
    if found is not None:
        return found
    raise ToolError(
        "Slang is not installed", context=(("looked for", "slangpy, which has it"),), hint=_SLANG_INSTALL_HINT
    )
