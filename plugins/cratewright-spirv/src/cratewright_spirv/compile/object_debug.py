"""The debug information of an object: the user's texts, and no descriptions of functions that it does not have."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_FUNCTION, DEBUG_LEXICAL_BLOCK, DEBUG_LOCAL_VARIABLE, DEBUG_SOURCE, SET_NAME

Span = tuple[int, int, int]
"""An instruction's opcode, its first word and the first of the next instruction."""

_PARENT_AT = {DEBUG_LEXICAL_BLOCK: 8, DEBUG_LOCAL_VARIABLE: 10}
_SOURCE_WORDS = 6
_LONGEST = 65_000 * 4
"""Bytes of a string that fits into one instruction."""


class ObjectDebugInfo:
    """What a module's NonSemantic.Shader.DebugInfo describes; `preamble` are its instructions before any function."""

    def __init__(self, data: bytes, words: array[int], preamble: Sequence[Span]) -> None:
        self._data, self._words, self._preamble = data, words, preamble
        self._sets = {
            words[at + 1]
            for opcode, at, end in preamble
            if opcode == op.EXT_INST_IMPORT and text_at(data, at + 2, end).startswith(SET_NAME)
        }

    def undescribed(self, bodies: Iterable[tuple[int, int]]) -> set[int]:
        """Return the ids of descriptions of functions without a body here, and of their strings.

        Shape: a body is its first word and the one after its last.
        """
        words, sets, gone = self._words, self._sets, set[int]()
        if not sets:
            return gone
        used = set[int]()
        for at, last in bodies:
            while at < last:
                if words[at] & 0xFFFF == op.EXT_INST and words[at + 3] in sets:
                    used.update(words[at + 5 : at + (words[at] >> 16)])
                at += words[at] >> 16  # noqa: PLW2901
        mentioned, left = set[int](), set[int]()
        for opcode, at, end in self._preamble:
            if opcode == op.EXT_INST and words[at + 3] in sets:
                kind, number = words[at + 4], words[at + 2]
                parent = _PARENT_AT.get(kind)
                if (kind == DEBUG_FUNCTION and number not in used) or (parent and words[at + parent] in gone):
                    gone.add(number)
                    left.update(words[at + 5 : end])
                else:
                    mentioned.update(words[at + 5 : end])
            elif opcode in (op.SOURCE, op.LINE):
                mentioned.update(words[at + 1 : end])
        strings = {words[at + 1] for opcode, at, _ in self._preamble if opcode == op.STRING}
        return gone | (left & strings) - mentioned

    def with_texts(self, texts: Mapping[str, bytes], bound: int) -> tuple[array[int], dict[int, int], int]:
        """Return strings with the user's texts, which source by its first word takes which, and the new bound."""
        words, strings, taken = self._words, array("I"), dict[int, int]()
        files = {
            words[at + 1]: text_at(self._data, at + 2, end) for opcode, at, end in self._preamble if opcode == op.STRING
        }
        for opcode, at, end in self._preamble:
            if opcode != op.EXT_INST or end - at != _SOURCE_WORDS or words[at + 4] != DEBUG_SOURCE:
                continue
            text = texts.get(files.get(words[at + 5], ""))
            if words[at + 3] in self._sets and text is not None and len(text) < _LONGEST:
                body = string_words(text)
                strings += array("I", (len(body) + 2 << 16 | op.STRING, bound)) + body
                taken[at] = bound
                bound += 1
        return strings, taken, bound


def text_at(data: bytes, at: int, end: int) -> str:
    """Return the literal string in some words of a module."""
    return data[at * 4 : end * 4].partition(b"\0")[0].decode("utf-8", "surrogateescape")


def string_words(text: bytes) -> array[int]:
    """Return the words of a literal string."""
    return array("I", text + b"\0" * (4 - len(text) % 4))
