"""Blocks of a shader as C structs with the shader's memory layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_Row = Mapping[str, Any]

_SCALARS = {
    "float": ("float", 4),
    "double": ("double", 8),
    "int": ("int32_t", 4),
    "uint": ("uint32_t", 4),
    "int8_t": ("int8_t", 1),
    "uint8_t": ("uint8_t", 1),
    "int16_t": ("int16_t", 2),
    "uint16_t": ("uint16_t", 2),
    "int64_t": ("int64_t", 8),
    "uint64_t": ("uint64_t", 8),
    # C has no portable half-precision float, so its bits.
    "float16_t": ("uint16_t", 2),
}
_PREFIXES = {
    "": "float", "d": "double", "i": "int", "u": "uint", "i8": "int8_t", "u8": "uint8_t", "i16": "int16_t",
    "u16": "uint16_t", "i64": "int64_t", "u64": "uint64_t", "f16": "float16_t",
}  # fmt: skip
_VECTOR = re.compile(r"([a-z]?\d*)vec([2-4])")
_MATRIX = re.compile(r"([a-z]?\d*)mat([2-4])(?:x([2-4]))?")
KEYWORDS = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t
    class compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield
    decltype default delete do double dynamic_cast else enum explicit export extern false float for friend
    goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private
    protected public register reinterpret_cast requires restrict return short signed sizeof static
    static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename
    typeof union unsigned using virtual void volatile wchar_t while xor xor_eq
    """.split()  # noqa: SIM905 - a list would take a line for each
    # Types that other members may use, and macros that compilers and headers define.
    + [f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    + ["NULL", "i386", "linux", "unix"]
)


def identifier(text: str) -> str:
    """Return a text as part of a C identifier: all but letters and digits become `_`."""
    word = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    return f"_{word}" if word[:1].isdigit() else word


