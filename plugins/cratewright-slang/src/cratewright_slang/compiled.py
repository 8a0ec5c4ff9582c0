"""A compiled module, how a build's workers share it, and what importers need of one that an earlier build compiled."""

from __future__ import annotations

import msgpack

from cratewright import CompiledUnit, Observed, dataclass

from .macros import symbol_module

__all__ = ["Compiled", "known_to_importers", "packed", "unpacked"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A module: its bytes, its entry points with the numbers of their stages, what it imports, and what was read.

    Shape: `exports` if it or an import may define names that are `extern` elsewhere; `inlines` if importers may inline
    its functions; `uses` are the macros that it or its imports may use, `asked` those of each import, by path. `own`
    are the paths of all that was read but not through imports. `interfaces` is the digest of the interfaces of
    its imports, empty if the result depends on more of them. One that is not `whole` is for importers only: its entry
    points and log are unknown.
    """

    data: bytes
    entries: tuple[tuple[str, int], ...]
    imports: tuple[str, ...]
    observed: tuple[Observed, ...]
    log: str
    exports: bool
    uses: frozenset[str]
    asked: tuple[tuple[str, frozenset[str]], ...]
    inlines: bool
    own: tuple[str, ...] = ()
    interfaces: str = ""
    whole: bool = True


def packed(text: bytes, made: Compiled) -> bytes:
    """Return a source and its module as bytes."""
    observed = [(each.path, each.digest) for each in made.observed]
    asked = [(path, sorted(names)) for path, names in made.asked]
    flags = (made.exports, made.inlines, made.interfaces)
    row = (made.data, made.entries, made.imports, observed, made.log, sorted(made.uses), asked, made.own, *flags)
    return bytes(msgpack.packb((text, row)))


def unpacked(data: bytes) -> tuple[bytes, Compiled]:
    """Return what was packed."""
    text, row = msgpack.unpackb(data, use_list=False)
    module, entries, imports, observed, log, uses, asked, own, exports, inlines, interfaces = row
    return text, Compiled(
        data=module,
        entries=entries,
        imports=imports,
        observed=tuple(Observed(path, digest) for path, digest in observed),
        log=log,
        exports=exports,
        uses=frozenset(uses),
        asked=tuple((path, frozenset(names)) for path, names in asked),
        inlines=inlines,
        own=own,
        interfaces=interfaces,
    )


def known_to_importers(unit: CompiledUnit) -> Compiled:
    """Return what importers need of a unit."""
    (module,) = unit.modules
    (symbol,) = module.exports
    asked = tuple((path, frozenset(macros)) for path, macros in map(symbol_module, module.imports))
    return Compiled(
        data=module.data,
        entries=(),
        imports=tuple(path for path, _ in asked),
        observed=unit.observed,
        log="",
        exports=bool(module.attribute("exports")),
        uses=frozenset(symbol_module(symbol)[1]),
        asked=asked,
        inlines=bool(module.attribute("inlines")),
        whole=False,
    )
