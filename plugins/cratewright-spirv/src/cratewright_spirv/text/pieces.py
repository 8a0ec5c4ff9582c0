"""The pieces that a preprocessor sees in a GLSL or HLSL file: runs of lines, directives and conditional groups."""

from __future__ import annotations

from collections.abc import Iterator

from cratewright import dataclass, pattern

from .conditions import Condition

# A run of punctuation may be one operator, so it is kept together; these are never part of one.
_TOKEN = pattern(rb'\n|[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|[(){}\[\],;]|"[^"\n]*"|\.|[^\w\s(){}\[\],;."]+')
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
# A function declaration, as far as one line shows it.
_PROTOTYPE = pattern(rb"(?!(?:return|else|layout)\b)[A-Za-z_]\w* (?:\w+ )*\w+ \([^;{}()]*\) ;")
JOINED = b"\v"


class Lines:
    """Lines without directives: their tokens in canonical spacing, found by the first `read`.

    Shape: `text` holds the lines that have tokens, without a newline after the last, None before it is read;
    `lines` their numbers in the file; `words` all names that occur; `prototypes` whether a line looks like the
    declaration of a function.
    """

    __slots__ = ("_first", "_numbers", "_raw", "lines", "prototypes", "text", "words")

    def __init__(self, raw: bytes, first: int) -> None:
        self._raw, self._first = raw, first
        self._numbers: str | None = None
        self.text: bytes | None = None
        self.lines: tuple[int, ...] = ()
        self.words: frozenset[bytes] = frozenset()
        self.prototypes = False

    def read(self) -> bytes:
        """Return `text`, on demand: most lines are in branches that are not taken."""
        if self.text is None:
            tokens = _TOKEN.findall(self._raw)
            split = enumerate(b" ".join(tokens).split(b"\n"), self._first)
            found = [(number, bare) for number, line in split if (bare := line.strip())]
            self.text, self.lines = b"\n".join([line for _, line in found]), tuple([number for number, _ in found])
            self.words = frozenset([word for word in set(tokens) if word[0] in _LETTERS])
            self.prototypes = any(line.endswith(b") ;") and _PROTOTYPE.match(line) for _, line in found)
        return self.text

    @property
    def numbers(self) -> str:
        """The numbers of the lines as words."""
        if self._numbers is None:
            self._numbers = " ".join(map(str, self.lines))
        return self._numbers

    def exact(self) -> Iterator[bytes]:
        """Return the same lines with every token in its original column."""
        raw = self._raw.split(b"\n")
        return (raw[number - self._first].replace(JOINED, b" ").rstrip(b" \t") for number in self.lines)


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive that only the compiler handles."""

    text: bytes
    lines: tuple[int, ...]
    words: frozenset[bytes]

    @property
    def numbers(self) -> str:
        """The numbers of the lines as words."""
        return str(self.lines[0])


@dataclass(frozen=True, slots=True)
class Define:
    """`#define` or `#undef`; the body is None for one with parameters."""

    text: bytes
    lines: tuple[int, ...]
    words: frozenset[bytes]
    name: bytes
    body: bytes | None
    undefines: bool

    @property
    def numbers(self) -> str:
        """The numbers of the lines as words."""
        return str(self.lines[0])


@dataclass(frozen=True, slots=True)
class Include:
    """`#include` of a name as it is written."""

    name: str
    angled: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """The part of a group after one of its directives; `#else` has no condition."""

    condition: Condition | None
    expression: bytes
    line: int
    items: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`#if` to `#endif`."""

    branches: tuple[Branch, ...]
    end: int


Piece = Lines | Directive | Define | Include | Group
