"""Demangles glslang's function names: `square(f1;` is `square(float)`.

Types are written as in GLSL. What a name does not record (the matrix kind of a cooperative matrix, the type of a buffer
reference) stays unknown.
"""

from __future__ import annotations

from functools import cache

from cratewright import pattern

_SCALARS = {
    "f": "float",
    "i": "int",
    "u": "uint",
    "b": "bool",
    "d": "double",
    "f16": "float16_t",
    "i8": "int8_t",
    "u8": "uint8_t",
    "i16": "int16_t",
    "u16": "uint16_t",
    "i64": "int64_t",
    "u64": "uint64_t",
    "as": "accelerationStructureEXT",
    "rq": "rayQueryEXT",
    "au": "atomic_uint",
    "p": "sampler",
    "pS": "samplerShadow",
    "": "reference",
}
_DIMENSIONS = {"1": "1D", "2": "2D", "3": "3D", "C": "Cube", "R2": "2DRect", "B": "Buffer"}
_NUMBER = "f16|i8|u8|i16|u16|i64|u64|f|i|u|b|d"
_SCALAR = pattern(rf"({_NUMBER}|as|rq|au|pS?|)1")
_VECTOR = pattern(rf"v({_NUMBER})([2-4])")
_MATRIX = pattern(rf"m({_NUMBER})([2-4])([2-4])")
# a trailing 1 to 3 is the number of components of an HLSL texture, and the last 1 the type's own size
_OPAQUE = pattern(r"(f16|i64|u64|i|u|)([Ist])(A?)(S?)([123CBP]|R2)([123]?)(M?)1")
_OPAQUE_WORDS = {"I": "image", "s": "sampler", "t": "texture"}
# the members of a struct follow its name, and the size 1 of the struct itself ends it
_RECORD = pattern(r"(?:struct|block)-([^-]*)-.*1")
_ARRAY = pattern(r"(.*?)((?:\[[^\[\]]*\])+)")
_SIZE = pattern(r"\[([^\[\]]*)\]")


@cache
def demangle(mangled: str) -> str:
    """Return a mangled name as in the source, or the name itself if it cannot be parsed."""
    name, bracket, rest = mangled.partition("(")
    if not bracket or not name or (rest and not rest.endswith(";")):
        return mangled
    parameters = [_type(each) for each in rest.split(";")[:-1]]
    return f"{name}({', '.join(parameters)})" if all(parameters) else mangled


def _type(mangled: str) -> str:
    """Return a type as in the source, or nothing if it cannot be parsed."""
    array = _ARRAY.fullmatch(mangled)
    if array:
        element = _type(array[1])
        return element and element + "".join(f"[{_size(each)}]" for each in _SIZE.findall(array[2]))
    scalar = _SCALAR.fullmatch(mangled)
    if scalar:
        return _SCALARS[scalar[1]]
    vector = _VECTOR.fullmatch(mangled)
    if vector:
        return f"{_prefix(vector[1])}vec{vector[2]}"
    matrix = _MATRIX.fullmatch(mangled)
    if matrix:
        return f"{_prefix(matrix[1])}mat{matrix[2]}" + (f"x{matrix[3]}" if matrix[2] != matrix[3] else "")
    record = _RECORD.fullmatch(mangled)
    return (record[1] or "block") if record else _opaque(mangled)


def _opaque(mangled: str) -> str:
    match = _OPAQUE.fullmatch(mangled)
    if not match:
        return ""
    scalar, kind, arrayed, shadow, dimension, _, multisampled = match.groups()
    if dimension == "P":
        return f"{scalar}subpassInput{'MS' if multisampled else ''}"
    parts = [scalar, _OPAQUE_WORDS[kind], _DIMENSIONS[dimension]]
    parts += ["MS" if multisampled else "", "Array" if arrayed else "", "Shadow" if shadow else ""]
    return "".join(parts)


def _prefix(scalar: str) -> str:
    return "" if scalar == "f" else scalar


def _size(mangled: str) -> str:
    """Return an array's size; one set by a specialisation constant has no number."""
    return "" if mangled.startswith("s") or mangled == "0" else mangled
