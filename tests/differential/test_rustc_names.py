"""Our names of output files against rustc's target specifications."""

from __future__ import annotations

from collections.abc import Iterator

from cratewright.base.errors import UnsupportedError
from cratewright.rules.output_name import output_file_name
from cratewright.values.crate_type import CrateType

from .rustc import Rustc


def _rustc_names(specification: dict[str, object]) -> Iterator[tuple[CrateType, str]]:
    def affixes(kind: str, prefix: str, suffix: str) -> str:
        return f"{specification.get(f'{kind}-prefix', prefix)}it{specification.get(f'{kind}-suffix', suffix)}"

    yield CrateType.RLIB, "libit.rlib"
    yield CrateType.STATICLIB, affixes("staticlib", "lib", ".a")
    if specification.get("executables", True):
        yield CrateType.BIN, affixes("exe", "", "")
    if specification.get("dynamic-linking", False):
        yield CrateType.CDYLIB, affixes("dll", "lib", ".so")
        if not specification.get("only-cdylib", False):
            yield CrateType.DYLIB, affixes("dll", "lib", ".so")


def _our_name(crate_type: CrateType, target: str) -> str:
    try:
        return output_file_name("it", crate_type, target)
    except UnsupportedError:
        return "unsupported"


def test_output_names_equal_those_of_rustc(rustc: Rustc) -> None:
    specifications = rustc.target_specifications()
    assert len(specifications) > 250
    theirs = {
        (target, kind): name
        for target, specification in specifications.items()
        for kind, name in _rustc_names(specification)
    }
    assert {key: _our_name(key[1], key[0]) for key in theirs} == theirs


def test_only_crate_types_unknown_to_rustc_are_refused(rustc: Rustc) -> None:
    for target, specification in rustc.target_specifications().items():
        known = {kind for kind, _ in _rustc_names(specification)}
        refused = {kind for kind in CrateType if _our_name(kind, target) == "unsupported"}
        assert not known & refused, target
        if specification.get("only-cdylib", False):
            assert CrateType.DYLIB in refused, target
