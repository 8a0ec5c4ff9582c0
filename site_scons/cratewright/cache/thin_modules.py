"""Thin modules without the contents that their request already holds.

A thin analysis returns every module of a link, most of them many times. Whole, they would go through a pipe and, after
each change of one module, go into the store again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..base.values import dataclass
from ..values.request import LinkRequest, ThinBuffer, ThinModule

_HERE = -1


@dataclass(frozen=True, slots=True)
class IndexedThinModules:
    """The modules of a thin link.

    Shape: `numbers` has a row for each of `modules`: the position of its content in the request, then those
    of its imports; -1 for a content that the request lacks and that is kept here.
    """

    modules: tuple[ThinModule, ...]
    numbers: tuple[tuple[int, ...], ...]


def index_thin_modules(value: object, arguments: Sequence[object]) -> object:
    """Return a method's result; in thin modules, positions replace contents that the request in `arguments` has."""
    if not (isinstance(value, tuple) and all(isinstance(item, ThinModule) for item in value)):
        return value
    known = {id(data): number for number, data in enumerate(_contents(arguments))}
    return IndexedThinModules(
        tuple(
            replace(
                item,
                data=_without(item.data, known),
                imports=tuple(ThinBuffer(other.name, _without(other.data, known)) for other in item.imports),
            )
            for item in value
        ),
        tuple(tuple(known.get(id(data), _HERE) for data in _own(item)) for item in value),
    )


def restore_thin_modules(value: IndexedThinModules, arguments: Sequence[object]) -> tuple[ThinModule, ...]:
    """Restore thin modules from the same request.

    Raises: ValueError if they belong to another request.
    """
    contents = _contents(arguments)
    whole: list[ThinModule] = []
    for item, numbers in zip(value.modules, value.numbers, strict=True):
        if any(not _HERE <= number < len(contents) for number in numbers):
            raise ValueError("thin modules of another request")
        own = [data if number == _HERE else contents[number] for data, number in zip(_own(item), numbers, strict=True)]
        imports = tuple(ThinBuffer(other.name, data) for other, data in zip(item.imports, own[1:], strict=True))
        whole.append(replace(item, data=own[0], imports=imports))
    return tuple(whole)


def _own(item: ThinModule) -> list[bytes]:
    return [item.data, *(other.data for other in item.imports)]


def _without(data: bytes, known: dict[int, int]) -> bytes:
    return b"" if id(data) in known else data


def _contents(arguments: Sequence[object]) -> list[bytes]:
    return [item.module.data for part in arguments if isinstance(part, LinkRequest) for item in part.modules]
