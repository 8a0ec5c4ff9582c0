"""What importers read of a module: everything but the code of its functions.

Slang checks an importer against declarations alone and reads code when it links, except that of functions inlined into
their callers at once. So importers are given modules without code: their results cannot depend on it.
"""

from __future__ import annotations

import re
import struct

_HEAD, _CHUNK = 16, 8
"""Sizes of the header of a file, or of a list, and of that of a chunk."""
_SIZE = struct.Struct("<I")
_FILE, _LIST, _MODULE, _CODE, _FILES = b"RIFF", b"LIST", b"smod", b"ir  ", b"fdep"
_LINE_GOES_ON = re.compile(rb"\\\r?\n")


def may_inline_at_once(text: bytes) -> bool:
    """Return whether a text contains `[__unsafeForceInlineEarly]`, or might by pasting tokens."""
    text = _LINE_GOES_ON.sub(b"", text)
    return b"unsafeForceInlineEarly" in text or b"##" in text


def code_of(module: bytes) -> bytes:
    """Return the chunk of a serialised module with its code; empty if there is none."""
    return next((chunk for chunk in _chunks(module) if _kind(chunk) == _CODE), b"")


def given_to_importers(module: bytes, code: bytes) -> bytes:
    """Return a serialised module with other code, if that is not empty, and without the names of its source's files.

    Shape: one that is not of the known form is unchanged. Slang would read those files only to list them.
    """
    chunks = _chunks(module)
    if sum(_kind(chunk) == _CODE for chunk in chunks) != 1:
        return module
    body = b""
    for chunk in chunks:
        kind = _kind(chunk)
        if kind != _FILES:
            body += bytes(-len(body) % _CHUNK) + (code if code and kind == _CODE else chunk)
    return _FILE + _SIZE.pack(_HEAD - _CHUNK + len(body)) + module[_CHUNK:_HEAD] + body


def _chunks(module: bytes) -> list[bytes]:
    """Return the chunks of a module with their headers; each begins at a multiple of eight."""
    found: list[bytes] = []
    if module[:4] != _FILE or module[_CHUNK : _CHUNK + 4] != _MODULE:
        return found
    at, end = _HEAD, _CHUNK + _size(module, 0)
    while at + _CHUNK <= end <= len(module):
        size = _CHUNK + _size(module, at)
        found.append(module[at : at + size])
        at += size + -size % _CHUNK
    return found


def _size(data: bytes, at: int) -> int:
    size: int = _SIZE.unpack_from(data, at + 4)[0]
    return size


def _kind(chunk: bytes) -> bytes:
    """Return which list a chunk is, or nothing."""
    return chunk[_CHUNK : _CHUNK + 4] if chunk[:4] == _LIST else b""
