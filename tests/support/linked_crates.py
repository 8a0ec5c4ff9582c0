"""Crates in memory, linked by a backend that records each call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import ClassVar

from cratewright.contract.hookspecs import hookimpl
from cratewright.formats.crate_metadata import CrateMetadata
from cratewright.formats.metadata import decode_dylib
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.link import Linked, link_crate
from cratewright.pipeline.link_inputs import Dependency
from cratewright.plugins.registry import Registry
from cratewright.rules.dependency_format import Linkage
from cratewright.rules.format_table import FormatTable, LinkableCrate
from cratewright.rules.graph import CrateGraph
from cratewright.testing import StubBackend
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import EntryPoint, ModuleCodegen, Symbol
from cratewright.values.native_library import parse_library
from cratewright.values.option_spec import OptionValue
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import LinkLibrary, LinkRequest, LinkResult, ModuleConfig, ThinModule

OPTIONS = Options(tuple(sorted((spec.name, spec.default) for spec in (*CORE_OPTIONS, *StubBackend.OPTIONS))))
TYPES = tuple(kind for kind in CrateType if kind is not CrateType.RLIB)
ALL = tuple(CrateType)


def _registry() -> Registry:
    """Return a registry whose only backend records its calls."""
    registry = Registry()

    class Noting(StubBackend):
        """Records its calls; local to a function, so that it cannot run in workers."""

        NAME = "noting"
        notes: ClassVar[list[tuple[str, ...]]] = []

        def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
            self.notes.append(("codegen", module.data.decode().splitlines()[0]))
            return replace(module, data=module.data + b"lowered\n")

        def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
            self.notes.append(("run_fat_lto", *_names(request), "exported", *request.exported, *_beside(request)))
            return super().run_fat_lto(request)

        def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
            self.notes.append(("optimize_fat",))
            return super().optimize_fat(module, config)

        def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
            self.notes.append(("run_thin_lto", *_names(request), "exported", *request.exported, *_beside(request)))
            return super().run_thin_lto(request)

        def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
            assert not module.name and not module.crate
            self.notes.append(("optimize_thin", module.data.decode().splitlines()[0]))
            return super().optimize_thin(module, config)

        def link(self, request: LinkRequest) -> LinkResult:
            self.notes.append(("link", request.crate_type.value, *_names(request)))
            return super().link(request)

    plugin = ModuleType("noting")
    plugin.cratewright_register_backend = hookimpl(lambda: Noting)  # type: ignore[attr-defined]
    plugin.cratewright_register_backend.__name__ = "cratewright_register_backend"  # type: ignore[attr-defined]
    registry.register(plugin)
    return registry


def _names(request: LinkRequest) -> list[str]:
    return [f"{item.crate}/{item.module.name}" for item in request.modules]


def _beside(request: LinkRequest) -> list[str]:
    names = [f"{item.crate}/{item.module.name}" for item in request.opaque]
    return ["beside", *names] if names else []


def module_of(name: str, exports: str = "", imports: str = "", entry: str = "") -> ModuleCodegen:
    """Return a stub module with some exports, imports and an entry point."""
    lines = [f"module {name}"]
    lines += [f"export {word}" for word in exports.split()] + [f"import {word}" for word in imports.split()]
    return ModuleCodegen(
        name=name,
        data="".join(f"{line}\n" for line in lines).encode(),
        exports=tuple(Symbol(word, word) for word in exports.split()),
        imports=tuple(Symbol(word, word) for word in imports.split()),
        entry_points=(EntryPoint("stub", entry),) if entry else (),
    )


def crate_of(name: str, *modules: ModuleCodegen, deps: Sequence[str] = (), **options: OptionValue) -> CrateMetadata:
    """Return a crate; `natives` and `allocator` set its fields, the others its options."""
    words = {key: value for key, value in options.items() if key not in ("natives", "allocator", "types")}
    return CrateMetadata(
        name=name,
        version="0",
        backend="noting",
        fingerprint="stub 1",
        target="text",
        crate_types=ALL,
        dependencies=tuple(CrateReference(dep) for dep in deps),
        options=OPTIONS.override(words),
        modules=modules,
        natives=tuple(parse_library(text, where=name) for text in str(options.get("natives") or "").split()),
        allocator=str(options.get("allocator") or "none"),
    )


class LinkedCrates:
    """Crates with an rlib, some with a dylib as well, and an engine that links them."""

    def __init__(self, *crates: CrateMetadata, dylibs: Sequence[str] = ()) -> None:
        registry = _registry()
        self.engine = Engine("/nowhere", registry, {"CRATE_CACHE": "off"}, workers=False)
        self.dylibs = dylibs
        self.crates = {crate.name: crate for crate in crates}
        self.graph = CrateGraph({crate.name: [item.name for item in crate.dependencies] for crate in crates})
        both = frozenset({CrateType.RLIB, CrateType.DYLIB})
        self.table = FormatTable(
            self.graph,
            {
                crate.name: LinkableCrate(
                    crate_types=both if crate.name in dylibs else frozenset({CrateType.RLIB}),
                    prefer_dynamic=crate.options.flag("prefer_dynamic"),
                )
                for crate in crates
            },
        )
        self.notes: list[tuple[str, ...]] = registry.backend("noting").__dict__["notes"]

    def link(self, name: str, kind: CrateType) -> Linked:
        """Link one crate type of a crate."""
        formats = self.table.formats(name, kind)
        how = dict(zip(formats.crates, formats.linkages, strict=True))
        dependencies = [
            Dependency(
                other,
                self._dylib(other) if how[other] is Linkage.DYNAMIC else self.crates[other],
                how[other],
                LinkLibrary(other, f"lib{other}.so", "digest") if how[other] is Linkage.DYNAMIC else None,
            )
            for other in self.graph.link_order(name)
            if how[other] in (Linkage.STATIC, Linkage.DYNAMIC)
        ]
        return link_crate(self.engine, self.crates[name], dependencies, kind, formats)

    def _dylib(self, name: str) -> CrateMetadata:
        """Return the metadata in a crate's dylib, which another engine links, so that no call is recorded here."""
        made = LinkedCrates(*self.crates.values(), dylibs=self.dylibs).link(name, CrateType.DYLIB)
        return decode_dylib(b"".join(artifact.data for artifact in made.artifacts), path=name)[0]

    def called(self, method: str) -> list[tuple[str, ...]]:
        """Return the arguments of each call of a method."""
        return [note[1:] for note in self.notes if note[0] == method]


UTIL = crate_of("util", module_of("u1", "util"), module_of("u2", "unused"))


def lib_crate(**options: OptionValue) -> CrateMetadata:
    """Return a crate of two modules that depends on UTIL."""
    modules = (module_of("l1", "entry", "util"), module_of("l2", "other"))
    return crate_of("lib", *modules, deps=["util"], **options)


def both_types(**options: OptionValue) -> LinkedCrates:
    """Return UTIL, with a dylib, and a crate that depends on it."""
    return LinkedCrates(UTIL, lib_crate(**options), dylibs=["util"])


NEEDS = crate_of("needs", module_of("n", "needs", "alloc"), allocator="needs")
