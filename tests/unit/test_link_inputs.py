"""Inputs of a link besides modules: the allocator shim, native libraries and metadata."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cratewright.base.errors import LinkError
from cratewright.testing import StubBackend
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.option_spec import OptionValue
from cratewright.values.request import LinkRequest, LinkResult
from tests.support.linked_crates import NEEDS, TYPES, UTIL, LinkedCrates, crate_of, lib_crate, module_of


def test_dylib_exports_the_shim() -> None:
    alternative = LinkedCrates(crate_of("app", module_of("a", "f"), lto="fat", allocator="needs"))
    for kind, offered in ((CrateType.DYLIB, ["alloc", "f"]), (CrateType.CDYLIB, ["f"])):
        alternative.notes.clear()
        alternative.link("app", kind)
        (note,) = (note for note in alternative.notes if note[0] == "run_fat_lto")
        assert list(note[note.index("exported") + 1 :]) == offered


@pytest.mark.parametrize("mode", ["off", "fat", "thin"])
def test_shim_is_linked_only_without_dynamic_dependencies(mode: str) -> None:
    alternative = LinkedCrates(
        NEEDS, crate_of("app", module_of("a", "app", "needs"), deps=["needs"], lto=mode, prefer_dynamic=True),
        dylibs=["needs"],
    )  # fmt: skip
    static, dynamic = alternative.link("app", CrateType.STATICLIB), alternative.link("app", CrateType.DYLIB)
    assert b"export alloc malloc" in static.artifacts[1].data.replace(b"internal", b"export")
    assert b"malloc" not in dynamic.artifacts[1].data
    if mode != "off":
        runs = alternative.called(f"run_{mode}_lto")
        assert "app/allocator" in runs[0] and "app/allocator" not in runs[1]


def _heap(kind: CrateType, **options: OptionValue) -> bytes:
    """Link a crate that needs an allocator with a dylib; return the artifact."""
    words: dict[str, OptionValue] = {"allocator": "needs", **options}
    app = crate_of("app", module_of("a", "app", "util alloc", "app"), deps=["util"], prefer_dynamic=True, **words)
    return LinkedCrates(UTIL, app, dylibs=["util"]).link("app", kind).artifacts[-1].data


@pytest.mark.parametrize("mode", ["off", "fat", "thin"])
@pytest.mark.parametrize("kind", [CrateType.BIN, CrateType.CDYLIB, CrateType.DYLIB])
def test_shim_is_linked_beside_a_dylib_without_one(kind: CrateType, mode: str) -> None:
    assert b"alloc malloc" in _heap(kind, lto=mode)


def test_provided_allocator_conflicts_with_the_shim_of_a_dylib() -> None:
    """The dylib's shim would call the platform's allocator instead of the provided one."""
    mine = crate_of("mine", module_of("m", "global_alloc"), allocator="provides")
    app = crate_of("app", module_of("a", "app", "needs"), deps=["needs", "mine"], prefer_dynamic=True)
    with pytest.raises(LinkError, match="'mine' provides the global allocator, but the dylib of crate 'needs'"):
        LinkedCrates(NEEDS, mine, app, dylibs=["needs"]).link("app", CrateType.BIN)
    below = replace(NEEDS, dependencies=(CrateReference("mine"),))
    LinkedCrates(below, mine, app, dylibs=["needs"]).link("app", CrateType.BIN)


def test_no_shim_without_a_crate_that_needs_it() -> None:
    alternative = LinkedCrates(UTIL, lib_crate())
    assert b"malloc" not in alternative.link("lib", CrateType.BIN).artifacts[1].data


def test_only_one_crate_provides_the_allocator() -> None:
    provider = crate_of("mine", module_of("m", "global_alloc"), allocator="provides")
    alternative = LinkedCrates(NEEDS, provider, crate_of("app", module_of("a", "app", "needs"), deps=["needs", "mine"]))
    assert b"export alloc @global_alloc" in alternative.link("app", CrateType.STATICLIB).artifacts[1].data
    second = crate_of("yours", module_of("y"), deps=["mine"], allocator="provides")
    alternative = LinkedCrates(provider, second, crate_of("app", module_of("a", "app"), deps=["yours"]))
    with pytest.raises(LinkError, match="crates 'yours' and 'mine' both provide the global allocator"):
        alternative.link("app", CrateType.STATICLIB)


def test_native_libraries_in_the_order_of_rustc() -> None:
    base = crate_of("base", module_of("b", "base"), natives="static=z dl")
    util = crate_of("util", module_of("u", "util", "base"), deps=["base"], natives="static:-bundle=y m")
    app = crate_of("app", module_of("a", "app", "util"), deps=["util"], natives="framework=Metal x")
    alternative = LinkedCrates(base, util, app)
    lines = alternative.link("app", CrateType.CDYLIB).artifacts[1].data.decode().splitlines()
    assert [line for line in lines if line.startswith("library")] == [
        "library framework=Metal",
        "library dylib=x",
        "library static:-bundle=y",
        "library static=z",
        "library dylib=m",
        "library dylib=dl",
    ]


def test_crate_inside_a_dylib_is_not_linked_again() -> None:
    base = crate_of("base", module_of("b", "base"), natives="static=z dl")
    util = crate_of("util", module_of("u", "util", "base"), deps=["base"], natives="static=y m")
    app = crate_of("app", module_of("a", "app", "util"), deps=["util"], prefer_dynamic=True)
    alternative = LinkedCrates(base, util, app, dylibs=["util"])
    lines = (
        alternative.link("app", CrateType.DYLIB).artifacts[1].data.split(b"cratewright-dylib")[0].decode().splitlines()
    )
    assert [line for line in lines if line.startswith(("library", "dylib", "module"))] == [
        "module a",
        "dylib util",
        "library dylib=m",
    ]


def test_only_dylibs_contain_metadata() -> None:
    alternative = LinkedCrates(UTIL, lib_crate())
    for kind in TYPES:
        assert (b"cratewright-dylib" in alternative.link("lib", kind).artifacts[1].data) == (kind is CrateType.DYLIB)


@pytest.mark.parametrize(
    ("kind", "linked"),
    [(CrateType.BIN, ("util",)), (CrateType.CDYLIB, ("util",)), (CrateType.DYLIB, ("util", "spare"))],
)
def test_crates_linked_whole(kind: CrateType, linked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that any crate of the link requests, and all crates of a dylib, which replaces their rlibs."""
    requested: list[tuple[str, ...]] = []
    spare = crate_of("spare", module_of("s", "spare"))
    mid = replace(crate_of("mid", module_of("m", "mid")), dependencies=(replace(UTIL.reference, whole=True),))
    app = crate_of("app", module_of("a", "app", entry="app"), deps=["mid", "spare"])
    alternative = LinkedCrates(UTIL, spare, mid, app)
    link = type(alternative.engine.backend("noting", "text")).link

    def noting(self: StubBackend, request: LinkRequest) -> LinkResult:
        requested.append(request.whole)
        return link(self, request)

    monkeypatch.setattr(type(alternative.engine.backend("noting", "text")), "link", noting)
    alternative.link("app", kind)
    assert set(linked) == set(requested[0]) - {"mid"}
