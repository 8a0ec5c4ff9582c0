"""Options of single sources: which are allowed, and how modules carry those that only the link needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..base.errors import ConfigurationError
from .option_spec import OptionValue
from .options import Options, unknown_option

_OWN = "option:"
"""The prefix of attributes with a source's own options."""

VARIANT = "variant"
"""The attribute with a variant module's source and key."""


def option_attributes(options: Mapping[str, OptionValue]) -> tuple[tuple[str, str], ...]:
    """Return a module's attributes that carry its source's own options, sorted."""
    words = {name: ("1" if value else "") if isinstance(value, bool) else str(value) for name, value in options.items()}
    return tuple(sorted((f"{_OWN}{name}", word) for name, word in words.items()))


def options_among(attributes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by option the words that `option_attributes` added to a module's attributes."""
    return {name[len(_OWN) :]: word for name, word in attributes if name.startswith(_OWN)}


def check_source_words(words: Iterable[str], known: Iterable[str], of_source: Iterable[str], *, where: str) -> None:
    """Refuse unknown options, and those that only crates have; `of_source` is a subset of `known`.

    Raises: UnknownNameError with the near miss; ConfigurationError.
    """
    for word in words:
        if word not in known:
            raise unknown_option(word, known, where=where)
        if word not in of_source:
            raise refusal_of_source_option(word, of_source, where=where)


def refusal_of_source_option(name: str, known: Iterable[str], *, where: str) -> ConfigurationError:
    """Return the error for an option that a single source cannot have."""
    return ConfigurationError(
        f"'{name}' is an option of crates: a source cannot have its own",
        context=(("where", where), ("a source has", " ".join(sorted(known)))),
        hint=f"give '{name}' to the crate, or put the source into a crate of its own",
    )


def with_own(options: Options, attributes: Iterable[tuple[str, str]]) -> Options:
    """Return options overridden by those that `option_attributes` added to a module's attributes."""
    own = options_among(attributes)
    changes = {name: _as_before(options[name], word) for name, word in own.items()}
    return options.override(changes) if changes else options


def _as_before(value: OptionValue, word: str) -> OptionValue:
    """Return a word converted to the type of the value it replaces."""
    if isinstance(value, bool):
        return bool(word)
    return int(word) if isinstance(value, int) else word
