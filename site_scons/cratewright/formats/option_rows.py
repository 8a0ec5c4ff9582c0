"""Options as rows of texts, which a codec can write."""

from __future__ import annotations

from enum import Enum

from ..base.values import dataclass
from ..values.option_spec import OptionValue
from ..values.options import Options


class OptionShape(Enum):
    """The type that an option's texts encode."""

    NOTHING = "nothing"
    FLAG = "flag"
    NUMBER = "number"
    TEXT = "text"
    TEXTS = "texts"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class OptionRow:
    """An option as texts, which a codec can write."""

    name: str
    shape: OptionShape
    texts: tuple[str | None, ...]


def encode_options(options: Options) -> tuple[OptionRow, ...]:
    """Return options as rows that a codec can write."""
    return tuple(_encode_option(name, value) for name, value in options.values)


def _encode_option(name: str, value: OptionValue) -> OptionRow:
    if value is None:
        return OptionRow(name, OptionShape.NOTHING, ())
    if isinstance(value, bool):
        return OptionRow(name, OptionShape.FLAG, ("1",) if value else ())
    if isinstance(value, int):
        return OptionRow(name, OptionShape.NUMBER, (str(value),))
    if isinstance(value, str):
        return OptionRow(name, OptionShape.TEXT, (value,))
    texts = tuple(item for item in value if isinstance(item, str))
    if len(texts) == len(value):
        return OptionRow(name, OptionShape.TEXTS, texts)
    return OptionRow(name, OptionShape.PAIRS, tuple(text for pair in value for text in pair))


def decode_options(options: tuple[OptionRow, ...]) -> Options:
    """Return the options that rows encode.

    Raises: ValueError for invalid rows.
    """
    values = {option.name: _decode_option(option) for option in options}
    if len(values) < len(options):
        raise ValueError("an option appears twice")
    return Options(tuple(sorted(values.items())))


def _decode_option(option: OptionRow) -> OptionValue:
    texts = option.texts
    if option.shape is OptionShape.NOTHING:
        return None
    if option.shape is OptionShape.FLAG:
        return bool(texts)
    if option.shape is OptionShape.PAIRS:
        return tuple(zip(map(_text, texts[::2]), texts[1::2], strict=True))
    words = tuple(map(_text, texts))
    if option.shape is OptionShape.NUMBER:
        return _number(words[0])
    return words if option.shape is OptionShape.TEXTS else words[0]


def _number(word: str) -> int:
    number = int(word)
    if str(number) != word:
        raise ValueError("a number is malformed")
    return number


def _text(text: str | None) -> str:
    if text is None:
        raise ValueError("an option lacks a text")
    return text
