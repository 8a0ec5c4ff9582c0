"""The modules that each LTO mode merges, optimizes and links."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cratewright.base.errors import LinkError
from cratewright.cache.entry import ObservedResult, encode_alternatives, result_bytes, seal_entry
from cratewright.cache.thin_modules import IndexedThinModules
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.link import Linked
from cratewright.values.crate_type import CrateType
from cratewright.values.request import ThinModule
from tests.support.linked_crates import TYPES, UTIL, LinkedCrates, crate_of, lib_crate, module_of
from tests.support.memory_store import MemoryStore


@pytest.mark.parametrize("kind", TYPES)
def test_off_only_runs_codegen(kind: CrateType) -> None:
    alternative = LinkedCrates(UTIL, lib_crate())
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
def test_own_modules_precede_those_of_static_crates(kind: CrateType, mode: str) -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto=mode))
    alternative.link("lib", kind)
    modules = ("lib/l1", "lib/l2", "util/u1", "util/u2")
    assert alternative.called(f"run_{mode}_lto") == [(*modules, "exported", *EXPORTED[kind])]


def test_only_listed_exports_are_kept() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="fat", exports=("entry",)))
    linked = alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("run_fat_lto")[0][-2:] == ("exported", "entry")
    image = linked.artifacts[1].data.decode()
    assert "export entry" in image and "internal util" in image and "unused" not in image and "other" not in image


def test_program_keeps_its_entry_points() -> None:
    alternative = LinkedCrates(
        UTIL, crate_of("prog", module_of("p", "helper", "util", entry="main"), deps=["util"], lto="thin")
    )
    alternative.link("prog", CrateType.BIN)
    assert alternative.called("run_thin_lto") == [("prog/p", "util/u1", "util/u2", "exported", "main")]
    assert [words[0] for words in alternative.called("optimize_thin")] == ["module p", "module u1"]


def test_undefined_export_is_an_error() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="fat", exports=("entri",)))
    with pytest.raises(LinkError, match="is to export 'entri', which is not defined") as caught:
        alternative.link("lib", CrateType.CDYLIB)
    assert "entry" in caught.value.hint


def test_fat_merges_optimizes_and_lowers_once() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="fat"))
    linked = alternative.link("lib", CrateType.CDYLIB)
    assert [note[0] for note in alternative.notes] == ["run_fat_lto", "optimize_fat", "codegen", "link"]
    assert alternative.called("link") == [("cdylib", "lib/merged")]
    assert linked.lto is not None and (linked.lto.optimized, linked.lto.reused) == (1, 0)
    assert linked.lto.offered == (("util", 2),)


def test_link_takes_only_the_modules_that_thin_lto_kept() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="thin", exports=("entry",)))
    alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("codegen") == []  # thin modules come out lowered
    assert alternative.called("link") == [("cdylib", "lib/l1", "util/u1")]


def test_thin_local_optimizes_only_own_modules() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="thin-local", exports=("entry",)))
    alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("run_thin_lto") == [
        ("lib/l1", "lib/l2", "exported", "entry", "beside", "util/u1", "util/u2")
    ]
    assert sorted(words[0] for words in alternative.called("codegen")) == ["module u1", "module u2"]


def test_cached_analysis_omits_contents_of_the_request() -> None:
    big = 100_000
    modules = [module_of(name, f"f_{name}", "f_a") for name in "abcd"]
    modules = [replace(module, data=module.data + b"x" * big) for module in modules]
    alternative = LinkedCrates(crate_of("lib", *modules, lto="thin", exports=tuple(f"f_{name}" for name in "abcd")))
    kept = MemoryStore()

    def link() -> Linked:
        alternative.engine = Engine("/nowhere", alternative.engine.registry, {}, workers=False)
        alternative.engine._store = kept
        return alternative.link("lib", CrateType.CDYLIB)

    first = link()
    (analysis,) = [data for data in kept.values() if b"IndexedThinModules" in data]
    assert len(analysis) < big
    assert link().artifacts == first.artifacts and len(alternative.called("run_thin_lto")) == 1
    # An analysis of another request is recomputed.
    (key,) = [key for key, data in kept.items() if data is analysis]
    other = result_bytes(IndexedThinModules((ThinModule(name="a", crate="lib", data=b""),), ((7,),)))
    kept[key] = seal_entry(key, encode_alternatives([ObservedResult((), other)]))
    assert link().artifacts == first.artifacts and len(alternative.called("run_thin_lto")) == 2


@pytest.mark.parametrize("mode", ["off", "thin"])
def test_largest_module_starts_first(mode: str) -> None:
    """If it started last, all other workers would wait for it."""
    sizes = {"l1": 2, "l2": 3, "l3": 1}
    modules = [module_of(name, " ".join(f"{name}_{index}" for index in range(size))) for name, size in sizes.items()]
    alternative = LinkedCrates(crate_of("lib", *modules, lto=mode, exports=("l1_0", "l2_0", "l3_0")))
    alternative.link("lib", CrateType.CDYLIB)
    assert [words[0] for words in alternative.called("codegen" if mode == "off" else "optimize_thin")] == [
        "module l2",
        "module l1",
        "module l3",
    ]
    assert alternative.called("link") == [("cdylib", "lib/l1", "lib/l2", "lib/l3")]


def test_modules_without_ir_are_linked_unchanged() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="fat"))
    backend = alternative.engine.registry.backend("noting")
    backend.supports_lto = lambda self, module: module.name != "u1"  # type: ignore[method-assign]
    alternative.link("lib", CrateType.CDYLIB)
    assert alternative.called("run_fat_lto")[0][:3] == ("lib/l1", "lib/l2", "util/u2")
    assert alternative.called("link") == [("cdylib", "lib/merged", "util/u1")]


def test_no_lto_without_any_ir() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto="fat"))
    backend = alternative.engine.registry.backend("noting")
    backend.supports_lto = lambda self, module: False  # type: ignore[method-assign]
    alternative.link("lib", CrateType.CDYLIB)
    assert not alternative.called("run_fat_lto") and not alternative.called("optimize_fat")
    ((_, *names),) = alternative.called("link")
    assert {"lib/l1", "util/u1"} <= set(names)
