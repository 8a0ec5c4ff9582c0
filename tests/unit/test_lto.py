"""Link-time optimization in the pipeline: which method gets which modules, in which order, and how often.

Knows nothing of files: crates come as metadata, and a stub that takes notes does the work in this process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import ClassVar

import pytest

from cratewright.base.errors import LinkError
from cratewright.cache.entry import ObservedResult, encode_alternatives, result_bytes, seal_entry
from cratewright.cache.thin_modules import IndexedThinModules
from cratewright.contract.hookspecs import hookimpl
from cratewright.formats.metadata import CrateMetadata, decode_dylib
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.link import Linked, link_crate
from cratewright.pipeline.link_inputs import Dependency
from cratewright.plugins.registry import Registry
from cratewright.rules.dependency_format import Linkage
from cratewright.rules.format_table import FormatTable, LinkableCrate
from cratewright.rules.graph import CrateGraph
from cratewright.testing import StubBackend
from cratewright.values.crate import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import EntryPoint, ModuleCodegen, Symbol
from cratewright.values.native_library import parse_library
from cratewright.values.option_spec import OptionValue
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import LinkLibrary, LinkRequest, LinkResult, ModuleConfig, ThinModule
from tests.support.memory_store import MemoryStore

OPTIONS = Options(tuple(sorted((spec.name, spec.default) for spec in (*CORE_OPTIONS, *StubBackend.OPTIONS))))
TYPES = tuple(kind for kind in CrateType if kind is not CrateType.RLIB)
ALL = tuple(CrateType)


def _registry() -> Registry:
    registry = Registry()

    class Noting(StubBackend):
        """Takes notes; it is local to a function, so that no worker process can find it."""

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


def _module(name: str, exports: str = "", imports: str = "", entry: str = "") -> ModuleCodegen:
    lines = [f"module {name}"]
    lines += [f"export {word}" for word in exports.split()] + [f"import {word}" for word in imports.split()]
    return ModuleCodegen(
        name=name,
        data="".join(f"{line}\n" for line in lines).encode(),
        exports=tuple(Symbol(word, word) for word in exports.split()),
        imports=tuple(Symbol(word, word) for word in imports.split()),
        entry_points=(EntryPoint("stub", entry),) if entry else (),
    )


def _crate(name: str, *modules: ModuleCodegen, deps: Sequence[str] = (), **options: OptionValue) -> CrateMetadata:
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


class World:
    """Crates, each with an rlib, some with a dylib as well, and an engine that links them."""

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
        """Return what a crate's dylib says of it; linked elsewhere, so that no note is taken here."""
        made = World(*self.crates.values(), dylibs=self.dylibs).link(name, CrateType.DYLIB)
        return decode_dylib(b"".join(artifact.data for artifact in made.artifacts), path=name)[0]

    def called(self, method: str) -> list[tuple[str, ...]]:
        """Return what a method was called with, call by call."""
        return [note[1:] for note in self.notes if note[0] == method]


UTIL = _crate("util", _module("u1", "util"), _module("u2", "unused"))


def _lib(**options: OptionValue) -> CrateMetadata:
    modules = (_module("l1", "entry", "util"), _module("l2", "other"))
    return _crate("lib", *modules, deps=["util"], **options)


@pytest.mark.parametrize("kind", TYPES)
def test_off_calls_nothing_but_codegen(kind: CrateType) -> None:
    alternative = World(UTIL, _lib())
    linked = alternative.link("lib", kind)
    assert {note[0] for note in alternative.notes} == {"codegen", "link"}
    lowered = [words[0] for words in alternative.called("codegen")]
    assert sorted(lowered) == ["module l1", "module l2", "module u1", "module u2"]
    assert linked.lto is None


