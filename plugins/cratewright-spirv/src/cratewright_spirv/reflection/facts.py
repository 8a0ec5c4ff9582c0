"""Facts about a program before it is optimized: its size, its parts, names and blocks of resources."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from cratewright import LinkModule, dataclass

from . import reflect
from .blocks import Row

_KINDS = ("descriptors", "inputs", "outputs")
_BOUND_BY = ("set", "binding", "kind", "location", "component", "index")
_TYPE = "type"

_Binding = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one or more entry points.

    Shape: `modules` are pairs of crate and module; `names` pairs of where a resource is bound and its name, or that
    of its type, the stage and name of its entry point first; `blocks` likewise with a block's layout as JSON.
    Units: `size` in bytes
    """

    size: int
    instructions: int
    modules: tuple[tuple[str, str], ...]
    names: tuple[tuple[_Binding, str], ...] = ()
    blocks: tuple[tuple[_Binding, str], ...] = ()

    @classmethod
    def of(cls, data: bytes, modules: Iterable[tuple[str, str]], interface: Row | None) -> Facts:
        """Return the facts about a module; names and blocks from its interface, if they are to be restored."""
        rows = [] if interface is None else [*_bindings(interface)]
        names = [(binding, str(row["name"])) for binding, row in rows if row["name"]]
        names += [((*binding, _TYPE), str(row["type"])) for binding, row in rows if "location" in row]
        blocks = tuple((binding, json.dumps(row["block"])) for binding, row in rows if "block" in row)
        return cls(len(data), reflect.instruction_count(data), tuple(modules), tuple(names), blocks)

    @classmethod
    def joined(cls, parts: Sequence[Facts]) -> Facts:
        """Return the combined facts about some parts; a module in several of them counts once."""
        return cls(
            sum(part.size for part in parts),
            sum(part.instructions for part in parts),
            tuple(dict.fromkeys(module for part in parts for module in part.modules)),
            tuple(name for part in parts for name in part.names),
            tuple(block for part in parts for block in part.blocks),
        )

    @staticmethod
    def encode(facts: Sequence[Facts]) -> str:
        """Return some facts as text."""
        return json.dumps([[each.size, each.instructions, each.modules, each.names, each.blocks] for each in facts])

    @classmethod
    def decode(cls, text: str) -> list[Facts]:
        """Return the facts that `encode` wrote."""
        return [
            cls(
                size,
                instructions,
                tuple((crate, module) for crate, module in modules),
                tuple((tuple(binding), name) for binding, name in names),
                tuple((tuple(binding), block) for binding, block in blocks),
            )
            for size, instructions, modules, names, blocks in json.loads(text)
        ]

    def imported(self, crate: str) -> dict[str, int]:
        """Return the number of modules from each other crate."""
        counts: dict[str, int] = {}
        for other, _ in self.modules:
            if other != crate:
                counts[other] = counts.get(other, 0) + 1
        return counts

    def renamed(self, stage: str, old: str, new: str) -> Facts:
        """Return the facts with an entry point under a new name."""

        def moved(rows: tuple[tuple[_Binding, str], ...]) -> tuple[tuple[_Binding, str], ...]:
            return tuple(((stage, new, *at[2:]) if at[:2] == (stage, old) else at, text) for at, text in rows)

        return Facts(self.size, self.instructions, self.modules, moved(self.names), moved(self.blocks))


MADE_FROM = "made_from"
"""The attribute of a module that another linker has made: the crates and modules that went into it, as JSON."""


def sources_of(modules: Iterable[LinkModule]) -> tuple[tuple[str, str], ...]:
    """Return the crates and modules that some modules come from."""
    found: dict[tuple[str, str], None] = {}
    for item in modules:
        made_from = item.module.attribute(MADE_FROM)
        rows = map(tuple, json.loads(made_from)) if made_from else [(item.crate, item.module.name)]
        found |= dict.fromkeys(rows)
    return tuple(found)


def restore_names(interface: Row, facts: Facts) -> None:
    """Take names and blocks from before debug names were stripped; a host looks resources up by them.

    Shape: an interface with blocks. Resources may share a binding: each gets the name of one that is laid out like it.
    """
    known, blocks = _Known(facts.names), _Known(facts.blocks)
    for binding, row in _bindings(interface):
        row["name"] = row["name"] or known.take(binding) or ""
        if "location" in row:
            row["type"] = known.take((*binding, _TYPE)) or row["type"]
        block = blocks.take(binding)
        row.pop("block", None)
        if block is not None:
            row["block"] = json.loads(block)
    entries = interface["entry_points"]
    assert isinstance(entries, list)
    for entry in entries:
        entry["descriptors"].sort(key=reflect.descriptor_order)


class _Known:
    """What is known by binding, of which each is given to one resource as long as there are several."""

    def __init__(self, rows: Iterable[tuple[_Binding, str]]) -> None:
        self._found: dict[_Binding, list[str]] = {}
        self._alone: dict[_Binding, set[str]] = {}
        for binding, text in rows:
            self._found.setdefault(binding, []).append(text)
            if "descriptors" in binding:
                self._alone.setdefault(binding[:-1], set()).add(text)

    def take(self, binding: _Binding) -> str | None:
        """Return what is known of a binding; None if nothing is, or if it may be several things."""
        found = self._found.get(binding)
        if found:
            return found.pop(0) if len(found) > 1 else found[0]
        # Optimizing may have changed its layout.
        others = self._alone.get(binding[:-1], set())
        return next(iter(others)) if len(others) == 1 else None


def _layout(row: Row) -> str:
    """Return everything but the names of a resource and of its structures."""

    def unnamed(value: object) -> object:
        if isinstance(value, dict):
            apart = ("name", "type") if "members" in value else ("name",)
            return {key: unnamed(item) for key, item in value.items() if key not in apart}
        return [unnamed(item) for item in value] if isinstance(value, list) else value

    return json.dumps(unnamed(row), sort_keys=True)


def _bindings(interface: Row) -> Iterator[tuple[_Binding, Row]]:
    """Yield every named row of an interface with its binding."""
    entries, constants = interface["entry_points"], interface["spec_constants"]
    assert isinstance(entries, list) and isinstance(constants, list)
    for row in constants:
        yield ("spec_constants", row["id"]), row
    for entry in entries:
        if "push_constants" in entry:
            yield (entry["stage"], entry["name"], "push_constants"), entry["push_constants"]
        for kind in _KINDS:
            for row in entry[kind]:
                layout = _layout(row) if kind == "descriptors" else ""
                yield (entry["stage"], entry["name"], kind, *(row.get(word) for word in _BOUND_BY), layout), row
