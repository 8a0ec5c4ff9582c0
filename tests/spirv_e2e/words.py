"""Reads SPIR-V modules word by word, as specified in section 2.3 of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.support import spirv_words
from tests.support.spirv_words import text_of

__all__ = ["capabilities", "constants", "entry_points", "instructions", "names", "opcodes"]

MODELS = {
    0: "vert", 1: "tesc", 2: "tese", 3: "geom", 4: "frag", 5: "comp", 5313: "rgen", 5314: "rint", 5315: "rahit",
    5316: "rchit", 5317: "rmiss", 5318: "rcall", 5364: "task", 5365: "mesh",
}  # fmt: skip


def instructions(path: Path) -> Iterator[tuple[int, ...]]:
    """Yield each instruction's words."""
    return spirv_words.instructions(path.read_bytes())


def opcodes(path: Path) -> set[int]:
    """Return the opcodes of a module."""
    return {words[0] & 0xFFFF for words in instructions(path)}


def entry_points(path: Path) -> list[tuple[str, str]]:
    """Return the stage and name of each entry point, in order."""
    return [(MODELS[words[1]], text_of(words[3:])) for words in instructions(path) if words[0] & 0xFFFF == 15]


def names(path: Path) -> set[str]:
    """Return the debug names of ids."""
    return {text_of(words[2:]) for words in instructions(path) if words[0] & 0xFFFF == 5}


def constants(path: Path) -> set[tuple[int, ...]]:
    """Return the words of each constant's value."""
    return {words[3:] for words in instructions(path) if words[0] & 0xFFFF == 43}


def capabilities(path: Path) -> set[int]:
    """Return the capabilities that a module declares."""
    return {words[1] for words in instructions(path) if words[0] & 0xFFFF == 17}
