"""What a SPIR-V module says of itself, read word by word as the specification, section 2.3, lays them out."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

__all__ = ["capabilities", "constants", "entry_points", "instructions", "names", "opcodes"]

MODELS = {
    0: "vert", 1: "tesc", 2: "tese", 3: "geom", 4: "frag", 5: "comp", 5313: "rgen", 5314: "rint", 5315: "rahit",
    5316: "rchit", 5317: "rmiss", 5318: "rcall", 5364: "task", 5365: "mesh",
}  # fmt: skip


def instructions(path: Path) -> Iterator[list[int]]:
    """Yield each instruction's words."""
    words = array("I", path.read_bytes())
    assert words[0] == 0x07230203, path
    at = 5
    while at < len(words):
        yield words[at : at + (words[at] >> 16)].tolist()
        at += words[at] >> 16


def opcodes(path: Path) -> set[int]:
    """Return which instructions a module has."""
    return {words[0] & 0xFFFF for words in instructions(path)}


def entry_points(path: Path) -> list[tuple[str, str]]:
    """Return stage and name of each entry point, in order."""
    return [(MODELS[words[1]], _text(words[3:])) for words in instructions(path) if words[0] & 0xFFFF == 15]


def names(path: Path) -> set[str]:
    """Return the debug names of ids."""
    return {_text(words[2:]) for words in instructions(path) if words[0] & 0xFFFF == 5}


def constants(path: Path) -> set[tuple[int, ...]]:
    """Return the words of each constant's value."""
    return {tuple(words[3:]) for words in instructions(path) if words[0] & 0xFFFF == 43}


def capabilities(path: Path) -> set[int]:
    """Return the capabilities that a module declares."""
    return {words[1] for words in instructions(path) if words[0] & 0xFFFF == 17}


def _text(words: list[int]) -> str:
    return array("I", words).tobytes().partition(b"\0")[0].decode()
