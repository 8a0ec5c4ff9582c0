"""Round trips of a crate through each of its file formats."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from cratewright.formats.crate_document import decode_document, encode_document
from cratewright.formats.crate_metadata import PRODUCER, CrateMetadata
from cratewright.formats.metadata import (
    METADATA_MEMBER,
    decode_dylib,
    decode_rlib,
    decode_rlink,
    encode_dylib,
    encode_rlib,
    encode_rlink,
    read_interface,
    read_metadata,
)
from cratewright.rules.dependency_format import Linkage
from cratewright.values.identity import CrateReference
from cratewright.values.module import EntryPoint, ModuleCodegen, ModuleKind, Symbol
from cratewright.values.options import Options
from tests.support.crate_files import CRATE, EVERY_FILE, FILES, WHOLE, without_data

SYMBOLS = st.builds(Symbol, st.text(), st.text(), st.text(), st.integers(0, 10**6), st.text())
DIGESTS = st.sampled_from(["", "ab" * 32, "0123456789abcdef" * 4])
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,9}", fullmatch=True)

# Module names become file names, as `output_place` requires.
PARTS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters='/"\\'), min_size=1, max_size=20
)

REFERENCES = st.builds(CrateReference, NAMES, st.text(), DIGESTS)

MODULES = st.builds(
    ModuleCodegen,
    name=st.lists(PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=3).map("/".join),
    data=st.binary(max_size=30),
    kind=st.sampled_from(ModuleKind),
    exports=st.lists(SYMBOLS, max_size=2).map(tuple),
    imports=st.lists(SYMBOLS, max_size=2).map(tuple),
    entry_points=st.lists(st.builds(EntryPoint, st.text(), st.text()), max_size=2).map(tuple),
    attributes=st.dictionaries(st.text(), st.text(), max_size=2).map(lambda items: tuple(sorted(items.items()))),
)


@EVERY_FILE
def test_round_trip(kind: str) -> None:
    data, decode, value = FILES[kind]
    assert decode(data, path="x") == value
    crate = value[0] if isinstance(value, tuple) else value
    assert isinstance(crate, CrateMetadata)
    assert read_metadata(data, path="x") == without_data(crate)
    assert read_interface(data, path="x") == WHOLE.interface != ""


def test_round_trip_of_an_empty_crate() -> None:
    empty = replace(CRATE, modules=(), dependencies=(), options=Options(()), natives=(), metadata=())
    assert decode_rlib(encode_rlib(empty), path="x") == empty
    assert decode_rlink(encode_rlink(empty), path="x") == empty
    assert decode_dylib(encode_dylib(empty, ()), path="x") == (empty, ())


@given(st.lists(REFERENCES, max_size=4), st.lists(st.sampled_from(Linkage), min_size=4, max_size=4))
def test_round_trip_of_any_dependencies(references: list[CrateReference], linkages: list[Linkage]) -> None:
    crate = replace(CRATE, dependencies=tuple(references), modules=())
    inside = tuple(zip(references, linkages, strict=False))
    assert decode_rlink(encode_rlink(crate), path="x") == crate
    assert decode_dylib(b"ELF" + encode_dylib(crate, inside), path="x") == (crate, inside)


@given(st.lists(MODULES, max_size=4, unique_by=lambda module: module.name))
def test_round_trip_of_any_modules(modules: list[ModuleCodegen]) -> None:
    safe = [module for module in modules if module.name != METADATA_MEMBER]
    crate = replace(CRATE, modules=tuple(safe))
    assert decode_rlink(encode_rlink(crate), path="x") == crate
    assert decode_dylib(encode_dylib(crate, ()), path="x") == (without_data(crate, imports=(), attributes=()), ())
    if not any("\0" in symbol.name for module in safe for symbol in module.exports):
        assert decode_rlib(encode_rlib(crate), path="x") == crate


def test_document_stores_each_string_once() -> None:
    symbols = tuple(Symbol(f"a_long_linkage_name_{number}", "f", "some/file.glsl", 1) for number in range(100))
    modules = tuple(ModuleCodegen(name=f"{number}.o", data=b"", exports=symbols) for number in range(2))
    text = encode_document(replace(CRATE, modules=modules))
    assert text.count(b"a_long_linkage_name_77") == 1 and text.count(b"some/file.glsl") == 1
    assert decode_document(text, interface="", path="x")[0].modules == modules


def test_every_field_is_encoded() -> None:
    """A field that is not encoded would come back empty."""
    again = decode_rlib(encode_rlib(WHOLE), path="x")
    assert again.producer == PRODUCER
    for field in fields(WHOLE):
        assert getattr(again, field.name) == getattr(WHOLE, field.name), field.name
        assert getattr(again, field.name), field.name
