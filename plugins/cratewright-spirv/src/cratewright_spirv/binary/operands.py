"""Which words of an instruction are ids, by the table of opcodes; the answers are cached."""

from __future__ import annotations

from collections.abc import Iterable

from . import opcodes as op

Instruction = tuple[int, ...]
WIDE = 32
UNKNOWN = ("", "")
RESULTS = {number: layout.index("R") + 1 for number, (_, layout) in op.INSTRUCTIONS.items() if "R" in layout[:2]}
# by first word, and for these opcodes also by the word that decides the layout of the others
_DECIDING = {op.SPEC_CONSTANT_OP: 3, op.DECORATE: 2, op.MEMBER_DECORATE: 3, op.LOAD: 4, op.STORE: 3}
cached_positions: dict[int, tuple[int, ...]] = {}
_decided: dict[tuple[int, int], tuple[int, ...]] = {}


def wide_selectors(instructions: Iterable[Instruction]) -> frozenset[int]:
    wide_types, wide, selectors = set(), set(), set()
    for words in instructions:
        opcode = words[0] & 0xFFFF
        if opcode == op.TYPE_INT and len(words) > 2 and words[2] > WIDE:
            wide_types.add(words[1])
        elif opcode == op.SWITCH and len(words) > 1:
            selectors.add(words[1])
        elif len(words) > 2 and words[1] in wide_types and RESULTS.get(opcode) == 2:
            wide.add(words[2])
    return frozenset(wide & selectors)


def string_end(words: Instruction, at: int) -> int:
    for end in range(at, len(words)):
        word = words[end]
        if (word - 0x01010101) & ~word & 0x80808080:
            return end + 1
    return len(words)


def find_positions(words: Instruction, wide: frozenset[int]) -> tuple[int, ...]:
    """Return the positions of the used ids, cached where few words decide them."""
    opcode, size = words[0] & 0xFFFF, len(words)
    if opcode not in op.INSTRUCTIONS:
        return tuple(range(1, size))
    deciding = _DECIDING.get(opcode, size)
    key = (words[0], words[deciding]) if deciding < size else None
    if key in _decided:
        return _decided[key]
    found, fixed = _walk(op.INSTRUCTIONS[opcode][1], words, 1, wide)
    positions = tuple(at for at in found if at < size)
    if fixed:
        cached_positions[words[0]] = positions
    elif key:
        _decided[key] = positions
    return positions


def _walk(layout: str, words: Instruction, at: int, wide: frozenset[int]) -> tuple[list[int], bool]:
    found: list[int] = []
    fixed, size, index = True, len(words), 0
    while at < size and index < len(layout):
        letter = layout[index]
        index += 1
        if layout[index : index + 1] == "*":
            if letter == "i":
                found.extend(range(at, size))
            break
        if letter in "iT":
            found.append(at)
        elif letter == "s":
            if index == len(layout):
                break
            at, fixed = string_end(words, at) - 1, False
        elif letter in "DE":
            fixed = at + 1 == size
            if words[at] in (op.ID_DECORATIONS if letter == "D" else op.ID_MODES):
                found.extend(range(at + 1, size))
            break
        elif letter in op.MASKS:
            fixed = False
            mask = words[at]
            for bit, parameters in op.MASKS[letter].items():
                for parameter in parameters if mask & bit else "":
                    at += 1
                    if parameter == "i":
                        found.append(at)
        elif letter == "o":
            # the embedded opcode's layout omits result type and result, which come before it
            found += _walk(op.INSTRUCTIONS.get(words[at], UNKNOWN)[1][2:], words, at + 1, wide)[0]
            fixed = False
            break
        elif letter == "q":
            found.extend(range(at, size, 2))
            break
        elif letter == "w":
            step = 3 if words[1] in wide else 2
            found.extend(range(at + step - 1, size, step))
            fixed = False
            break
        at += 1
    return found, fixed
