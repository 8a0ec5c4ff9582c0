"""What Slang's functions take: C structures, and the numbers of options."""

from __future__ import annotations

import ctypes

_I32, _U32, _SIZE, _TEXT, _PTR = ctypes.c_int32, ctypes.c_uint32, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p
_INT = ctypes.c_ssize_t

DEBUG, OPTIMIZATION, ENTRY_NAMES, INVERT_Y, POSITION_W, GL_LAYOUT, SCALAR_LAYOUT = 44, 46, 52, 50, 51, 54, 55


class SlangOptionValue(ctypes.Structure):
    _fields_ = (("kind", _I32), ("number", _I32), ("number1", _I32), ("text", _TEXT), ("text1", _TEXT))


class Option(ctypes.Structure):
    _fields_ = (("name", _I32), ("value", SlangOptionValue))


class TargetDescription(ctypes.Structure):
    """`slang::TargetDesc`."""

    _fields_ = (
        ("size", _SIZE),
        *((name, _U32) for name in ("format", "profile", "flags", "floating", "lines")),
        ("scalar", ctypes.c_bool),
        ("options", _PTR),
        ("option_count", _U32),
    )


class Macro(ctypes.Structure):
    _fields_ = (("name", _TEXT), ("value", _TEXT))


class SessionDescription(ctypes.Structure):
    """`slang::SessionDesc`."""

    _fields_ = (
        ("size", _SIZE),
        ("targets", _PTR),
        ("target_count", _INT),
        ("flags", _U32),
        ("matrices", _U32),
        ("paths", _PTR),
        ("path_count", _INT),
        ("macros", _PTR),
        ("macro_count", _INT),
        ("files", _PTR),
        ("annotations", ctypes.c_bool),
        ("glsl", ctypes.c_bool),
        ("options", _PTR),
        ("option_count", _U32),
        ("unchecked", ctypes.c_bool),
    )
