"""Evaluates `#if` conditions, as far as that is possible without the compiler: true, false or unknown.

The caller provides the meaning of names. Anything else is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from cratewright import pattern

_TOKEN = pattern(rb"[ \t]*(?:([A-Za-z_]\w*)|(0|[1-9]\d{0,8})(?![\w.])|(&&|\|\||[=!<>]=|[!()<>]))")
_LONGEST_CHAIN = 8
_COMPARISONS: dict[bytes, Callable[[int, int], bool]] = {
    b"==": lambda a, b: a == b,
    b"!=": lambda a, b: a != b,
    b"<=": lambda a, b: a <= b,
    b">=": lambda a, b: a >= b,
    b"<": lambda a, b: a < b,
    b">": lambda a, b: a > b,
}
_INTEGER = pattern(rb"0|[1-9]\d{0,8}")
_NAME = pattern(rb"[A-Za-z_]\w*")


class Macros:
    """The macros at a point of a text: a body, or None if it may or may not be defined."""

    def __init__(self) -> None:
        self._bodies: dict[bytes, bytes | None] = {}
        self._gone: set[bytes] = set()

    def define(self, name: bytes, body: bytes | None) -> None:
        """Note a definition; a body of None is unknown."""
        self._gone.discard(name)
        self._bodies[name] = b"(" if body is None else body

    def undefine(self, name: bytes) -> None:
        """Note that a name is undefined."""
        self._bodies.pop(name, None)
        self._gone.add(name)

    def doubt(self, name: bytes) -> None:
        """Note that a name may be defined or not from here on."""
        self._gone.discard(name)
        self._bodies[name] = None

    def defined(self, name: bytes) -> bool | None:
        """Return whether a name is defined."""
        if name in self._bodies:
            return None if self._bodies[name] is None else True
        # The compiler has macros of its own, which depend on version, profile and language.
        own = name.startswith(b"GL_") or b"__" in name or name == b"VULKAN"
        return None if own and name not in self._gone else False

    def value(self, name: bytes) -> int | None:
        """Return the value of a name in a condition, if it is a plain number or undefined."""
        for _ in range(_LONGEST_CHAIN):
            known = self.defined(name)
            if not known:
                return None if known is None else 0
            body = self._bodies[name] or b""
            if _INTEGER.fullmatch(body):
                return int(body)
            if not _NAME.fullmatch(body) or body == name:
                return None
            name = body
        return None


Condition = Callable[[Macros], "int | None"]


def defined(name: bytes, *, wanted: bool = True) -> Condition:
    """Return the condition of `#ifdef`, or that of `#ifndef`."""

    def answer(macros: Macros) -> int | None:
        known = macros.defined(name)
        return None if known is None else int(known is wanted)

    return answer


@lru_cache(maxsize=4096)
def condition(text: bytes) -> Condition:
    """Return the condition of an `#if` with this expression."""
    tokens: list[bytes] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return _unknown
        tokens.append(match.group().strip())
        at = match.end()
    parser = _Parser(tokens)
    try:
        found = parser.alternatives()
    except IndexError:
        return _unknown
    return _unknown if found is None or parser.tokens else found


def _unknown(_macros: Macros) -> int | None:
    return None


class _Parser:
    """Reads `defined`, names, plain numbers, `! && ||`, parentheses and single comparisons; None for all else."""

    def __init__(self, tokens: list[bytes]) -> None:
        self.tokens = tokens[::-1]

    def alternatives(self) -> Condition | None:
        return self._chain(b"||", self._all, decided=True)

    def _all(self) -> Condition | None:
        return self._chain(b"&&", self._comparison, decided=False)

    def _chain(self, operator: bytes, part: Callable[[], Condition | None], *, decided: bool) -> Condition | None:
        parts = [part()]
        while self.tokens and self.tokens[-1] == operator:
            self.tokens.pop()
            parts.append(part())
        found = [each for each in parts if each is not None]
        if len(found) < len(parts):
            return None
        if len(found) == 1:
            return found[0]

        def answer(macros: Macros) -> int | None:
            known: int | None = int(not decided)
            for each in found:
                value = each(macros)
                if value is None:
                    known = None
                elif bool(value) is decided:
                    return int(decided)
            return known

        return answer

    def _comparison(self) -> Condition | None:
        left = self._unary()
        if not self.tokens or self.tokens[-1] not in _COMPARISONS:
            return left
        compare, right = _COMPARISONS[self.tokens.pop()], self._unary()
        # `a < b == c` is left to the compiler.
        if left is None or right is None or (self.tokens and self.tokens[-1] in _COMPARISONS):
            return None
        first, second = left, right

        def answer(macros: Macros) -> int | None:
            a, b = first(macros), second(macros)
            return None if a is None or b is None else int(compare(a, b))

        return answer

    def _unary(self) -> Condition | None:
        token = self.tokens.pop()
        if token == b"!":
            inner = self._unary()
            return None if inner is None else _negated(inner)
        if token == b"(":
            found = self.alternatives()
            return found if self.tokens.pop() == b")" else None
        if token == b"defined":
            opens = self.tokens[-1] == b"("
            if opens:
                self.tokens.pop()
            name = self.tokens.pop()
            closed = not opens or self.tokens.pop() == b")"
            return defined(name) if closed and _NAME.fullmatch(name) else None
        if _INTEGER.fullmatch(token):
            number = int(token)
            return lambda _macros: number
        if not _NAME.fullmatch(token) or (self.tokens and self.tokens[-1] == b"("):
            return None
        return lambda macros: macros.value(token)


def _negated(inner: Condition) -> Condition:
    def answer(macros: Macros) -> int | None:
        value = inner(macros)
        return None if value is None else int(not value)

    return answer
