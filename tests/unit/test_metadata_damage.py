"""Damaged crate files are rejected with a format error, in bounded memory."""

from __future__ import annotations

import random
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import pytest

from cratewright.base.digest import content_digest
from cratewright.base.errors import FormatError, VersionError
from cratewright.formats import crate_document, option_rows
from cratewright.formats.archive import Member, read_archive, write_archive
from cratewright.formats.crate_document import encode_document
from cratewright.formats.crate_metadata import identified
from cratewright.formats.metadata import (
    ENCODING_VERSION,
    METADATA_MEMBER,
    decode_rlib,
    decode_rlink,
    encode_dylib,
    encode_rlib,
    encode_rlink,
    read_metadata,
)
from cratewright.values.module import ModuleCodegen, ModuleKind, Symbol
from tests.support.crate_files import CRATE, EVERY_FILE, FILES, INSIDE, WHOLE


def test_rlib_begins_with_its_metadata() -> None:
    names = [member.name for member in read_archive(encode_rlib(CRATE), path="x")]
    assert names == [METADATA_MEMBER, "a.o", "dir/b.o", "ü.o"]


def test_flipped_byte_of_an_rlink_is_detected() -> None:
    data = encode_rlink(CRATE)
    for position in range(len(data)):
        flipped = data[:position] + bytes([data[position] ^ 0x20]) + data[position + 1 :]
        with pytest.raises(FormatError, match=r"noise\.rlink"):
            decode_rlink(flipped, path="noise.rlink")


def test_truncated_or_extended_rlink_is_rejected() -> None:
    data = encode_rlink(CRATE)
    for size in range(len(data)):
        with pytest.raises(FormatError, match=r"noise\.rlink"):
            decode_rlink(data[:size], path="noise.rlink")
    with pytest.raises(FormatError, match=r"noise\.rlink"):
        decode_rlink(data + b"\n", path="noise.rlink")


def test_flipped_byte_of_a_module_in_an_rlib_is_detected() -> None:
    data = encode_rlib(CRATE)
    for module in CRATE.modules:
        for position in range(len(module.data)):
            damaged = bytearray(module.data)
            damaged[position] ^= 1
            start = data.index(module.data) if module.data else 0
            flipped = data[:start] + bytes(damaged) + data[start + len(module.data) :]
            with pytest.raises(FormatError, match=r"libnoise\.rlib"):
                decode_rlib(flipped, path="libnoise.rlib")


def test_flipped_byte_of_an_rlib_raises_only_format_errors() -> None:
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


def test_truncated_rlib_is_rejected() -> None:
    data = encode_rlib(CRATE)
    for size in range(len(data)):
        try:
            found = decode_rlib(data[:size], path="libnoise.rlib")
        except FormatError as error:
            assert "libnoise.rlib" in str(error)
        else:
            assert found == CRATE and data[size:] == b"\n"  # only the last member's padding is missing


@pytest.mark.parametrize("data", [b"", b"hello", b"!<arch>\n", b"cratewright-rlin", b"\0" * 100])
def test_other_files_are_rejected(data: bytes) -> None:
    for decode in (decode_rlib, decode_rlink, read_metadata):
        with pytest.raises(FormatError, match="foreign"):
            decode(data, path="foreign")


def test_archive_without_metadata_is_rejected() -> None:
    with pytest.raises(FormatError, match="is an archive, but not an rlib"):
        decode_rlib(write_archive([Member("a.o", b"x")]), path="x")


def test_missing_or_extra_member_is_rejected() -> None:
    members = list(read_archive(encode_rlib(CRATE), path="x"))
    for changed in (members[:-1], [*members, Member("more", b"")]):
        with pytest.raises(FormatError, match="truncated or damaged"):
            decode_rlib(write_archive(changed), path="x")


def _with_document(text: bytes) -> tuple[bytes, bytes]:
    """Return a valid rlib and rlink except that their document is `text`."""
    numbers = ENCODING_VERSION.to_bytes(4, "big") + len(text).to_bytes(4, "big") + bytes(32)
    heads = [magic + numbers + text for magic in (b"cratewright-rmeta\n", b"cratewright-rlink\n")]
    rmeta, rlink = (head + bytes.fromhex(content_digest(head)) for head in heads)
    return write_archive([Member(METADATA_MEMBER, rmeta)]), rlink


GOOD = crate_document._DOCUMENT.decode(encode_document(replace(CRATE, modules=())))

MODULE = crate_document._Module(
    name="a", size=0, digest="", kind=ModuleKind.REGULAR, exports=(), imports=(), entry_points=(), attributes=()
)


