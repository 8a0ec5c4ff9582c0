"""Deterministic GNU `ar` archives: bytes to members and back.

Source: System V / GNU `ar` format as GNU binutils writes it with the `D` modifier.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from ..base.errors import FormatError, damaged_file
from ..base.values import dataclass

ARCHIVE_MAGIC = b"!<arch>\n"
_HEADER = 60
_SHORT_NAME = 15


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive, and the symbols by which linkers find it."""

    name: str
    data: bytes
    symbols: tuple[str, ...] = ()


def write_archive(members: Iterable[Member]) -> bytes:
    """Return the bytes of an archive.

    Shape: symbol table, long names, members in the order given, each padded to an even length; times and owners are
    zero and modes 0644, so that equal members give equal bytes anywhere.
    Raises: FormatError for two members of one name, since one would hide the other from tools.
    """
    items = tuple(members)
    seen: set[str] = set()
    for member in items:
        if not member.name or "\n" in member.name:
            raise FormatError(f"{member.name!r} cannot be the name of an archive member")
        if member.name in seen:
            raise FormatError(f"two members of one archive would be called '{member.name}'")
        seen.add(member.name)
    names, long_names = _name_fields(items)
    symbols = [(symbol, index) for index, member in enumerate(items) for symbol in member.symbols]
    table_size = 4 + 4 * len(symbols) + sum(len(symbol.encode()) + 1 for symbol, _ in symbols)
    table_size += table_size & 1
    position = len(ARCHIVE_MAGIC)
    if symbols:
        position += _HEADER + table_size
    if long_names:
        position += _HEADER + len(long_names)
    offsets: list[int] = []
    for member in items:
        offsets.append(position)
        position += _HEADER + len(member.data) + (len(member.data) & 1)
    out = [ARCHIVE_MAGIC]
    if symbols:
        table = struct.pack(">I", len(symbols))
        table += b"".join(struct.pack(">I", offsets[index]) for _, index in symbols)
        table += b"".join(symbol.encode() + b"\0" for symbol, _ in symbols)
        out += [_header(b"/", table_size, mode=b"0"), table.ljust(table_size, b"\0")]
    if long_names:
        out += [b"%-48s%-10d`\n" % (b"//", len(long_names)), long_names]
    for member, field in zip(items, names, strict=True):
        out += [_header(field, len(member.data)), member.data, b"\n" * (len(member.data) & 1)]
    return b"".join(out)


def _name_fields(items: tuple[Member, ...]) -> tuple[list[bytes], bytes]:
    fields: list[bytes] = []
    table = b""
    for member in items:
        name = member.name.encode()
        if len(name) <= _SHORT_NAME and b"/" not in name:
            fields.append(name + b"/")
        else:
            fields.append(b"/%d" % len(table))
            table += name + b"/\n"
    return fields, table + b"\n" * (len(table) & 1)


def _header(name: bytes, size: int, *, mode: bytes = b"644") -> bytes:
    return b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 0, 0, 0, mode, size)


def read_archive(data: bytes, *, path: str) -> tuple[Member, ...]:
    """Return the members of an archive in their order, without its tables.

    Raises: FormatError naming `path` and the offset for a foreign, truncated or damaged archive.
    """
    if data[: len(ARCHIVE_MAGIC)] != ARCHIVE_MAGIC:
        raise FormatError(
            f"{path} is not an archive",
            context=(("begins with", repr(data[:8])),),
            hint="delete it and build again",
        )
    members: list[Member] = []
    long_names = b""
    position = len(ARCHIVE_MAGIC)
    while position < len(data):
        header = data[position : position + _HEADER]
        if len(header) < _HEADER or header[58:60] != b"`\n" or not header[48:58].strip().isdigit():
            raise damaged_file(path, ("offset", position), ("found", "a member header is damaged"))
        size = int(header[48:58])
        body = data[position + _HEADER : position + _HEADER + size]
        if len(body) < size:
            raise damaged_file(path, ("offset", position), ("found", f"a member lacks {size - len(body)} bytes"))
        field = header[:16].rstrip()
        if field == b"//":
            long_names = body
        elif field != b"/":
            members.append(Member(_member_name(field, long_names, path, position), body))
        position += _HEADER + size + (size & 1)
    return tuple(members)


def _member_name(field: bytes, long_names: bytes, path: str, position: int) -> str:
    if field[:1] == b"/":
        start = int(field[1:]) if field[1:].isdigit() else len(long_names)
        end = long_names.find(b"/\n", start)
        if start >= len(long_names) or end < 0:
            raise damaged_file(path, ("offset", position), ("found", "a long member name is missing"))
        field = long_names[start:end]
    elif field[-1:] == b"/":
        field = field[:-1]
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise damaged_file(path, ("offset", position), ("found", "a member name is not UTF-8")) from error
