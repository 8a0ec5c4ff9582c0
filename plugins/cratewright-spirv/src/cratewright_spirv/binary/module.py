"""A SPIR-V module as a header and a list of instructions, read from bytes and written back.

The only meaning it knows is which words are ids, from the grammar's table of operands.

An instruction is the tuple of its words, the first of which holds its length and opcode. Opcodes newer than the table
are carried along: all of their words count as possible uses, and rewriting one that may use a rewritten id is refused.
Words of either byte order are read; little-endian words are written.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain

from cratewright import FormatError, dataclass

from . import opcodes as op
from .operands import RESULTS, UNKNOWN, Instruction, cached_positions, find_positions, string_end, wide_selectors

MAGIC = 0x07230203
MAGIC_BYTES = struct.pack("<I", MAGIC)
_SWAPPED_MAGIC = 0x03022307
HEADER_WORDS = 5
_FUNCTION = struct.pack("<I", 5 << 16 | op.FUNCTION)


@dataclass(frozen=True, slots=True)
class Module:
    """A module's header words and instructions; `name` is for messages.

    Shape: `wide` holds the selectors of 64-bit `OpSwitch` instructions, whose literals take two words.
    """

    name: str
    version: int
    generator: int
    bound: int
    instructions: tuple[Instruction, ...]
    wide: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """Return the module as little-endian bytes."""
        words = [MAGIC, self.version, self.generator, self.bound, 0, *chain.from_iterable(self.instructions)]
        return struct.pack(f"<{len(words)}I", *words)

    def ids(self, instruction: Instruction) -> tuple[int, ...]:
        """Return the positions of the words that use an id: operands and result type, not the result."""
        known = cached_positions.get(instruction[0])
        return known if known is not None else find_positions(instruction, self.wide)

    def rewrite(self, instruction: Instruction, replacements: Mapping[int, int]) -> Instruction:
        """Return the instruction with each used id replaced where `replacements` says so.

        Raises: FormatError for an opcode newer than the table that may use such an id.
        """
        positions = [at for at in self.ids(instruction) if instruction[at] in replacements]
        if not positions:
            return instruction
        if instruction[0] & 0xFFFF not in op.INSTRUCTIONS:
            raise FormatError(
                f"{self.name} uses an instruction this version cannot rewrite",
                context=[("opcode", instruction[0] & 0xFFFF)],
                hint="leave out the extension that defines it, or update cratewright-spirv",
            )
        words = list(instruction)
        for at in positions:
            words[at] = replacements[words[at]]
        return tuple(words)


def parse(data: bytes, name: str, *, foreign: bool = False, bodies: bool = True) -> Module:
    """Return the module that `data` encodes.

    Shape: in `foreign` data, made by other tools, every id is checked as well; without `bodies` the instructions end
    before the first function.
    Raises: FormatError for anything that is not a well-formed sequence of instructions.
    """
    words = _words(data, name) if bodies else _preamble(data, name)
    instructions: list[Instruction] = []
    append, at, size = instructions.append, HEADER_WORDS, len(words)
    # It ends the preamble, or has literals whose width depends on other instructions.
    special, switched = op.SWITCH if bodies else op.FUNCTION, False
    while at < size:
        first = words[at]
        end = at + (first >> 16)
        if first & 0xFFFF == special and end > at:
            if not bodies:
                break
            switched = True
        if end >= size and not bodies and size * 4 < len(data):
            # The apparent first function is inside an instruction.
            words = _words(data, name)
            size = len(words)
        if not at < end <= size:
            reason = "an instruction of no words" if end == at else "an instruction longer than the file"
            raise _malformed(name, f"{reason}, at byte {at * 4}")
        append(words[at:end])
        at = end
    bound, wide = words[3], wide_selectors(instructions) if switched else frozenset[int]()
    if foreign:
        _check_bound(instructions, bound, wide, name)
    return Module(name, words[1], words[2], bound, tuple(instructions), wide)


def spans(words: array[int]) -> Iterator[tuple[int, int, int]]:
    """Yield the opcode of each instruction of a module, where it begins and where the next one does."""
    at = HEADER_WORDS
    while at < len(words):
        end = at + (words[at] >> 16)
        yield words[at] & 0xFFFF, at, end
        at = end


def result(instruction: Instruction) -> int | None:
    """Return the id that the instruction defines, if it defines one."""
    at = RESULTS.get(instruction[0] & 0xFFFF)
    return instruction[at] if at is not None and at < len(instruction) else None


def build(opcode: int, *operands: int) -> Instruction:
    """Return an instruction with its length filled in."""
    return ((len(operands) + 1) << 16 | opcode, *operands)


def literal(text: str) -> tuple[int, ...]:
    """Return the words of a literal string."""
    data = text.encode("utf-8", "surrogateescape") + b"\0"
    data += b"\0" * (-len(data) % 4)
    return struct.unpack(f"<{len(data) // 4}I", data)


def string(instruction: Instruction, at: int) -> tuple[str, int]:
    """Return the literal string that starts at word `at`, and the position after it."""
    end = string_end(instruction, at)
    data = struct.pack(f"<{end - at}I", *instruction[at:end])
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape"), end


def last_string(instruction: Instruction, at: int) -> str:
    """Return the literal string that starts at word `at` and is an instruction's last operand, faster."""
    return _text(instruction[at:])


