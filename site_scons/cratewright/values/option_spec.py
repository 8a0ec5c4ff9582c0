"""One row of an option table: its name, the values it takes, and how they are parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.patterns import pattern
from ..base.values import dataclass
from .crate_type import CrateType

OptionValue = bool | int | str | tuple[str, ...] | tuple[tuple[str, str | None], ...] | None

SIZE = "^([0-9]{1,20}) ?([KMGT]?)(?:i?B)?$"
"""The syntax of a size, which editors can read as well."""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_NUMBER = pattern(r"-?[0-9]{1,20}\Z")
_SIZE = pattern(SIZE)
_TYPES = tuple(str(kind.value) for kind in CrateType)


class OptionKind(Enum):
    """The kind of an option, which decides how its value is parsed."""

    FLAG = "flag"
    CHOICE = "choice"
    TEXT = "text"
    TEXTS = "texts"
    INT = "int"
    """A whole number."""
    SIZE = "size"
    """A number of bytes: 65536, or as text with K, M, G or T for powers of 1024."""
    PATH = "path"
    """A file to read, given like a source; its value is the path relative to the project root, empty for none."""
    DIRECTORY = "directory"
    """A directory, relative to the project root, for copies of a link's intermediate results."""
    DEFINES = "defines"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One row of the option table.

    Shape: `name` as in an SConstruct; `words` are the allowed values of a CHOICE. With `per_type`, it also takes a
    mapping from crate types to such words, kept as a sorted tuple of pairs. An INT or SIZE lies between `least` and
    `most`, if given, and is a multiple of `step`.
    """

    name: str
    kind: OptionKind
    default: OptionValue
    help: str
    words: tuple[str, ...] = ()
    per_type: bool = False
    least: int | None = None
    most: int | None = None
    step: int = 1

    @classmethod
    def flag(cls, name: str, help: str, *, default: bool = False) -> OptionSpec:
        """Return a row for a FLAG."""
        return cls(name=name, kind=OptionKind.FLAG, default=default, help=help)

    @classmethod
    def texts(cls, name: str, help: str) -> OptionSpec:
        """Return a row for TEXTS, by default none."""
        return cls(name=name, kind=OptionKind.TEXTS, default=(), help=help)

    @classmethod
    def choice(cls, name: str, words: tuple[str, ...], help: str) -> OptionSpec:
        """Return a row for a CHOICE among words, by default the first."""
        return cls(name=name, kind=OptionKind.CHOICE, default=words[0], words=words, help=help)

    @property
    def takes(self) -> str:
        """The values it takes, described to people."""
        if self.kind not in NUMBER_KINDS:
            return _TAKES[self.kind]
        least = max(self.least or 0, 0) if self.kind is OptionKind.SIZE else self.least
        bounds = [f"at least {least}"] * (least is not None) + [f"at most {self.most}"] * (self.most is not None)
        if least is not None and self.most is not None:
            bounds = [f"from {least} to {self.most}"]
        return ", ".join([_TAKES[self.kind], *bounds, *([f"a multiple of {self.step}"] if self.step != 1 else [])])

    def parse(self, value: object, *, where: str) -> OptionValue:
        """Parse one user value.

        Raises: ConfigurationError with the option, the words it takes and `where` the value stands.
        """
        if value is None:
            return self.default
        try:
            parsed = self._parse(value, where)
        except (ValueError, RecursionError) as error:  # it cannot even be shown, such as a number of 10,000 digits
            raise ConfigurationError(
                f"option '{self.name}' cannot have this value", context=(("where", where), ("reason", error))
            ) from error
        if _has_nul(parsed):
            raise self._refuse(value, where, "text without NUL characters")
        return parsed

    def _parse(self, value: object, where: str) -> OptionValue:
        if self.kind is OptionKind.FLAG:
            return self._flag(value, where)
        if self.kind is OptionKind.CHOICE:
            if self.per_type and isinstance(value, Mapping):
                return self._choices(value, where)
            return self._choice(value, where)
        if self.kind in (OptionKind.TEXT, OptionKind.DIRECTORY, OptionKind.PATH):
            if isinstance(value, str):
                return value
            raise self._refuse(value, where)
        if self.kind in NUMBER_KINDS:
            return self._number(value, where)
        if self.kind is OptionKind.TEXTS:
            if isinstance(value, str):
                return (value,)
            if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
                return tuple(value)
            raise self._refuse(value, where)
        return self._defines(value, where)

    def _flag(self, value: object, where: str) -> bool:
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False, "": False}
        if isinstance(value, bool):
            return value
        word = str(value).lower()
        if word not in words:
            raise self._refuse(value, where)
        return words[word]

    def _number(self, value: object, where: str) -> int:
        number: int | None = value if type(value) is int else None
        if isinstance(value, str):
            text = value.strip()
            if self.kind is OptionKind.SIZE and (size := _SIZE.match(text)):
                number = int(size[1]) * _UNITS[size[2]]
            elif self.kind is OptionKind.INT and _NUMBER.match(text):
                number = int(text)
        if number is None or abs(number) > _MOST:
            raise self._refuse(value, where)
        low = max(self.least or 0, 0) if self.kind is OptionKind.SIZE else self.least
        if (low is not None and number < low) or (self.most is not None and number > self.most):
            raise self._refuse(value, where)
        if number % self.step:
            above = -(-number // self.step) * self.step
            fits = self.most is None or above <= self.most
            raise self._refuse(value, where, hint=f"the next multiple is {above}" if fits else "")
        return number

    def _choice(self, value: object, where: str) -> str:
        word = _word(value)
        if word in self.words:
            return word
        raise UnknownNameError(
            f"'{word}' is not a value of '{self.name}'",
            context=(("where", where), ("allowed", " ".join(self.words))),
            hint=near_miss(word, self.words, listed=True),
        )

    def _choices(self, value: Mapping[object, object], where: str) -> tuple[tuple[str, str | None], ...]:
        pairs: dict[str, str | None] = {}
        for key, word in value.items():
            kind = _word(key)
            if kind not in _TYPES:
                raise UnknownNameError(
                    f"'{kind}' is not a crate type",
                    context=(("where", f"{where}, option '{self.name}'"),),
                    hint=near_miss(kind, _TYPES),
                )
            pairs[kind] = self._choice(word, where)
        return tuple(sorted(pairs.items()))

    def _defines(self, value: object, where: str) -> tuple[tuple[str, str | None], ...]:
        """Parse macros as SCons's CPPDEFINES: a mapping, or a list of NAME, NAME=VALUE, (NAME, VALUE)."""
        pairs: list[tuple[str, str | None]] = []
        if isinstance(value, str):
            value = [value]
        if isinstance(value, Mapping):
            items: Iterable[object] = list(value.items())
        elif isinstance(value, Sequence):
            items = value
        else:
            raise self._refuse(value, where, "a mapping or a list")
        for item in items:
            if isinstance(item, str):
                name, equals, text = item.partition("=")
                pairs.append((name, text if equals else None))
            elif isinstance(item, Sequence) and len(item) in (1, 2):
                text_or_none = item[1] if len(item) == 2 else None
                pairs.append((str(item[0]), None if text_or_none is None else str(text_or_none)))
            else:
                raise self._refuse(item, where, "NAME, NAME=VALUE or (NAME, VALUE)")
        for name, _ in pairs:
            if not name.replace("_", "a").isalnum() or name[0].isdigit():
                hint = "define a macro with parameters in a header, and include that" if "(" in name else ""
                raise ConfigurationError(f"'{name}' is not a macro name", context=(("where", where),), hint=hint)
        # The last definition of a name wins; otherwise order is meaningless and must not reach a key.
        return tuple(sorted(dict(pairs).items()))

    def _refuse(self, value: object, where: str, wanted: str = "", hint: str = "") -> ConfigurationError:
        message = f"option '{self.name}' takes {wanted or self.takes}, not {value!r}"
        return ConfigurationError(message, context=(("where", where),), hint=hint)


NUMBER_KINDS = (OptionKind.INT, OptionKind.SIZE)
"""The kinds whose values are numbers."""
_MOST = (1 << 63) - 1
"""The bounds of every encoding of a number."""
_TAKES = {
    OptionKind.FLAG: "true or false",
    OptionKind.CHOICE: "one word",
    OptionKind.TEXT: "one string",
    OptionKind.TEXTS: "a list of strings",
    OptionKind.INT: "a whole number",
    OptionKind.SIZE: "a size in bytes, such as 65536, 64K or 2M",
    OptionKind.PATH: "one file",
    OptionKind.DIRECTORY: "one string",
    OptionKind.DEFINES: "macros: a mapping, or a list of NAME and NAME=VALUE",
}


def _has_nul(value: object) -> bool:
    """Return whether a value contains NUL, which no argument of a program can."""
    return "\0" in value if isinstance(value, str) else isinstance(value, tuple) and any(map(_has_nul, value))


def _word(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value)
