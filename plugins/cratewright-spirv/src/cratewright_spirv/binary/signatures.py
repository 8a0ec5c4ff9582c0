"""Types as text, so that dependents notice a change, and that members of one name which are not the same are found.

The text describes a type's structure, down to the members of structs and their names, without ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cratewright import pattern

from . import opcodes as op
from .enumerants import FUNCTION_STORAGE
from .module import string

DECLARES_TYPES = frozenset(
    {
        *range(op.TYPE_VOID, op.TYPE_FUNCTION + 1), op.TYPE_ACCELERATION_STRUCTURE_KHR, op.CONSTANT, op.SPEC_CONSTANT,
        op.MEMBER_NAME,
    }
)  # fmt: skip
"""Opcodes of the instructions that matter here."""

_PIECE = pattern(r"\{|(?: [^\s{},()<>\[\]]+)?[,}]")
_USUAL_WIDTH, _DEEPEST = 32, 16
_SCALARS = {(op.TYPE_INT, 1): "int", (op.TYPE_INT, 0): "uint", (op.TYPE_FLOAT, 0): "float"}


class Signatures:
    """The parameter and result types of a module's functions."""

    def __init__(self, preamble: Iterable[Sequence[int]]) -> None:
        self._types: dict[int, Sequence[int]] = {}
        self._constants: dict[int, Sequence[int]] = {}
        self._names: dict[tuple[int, int], str] = {}
        for words in preamble:
            opcode = words[0] & 0xFFFF
            if opcode in (op.CONSTANT, op.SPEC_CONSTANT):
                self._constants[words[2]] = words
            elif opcode == op.MEMBER_NAME:
                self._names[words[1], words[2]] = string(tuple(words), 3)[0]
            elif opcode in DECLARES_TYPES:
                self._types[words[1]] = words
        self._known: dict[int, str] = {}

    def of(self, function_type: int) -> str:
        """Return a function's type as `result (parameter, ...)`, or nothing if the module does not declare it."""
        text = self._known.get(function_type)
        if text is None:
            result, *parameters = [self._text(each, ()) for each in self._types.get(function_type, ())[2:]] or [""]
            text = self._known[function_type] = f"{result} ({', '.join(parameters)})" if result else ""
        return text

    def type(self, number: int) -> str:
        """Return a type."""
        return self._text(number, ())

    def _text(self, number: int, outer: tuple[int, ...]) -> str:
        words = self._types.get(number)
        if words is None or number in outer or len(outer) == _DEEPEST:
            return "..."  # a struct may hold pointers to itself
        opcode, rest = words[0] & 0xFFFF, words[2:]
        if opcode in (op.TYPE_INT, op.TYPE_FLOAT):
            sign = rest[1] if opcode == op.TYPE_INT else 0
            return f"{_SCALARS[opcode, sign]}{'' if rest[0] == _USUAL_WIDTH else rest[0]}"
        inside = (*outer, number)
        if opcode in (op.TYPE_VECTOR, op.TYPE_MATRIX):
            return f"{self._text(rest[0], inside)}x{rest[1]}"
        if opcode == op.TYPE_ARRAY:
            length = self._constants.get(rest[1], ())[3:]
            return f"{self._text(rest[0], inside)}[{' '.join(map(str, length)) or '?'}]"
        if opcode == op.TYPE_STRUCT:
            members = (
                f"{self._text(each, inside)} {self._names.get((number, at), '')}".rstrip()
                for at, each in enumerate(rest)
            )
            return f"{{{', '.join(members)}}}"
        if opcode == op.TYPE_POINTER:
            return f"{self._text(rest[1], inside)}*{'' if rest[0] == FUNCTION_STORAGE else rest[0]}"
        name = op.INSTRUCTIONS[opcode][0].removeprefix("OpType").lower() if opcode in op.INSTRUCTIONS else "opaque"
        if opcode in (op.TYPE_RUNTIME_ARRAY, op.TYPE_SAMPLED_IMAGE, op.TYPE_IMAGE):
            return f"{name}<{' '.join([self._text(rest[0], inside), *map(str, rest[1:])])}>"
        return name


def misnamed(one: str, other: str) -> str:
    """Return a name that means two members of what is otherwise one type; empty if there is none.

    Shape: takes texts of types. Names that only one of them has are not looked at.
    """
    for mine, theirs in zip(_structs(one), _structs(other), strict=False):
        for name, instead in zip(mine, theirs, strict=False):
            if name and name != instead and name in theirs:
                return name
    return ""


def _structs(text: str) -> Iterator[list[str]]:
    """Yield the names of each struct's members, in the order in which the structs end."""
    outer: list[list[str]] = []
    for piece in _PIECE.findall(text):
        if piece == "{":
            outer.append([])
        elif outer:
            outer[-1].append(piece[:-1].strip())
            if piece[-1] == "}":
                yield outer.pop()