def _option(shape: str, *texts: str | None) -> option_rows.OptionRow:
    return option_rows.OptionRow("a", option_rows.OptionShape(shape), texts)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x90",
        b"\xc0",
        b"\xff",
        b"\x91" * 100_000,
        *(
            crate_document._DOCUMENT.encode(replace(GOOD, **changes))
            for changes in (
                {"modules": (replace(MODULE, size=-1),)},
                {"modules": (replace(MODULE, exports=((0, 0, 0, 0, 9999),)),)},
                {"modules": (replace(MODULE, imports=((-9999, 0, 0, 0, 0),)),)},
                {"natives": ("statik=z",)},
                {"options": (_option("flag"), _option("flag"))},
                {"options": (_option("text"),)},
                {"options": (_option("number", "03"),)},
                {"options": (_option("number", "three"),)},
                {"options": (_option("number"),)},
                {"options": (_option("text", None),)},
                {"options": (_option("texts", None),)},
                {"options": (_option("pairs", "a"),)},
                {"options": (_option("pairs", None, "a"),)},
            )
        ),
    ],
    ids=lambda text: repr(text[-20:]),
)
def test_invalid_document_is_rejected(text: bytes) -> None:
    rlib, rlink = _with_document(text)
    with pytest.raises(FormatError, match="damaged"):
        decode_rlib(rlib, path="x")
    with pytest.raises(FormatError, match="damaged"):
        decode_rlink(rlink, path="x")


@EVERY_FILE
def test_another_version_is_reported_as_such(kind: str) -> None:
    """It is not reported as damage, since such a file may be intact."""
    data, decode, _ = FILES[kind]
    mark = ENCODING_VERSION.to_bytes(4, "big")
    position = data.index(mark, data.index(b"cratewright-"))
    with pytest.raises(VersionError, match="x was made by another version of cratewright") as caught:
        decode(data[:position] + b"\0\0\0\x63" + data[position + 4 :], path="x")
    assert ("its encoding", "version 99") in caught.value.context


def test_order_of_the_checks_of_an_rlink() -> None:
    """Each file passes the checks before the one that rejects it."""
    data = encode_rlink(WHOLE)
    magic = data.index(b"\n") + 1
    for size, said in (
        (magic - 1, "is not a .rlink file"),
        (magic, "has no version number"),
        (magic + 3, "has no version number"),
        (magic + 4, "is truncated or damaged"),
        (len(data) - 1, "is truncated or damaged"),
    ):
        with pytest.raises(FormatError, match=said):
            decode_rlink(data[:size], path="x")
    newer = data[:magic] + b"\0\0\0\x09"
    with pytest.raises(VersionError):
        decode_rlink(newer, path="x")


@EVERY_FILE
def test_mutated_file_is_unchanged_or_rejected(kind: str) -> None:
    """Truncate, flip bits, overwrite or splice: the original value, or a format error."""
    data, decode, value = FILES[kind]
    chance = random.Random(kind)
    survived = 0
    for _ in range(4_000):
        damaged = _mutated(data, chance)
        try:
            found = decode(damaged, path="file")
        except FormatError as error:
            assert "file" in str(error)
        else:
            assert found == value
            survived += 1
    assert survived < 2_000, "most mutations must matter"


def _mutated(data: bytes, chance: random.Random) -> bytes:
    first = chance.randrange(len(data))
    last = min(len(data), first + chance.choice((1, 1, 4, 40)))
    way = chance.randrange(5)
    if way == 0:
        return data[:first]
    if way == 1:
        return data[:first] + bytes([data[first] ^ 1 << chance.randrange(8)]) + data[first + 1 :]
    if way == 2:
        return data[:first] + chance.randbytes(last - first) + data[last:]
    if way == 3:
        return data[:first] + data[last:]
    return data[:first] + data[first:last] * 2 + data[last:]


@EVERY_FILE
def test_decoding_damaged_files_takes_bounded_memory(kind: str) -> None:
    """Wrong sizes allocate nothing: memory is at most twice the file, damaged or not."""
    module = ModuleCodegen(name="a.o", data=random.Random(1).randbytes(400_000), exports=(Symbol("f", "f"),))
    crate = identified(replace(CRATE, modules=(module, replace(module, name="b.o"))))
    embedded = b"\x7fELF" + module.data + encode_dylib(crate, INSIDE)
    data = {"rlib": encode_rlib(crate), "rlink": encode_rlink(crate), "dylib": embedded}[kind]
    _, decode, _ = FILES[kind]
    head = data.index(b"cratewright-")
    chance = random.Random(kind)
    cases = [data, data[: len(data) // 2], data[:-1]]
    for _ in range(60):
        position = chance.choice((head + chance.randrange(80), chance.randrange(len(data)), chance.randrange(200)))
        cases.append(data[:position] + bytes([data[position] ^ 1 << chance.randrange(8)]) + data[position + 1 :])
    tracemalloc.start()
    try:
        for case in cases:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            with suppress(FormatError):
                decode(case, path="file")
            assert tracemalloc.get_traced_memory()[1] - before < 2 * len(case)
    finally:
        tracemalloc.stop()
