"""The text, context and pickling of errors."""

from __future__ import annotations

import pickle
import traceback

import pytest

from cratewright.base import errors
from cratewright.base.errors import ConfigurationError, CratewrightError, UnknownNameError, near_miss

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CratewrightError)]


def test_text_has_message_aligned_rows_and_hint() -> None:
    error = CratewrightError(
        "it broke", context=[("file", "a/b"), ("offset", 12), ("said", "one\ntwo")], hint="mend it"
    )
    assert str(error).splitlines() == [
        "it broke",
        "  file:   a/b",
        "  offset: 12",
        "  said:   one",
        "          two",
        "  hint:   mend it",
    ]


def test_message_alone() -> None:
    assert str(CratewrightError("it broke")) == "it broke"


def test_empty_row_has_no_trailing_space() -> None:
    assert str(CratewrightError("it broke", context=[("said", "")])) == "it broke\n  said:"


@pytest.mark.parametrize("kind", KINDS)
def test_pickle_round_trip(kind: type[CratewrightError]) -> None:
    error = kind("message", context=[("row", 1)], hint="hint")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and again.context == (("row", "1"),)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_have_one_base_and_are_documented(kind: type[CratewrightError]) -> None:
    assert issubclass(kind, CratewrightError)
    assert kind.__name__ in (errors.__doc__ or "")


def test_with_context_puts_new_rows_first() -> None:
    error = ConfigurationError("m", context=[("crate", "a")], hint="h").with_context(("file", "f"), ("crate", "b"))
    assert isinstance(error, ConfigurationError)
    assert error.context == (("file", "f"), ("crate", "a")) and error.hint == "h"


def test_traceback_shows_the_hint() -> None:
    try:
        raise UnknownNameError("unknown 'x'", hint="did you mean 'y'?")
    except UnknownNameError as error:
        assert "hint: did you mean 'y'?" in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("relase", ("dev", "release"), "did you mean 'release'?"),
        ("RELEASE", ("dev", "release"), "did you mean 'release'?"),
        ("xyz", ("b", "a"), "known: a, b"),
        ("xyz", (), "none is known"),
        ("xyz", ("a",) * 5000, f"known: {'a, ' * 100}and 4900 more"),
    ],
)
def test_suggestion_for_an_unknown_name(name: str, known: tuple[str, ...], said: str) -> None:
    assert near_miss(name, known) == said
