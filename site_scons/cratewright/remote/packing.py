"""Contents in transit: compressed if server and client support the same method."""

from __future__ import annotations

import importlib.util
import io
import zlib
from collections.abc import Iterable

IDENTITY, ZSTD, DEFLATE = 0, 1, 2
"""The numbers of `Compressor.Value` of the Remote Execution API."""
COMPRESSORS = {ZSTD: "zstd", DEFLATE: "deflate"}
_WORTH = 1 << 10
_RAW = -15


class PackingError(ValueError):
    """Bytes that were not packed this way, or unpack to more than announced."""


def choose_compressor(offered: Iterable[int]) -> int:
    """Return the best method that both the server and this machine support."""
    offered = set(offered)
    if ZSTD in offered and importlib.util.find_spec("zstandard") is not None:
        return ZSTD
    return DEFLATE if DEFLATE in offered else IDENTITY


def compress(data: bytes, way: int) -> tuple[bytes, int]:
    """Return the packed data and the method used; data that are small or incompressible stay as they are."""
    packed = data
    if len(data) < _WORTH or way == IDENTITY:
        return data, IDENTITY
    if way == ZSTD:
        import zstandard  # noqa: PLC0415 - only where a server offers it

        packed = zstandard.ZstdCompressor(level=1).compress(data)
    else:
        work = zlib.compressobj(1, wbits=_RAW)
        packed = work.compress(data) + work.flush()
    return (packed, way) if len(packed) < len(data) else (data, IDENTITY)


def unpack(data: bytes, way: int, size: int) -> bytes:
    """Return the unpacked data.

    Units: `size` in bytes, which the result must have; no more is unpacked.
    Raises: PackingError.
    """
    if way == IDENTITY:
        return data
    try:
        if way == ZSTD:
            import zstandard  # noqa: PLC0415 - only where a server offers it

            with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(io.BytesIO(data)) as reader:
                found = bytes(reader.read(size + 1))
        elif way == DEFLATE:
            found = zlib.decompressobj(_RAW).decompress(data, size + 1)
        else:
            raise PackingError("compressed in a way that was not requested")
    except PackingError:
        raise
    except Exception as error:  # each library has errors of its own
        raise PackingError(f"contents that cannot be decompressed: {error}") from error
    if len(found) != size:
        raise PackingError("contents of another size than announced")
    return found
