"""The choice of the file of a crate among candidates, and the errors if none fits.

The candidates are values: no file is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cratewright.base.digest import content_digest
from cratewright.base.errors import CratewrightError, FormatError, LinkError, VersionError
from cratewright.formats.crate_metadata import CrateMetadata, identified
from cratewright.formats.locator import Candidate, Wanted, check_interfaces, check_stable_ids, choose_candidate
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import ModuleCodegen, Symbol
from cratewright.values.options import Options

Golden = Callable[[str, str], None]


def _crate(name: str, *, body: str = "", exports: str = "f", **changes: object) -> CrateMetadata:
    module = ModuleCodegen(
        name="a.o", data=body.encode(), exports=tuple(Symbol(word, word) for word in exports.split())
    )
    crate = CrateMetadata(
        name=name,
        version="1.0.0",
        backend="stub",
        fingerprint="stub 1",
        target="text",
        crate_types=(CrateType.RLIB,),
        dependencies=(),
        options=Options(()),
        modules=(module,),
        producer="cratewright 0.1.0",
    )
    return identified(replace(crate, **changes))  # type: ignore[arg-type]


APP = _crate("app")
BASE = _crate("base")
WANTED = Wanted(
    reference=BASE.reference,
    by="lib",
    root=APP,
    looked_for=("libbase.rlib", "libbase.so"),
    looked_in=("deps", "."),
)


def _candidate(crate: CrateMetadata, path: str = "deps/libbase.rlib", file: str = "") -> Candidate:
    kind = CrateType.RLIB if path.endswith(".rlib") else CrateType.DYLIB
    return Candidate(path=path, kind=kind, digest=content_digest((file or repr(crate)).encode()), crate=crate)


def _unreadable(error: FormatError, path: str = "deps/libbase.rlib") -> Candidate:
    return Candidate(path=path, kind=CrateType.RLIB, digest="", problem=error)


STALE = _candidate(_crate("base", exports="f g"), "a/libbase.rlib")
OTHER_TARGET = _candidate(_crate("base", target="text2"), "b/libbase.rlib")
OTHER_BACKEND = _candidate(_crate("base", backend="native", fingerprint="clang 19"), "c/libbase.rlib")
OTHER_TOOLS = _candidate(_crate("base", fingerprint="stub 2"), "d/libbase.rlib")
OTHER_PRODUCER = _candidate(_crate("base", producer="cratewright 0.0.9"), "e/libbase.rlib")
OTHER_ENCODING = _unreadable(
    VersionError("f/libbase.rlib was made by another version", context=(("its encoding", "version 1"),)),
    "f/libbase.rlib",
)
DAMAGED = _unreadable(FormatError("g/libbase.rlib is truncated or damaged"), "g/libbase.rlib")
OTHER_VERSION = _candidate(_crate("base", version="2.0.0"), "h/libbase.rlib")
RENAMED = _candidate(_crate("maths"), "i/libbase.rlib")

ERRORS = {
    "not_found": [],
    "not_found_but_others": [OTHER_VERSION, RENAMED],
    "stale": [STALE],
    "wrong_target": [OTHER_TARGET],
    "wrong_backend": [OTHER_BACKEND],
    "incompatible_version": [OTHER_TOOLS, OTHER_PRODUCER, OTHER_ENCODING],
    "damaged": [DAMAGED],
    "two_candidates": [_candidate(BASE), _candidate(_crate("base", body="new"), "other/libbase.rlib")],
    "two_builds": [_candidate(BASE), _candidate(_crate("base", body="new"), "deps/libbase.so")],
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(golden: Golden, name: str) -> None:
    with pytest.raises(LinkError) as caught:
        choose_candidate(WANTED, ERRORS[name])
    golden(f"errors/locator_{name}.txt", f"{caught.value}\n")


def test_error_reports_the_most_relevant_rejection() -> None:
    order = [STALE, OTHER_TARGET, OTHER_BACKEND, OTHER_TOOLS, DAMAGED, OTHER_VERSION]
    for position, first in enumerate(order):
        with pytest.raises(LinkError) as alone:
            choose_candidate(WANTED, [first])
        for candidates in (order[position:], order[position:][::-1]):
            with pytest.raises(LinkError) as caught:
                choose_candidate(WANTED, candidates)
            assert str(caught.value) == str(alone.value)


def test_matching_candidate_is_found_among_others() -> None:
    rejected = [STALE, OTHER_TARGET, OTHER_BACKEND, OTHER_TOOLS, OTHER_ENCODING, DAMAGED, OTHER_VERSION, RENAMED]
    rlib, dylib = _candidate(BASE), _candidate(BASE, "deps/libbase.so", file="the dylib")
    found = choose_candidate(WANTED, [*rejected, rlib, dylib])
    assert (found.rlib, found.dylib, found.crate) == (rlib, dylib, BASE)
    assert choose_candidate(WANTED, [*rejected, dylib]).rlib is None
    assert choose_candidate(WANTED, [dylib]).crate == BASE


def test_copies_of_one_file_are_not_ambiguous() -> None:
    copies = [_candidate(BASE, path, file="the same") for path in ("a/libbase.rlib", "b/libbase.rlib")]
    assert choose_candidate(WANTED, copies).rlib is copies[0]


def test_different_archives_of_one_crate_are_ambiguous() -> None:
    """Same content, but built against different interfaces of dependencies."""
    with pytest.raises(LinkError, match="2 different builds of crate 'base'"):
        choose_candidate(
            WANTED, [_candidate(BASE, "a/libbase.rlib", file="one"), _candidate(BASE, "b/libbase.rlib", file="two")]
        )


def test_unknown_interface_matches_any() -> None:
    wanted = replace(WANTED, reference=CrateReference("base", BASE.stable_id))
    assert choose_candidate(wanted, [STALE]).crate == STALE.crate


def test_equal_stable_ids_are_an_error(golden: Golden) -> None:
    with pytest.raises(LinkError) as caught:
        check_stable_ids([("a/libnoise.rlib", _crate("noise").reference), ("b/libnoise.rlib", BASE.reference)] * 2)
        check_stable_ids(
            [("a/libnoise.rlib", _crate("noise").reference), ("b/libnoise.rlib", _crate("noise").reference)]
        )
    golden("errors/locator_collision.txt", f"{caught.value}\n")
    check_stable_ids([("a", _crate("noise").reference), ("b", _crate("noise", version="2").reference)])
    check_stable_ids([("a", _crate("noise").reference), ("b", _crate("noise", metadata=("simd",)).reference)])


def test_stale_crates_in_one_link(golden: Golden) -> None:
    lib = _crate("lib", dependencies=(BASE.reference,))
    check_interfaces([APP, lib, BASE])
    check_interfaces([APP, lib, _crate("base", body="another body")])
    check_interfaces([APP, lib, _crate("base", version="2.0.0", exports="g")])
    check_interfaces(
        [APP, replace(lib, dependencies=(replace(BASE.reference, interface=""),)), _crate("base", exports="g")]
    )
    with pytest.raises(CratewrightError) as caught:
        check_interfaces([APP, lib, _crate("base", exports="g")])
    golden("errors/locator_stale_in_link.txt", f"{caught.value}\n")