class StructWriter:
    """Writes each struct once.

    Shape: `lines` is the C text so far; names of structs begin with `prefix`.
    """

    def __init__(self, prefix: str) -> None:
        self.lines: list[str] = []
        self._prefix = prefix
        self._names: dict[str, str] = {}
        self._alignments: dict[str, int] = {}
        self._taken: set[str] = set()

    def write(self, block: _Row, *, hint: str) -> str:
        """Write a block and the structs in it, and return its name; nothing for one that holds no bytes.

        Shape: `block` as a manifest has it. `hint` tells blocks of one name apart that lie differently.
        """
        text, alignment = self._text(block["members"], int(block["size"]), hint=hint)
        if not text:
            return ""
        if text in self._names:
            return self._names[text]
        name = f"{self._prefix}_{identifier(str(block['name'])) or identifier(hint)}"
        if name in self._taken:
            name = f"{self._prefix}_{identifier(hint)}_{identifier(str(block['name']))}"
        base, count = name, 2
        while name in self._taken:
            name, count = f"{base}_{count}", count + 1
        self._taken.add(name)
        self._names[text] = name
        self._alignments[name] = alignment
        self.lines += [line.replace("\0", name) for line in text.splitlines()]
        return name

    def _text(self, members: Sequence[_Row], size: int, *, hint: str) -> tuple[str, int]:
        """Return a struct's definition, with a NUL for its name, and its alignment."""
        rows: list[str] = []
        checks: list[str] = []
        taken: set[str] = set()
        end, aligned, alignment, reserved = 0, True, 1, 0
        ordered = sorted(members, key=lambda row: int(row["offset"]))
        last = int(ordered[-1]["offset"]) if ordered else 0
        ends = [int(row["offset"]) for row in ordered[1:]] + [max(size, last)] * bool(ordered)
        for index, (row, limit) in enumerate(zip(ordered, ends, strict=True)):
            offset = int(row["offset"])
            name = identifier(str(row["name"])) or f"member{index}"
            while name in KEYWORDS or name in taken:
                name += "_"
            taken.add(name)
            length = int(row["size"])
            if not length:
                rows.append(f"    /* {name}: from {offset}, {_unbounded(row)} */")
                self._unbounded_struct(row, hint)
                continue
            if offset < end:
                continue  # members that share memory: only the first is declared
            if offset > end:
                rows.append(f"    uint8_t reserved{reserved}_[{offset - end}];")
                reserved += 1
            declared, own, used = self._member(
                row, name, min(length, limit - offset) if limit > offset else length, hint
            )
            rows.append(f"    {declared};")
            checks.append(f"CRATEWRIGHT_CHECK(offsetof(\0, {name}) == {offset});")
            aligned = aligned and offset % own == 0
            alignment = max(alignment, own)
            end = offset + used
        if not end:
            return "", 1
        if size > end:
            rows.append(f"    uint8_t reserved{reserved}_[{size - end}];")
            end = size
        packed = not aligned or end % alignment != 0
        text = ["typedef struct \0 {", *rows, "} \0;", f"CRATEWRIGHT_CHECK(sizeof(\0) == {end});", *checks]
        if packed:
            return "\n".join(["#pragma pack(push, 1)", *text, "#pragma pack(pop)"]), 1
        return "\n".join(text), alignment

    def _unbounded_struct(self, row: _Row, hint: str) -> None:
        if row.get("members"):
            inner = {"name": row["type"], "size": _stride(row), "members": row["members"]}
            self.write(inner, hint=hint)

    def _member(self, row: _Row, name: str, room: int, hint: str) -> tuple[str, int, int]:
        """Return a member's declaration, its alignment and its size."""
        dimensions = [int(count) for count in row.get("array", ())]
        strides = [int(stride) for stride in row.get("array_strides", ())]
        element = int(row["element_size"])
        kind, suffix, alignment = self._element(row, strides[-1] if strides else element, hint)
        pairs = zip(strides[:-1], dimensions[1:], strides[1:], strict=True)
        if kind and all(stride == count * inner for stride, count, inner in pairs):
            text = f"{kind} {name}{''.join(f'[{count}]' for count in dimensions)}{suffix}"
            length = strides[0] * dimensions[0] if dimensions else element
            if length <= room:
                return text, alignment, length
        return f"uint8_t {name}[{room}]", 1, room

    def _element(self, row: _Row, stride: int, hint: str) -> tuple[str, str, int]:
        """Return the C type of an element that takes `stride` bytes, suffix and alignment; nothing if none fits."""
        kind = str(row["type"])
        if row.get("members"):
            inner = {"name": kind, "size": stride, "members": row["members"]}
            name = self.write(inner, hint=hint)
            return name, "", self._alignments.get(name, 1)
        if kind in _SCALARS:
            c, own = _SCALARS[kind]
            return self._padded(c, "", own, own, stride)
        if vector := _VECTOR.fullmatch(kind):
            c, own = _SCALARS.get(_PREFIXES.get(vector[1], ""), ("", 0))
            return self._padded(c, f"[{vector[2]}]", own, own * int(vector[2]), stride) if c else ("", "", 1)
        if matrix := _MATRIX.fullmatch(kind):
            c, own = _SCALARS.get(_PREFIXES.get(matrix[1], ""), ("", 0))
            columns, rows = int(matrix[2]), int(matrix[3] or matrix[2])
            step = int(row.get("matrix_stride", 0))
            if c and step and step % own == 0:
                lines = rows if row.get("row_major") else columns
                return self._padded(c, f"[{lines}][{step // own}]", own, lines * step, stride)
        return ("", "", 1)

    def _padded(self, kind: str, suffix: str, alignment: int, size: int, stride: int) -> tuple[str, str, int]:
        if stride == size:
            return kind, suffix, alignment
        if stride > size and stride % alignment == 0:
            whole = f"struct {{ {kind} value{suffix}; uint8_t reserved_[{stride - size}]; }}"
            return whole, "", alignment
        return "", "", 1


def _stride(row: _Row) -> int:
    strides = row.get("array_strides") or [row["element_size"]]
    return int(strides[-1])


def _unbounded(row: _Row) -> str:
    strides = row.get("array_strides", ())
    return f"{row['type']}[] without bound, {strides[0]} bytes apart" if strides else f"{row['type']}"
