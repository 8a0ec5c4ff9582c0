"""The functions that a preprocessed GLSL or HLSL text declares and defines at its top level."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from cratewright import dataclass, pattern

_BRACE = pattern(rb"[{}]")
_STRING_WITH_BRACE = pattern(rb'"[^"{}\n]*[{}][^"\n]*"')
_DIRECTIVE = pattern(rb"^[ \t]*#[^\n]*", re.M)
_LINE = pattern(rb'^[ \t]*#[ \t]*line[ \t]+(\d+)(?:[ \t]+(?:"([^"\n]*)"|\d+))?[^\n]*\n?', re.M)
_TOKEN = pattern(rb'"[^"\n]*"|[A-Za-z_]\w*|\d[\w.]*|\S')
_CALLED = pattern(rb"([A-Za-z_]\w*)\s*\(")
_COMMENT = pattern(rb"//[^\n]*|/\*.*?\*/", re.S)
_SHADER = pattern(rb'\[\s*shader\s*\(\s*"(\w+)"\s*\)\s*\]\s*(?:\[[^\]]*\]\s*)*[\w\s<>,:]*?\b([A-Za-z_]\w*)\s*\(')

_WORD_START = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_OPEN, _CLOSE = frozenset({b"(", b"[", b"<"}), frozenset({b")", b"]", b">"})
_GROUPED = frozenset({b"layout", b"spirv_instruction", b"spirv_by_reference", b"spirv_literal"})
# A prototype with this qualifier has a special meaning, and no body anywhere.
_INSTRUCTION = b"spirv_instruction"
# What may end a prototype: parameters, or attributes.
_ENDS = (b")", b"]")
_PRIVATE = frozenset({b"static", b"inline"})
# These do not take part in overloading, so a prototype and its body may differ in them.
_UNTYPED = frozenset(
    b"in out inout const highp mediump lowp precise uniform nointerpolation linear centroid sample "
    b"noperspective row_major column_major static inline export".split()
)
_UNSTUBBED = _PRIVATE | {b"export", b"uniform"}


@dataclass(frozen=True, slots=True)
class Function:
    """A prototype or a definition.

    Shape: `parameters` are types as written, without qualifiers and names; `header` is the
    declaration in a form that a body can follow; `offset` is where its name stands in the text.
    """

    name: str
    parameters: tuple[bytes, ...]
    result: bytes
    header: bytes
    offset: int
    private: bool

    @property
    def signature(self) -> tuple[str, tuple[bytes, ...]]:
        """Return the key that distinguishes overloads by spelling."""
        return self.name, self.parameters


class Declarations:
    """All top-level functions of a text, in order, parsed on demand."""

    def __init__(self, prototypes: tuple[Function, ...], bodies: tuple[tuple[bytes, int], ...]) -> None:
        self.prototypes = prototypes
        self._bodies = bodies

    @cached_property
    def definitions(self) -> tuple[Function, ...]:
        """Return the functions that have a body."""
        found = (_function(piece, offset) for piece, offset in self._bodies)
        return tuple(function for function in found if function is not None)

    def definition(self, name: str) -> Function | None:
        """Return the first function of that name that has a body."""
        word = name.encode()
        for piece, offset in self._bodies:
            if word in piece:
                function = _function(piece, offset)
                if function is not None and function.name == name:
                    return function
        return None


class LineMap:
    """Maps an offset in a preprocessed text to a file and line by its directives."""

    def __init__(self, text: bytes, path: str) -> None:
        self._text = text
        self._starts = [0]
        self._files: list[tuple[str, int]] = [(path, 1)]
        for match in _LINE.finditer(text):
            number, name = match.groups()
            file = self._files[-1][0] if name is None else name.decode(errors="replace")
            self._starts.append(match.end())
            self._files.append((file, int(number)))

    @property
    def length(self) -> int:
        """How long the text is."""
        return len(self._text)

    def locate(self, offset: int) -> tuple[str, int]:
        """Return the file and the line of an offset."""
        index = bisect_right(self._starts, offset) - 1
        file, line = self._files[index]
        return file, line + self._text.count(b"\n", self._starts[index], offset)


def scan(text: bytes) -> Declarations:
    """Return the functions that a preprocessed text declares at its top level."""
    prototypes: list[Function] = []
    bodies: list[tuple[bytes, int]] = []
    for start, chunk, opens in _top_level(text):
        # A chunk without a parenthesis declares no function, and most chunks have none.
        if b"(" not in chunk:
            continue
        code = _DIRECTIVE.sub(_blank, chunk) if b"#" in chunk else chunk
        *statements, last = code.split(b";")
        offset = start
        for statement in statements:
            # Most statements with a parenthesis are variables with a layout, which end in a name.
            if b"(" in statement and (b":" in statement or statement.rstrip()[-1:] in _ENDS):
                if _INSTRUCTION in statement:
                    offset += len(statement) + 1
                    continue
                function = _function(statement, offset)
                if function is not None:
                    prototypes.append(function)
            offset += len(statement) + 1
        if opens and b"(" in last:
            bodies.append((last, offset))
    return Declarations(tuple(prototypes), tuple(bodies))


def missing_bodies(found: Declarations, text: bytes) -> tuple[Function, ...]:
    """Return the prototypes, each once, that may be called and are not defined."""
    if not found.prototypes:
        return ()
    bodies = {function.signature for function in found.definitions}
    missing = {f.signature: f for f in found.prototypes if f.signature not in bodies}
    if not missing:
        return ()
    mentioned = Counter(_CALLED.findall(text))
    declared = Counter(f.name.encode() for f in (*found.prototypes, *found.definitions))
    return tuple(f for f in missing.values() if mentioned[f.name.encode()] > declared[f.name.encode()])


def unfinished(text: bytes) -> Function | None:
    """Return the function in whose body the text ends."""
    bare = _STRING_WITH_BRACE.sub(_blank, text) if b'"' in text else text
    depth = start = last = 0
    for match in _BRACE.finditer(bare):
        opens = match.group() == b"{"
        if opens and depth == 0:
            last = match.start()
        depth = max(depth + (1 if opens else -1), 0)
        if depth == 0:
            start = match.end()
    if not depth:
        return None
    piece = bare[start:last]
    begin = piece.rfind(b";") + 1
    return _function(_DIRECTIVE.sub(_blank, piece[begin:]), start + begin)


def shader_entries(text: bytes) -> tuple[tuple[str, str], ...]:
    """Return the attribute word and the name of each `[shader("...")]` function of an HLSL source."""
    if b"shader" not in text:
        return ()
    bare = _COMMENT.sub(b" ", text)
    return tuple((word.decode(), name.decode()) for word, name in _SHADER.findall(bare))


def _blank(match: re.Match[bytes]) -> bytes:
    return b" " * len(match.group())


def _top_level(text: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """Yield each piece outside all braces with its start and whether a brace opens after it."""
    if b'"' in text:
        text = _STRING_WITH_BRACE.sub(_blank, text)
    depth = start = 0
    for piece in text.split(b"}"):
        if depth == 0:
            opening = piece.find(b"{")
            yield start, piece if opening < 0 else piece[:opening], opening >= 0
        depth = max(depth + piece.count(b"{") - 1, 0)
        start += len(piece) + 1


def _function(piece: bytes, offset: int) -> Function | None:
    tokens = [(m.group(), m.start()) for m in _TOKEN.finditer(piece)]
    words = [token for token, _ in tokens]
    begin = _after_attributes(words)
    kept = _without_groups(words, begin)
    opening = next((k for k, index in enumerate(kept) if words[index] == b"("), -1)
    if opening < 2:
        return None
    head = [words[index] for index in kept[: opening - 1]]
    name = words[kept[opening - 1]]
    rest = [words[index] for index in kept[opening + 1 :]]
    closing = _closing(rest)
    if name[0] not in _WORD_START or b"=" in head or b":" in head or closing < 0:
        return None
    after = rest[closing + 1 :]
    if after and after[0] != b":" and after[:2] != [b"[", b"["]:
        return None
    parameters = _parameters(rest[:closing])
    result = b" ".join(word for word in head if word not in _UNSTUBBED)
    return Function(
        name=name.decode(),
        parameters=tuple(_type(words) for words in parameters),
        result=result,
        header=result + b" " + name + b"(" + b", ".join(b" ".join(p) for p in parameters) + b")",
        offset=offset + tokens[kept[opening - 1]][1],
        private=not _PRIVATE.isdisjoint(head),
    )


def _after_attributes(words: list[bytes]) -> int:
    """Return the index after leading `[...]` attributes and the remains of the block before."""
    index = depth = 0
    while index < len(words) and (depth or words[index] == b"["):
        depth += (words[index] == b"[") - (words[index] == b"]")
        index += 1
    return index


def _without_groups(words: list[bytes], begin: int) -> list[int]:
    """Return the indices from `begin` on, less `layout(...)` and its like."""
    kept: list[int] = []
    index = begin
    while index < len(words):
        if words[index] in _GROUPED and words[index + 1 : index + 2] == [b"("]:
            depth, index = 1, index + 2
            while depth and index < len(words):
                depth += (words[index] == b"(") - (words[index] == b")")
                index += 1
        else:
            kept.append(index)
            index += 1
    return kept


def _closing(words: list[bytes]) -> int:
    depth = 1
    for index, word in enumerate(words):
        depth += (word == b"(") - (word == b")")
        if depth == 0:
            return index
    return -1


def _parameters(words: list[bytes]) -> list[list[bytes]]:
    """Split at commas and leave out default values and semantics."""
    result: list[list[bytes]] = [[]]
    depth = 0
    ended = False
    for word in words:
        if depth == 0 and word == b",":
            result.append([])
            ended = False
            continue
        depth += (word in _OPEN) - (word in _CLOSE)
        ended = ended or (depth == 0 and word in {b"=", b":"})
        if not ended:
            result[-1].append(word)
    return [] if result in ([[]], [[b"void"]]) else result


def _type(words: list[bytes]) -> bytes:
    bare = [word for word in words if word not in _UNTYPED]
    end = bare.index(b">") + 1 if b">" in bare else 1
    base, rest = bare[:end], bare[end:]
    if rest and rest[0][0] in _WORD_START:
        return b"".join(base + rest[1:])
    # `float[3] a` keeps its dimensions before the name.
    for index, word in enumerate(rest):
        if word[0] in _WORD_START and rest[index - 1] == b"]":
            return b"".join(base + rest[:index] + rest[index + 1 :])
    return b"".join(base + rest)
