"""A TOML text that knows the line of every key.

The parser gives no positions, so a separate scan finds them, and only when one is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from ..base.errors import ConfigurationError, CratewrightError

Key = tuple[str | int, ...]
"""The path to a value: names of tables and keys, and indices into arrays."""

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|\#[^\n]*)
    |(?P<string>\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
    |(?P<newline>\n)
    |(?P<mark>[][{}=,.])
    |(?P<word>[^][{}=,.\s"'\#]+|["'])""",
    re.VERBOSE | re.DOTALL,
)
_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)\Z")


_DEEPEST = 100
_BITS = 10_000
"""Python prints no number of more than 4,300 digits."""
_TOO_MUCH = "this is more than a workspace can hold"


class Document:
    """A parsed TOML text.

    Shape: `values` is the parsed text; `path` names it in messages.
    """

    def __init__(self, data: bytes, *, path: str) -> None:
        """Parse a file's content.

        Raises: ConfigurationError with the line, if it is not TOML.
        """
        import tomli  # noqa: PLC0415 - only builds with a workspace need it

        self.path = path
        try:
            self._text = text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConfigurationError(f"{path}:{line}: this is not UTF-8: {error.reason}") from error
        try:
            self.values: Mapping[str, object] = tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            raise self._syntax_error(str(error)) from error
        except (ValueError, RecursionError, OverflowError) as error:
            raise ConfigurationError(f"{path}: {_TOO_MUCH}", context=(("reason", error),)) from error
        _check_size(self.values, path)

    def place(self, *key: str | int) -> str:
        """Return `file:line` of a key, or of the nearest enclosing table in the text."""
        found: Key = key
        while found and found not in self._scan.lines:
            found = found[:-1]
        return f"{self.path}:{self._scan.lines.get(found, 1)}"

    def error(self, message: str, *key: str | int, hint: str = "") -> ConfigurationError:
        """Return an error that begins with `file:line` of a key."""
        return ConfigurationError(f"{self.place(*key)}: {message}", hint=hint)

    @contextmanager
    def located(self, *key: str | int) -> Iterator[None]:
        """Put `file:line` of a key before any error raised within."""
        try:
            yield
        except CratewrightError as error:
            if re.match(rf"{re.escape(self.path)}:\d+: ", error.message):
                raise
            raise type(error)(f"{self.place(*key)}: {error.message}", context=error.context, hint=error.hint) from error

    def table(self, *key: str) -> Mapping[str, object]:
        """Return a table, empty if there is none.

        Raises: ConfigurationError for a value that is not a table.
        """
        value: object = self.values
        for depth, word in enumerate(key, 1):
            value = value.get(word, {}) if isinstance(value, Mapping) else {}
            if not isinstance(value, Mapping):
                raise self.error(f"'{word}' must be a table, not {value!r}", *key[:depth])
        return value if isinstance(value, Mapping) else {}

    @cached_property
    def _scan(self) -> _Scan:
        return _Scan(self._text)

    def _syntax_error(self, text: str) -> ConfigurationError:
        if text.startswith(("Cannot", "Duplicate")) and self._scan.repeated:
            key, line, first = self._scan.repeated
            shown = ".".join(str(part) for part in key)
            return ConfigurationError(
                f"{self.path}:{line}: '{shown}' is declared twice", context=(("first", f"{self.path}:{first}"),)
            )
        position = _POSITION.search(text)
        line = int(position[1]) if position and position[1] else max(1, len(self._text.splitlines()))
        reason = text[: position.start()] if position else text
        return ConfigurationError(f"{self.path}:{line}: this is not TOML: {reason[:1].lower()}{reason[1:]}")


def _check_size(values: Mapping[str, object], path: str) -> None:
    """Refuse values that are too large to be shown in messages."""
    level: list[object] = [values]
    for _ in range(_DEEPEST):
        found: list[object] = []
        for value in level:
            if isinstance(value, Mapping):
                found += value.values()
            elif isinstance(value, list):
                found += value
            elif isinstance(value, int) and value.bit_length() > _BITS:
                raise ConfigurationError(
                    f"{path}: {_TOO_MUCH}", context=(("reason", f"a number has more than {_BITS} bits"),)
                )
        level = found
    if level:
        raise ConfigurationError(f"{path}: {_TOO_MUCH}", context=(("reason", f"more than {_DEEPEST} levels"),))


class _Scan:
    """The line of every table, key and array element of a TOML text.

    Shape: `repeated` is the first key that is written twice, with its line and that of the first time.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self.repeated: tuple[Key, int, int] | None = None
        self._written: set[Key] = set()
        self._tokens = [("newline", "\n", 1), *_tokens(text), ("newline", "\n", 1)]
        self._next = 0
        prefix: Key = ()
        while self._next < len(self._tokens):
            kind, word, line = self._tokens[self._next]
            if kind == "newline":
                self._next += 1
            elif word == "[":
                prefix = self._header(line)
            else:
                self._pair(prefix)

    @property
    def _word(self) -> str:
        """The next token, empty for a string."""
        kind, word, _ = self._tokens[self._next] if self._next < len(self._tokens) else ("newline", "\n", 0)
        return "" if kind == "string" else word

    def _header(self, line: int) -> Key:
        self._next += 1
        many = self._word == "["
        self._next += many
        key = self._key()
        self._record(key, line, once=not many)
        while self._word != "\n":
            self._next += 1
        return key

    def _key(self) -> Key:
        parts: list[str] = []
        while self._tokens[self._next][0] in ("word", "string") or self._word == ".":
            if self._word != ".":
                parts.append(_name(self._tokens[self._next][1]))
            self._next += 1
        return tuple(parts)

    def _pair(self, prefix: Key) -> None:
        line = self._tokens[self._next][2]
        key = (*prefix, *self._key())
        self._record(key, line, once=True)
        self._next += self._word == "="
        self._value(key)

    def _value(self, key: Key) -> None:
        opening = self._word
        if opening not in ("[", "{"):
            self._next += 1
            while self._word not in (",", "]", "}", "\n"):
                self._next += 1
            return
        self._next += 1
        index = 0
        while self._next < len(self._tokens):
            if self._word in ("\n", ","):
                self._next += 1
            elif self._word in ("]", "}"):
                self._next += 1
                return
            elif opening == "{":
                self._pair(key)
            else:
                self._record((*key, index), self._tokens[self._next][2], once=False)
                self._value((*key, index))
                index += 1

    def _record(self, key: Key, line: int, *, once: bool) -> None:
        if once and key in self._written and self.repeated is None:
            self.repeated = (key, line, self.lines[key])
        if once:
            self._written.add(key)
        for length in range(1, len(key) + 1):
            self.lines.setdefault(key[:length], line)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind, word = str(match.lastgroup), match[0]
        if kind != "blank":
            yield kind, word, line
        line += word.count("\n")


def _name(token: str) -> str:
    if token[0] not in "\"'" or len(token) == 1:
        return token
    import tomli  # noqa: PLC0415 - see above

    try:
        return next(iter(tomli.loads(f"{token} = 1")))
    except tomli.TOMLDecodeError:
        return token
