"""The crate types that share one LTO run."""

from __future__ import annotations

import threading

import pytest

from cratewright.testing import StubBackend
from cratewright.values.crate_type import CrateType
from tests.support.linked_crates import UTIL, LinkedCrates, both_types, crate_of, lib_crate, module_of


@pytest.mark.parametrize("mode", ["fat", "thin"])
def test_different_formats_have_separate_lto_runs(mode: str) -> None:
    """rustc gets this wrong: it drops LTO of the dependencies, but not their objects."""
    alternative = both_types(lto=mode, prefer_dynamic=True)
    static = alternative.link("lib", CrateType.STATICLIB)
    dynamic = alternative.link("lib", CrateType.DYLIB)
    runs = [words[: words.index("exported")] for words in alternative.called(f"run_{mode}_lto")]
    assert runs == [("lib/l1", "lib/l2", "util/u1", "util/u2"), ("lib/l1", "lib/l2")]
    assert b"module u1" in static.artifacts[1].data and b"dylib util" not in static.artifacts[1].data
    assert b"module u1" not in dynamic.artifacts[1].data and b"dylib util" in dynamic.artifacts[1].data
    assert not static.lto_shared and not dynamic.lto_shared


@pytest.mark.parametrize("mode", ["fat", "thin", "thin-local"])
def test_equal_formats_share_one_lto_run(mode: str) -> None:
    alternative = both_types(lto=mode)
    first = alternative.link("lib", CrateType.STATICLIB)
    second = alternative.link("lib", CrateType.CDYLIB)
    assert len(alternative.called("run_fat_lto" if mode == "fat" else "run_thin_lto")) == 1
    assert (first.lto_shared, second.lto_shared) == (False, True)
    assert first.lto == second.lto
    assert len(alternative.called("link")) == 2


def test_other_exported_symbols_prevent_sharing() -> None:
    alternative = both_types(lto="fat")
    alternative.link("lib", CrateType.DYLIB)
    alternative.link("lib", CrateType.CDYLIB)
    assert len(alternative.called("run_fat_lto")) == 2


def test_threads_share_one_lto_run() -> None:
    alternative = both_types(lto="fat")
    kinds = [CrateType.STATICLIB, CrateType.CDYLIB] * 4
    threads = [threading.Thread(target=alternative.link, args=("lib", kind)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(alternative.called("run_fat_lto")) == 1 and len(alternative.called("link")) == 8


def test_options_that_no_module_uses_do_not_prevent_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = crate_of("app", module_of("a", "f"), lto="fat")
    for names, shared in ((None, False), (frozenset({"opt_level"}), True)):
        alternative = LinkedCrates(quiet)
        monkeypatch.setattr(StubBackend, "MODULE_OPTIONS", names)
        assert not alternative.link("app", CrateType.CDYLIB).lto_shared
        alternative.crates["app"] = crate_of("app", module_of("a", "f"), lto="fat", shout=True)
        linked = alternative.link("app", CrateType.CDYLIB)
        assert linked.lto_shared is shared
        assert b"EXPORT F" in linked.artifacts[-1].data, "the link still uses them"


def test_crate_types_may_have_different_modes() -> None:
    alternative = LinkedCrates(UTIL, lib_crate(lto=(("cdylib", "fat"), ("staticlib", "thin"))))
    for kind in (CrateType.CDYLIB, CrateType.STATICLIB, CrateType.DYLIB):
        alternative.link("lib", kind)
    assert len(alternative.called("run_fat_lto")) == len(alternative.called("run_thin_lto")) == 1
    assert len(alternative.called("codegen")) == 1 + 4  # the fat module, and all of the dylib's
