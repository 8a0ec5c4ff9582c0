"""A compiled module, and what importers need of one that an earlier build compiled."""

from __future__ import annotations

from cratewright import CompiledUnit, Observed, dataclass

from .macros import symbol_module


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