@lru_cache(maxsize=1 << 12)
def _text(words: tuple[int, ...]) -> str:
    """Return a literal string, cached because many shaders have the same names."""
    return array("I", words).tobytes().partition(b"\0")[0].decode("utf-8", "surrogateescape")


def opcode_name(opcode: int) -> str:
    """Return an opcode's name in the SPIR-V specification."""
    return op.INSTRUCTIONS.get(opcode, UNKNOWN)[0] or f"Op#{opcode}"


def _words(data: bytes, name: str) -> tuple[int, ...]:
    if len(data) < HEADER_WORDS * 4:
        raise _malformed(name, "it is empty" if not data else "it ends inside the header")
    if len(data) % 4:
        raise _malformed(name, f"its size of {len(data)} bytes is not a multiple of 4")
    magic = int.from_bytes(data[:4], "little")
    if magic not in (MAGIC, _SWAPPED_MAGIC):
        raise _malformed(name, f"it starts with 0x{magic:08x}, not with 0x{MAGIC:08x}")
    order = "<" if magic == MAGIC else ">"
    words: tuple[int, ...] = struct.unpack(f"{order}{len(data) // 4}I", data)
    return words


def _preamble(data: bytes, name: str) -> tuple[int, ...]:
    """Return the words up to what looks like the first function, and its own first word."""
    end = data.find(_FUNCTION, HEADER_WORDS * 4)
    while end % 4 and end > 0:
        end = data.find(_FUNCTION, end + 1)
    return _words(data, name) if end < 0 else _words(data[: end + 4], name)


def _malformed(name: str, reason: str) -> FormatError:
    return FormatError(
        f"{name} is not a SPIR-V module",
        context=[("reason", reason)],
        hint="make it again: it is damaged or not of this kind",
    )


def _check_bound(instructions: Iterable[Instruction], bound: int, wide: frozenset[int], name: str) -> None:
    known, results = cached_positions, RESULTS
    for instruction in instructions:
        opcode = instruction[0] & 0xFFFF
        positions = known.get(instruction[0])
        if positions is None:
            if opcode not in op.INSTRUCTIONS:
                continue
            positions = find_positions(instruction, wide)
        at = results.get(opcode)
        if at is not None and at >= len(instruction):
            raise _malformed(name, f"{opcode_name(opcode)} is too short")
        for used in positions if at is None else (*positions, at):
            if instruction[used] >= bound:
                reason = f"uses id {instruction[used]}, but the bound is {bound}"
                raise _malformed(name, f"{opcode_name(opcode)} {reason}")
