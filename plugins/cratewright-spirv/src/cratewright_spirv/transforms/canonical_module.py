"""A module in canonical form while it is made: sections in which everything is known by its content."""

from __future__ import annotations

from enum import Enum

from ..binary import opcodes as op
from ..binary.module import Module
from ..binary.operands import Instruction

ContentKey = tuple[object, ...]


class Names(Enum):
    """Which debug names and lines a canonical module keeps, as option `spirv_metadata` calls them."""

    NONE = "none"
    VARIABLES = "name-variables"
    ALL = "full"


class CanonicalModule:
    """The module in progress, with everything in it by content."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.version = 0
        self.bound = 1
        self.known: dict[ContentKey, int] = {}
        self.capabilities: set[Instruction] = set()
        self.extensions: set[Instruction] = set()
        self.memory_model: Instruction | None = None
        self.sets: list[Instruction] = []
        self.entries: list[Instruction] = []
        self.modes: dict[Instruction, None] = {}
        self.strings: list[Instruction] = []
        self.sources: dict[Instruction, None] = {}
        self.marks: dict[Instruction, None] = {}
        self.named: dict[Instruction, None] = {}
        self.globals: list[Instruction] = []
        self.declarations: list[int] = []
        self.functions: list[int] = []

    def number(self, count: int = 1) -> int:
        """Return the first of some new ids."""
        first, self.bound = self.bound, self.bound + count
        return first

    def encode(self) -> bytes:
        """Return the module."""
        instructions = (
            *sorted(self.capabilities),
            *sorted(self.extensions),
            *self.sets,
            *([self.memory_model] if self.memory_model else []),
            *self.entries,
            *self.modes,
            *self.strings,
            *(words for words in self.sources if words[0] & 0xFFFF != op.MODULE_PROCESSED),
            *sorted(self.named, key=_by_target),
            *(words for words in self.sources if words[0] & 0xFFFF == op.MODULE_PROCESSED),
            *sorted(self.marks, key=_by_target),
            *self.globals,
            tuple(self.declarations),
            tuple(self.functions),
        )
        return Module("canonical", self.version, 0, self.bound, instructions).encode()


def _by_target(words: Instruction) -> tuple[int, Instruction]:
    return words[1], words
