"""Archives: deterministic, read back as written, compatible with GNU binutils, rejected if damaged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.errors import FormatError
from cratewright.formats.archive import ARCHIVE_MAGIC, Member, read_archive, write_archive
from cratewright.testing import require_tool

NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x00"), min_size=1, max_size=40)
MEMBERS = st.lists(st.builds(Member, NAMES, st.binary(max_size=50)), unique_by=lambda member: member.name)
SAMPLE = (
    Member("lib.rmeta", b"odd"),
    Member("a.o", b"even", ("first", "second")),
    Member("a name of more than sixteen bytes.o", b"\n\n", ("third",)),
    Member("dir/b.o", b""),
    Member("with space", b"x"),
    Member("umlaut-ü-in-a-rather-long-name.o", b"y"),
    Member("exactly15chars_", b"z"),
    Member("exactly_16_chars", b"z"),
)


@given(MEMBERS)
def test_round_trip(members: list[Member]) -> None:
    assert read_archive(write_archive(members), path="x") == tuple(members)


def test_round_trip_with_symbols() -> None:
    found = read_archive(write_archive(SAMPLE), path="x")
    assert [(member.name, member.data) for member in found] == [(member.name, member.data) for member in SAMPLE]


def test_empty_archive() -> None:
    assert write_archive([]) == ARCHIVE_MAGIC
    assert read_archive(ARCHIVE_MAGIC, path="x") == ()


def test_header_has_no_time_owner_or_umask() -> None:
    data = write_archive([Member("a", b"1")])
    assert data == ARCHIVE_MAGIC + b"a/              0           0     0     644     1         `\n1\n"


@pytest.mark.parametrize("name", ["a", "a name of more than sixteen bytes", "x/y"])
def test_duplicate_member_is_rejected(name: str) -> None:
    with pytest.raises(FormatError, match="two members of one archive"):
        write_archive([Member(name, b"1"), Member(name, b"2")])


@pytest.mark.parametrize("name", ["", "a/\nb", "a\nb"])
def test_invalid_member_name_is_rejected(name: str) -> None:
    with pytest.raises(FormatError):
        write_archive([Member(name, b"1")])


def test_truncated_archive_yields_only_whole_members() -> None:
    """A prefix is rejected or, if it ends between two members, has the members before the cut."""
    data = write_archive(SAMPLE)
    whole = tuple((member.name, member.data) for member in SAMPLE)
    refused = 0
    for size in range(len(data)):
        try:
            found = tuple((member.name, member.data) for member in read_archive(data[:size], path="cut"))
        except FormatError as error:
            assert "cut" in str(error)
            refused += 1
        else:
            assert found == whole[: len(found)]
    assert refused > len(data) * 0.9


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_format_errors(data: bytes) -> None:
    for foreign in (data, ARCHIVE_MAGIC + data):
        try:
            read_archive(foreign, path="foreign")
        except FormatError as error:
            assert "foreign" in str(error)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_flipped_byte_raises_only_format_errors(position: int, mask: int) -> None:
    data = bytearray(write_archive(SAMPLE))
    data[position % len(data)] ^= mask
    try:
        read_archive(bytes(data), path="flipped")
    except FormatError as error:
        assert "flipped" in str(error)


@pytest.mark.parametrize("member", range(len(SAMPLE)))
def test_member_size_beyond_end_is_rejected(member: int) -> None:
    data = write_archive(SAMPLE[: member + 1])
    with pytest.raises(FormatError, match="truncated or damaged"):
        read_archive(data[:-2] if SAMPLE[member].data else data[:-1], path="x")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return an archive file with the sample members."""
    require_tool(shutil.which("ar") is not None, "ar")
    path = tmp_path / "sample.a"
    path.write_bytes(write_archive(SAMPLE))
    return path


def _run(*command: str, cwd: Path) -> bytes:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True).stdout


def test_gnu_ar_reads_members(sample: Path) -> None:
    listed = _run("ar", "t", sample.name, cwd=sample.parent).decode().splitlines()
    assert listed == [member.name for member in SAMPLE]
    for member in SAMPLE:
        assert _run("ar", "p", sample.name, member.name, cwd=sample.parent) == member.data


@pytest.mark.parametrize("count", [1, 4, len(SAMPLE)])
def test_same_bytes_as_gnu_ar(tmp_path: Path, count: int) -> None:
    require_tool(shutil.which("ar") is not None, "ar")
    members = [Member(member.name, member.data) for member in SAMPLE[:count] if "/" not in member.name]
    for member in members:
        (tmp_path / member.name).write_bytes(member.data)
        (tmp_path / member.name).chmod(0o644)
    _run("ar", "qcD", "theirs.a", *(member.name for member in members), cwd=tmp_path)
    assert (tmp_path / "theirs.a").read_bytes() == write_archive(members)


@pytest.mark.parametrize("symbols", [("one",), ("one", "three"), ("one", "two", "three")])
def test_same_symbol_table_as_gnu_ar(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    require_tool(shutil.which("as") is not None and shutil.which("ar") is not None, "GNU binutils")
    for symbol in symbols:
        (tmp_path / "source.s").write_text(f".globl {symbol}\n{symbol}: .long 0\n")
        _run("as", "-o", f"{symbol}.o", "source.s", cwd=tmp_path)
        (tmp_path / f"{symbol}.o").chmod(0o644)
    _run("ar", "qcDs", "theirs.a", *(f"{symbol}.o" for symbol in symbols), cwd=tmp_path)
    ours = [Member(f"{symbol}.o", (tmp_path / f"{symbol}.o").read_bytes(), (symbol,)) for symbol in symbols]
    assert (tmp_path / "theirs.a").read_bytes() == write_archive(ours)


def test_nm_reads_symbol_table(sample: Path) -> None:
    require_tool(shutil.which("nm") is not None, "nm")
    done = subprocess.run(["nm", "-s", sample.name], cwd=sample.parent, capture_output=True, text=True, check=False)
    assert "first in a.o" in done.stdout and "second in a.o" in done.stdout
    assert "third in a name of more than sixteen bytes.o" in done.stdout