EXPORTED = {
    CrateType.BIN: (),
    CrateType.CDYLIB: ("entry", "other"),
    CrateType.STATICLIB: ("entry", "other"),
    CrateType.OBJECT: ("entry", "other"),
    CrateType.DYLIB: ("entry", "other", "unused", "util"),
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("mode", ["fat", "thin"])
def test_own_modules_first_then_those_of_static_crates(kind: CrateType, mode: str) -> None:
    alternative = World(UTIL, _lib(lto=mode))
    alternative.link("lib", kind)
    modules = ("lib/l1", "lib/l2", "util/u1", "util/u2")
    assert alternative.called(f"run_{mode}_lto") == [(*modules, "exported", *EXPORTED[kind])]


def test_listed_exports_are_all_that_is_kept() -> None:
    alternative = World(UTIL, _lib(lto="fat", exports=("entry",)))
    linked = alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("run_fat_lto")[0][-2:] == ("exported", "entry")
    image = linked.artifacts[1].data.decode()
    assert "export entry" in image and "internal util" in image and "unused" not in image and "other" not in image


def test_a_program_keeps_its_entry_points() -> None:
    alternative = World(UTIL, _crate("prog", _module("p", "helper", "util", entry="main"), deps=["util"], lto="thin"))
    alternative.link("prog", CrateType.BIN)
    assert alternative.called("run_thin_lto") == [("prog/p", "util/u1", "util/u2", "exported", "main")]
    assert [words[0] for words in alternative.called("optimize_thin")] == ["module p", "module u1"]


def test_an_export_that_nobody_defines() -> None:
    alternative = World(UTIL, _lib(lto="fat", exports=("entri",)))
    with pytest.raises(LinkError, match="is to export 'entri', which is not defined") as caught:
        alternative.link("lib", CrateType.CDYLIB)
    assert "entry" in caught.value.hint


def test_fat_is_merged_optimized_and_lowered_once() -> None:
    alternative = World(UTIL, _lib(lto="fat"))
    linked = alternative.link("lib", CrateType.CDYLIB)
    assert [note[0] for note in alternative.notes] == ["run_fat_lto", "optimize_fat", "codegen", "link"]
    assert alternative.called("link") == [("cdylib", "lib/merged")]
    assert linked.lto is not None and (linked.lto.optimized, linked.lto.reused) == (1, 0)
    assert linked.lto.offered == (("util", 2),)


def test_link_takes_what_thin_lto_left_and_nothing_else() -> None:
    alternative = World(UTIL, _lib(lto="thin", exports=("entry",)))
    alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("codegen") == []  # thin modules come out lowered
    assert alternative.called("link") == [("cdylib", "lib/l1", "util/u1")]


def test_thin_local_takes_only_own_modules() -> None:
    alternative = World(UTIL, _lib(lto="thin-local", exports=("entry",)))
    alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("run_thin_lto") == [
        ("lib/l1", "lib/l2", "exported", "entry", "beside", "util/u1", "util/u2")
    ]
    assert sorted(words[0] for words in alternative.called("codegen")) == ["module u1", "module u2"]


def test_what_the_request_has_is_neither_sent_nor_kept() -> None:
    big = 100_000
    modules = [_module(name, f"f_{name}", "f_a") for name in "abcd"]
    modules = [replace(module, data=module.data + b"x" * big) for module in modules]
    alternative = World(_crate("lib", *modules, lto="thin", exports=tuple(f"f_{name}" for name in "abcd")))
    kept = MemoryStore()

    def link() -> Linked:
        alternative.engine = Engine("/nowhere", alternative.engine.registry, {}, workers=False)
        alternative.engine._store = kept
        return alternative.link("lib", CrateType.CDYLIB)

    first = link()
    (analysis,) = [data for data in kept.values() if b"IndexedThinModules" in data]
    assert len(analysis) < big
    assert link().artifacts == first.artifacts and len(alternative.called("run_thin_lto")) == 1
    # What belongs to another request is made again.
    (key,) = [key for key, data in kept.items() if data is analysis]
    other = result_bytes(IndexedThinModules((ThinModule(name="a", crate="lib", data=b""),), ((7,),)))
    kept[key] = seal_entry(key, encode_alternatives([ObservedResult((), other)]))
    assert link().artifacts == first.artifacts and len(alternative.called("run_thin_lto")) == 2


@pytest.mark.parametrize("mode", ["off", "thin"])
def test_the_largest_module_is_begun_first(mode: str) -> None:
    """Begun last, it would be what all other workers wait for."""
    sizes = {"l1": 2, "l2": 3, "l3": 1}
    modules = [_module(name, " ".join(f"{name}_{index}" for index in range(size))) for name, size in sizes.items()]
    alternative = World(_crate("lib", *modules, lto=mode, exports=("l1_0", "l2_0", "l3_0")))
    alternative.link("lib", CrateType.CDYLIB)
    assert [words[0] for words in alternative.called("codegen" if mode == "off" else "optimize_thin")] == [
        "module l2",
        "module l1",
        "module l3",
    ]
    assert alternative.called("link") == [("cdylib", "lib/l1", "lib/l2", "lib/l3")]


def test_modules_without_ir_are_linked_as_they_are() -> None:
    alternative = World(UTIL, _lib(lto="fat"))
    backend = alternative.engine.registry.backend("noting")
    backend.supports_lto = lambda self, module: module.name != "u1"  # type: ignore[method-assign]
    alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("run_fat_lto")[0][:3] == ("lib/l1", "lib/l2", "util/u2")
    assert alternative.called("link") == [("cdylib", "lib/merged", "util/u1")]


def test_without_ir_there_is_nothing_to_merge() -> None:
    alternative = World(UTIL, _lib(lto="fat"))
    backend = alternative.engine.registry.backend("noting")
    backend.supports_lto = lambda self, module: False  # type: ignore[method-assign]
    alternative.link("lib", CrateType.CDYLIB)
    assert not alternative.called("run_fat_lto") and not alternative.called("optimize_fat")
    ((_, *names),) = alternative.called("link")
    assert {"lib/l1", "util/u1"} <= set(names)


def _both(**options: OptionValue) -> World:
    return World(UTIL, _lib(**options), dylibs=["util"])


@pytest.mark.parametrize("mode", ["fat", "thin"])
def test_each_distinct_list_of_formats_has_its_own_lto(mode: str) -> None:
    """The case rustc fails: it finds the lists different and drops LTO of dependencies, but not their objects."""
    alternative = _both(lto=mode, prefer_dynamic=True)
    static = alternative.link("lib", CrateType.STATICLIB)
    dynamic = alternative.link("lib", CrateType.DYLIB)
    runs = [words[: words.index("exported")] for words in alternative.called(f"run_{mode}_lto")]
    assert runs == [("lib/l1", "lib/l2", "util/u1", "util/u2"), ("lib/l1", "lib/l2")]
    assert b"module u1" in static.artifacts[1].data and b"dylib util" not in static.artifacts[1].data
    assert b"module u1" not in dynamic.artifacts[1].data and b"dylib util" in dynamic.artifacts[1].data
    assert not static.lto_shared and not dynamic.lto_shared


@pytest.mark.parametrize("mode", ["fat", "thin", "thin-local"])
def test_equal_lists_share_one_lto(mode: str) -> None:
    alternative = _both(lto=mode)
    first = alternative.link("lib", CrateType.STATICLIB)
    second = alternative.link("lib", CrateType.CDYLIB)
    assert len(alternative.called("run_fat_lto" if mode == "fat" else "run_thin_lto")) == 1
    assert (first.lto_shared, second.lto_shared) == (False, True)
    assert first.lto == second.lto
    assert len(alternative.called("link")) == 2


def test_equal_formats_with_other_symbols_do_not_share() -> None:
    alternative = _both(lto="fat")
    alternative.link("lib", CrateType.DYLIB)
    alternative.link("lib", CrateType.CDYLIB)
    assert len(alternative.called("run_fat_lto")) == 2


def test_threads_share_too() -> None:
    alternative = _both(lto="fat")
    kinds = [CrateType.STATICLIB, CrateType.CDYLIB] * 4
    threads = [threading.Thread(target=alternative.link, args=("lib", kind)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(alternative.called("run_fat_lto")) == 1 and len(alternative.called("link")) == 8


def test_options_that_no_module_sees_do_not_part(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = _crate("app", _module("a", "f"), lto="fat")
    for names, shared in ((None, False), (frozenset({"opt_level"}), True)):
        alternative = World(quiet)
        monkeypatch.setattr(StubBackend, "MODULE_OPTIONS", names)
        assert not alternative.link("app", CrateType.CDYLIB).lto_shared
        alternative.crates["app"] = _crate("app", _module("a", "f"), lto="fat", shout=True)
        linked = alternative.link("app", CrateType.CDYLIB)
        assert linked.lto_shared is shared
        assert b"EXPORT F" in linked.artifacts[-1].data, "the link sees them all the same"


def test_a_dylib_offers_its_shim() -> None:
    alternative = World(_crate("app", _module("a", "f"), lto="fat", allocator="needs"))
    for kind, offered in ((CrateType.DYLIB, ["alloc", "f"]), (CrateType.CDYLIB, ["f"])):
        alternative.notes.clear()
        alternative.link("app", kind)
        (note,) = (note for note in alternative.notes if note[0] == "run_fat_lto")
        assert list(note[note.index("exported") + 1 :]) == offered


def test_crate_types_may_have_modes_of_their_own() -> None:
    alternative = World(UTIL, _lib(lto=(("cdylib", "fat"), ("staticlib", "thin"))))
    for kind in (CrateType.CDYLIB, CrateType.STATICLIB, CrateType.DYLIB):
        alternative.link("lib", kind)
    assert len(alternative.called("run_fat_lto")) == len(alternative.called("run_thin_lto")) == 1
    assert len(alternative.called("codegen")) == 1 + 4  # the fat module, and all of the dylib's


NEEDS = _crate("needs", _module("n", "needs", "alloc"), allocator="needs")


@pytest.mark.parametrize("mode", ["off", "fat", "thin"])
def test_the_shim_goes_into_what_links_nothing_dynamically(mode: str) -> None:
    alternative = World(
        NEEDS, _crate("app", _module("a", "app", "needs"), deps=["needs"], lto=mode, prefer_dynamic=True),
        dylibs=["needs"],
    )  # fmt: skip
    static, dynamic = alternative.link("app", CrateType.STATICLIB), alternative.link("app", CrateType.DYLIB)
    assert b"export alloc malloc" in static.artifacts[1].data.replace(b"internal", b"export")
    assert b"malloc" not in dynamic.artifacts[1].data
    if mode != "off":
        runs = alternative.called(f"run_{mode}_lto")
        assert "app/allocator" in runs[0] and "app/allocator" not in runs[1]


def _heap(kind: CrateType, **options: OptionValue) -> bytes:
    """Link a crate that needs an allocator with a dylib, and return what came of it."""
    words: dict[str, OptionValue] = {"allocator": "needs", **options}
    app = _crate("app", _module("a", "app", "util alloc", "app"), deps=["util"], prefer_dynamic=True, **words)
    return World(UTIL, app, dylibs=["util"]).link("app", kind).artifacts[-1].data


@pytest.mark.parametrize("mode", ["off", "fat", "thin"])
@pytest.mark.parametrize("kind", [CrateType.BIN, CrateType.CDYLIB, CrateType.DYLIB])
def test_a_dylib_without_the_shim_does_not_stand_for_it(kind: CrateType, mode: str) -> None:
    assert b"alloc malloc" in _heap(kind, lto=mode)


def test_what_provides_the_allocator_is_not_behind_another_shim() -> None:
    """The dylib's shim would call the platform's allocator, and the program's own would never be called."""
    mine = _crate("mine", _module("m", "global_alloc"), allocator="provides")
    app = _crate("app", _module("a", "app", "needs"), deps=["needs", "mine"], prefer_dynamic=True)
    with pytest.raises(LinkError, match="'mine' provides the global allocator, but the dylib of crate 'needs'"):
        World(NEEDS, mine, app, dylibs=["needs"]).link("app", CrateType.BIN)
    below = replace(NEEDS, dependencies=(CrateReference("mine"),))
    World(below, mine, app, dylibs=["needs"]).link("app", CrateType.BIN)


def test_no_shim_where_nobody_needs_one() -> None:
    alternative = World(UTIL, _lib())
    assert b"malloc" not in alternative.link("lib", CrateType.BIN).artifacts[1].data


def test_a_crate_may_provide_the_allocator_and_only_one() -> None:
    provider = _crate("mine", _module("m", "global_alloc"), allocator="provides")
    alternative = World(NEEDS, provider, _crate("app", _module("a", "app", "needs"), deps=["needs", "mine"]))
    assert b"export alloc @global_alloc" in alternative.link("app", CrateType.STATICLIB).artifacts[1].data
    second = _crate("yours", _module("y"), deps=["mine"], allocator="provides")
    alternative = World(provider, second, _crate("app", _module("a", "app"), deps=["yours"]))
    with pytest.raises(LinkError, match="crates 'yours' and 'mine' both provide the global allocator"):
        alternative.link("app", CrateType.STATICLIB)


def test_native_libraries_in_the_order_of_rustc() -> None:
    base = _crate("base", _module("b", "base"), natives="static=z dl")
    util = _crate("util", _module("u", "util", "base"), deps=["base"], natives="static:-bundle=y m")
    app = _crate("app", _module("a", "app", "util"), deps=["util"], natives="framework=Metal x")
    alternative = World(base, util, app)
    lines = alternative.link("app", CrateType.CDYLIB).artifacts[1].data.decode().splitlines()
    assert [line for line in lines if line.startswith("library")] == [
        "library framework=Metal",
        "library dylib=x",
        "library static:-bundle=y",
        "library static=z",
        "library dylib=m",
        "library dylib=dl",
    ]


def test_what_is_inside_a_dylib_is_not_linked_again() -> None:
    base = _crate("base", _module("b", "base"), natives="static=z dl")
    util = _crate("util", _module("u", "util", "base"), deps=["base"], natives="static=y m")
    alternative = World(base, util, _crate("app", _module("a", "app", "util"), deps=["util"], prefer_dynamic=True),
                  dylibs=["util"])  # fmt: skip
    lines = (
        alternative.link("app", CrateType.DYLIB).artifacts[1].data.split(b"cratewright-dylib")[0].decode().splitlines()
    )
    assert [line for line in lines if line.startswith(("library", "dylib", "module"))] == [
        "module a",
        "dylib util",
        "library dylib=m",
    ]


def test_metadata_rides_in_dylibs_only() -> None:
    alternative = World(UTIL, _lib())
    for kind in TYPES:
        assert (b"cratewright-dylib" in alternative.link("lib", kind).artifacts[1].data) == (kind is CrateType.DYLIB)


@pytest.mark.parametrize(
    ("kind", "linked"),
    [(CrateType.BIN, ("util",)), (CrateType.CDYLIB, ("util",)), (CrateType.DYLIB, ("util", "spare"))],
)
def test_what_is_linked_whole(kind: CrateType, linked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """What any crate of the link asks for; and all of a dylib, which stands for the rlibs in it."""
    asked: list[tuple[str, ...]] = []
    spare = _crate("spare", _module("s", "spare"))
    mid = replace(_crate("mid", _module("m", "mid")), dependencies=(replace(UTIL.reference, whole=True),))
    app = _crate("app", _module("a", "app", entry="app"), deps=["mid", "spare"])
    alternative = World(UTIL, spare, mid, app)
    link = type(alternative.engine.backend("noting", "text")).link

    def noting(self: StubBackend, request: LinkRequest) -> LinkResult:
        asked.append(request.whole)
        return link(self, request)

    monkeypatch.setattr(type(alternative.engine.backend("noting", "text")), "link", noting)
    alternative.link("app", kind)
    assert set(linked) == set(asked[0]) - {"mid"}
