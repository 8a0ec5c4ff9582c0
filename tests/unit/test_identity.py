"""The identity of a crate: what its stable id, interface and content depend on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cratewright.formats.crate_metadata import CrateMetadata, identified
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference, stable_crate_id, unique_labels
from cratewright.values.module import EntryPoint, ModuleCodegen, Symbol
from cratewright.values.options import Options

MODULE = ModuleCodegen(
    name="a.o",
    data=b"body",
    exports=(Symbol("f", "f", "a.stub", 3, "float (int)"), Symbol("h", "h")),
    imports=(Symbol("g", "g", "a.stub", 4),),
    entry_points=(EntryPoint("vertex", "main"),),
)
CRATE = identified(
    CrateMetadata(
        name="noise",
        version="1.0.0",
        backend="stub",
        fingerprint="stub 1",
        target="text",
        crate_types=(CrateType.RLIB,),
        dependencies=(CrateReference("base", "12ab"), CrateReference("maths", "34cd")),
        options=Options(()),
        modules=(MODULE, ModuleCodegen(name="b.o", data=b"other", exports=(Symbol("k", "k"),))),
    )
)


def _module(**changes: object) -> CrateMetadata:
    return replace(CRATE, modules=(replace(MODULE, **changes), *CRATE.modules[1:]))  # type: ignore[arg-type]


def test_stable_id_depends_only_on_name_version_and_metadata() -> None:
    ids = [
        stable_crate_id("noise", "1.0.0"),
        stable_crate_id("noise", "2.0.0"),
        stable_crate_id("other", "1.0.0"),
        stable_crate_id("noise", "1.0.0", ("debug",)),
        stable_crate_id("noise", "1.0.0", ("debug", "simd")),
        stable_crate_id("noise", "1.0.0", ("debug simd",)),
        stable_crate_id("noise1.0.0", ""),
    ]
    assert len(set(ids)) == len(ids) and {len(each) for each in ids} == {16}
    assert CRATE.stable_id == ids[0] == replace(CRATE, modules=(), target="text2", interface="").stable_id


@pytest.mark.parametrize(
    "changed",
    [
        _module(data=b"another body"),
        _module(imports=()),
        _module(exports=(Symbol("f", "shown otherwise", "b.stub", 99, "float (int)"), Symbol("h", "h"))),
        _module(exports=tuple(reversed(MODULE.exports))),
        _module(attributes=(("key", "value"),)),
        replace(CRATE, options=Options((("lto", "fat"),))),
        replace(CRATE, fingerprint="stub 2"),
        replace(CRATE, crate_types=(CrateType.CDYLIB,)),
        replace(CRATE, modules=tuple(reversed(CRATE.modules))),
        replace(CRATE, dependencies=tuple(reversed(CRATE.dependencies))),
        replace(CRATE, allocator="needs"),
    ],
)
def test_changes_of_content_only(changed: CrateMetadata) -> None:
    again = identified(changed)
    assert again.interface == CRATE.interface
    assert again.content != CRATE.content


@pytest.mark.parametrize(
    "changed",
    [
        _module(exports=MODULE.exports[:1]),
        _module(exports=(*MODULE.exports, Symbol("new", "new"))),
        _module(exports=(Symbol("f", "f", "a.stub", 3, "float (float)"), Symbol("h", "h"))),
        _module(entry_points=()),
        _module(entry_points=(EntryPoint("fragment", "main"),)),
        replace(CRATE, version="1.0.1"),
        replace(CRATE, metadata=("debug",)),
        replace(CRATE, target="text2"),
        replace(CRATE, backend="other"),
        replace(CRATE, dependencies=CRATE.dependencies[:1]),
        replace(CRATE, dependencies=(CrateReference("base", "ffff"), CRATE.dependencies[1])),
    ],
)
def test_changes_of_the_interface(changed: CrateMetadata) -> None:
    again = identified(changed)
    assert again.interface != CRATE.interface
    assert again.content != CRATE.content


def test_interfaces_of_dependencies_change_neither() -> None:
    later = identified(CRATE.knowing({"12ab": "ee" * 32, "none of its own": "ff" * 32}))
    assert (later.interface, later.content) == (CRATE.interface, CRATE.content)
    assert later.dependencies == (CrateReference("base", "12ab", "ee" * 32), CrateReference("maths", "34cd"))
    assert later.knowing({}) == later and later.reference == CrateReference("noise", CRATE.stable_id, CRATE.interface)


Row = tuple[str, str, tuple[str, ...]]


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        ([], ()),
        ([("app", "1", ()), ("noise", "1", ())], ("app", "noise")),
        ([("app", "1", ()), ("noise", "1", ()), ("noise", "2", ())], ("app", "noise 1", "noise 2")),
        ([("noise", "2", ()), ("noise", "1", ())], ("noise", "noise 1")),
        (
            [("app", "1", ()), ("noise", "1", ("a",)), ("noise", "1", ("b", "c")), ("noise", "2", ())],
            ("app", "noise 1 (a)", "noise 1 (b c)", "noise 2"),
        ),
    ],
)
def test_labels_are_unique(rows: list[Row], labels: tuple[str, ...]) -> None:
    assert unique_labels(rows) == labels
