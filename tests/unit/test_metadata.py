"""rlibs and .rlinks: what goes in comes out, and what is damaged is refused.

Knows nothing of the files' places.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.archive import Member, read_archive, write_archive
from cratewright.crate import CrateType
from cratewright.digest import content_digest
from cratewright.errors import FormatError
from cratewright.metadata import (
    METADATA_MEMBER,
    CrateMetadata,
    decode_rlib,
    decode_rlink,
    encode_rlib,
    encode_rlink,
    read_metadata,
)
from cratewright.module import EntryPoint, ModuleCodegen, ModuleKind, Symbol
from cratewright.native_library import LibraryKind, NativeLibrary
from cratewright.options import Options

CRATE = CrateMetadata(
    name="noise",
    version="1.2.3",
    backend="stub",
    fingerprint="stub 1",
    target="text",
    crate_types=(CrateType.RLIB, CrateType.CDYLIB),
    dependencies=("maths", "base"),
    options=Options(
        (("defines", (("A", None), ("B", "1"))), ("include_dirs", ("x",)), ("lto", "fat"), ("multimodule", True))
    ),
    modules=(
        ModuleCodegen(
            name="a.o",
            data=b"data of a",
            exports=(Symbol("f", "float f()", "a.stub", 3),),
            imports=(Symbol("g", "g", "a.stub", 4),),
            entry_points=(EntryPoint("vertex", "main"),),
            attributes=(("key", "value"),),
        ),
        ModuleCodegen(name="dir/b.o", data=b"", kind=ModuleKind.ALLOCATOR),
        ModuleCodegen(name="ü.o", data=bytes(range(256))),
    ),
    natives=(NativeLibrary("m"), NativeLibrary("z", LibraryKind.STATIC, bundle=True, whole_archive=True)),
    allocator="provides",
)

SYMBOLS = st.builds(Symbol, st.text(), st.text(), st.text(), st.integers(0, 10**6))
MODULES = st.builds(
    ModuleCodegen,
    name=st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20),
    data=st.binary(max_size=30),
    kind=st.sampled_from(ModuleKind),
    exports=st.lists(SYMBOLS, max_size=2).map(tuple),
    imports=st.lists(SYMBOLS, max_size=2).map(tuple),
    entry_points=st.lists(st.builds(EntryPoint, st.text(), st.text()), max_size=2).map(tuple),
    attributes=st.dictionaries(st.text(), st.text(), max_size=2).map(lambda items: tuple(sorted(items.items()))),
)


@pytest.mark.parametrize(("encode", "decode"), [(encode_rlib, decode_rlib), (encode_rlink, decode_rlink)])
def test_round_trip(encode, decode) -> None:  # type: ignore[no-untyped-def]
    assert decode(encode(CRATE), path="x") == CRATE
    assert read_metadata(encode(CRATE), path="x") == CRATE
    empty = replace(CRATE, modules=(), dependencies=(), options=Options(()))
    assert decode(encode(empty), path="x") == empty


@given(st.lists(MODULES, max_size=4, unique_by=lambda module: module.name))
def test_round_trip_of_any_modules(modules: list[ModuleCodegen]) -> None:
    safe = [module for module in modules if module.name != METADATA_MEMBER]
    crate = replace(CRATE, modules=tuple(safe))
    assert decode_rlink(encode_rlink(crate), path="x") == crate
    if not any("\0" in symbol.name for module in safe for symbol in module.exports):
        assert decode_rlib(encode_rlib(crate), path="x") == crate


def test_an_rlib_begins_with_its_metadata() -> None:
    names = [member.name for member in read_archive(encode_rlib(CRATE), path="x")]
    assert names == [METADATA_MEMBER, "a.o", "dir/b.o", "ü.o"]


def test_every_byte_of_an_rlink_counts() -> None:
    data = encode_rlink(CRATE)
    for position in range(len(data)):
        flipped = data[:position] + bytes([data[position] ^ 0x20]) + data[position + 1 :]
        with pytest.raises(FormatError, match=r"noise\.rlink"):
            decode_rlink(flipped, path="noise.rlink")


def test_an_rlink_cut_short_or_too_long() -> None:
    data = encode_rlink(CRATE)
    for size in range(len(data)):
        with pytest.raises(FormatError, match=r"noise\.rlink"):
            decode_rlink(data[:size], path="noise.rlink")
    with pytest.raises(FormatError, match=r"noise\.rlink"):
        decode_rlink(data + b"\n", path="noise.rlink")


def test_every_byte_of_a_module_in_an_rlib_counts() -> None:
    data = encode_rlib(CRATE)
    for module in CRATE.modules:
        for position in range(len(module.data)):
            damaged = bytearray(module.data)
            damaged[position] ^= 1
            start = data.index(module.data) if module.data else 0
            flipped = data[:start] + bytes(damaged) + data[start + len(module.data) :]
            with pytest.raises(FormatError, match=r"libnoise\.rlib"):
                decode_rlib(flipped, path="libnoise.rlib")


def test_an_rlib_with_flipped_bytes_never_fails_in_another_way() -> None:
    data = encode_rlib(CRATE)
    for position in range(len(data)):
        for mask in (0x01, 0x10, 0x80):
            flipped = data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]
            try:
                found = decode_rlib(flipped, path="libnoise.rlib")
            except FormatError as error:
                assert "libnoise.rlib" in str(error)
            else:
                assert [module.data for module in found.modules] == [module.data for module in CRATE.modules]


def test_an_rlib_cut_short() -> None:
    data = encode_rlib(CRATE)
    for size in range(len(data)):
        try:
            found = decode_rlib(data[:size], path="libnoise.rlib")
        except FormatError as error:
            assert "libnoise.rlib" in str(error)
        else:
            assert found == CRATE and data[size:] == b"\n"  # only the last member's padding is gone


@pytest.mark.parametrize("data", [b"", b"hello", b"!<arch>\n", b"cratewright-rlin", b"\0" * 100])
def test_foreign_files(data: bytes) -> None:
    for decode in (decode_rlib, decode_rlink, read_metadata):
        with pytest.raises(FormatError, match="foreign"):
            decode(data, path="foreign")


def test_an_archive_that_is_no_rlib() -> None:
    with pytest.raises(FormatError, match="is an archive but no rlib"):
        decode_rlib(write_archive([Member("a.o", b"x")]), path="x")


def test_members_too_many_or_too_few() -> None:
    members = list(read_archive(encode_rlib(CRATE), path="x"))
    for changed in (members[:-1], [*members, Member("more", b"")]):
        with pytest.raises(FormatError, match="truncated or damaged"):
            decode_rlib(write_archive(changed), path="x")


def _with_metadata(text: bytes) -> tuple[bytes, bytes]:
    """Return an rlib and an rlink, whole in every other way, whose metadata is something else."""
    rlib = write_archive([Member(METADATA_MEMBER, b"cratewright-rmeta\n" + text)])
    body = b"cratewright-rlink\n" + len(text).to_bytes(4, "big") + text
    return rlib, body + bytes.fromhex(content_digest(body))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "name": "a", "modules": [1], "options": {}}',
        b"\xff",
        b"[" * 100_000,
        b'{"format":1,"name":"n","version":"","backend":"","fingerprint":"","target":"","crate_types":[],'
        b'"dependencies":[],"options":{},"modules":[{"name":"a","size":1e999,"digest":""}]}',
        b'{"format":1,"name":"n","version":"","backend":"","fingerprint":"","target":"","crate_types":[],'
        b'"dependencies":[],"options":{},"modules":[{"name":"a"}]}',
        b'{"format":1,"name":"n","version":"","backend":"","fingerprint":"","target":"","crate_types":["rlub"],'
        b'"dependencies":[],"options":{},"modules":[]}',
    ],
    ids=lambda text: text[:20].decode(errors="replace"),
)
def test_metadata_that_is_none(text: bytes) -> None:
    rlib, rlink = _with_metadata(text)
    with pytest.raises(FormatError, match="damaged"):
        decode_rlib(rlib, path="x")
    with pytest.raises(FormatError, match="damaged"):
        decode_rlink(rlink, path="x")


def test_another_version() -> None:
    rlib, rlink = _with_metadata(b'{"format": 99, "something": "new"}')
    for data in (rlib, rlink):
        with pytest.raises(FormatError, match="made by another version of cratewright") as caught:
            read_metadata(data, path="x")
        assert ("its format", "99") in caught.value.context


def test_every_field_is_kept() -> None:
    """A field that is forgotten on the way would come back with nothing in it."""
    again = decode_rlib(encode_rlib(CRATE), path="x")
    for field in fields(CRATE):
        assert getattr(again, field.name) == getattr(CRATE, field.name), field.name
        assert getattr(again, field.name), field.name
