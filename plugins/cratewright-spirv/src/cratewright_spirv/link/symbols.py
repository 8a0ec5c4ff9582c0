"""Which modules an entry point needs: resolves imports to exports, as a linker does with archives.

It uses only what modules record about themselves, not their SPIR-V.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cratewright import VARIANT, Diagnostic, LinkError, LinkModule, Severity, Symbol, dataclass, read_variant

from ..binary.signatures import misnamed
from ..transforms.link_once import defined_once

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Need:
    symbol: Symbol
    item: LinkModule


def stages_of(item: LinkModule) -> frozenset[str]:
    """Return the stages a library module may serve; empty for all."""
    return frozenset(item.module.attribute("stages").split())


def closures(modules: Sequence[LinkModule], roots: Sequence[tuple[int, str]]) -> list[tuple[int, ...]]:
    """Return the modules that each root needs, which is a module and the stage it runs in.

    Raises: LinkError, as `SymbolTable.closure`.
    """
    table = SymbolTable(modules)
    for stage in dict.fromkeys(stage for _, stage in roots):
        # One error lists what all entry points of a stage miss.
        table.closure([index for index, other in roots if other == stage], stage)
    return [table.closure([index], stage) for index, stage in roots]


class SymbolTable:
    """The symbols of all modules that take part in a link.

    Shape: modules are known by their position. A symbol may be defined once for each stage.
    """

    def __init__(self, modules: Sequence[LinkModule]) -> None:
        self._modules = modules
        self._offers: dict[str, list[int]] = {}
        for index, item in enumerate(modules):
            for symbol in item.module.exports:
                offers = self._offers.setdefault(symbol.name, [])
                if not any(_same_variant(modules[other], item) for other in offers):
                    offers.append(index)

    def closure(self, roots: Iterable[int], stage: str) -> tuple[int, ...]:
        """Return the modules that some modules need when they run in a stage, themselves included.

        Shape: ascending positions, so link order. `stage` is the suffix word of the entry points.
        Raises: LinkError naming every missing or ambiguous symbol, and the modules that need and define it.
        """
        found = set(roots)
        todo = sorted(found)
        missing: dict[str, list[_Need]] = {}
        doubled: dict[str, list[int]] = {}
        while todo:
            item = self._modules[todo.pop()]
            for symbol in item.module.imports:
                offers = self.offers(symbol.name, stage)
                if not offers:
                    missing.setdefault(symbol.name, []).append(_Need(symbol, item))
                elif len(offers) > 1:
                    doubled[symbol.name] = offers
                else:
                    self._check_members(symbol, item, offers[0])
                    if offers[0] not in found:
                        found.add(offers[0])
                        todo.append(offers[0])
        if doubled:
            raise self._ambiguous(doubled)
        if missing:
            raise self._unresolved(missing, stage)
        return tuple(sorted(found))

    def offers(self, name: str, stage: str) -> list[int]:
        """Return the modules that define a symbol for a stage."""
        found = self._offers.get(name, ())
        offers = [index for index in found if not (own := stages_of(self._modules[index])) or stage in own]
        if len(offers) > 1:
            only = [index for index in offers if name not in defined_once(self._modules[index].module)]
            return only or offers[:1]
        return offers

    def _check_members(self, needed: Symbol, item: LinkModule, index: int) -> None:
        """Raise LinkError if a name means two members of a struct that a call passes."""
        if "{" not in needed.signature:
            return
        if name := misnamed(needed.signature, self._export(index, needed.name).signature):
            raise LinkError(
                f"`{name}` is not the same member where `{needed.display}` is declared and where it is defined",
                context=[("defined by", self._position(index, needed.name)), ("needed by", _position(needed, item))],
                hint="declare the struct once, in a header that both include",
            )

    def _position(self, index: int, name: str) -> str:
        return _position(self._export(index, name), self._modules[index])

    def _export(self, index: int, name: str) -> Symbol:
        return next(symbol for symbol in self._modules[index].module.exports if symbol.name == name)

    def _ambiguous(self, doubled: Mapping[str, list[int]]) -> LinkError:
        name = min(doubled)
        symbol = self._export(doubled[name][0], name)
        more = f" (and {len(doubled) - 1} more symbols)" if len(doubled) > 1 else ""
        return LinkError(
            f"`{symbol.display}` is defined {len(doubled[name])} times{more}",
            context=[("defined by", self._position(index, name)) for index in doubled[name]],
            hint="keep one definition, or rename the other",
        )

    def _unresolved(self, missing: Mapping[str, list[_Need]], stage: str) -> LinkError:
        names = sorted(missing)
        context: list[tuple[str, str]] = []
        for name in names[:_SHOWN]:
            needs = missing[name]
            symbol = needs[0].symbol
            if len(names) > 1:
                context.append(("symbol", f"`{symbol.display}`"))
            context += [("needed by", _position(need.symbol, need.item)) for need in needs[:3]]
            context += self._near(symbol, stage)
        shown = ", ".join(f"`{missing[name][0].symbol.display}`" for name in names[:3])
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        text = f"unresolved symbol{'s' if len(names) > 1 else ''} {shown}{more}"
        placed = [need.symbol for need in missing[names[0]] if need.symbol.file and need.symbol.line]
        return LinkError(
            "" if placed else text,
            context=context,
            diagnostics=[Diagnostic(Severity.ERROR, text, each.file, each.line) for each in placed[:1]],
            hint="define it in a library source, or add the crate that does to deps; a function that comes in "
            "through #include stays private to the unit that includes it",
        )

    def _near(self, symbol: Symbol, stage: str) -> list[tuple[str, str]]:
        """Return modules that define the symbol for other stages, or a function of the same name with other types."""
        if symbol.name in self._offers:
            return [
                (
                    "not for this stage",
                    f"{self._position(index, symbol.name)}: only {' '.join(sorted(stages_of(self._modules[index])))}"
                    f", not {stage}",
                )
                for index in self._offers[symbol.name]
            ]
        base = symbol.display.partition("(")[0]
        near = [
            (name, index)
            for name, indexes in sorted(self._offers.items())
            for index in indexes
            if name.partition("(")[0] == base
        ]
        rows: list[tuple[str, str]] = []
        for name, index in near[:5]:
            shown = self._export(index, name).display
            # A struct's members are part of its type, but not of its spelling.
            other = ", with a struct of other members" if shown == symbol.display else ""
            rows.append(("offered is", f"`{shown}` by {self._position(index, name)}{other}"))
        return rows


def _same_variant(one: LinkModule, other: LinkModule) -> bool:
    """Return whether two modules are variants of one source with equal results."""
    first, second = (read_variant(each.module.attribute(VARIANT)).get("of") for each in (one, other))
    return first is not None and (one.crate, first, one.module.data) == (other.crate, second, other.module.data)


def _position(symbol: Symbol, item: LinkModule) -> str:
    where = f"{symbol.file}:{symbol.line}" if symbol.line else symbol.file or item.module.name
    return f"crate '{item.crate}', {where}"
