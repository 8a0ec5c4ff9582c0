"""Whether a value matches a type annotation, and if not, where it differs.

Types must match exactly: a subclass may hold data that would be lost on the way through a worker or the cache.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any

from .values import dataclass

_Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a value differs: the path into it (empty for the value itself), the actual, the expected, and a hint."""

    where: str
    found: str
    expected: str
    hint: str = ""


def find_mismatch(value: object, annotation: Any) -> Mismatch | None:
    """Return the first place where a value does not match an annotation, or None.

    Shape: annotations of plain types, enums, tuples, mappings, unions and dataclasses of these.
    """
    try:
        if _check_for(annotation)(value):
            return None
    except AttributeError:  # a dataclass made without its fields
        pass
    return _describe(value, annotation, "")


@cache
def _check_for(annotation: Any) -> _Check:
    """Return a fast check whether a value fits."""
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _union_check(inside)
    if origin is tuple:
        return _tuple_check(inside)
    if origin is not None and issubclass(origin, Mapping):
        key, item = (_check_for(part) for part in inside)
        return lambda value: isinstance(value, Mapping) and all(key(k) and item(v) for k, v in value.items())
    if annotation is float:
        return lambda value: type(value) in (int, float)
    if is_dataclass(annotation):
        return _dataclass_check(typing.cast("type", annotation))
    return lambda value: type(value) is annotation


def _is_one_type(annotation: Any) -> bool:
    """Return whether checking a value's own type suffices."""
    return typing.get_origin(annotation) is None and annotation is not float and not is_dataclass(annotation)


def _union_check(inside: tuple[Any, ...]) -> _Check:
    if all(map(_is_one_type, inside)):
        kinds = frozenset(inside)
        return lambda value: type(value) in kinds
    checks = [_check_for(item) for item in inside]
    return lambda value: any(check(value) for check in checks)


def _tuple_check(inside: tuple[Any, ...]) -> _Check:
    if inside[-1:] == (...,):
        if _is_one_type(inside[0]):
            only = {inside[0]}
            return lambda value: type(value) is tuple and only.issuperset(map(type, value))
        check = _check_for(inside[0])
        return lambda value: type(value) is tuple and all(map(check, value))
    if all(map(_is_one_type, inside)):
        kinds = list(inside)
        return lambda value: type(value) is tuple and list(map(type, value)) == kinds
    checks = [_check_for(item) for item in inside]
    return lambda value: (
        type(value) is tuple
        and len(value) == len(checks)
        and all(check(item) for check, item in zip(checks, value, strict=True))
    )


def _dataclass_check(kind: type) -> _Check:
    hints = _fields(kind)
    plain = [name for name, hint in hints.items() if _is_one_type(hint)]
    # An extra name that is always of one type: attrgetter gives a tuple for two or more names only.
    plain_values = attrgetter("__class__", "__class__", *plain)
    plain_types = [type(kind), type(kind), *(hints[name] for name in plain)]
    others = [(attrgetter(name), _check_for(hint)) for name, hint in hints.items() if name not in plain]

    def check(value: Any) -> bool:
        return (
            type(value) is kind
            and list(map(type, plain_values(value))) == plain_types
            and all(check(get(value)) for get, check in others)
        )

    return check


@cache
def _fields(kind: type) -> dict[str, Any]:
    names = [field.name for field in kind.__dataclass_fields__.values()]  # type: ignore[attr-defined]
    hints = typing.get_type_hints(kind)
    return {name: hints[name] for name in names if typing.get_origin(hints[name]) is not typing.ClassVar}


def _describe(value: object, annotation: Any, where: str) -> Mismatch:
    """Return where a value that does not fit differs first."""
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple and type(value) is tuple:
        hints = [inside[0]] * len(value) if inside[-1:] == (...,) else list(inside)
        if len(hints) == len(value):
            return next(
                _describe(item, hint, f"{where}[{number}]")
                for number, (item, hint) in enumerate(zip(value, hints, strict=True))
                if not _fits(item, hint)
            )
    if origin in (typing.Union, types.UnionType):
        for hint in inside:  # one that the value is meant to be, if there is one
            if type(value) is (typing.get_origin(hint) or hint):
                return _describe(value, hint, where)
    if is_dataclass(annotation) and type(value) is annotation:
        for name, hint in _fields(typing.cast("type", annotation)).items():
            if not hasattr(value, name):
                return Mismatch(f"{where}.{name}", "missing", type_words(hint))
            if not _fits(getattr(value, name), hint):
                return _describe(getattr(value, name), hint, f"{where}.{name}")
    if origin is not None and origin is not tuple and isinstance(origin, type) and isinstance(value, Mapping):
        for key, item in value.items():
            for part, hint, place in ((key, inside[0], "a key"), (item, inside[1], f"[{key!r}]")):
                if not _fits(part, hint):
                    return _describe(part, hint, f"{where}{place}")
    return Mismatch(where, value_words(value, annotation), type_words(annotation), _way_out(value, annotation))


def _fits(value: object, annotation: Any) -> bool:
    return find_mismatch(value, annotation) is None


def type_words(annotation: Any) -> str:
    """Describe an annotation to people."""
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_words(item) for item in inside)
    if origin is tuple and inside[-1:] == (...,):
        return f"a tuple of {_bare(inside[0])}"
    if origin is tuple:
        return f"a tuple of {', '.join(_bare(item) for item in inside)}"
    if origin is not None:
        return f"a mapping of {' to '.join(_bare(item) for item in inside)}"
    if annotation is type(None):
        return "None"
    if annotation is bytes:
        return "bytes"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"a member of {annotation.__name__}"
    return _article(getattr(annotation, "__name__", str(annotation)))


def value_words(value: object, annotation: Any = None) -> str:
    """Describe a value to people."""
    if value is None:
        return "None"
    kind = type(value)
    if annotation in kind.__mro__[1:]:
        return f"{_article(kind.__name__)}, a subclass of {annotation.__name__}"
    if kind is tuple:
        return f"a tuple of {len(typing.cast('tuple[object, ...]', value))}"
    return "bytes" if kind is bytes else _article("class" if kind is type else kind.__name__)


def _way_out(value: object, annotation: Any) -> str:
    if annotation is bytes and isinstance(value, str):
        return "encode it: text.encode()"
    if typing.get_origin(annotation) is tuple and isinstance(value, (list, set, frozenset, types.GeneratorType)):
        return "make it a tuple: tuple(...)"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        words = {str(member.value): member for member in annotation}
        member = words.get(value, next(iter(annotation))) if isinstance(value, str) else next(iter(annotation))
        return f"write {annotation.__name__}.{member.name}"
    if isinstance(value, types.CoroutineType):
        return "contract methods are plain functions: leave out 'async'"
    return ""


def _bare(annotation: Any) -> str:
    name: str = getattr(annotation, "__name__", "") if typing.get_origin(annotation) is None else ""
    return type_words(annotation) if not name or annotation is type(None) else name


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
