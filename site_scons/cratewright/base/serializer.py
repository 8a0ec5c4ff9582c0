"""Writes the values of a type annotation as a flat list of scalars, and reads them back.

Each scalar is checked against its annotation, so whatever the scalars are, what is read has the types it should.
"""

from __future__ import annotations

import dataclasses
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import cache
from itertools import chain, islice, product, starmap
from typing import Any, Union, get_args, get_origin, get_type_hints

from .values import maker, state_of

_SCALARS = (str, bytes, bool, int, type(None))
_OTHER = "an item has the wrong type"
_MOST = 1 << 40
"""More items than any input holds."""


class DecodeError(ValueError):
    """Data that do not encode a value of the requested kind."""


class Serializer(ABC):
    """Writes and reads values of one annotation.

    Shape: `kinds` holds the allowed types of each scalar if all values have equally many scalars; else it is empty.
    """

    kinds: tuple[frozenset[type], ...] = ()

    @abstractmethod
    def write(self, value: Any, out: list[object]) -> None:
        """Write a value."""

    @abstractmethod
    def read(self, items: Iterator[object]) -> object:
        """Read a value.

        Raises: StopIteration if there are too few items, DecodeError if they are not of the kind.
        """

    def flat(self, values: tuple[Any, ...]) -> Iterable[object]:
        """Return the scalars of values, `len(kinds)` for each, without checking their types.

        Raises: DecodeError for values of another shape.
        """
        return values

    def built(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[object]:
        """Return values of `len(kinds)` scalars each, after checking their types."""
        return (row[0] for row in rows)


class _Scalar(Serializer):
    """One scalar of any of several types."""

    def __init__(self, *kinds: type) -> None:
        self.kinds = (frozenset(kinds),)
        self._kinds = self.kinds[0]

    def write(self, value: Any, out: list[object]) -> None:
        if type(value) not in self._kinds:
            raise _wrong(value, self._kinds)
        out.append(value)

    def read(self, items: Iterator[object]) -> object:
        value = next(items)
        if type(value) not in self._kinds:
            raise _wrong(value, self._kinds)
        return value


class _Word(Serializer):
    """A member of an enumeration, by its value."""

    def __init__(self, kind: type[Enum]) -> None:
        self._members: dict[object, Enum] = {item.value: item for item in kind}
        self._name = kind.__name__

    def write(self, value: Any, out: list[object]) -> None:
        out.append(value.value)

    def read(self, items: Iterator[object]) -> object:
        word = next(items)
        if not isinstance(word, str) or word not in self._members:
            raise DecodeError(f"{_shown(word)} is no {self._name}")
        return self._members[word]


class _Record(Serializer):
    """A frozen dataclass: its fields one after another."""

    def __init__(self, kind: type[Any]) -> None:
        hints = get_type_hints(kind)
        self._fields = [serializer_of(hints[field.name]) for field in dataclasses.fields(kind)]
        self._writes = [field.write for field in self._fields]
        self._make = maker(kind)
        self._state = state_of(kind)
        self._reader: Callable[[Iterator[object]], object] | None = None
        self._kind = kind
        self.kinds = _flat(self._fields)

    def write(self, value: Any, out: list[object]) -> None:
        if type(value) is not self._kind:
            raise _wrong(value, (self._kind,))
        for write, item in zip(self._writes, self._state(value), strict=True):
            write(item, out)

    def flat(self, values: tuple[Any, ...]) -> Iterable[object]:
        if {*map(type, values)} != {self._kind}:
            raise DecodeError(_OTHER)
        return chain.from_iterable(map(self._state, values))

    def read(self, items: Iterator[object]) -> object:
        if self._reader is None:  # rows of scalars never need it
            self._reader = _reader(self._make, self._fields)
        return self._reader(items)

    def built(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[object]:
        return starmap(self._make, rows)


class _Row(Serializer):
    """A tuple of fixed length, each item of its own kind."""

    def __init__(self, shapes: list[Serializer]) -> None:
        self._fields = shapes
        self.kinds = _flat(shapes)

    def write(self, value: Any, out: list[object]) -> None:
        if type(value) is not tuple:
            raise _wrong(value, (tuple,))
        for field, item in zip(self._fields, value, strict=True):
            field.write(item, out)

    def flat(self, values: tuple[Any, ...]) -> Iterable[object]:
        if {*map(type, values)} != {tuple} or {*map(len, values)} != {len(self._fields)}:
            raise DecodeError(_OTHER)
        return chain.from_iterable(values)

    def read(self, items: Iterator[object]) -> object:
        return tuple([field.read(items) for field in self._fields])

    def built(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[object]:
        return rows


class _Items(Serializer):
    """A tuple of any length of items of one kind."""

    def __init__(self, item: Serializer) -> None:
        self._item = item
        self._allowed = frozenset(product(*item.kinds))

    def write(self, value: Any, out: list[object]) -> None:
        if type(value) is not tuple:
            raise _wrong(value, (tuple,))
        out.append(len(value))
        if not self._item.kinds:
            for item in value:
                self._item.write(item, out)
        elif value:
            found = [*self._item.flat(value)]
            self._check(found)
            out.extend(found)

    def read(self, items: Iterator[object]) -> object:
        count = next(items)
        if type(count) is not int or not 0 <= count < _MOST:
            raise DecodeError(f"{_shown(count)} is not a length")
        if not count:
            return ()
        item, width = self._item, len(self._item.kinds)
        if not width:
            return tuple([item.read(items) for _ in range(count)])
        # All at once: most stored data are such tuples, of hundreds of symbols or files.
        found = list(islice(items, count * width))
        if len(found) < count * width:
            raise StopIteration
        self._check(found)
        return tuple(item.built(zip(*[iter(found)] * width, strict=True)))

    def _check(self, scalars: list[object]) -> None:
        if not self._allowed.issuperset(zip(*[map(type, scalars)] * len(self._item.kinds), strict=True)):
            raise DecodeError(_OTHER)


class _Union(Serializer):
    """One of several dataclasses, by its name."""

    def __init__(self, kinds: tuple[type, ...]) -> None:
        self._shapes = {kind.__name__: serializer_of(kind) for kind in kinds}

    def write(self, value: Any, out: list[object]) -> None:
        name = type(value).__name__
        if name not in self._shapes:
            raise _wrong(value, self._shapes)
        out.append(name)
        self._shapes[name].write(value, out)

    def read(self, items: Iterator[object]) -> object:
        name = next(items)
        if not isinstance(name, str) or name not in self._shapes:
            raise DecodeError(f"{_shown(name)} is none of {' '.join(self._shapes)}")
        return self._shapes[name].read(items)


class _Optional(Serializer):
    """A value or None."""

    def __init__(self, shape: Serializer) -> None:
        self._shape = shape

    def write(self, value: Any, out: list[object]) -> None:
        out.append(value is not None)
        if value is not None:
            self._shape.write(value, out)

    def read(self, items: Iterator[object]) -> object:
        there = next(items)
        if type(there) is not bool:
            raise _wrong(there, (bool,))
        return self._shape.read(items) if there else None


def _reader(make: Callable[..., object], fields: list[Serializer]) -> Callable[[Iterator[object]], object]:
    """Generate a reader of a class's fields: most are scalars, and not worth a call each."""
    known: dict[str, Any] = {"make": make, "wrong": _wrong}
    lines = ["def read(items):"]
    for number, field in enumerate(fields):
        if type(field) is _Scalar:
            known[f"kinds{number}"] = field.kinds[0]
            lines.append(f" _{number} = next(items)")
            lines.append(f" if type(_{number}) not in kinds{number}: raise wrong(_{number}, kinds{number})")
        else:
            known[f"read{number}"] = field.read
            lines.append(f" _{number} = read{number}(items)")
    lines.append(f" return make({', '.join(f'_{number}' for number in range(len(fields)))})")
    exec("\n".join(lines), known)
    read: Callable[[Iterator[object]], object] = known["read"]
    return read


def _flat(fields: list[Serializer]) -> tuple[frozenset[type], ...]:
    return tuple(field.kinds[0] for field in fields) if all(len(field.kinds) == 1 for field in fields) else ()


@cache
def serializer_of(kind: Any) -> Serializer:
    """Return the serializer of an annotation's values.

    Raises: TypeError for an annotation that has none.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        rest = tuple(part for part in parts if part is not type(None))
        if all(part in _SCALARS for part in parts):
            return _Scalar(*parts)
        inner = serializer_of(rest[0]) if len(rest) == 1 else _Union(rest)
        return _Optional(inner) if len(rest) < len(parts) else inner
    if origin is tuple:
        if len(parts) == 2 and parts[1] is Ellipsis:
            return _Items(serializer_of(parts[0]))
        return _Row([serializer_of(part) for part in parts])
    if kind in _SCALARS:
        return _Scalar(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _Word(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _Record(kind)
    raise TypeError(f"no bytes for {kind}")


def _wrong(value: object, kinds: Iterable[object]) -> DecodeError:
    return DecodeError(f"{_shown(value)} is no {_names(kinds)}")


def _names(kinds: Iterable[object]) -> str:
    return " or ".join(sorted(getattr(kind, "__name__", str(kind)) for kind in kinds))


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, (str, int, bool)) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}..."
