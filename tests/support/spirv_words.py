"""The words of a SPIR-V module, instruction by instruction, as section 2.3 of its specification lays them out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

__all__ = ["instructions", "text_of"]


def instructions(data: bytes) -> Iterator[tuple[int, ...]]:
    """Yield each instruction's words."""
    words = array("I", data)
    assert words[0] == 0x07230203, "not a SPIR-V module of this machine's byte order"
    at = 5
    while at < len(words):
        yield tuple(words[at : at + (words[at] >> 16)])
        at += words[at] >> 16


def text_of(words: Iterable[int]) -> str:
    """Return the null-terminated string at the start of some words."""
    return array("I", words).tobytes().partition(b"\0")[0].decode()
