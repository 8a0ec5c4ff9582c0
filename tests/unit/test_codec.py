"""The codec: round trips, and errors for any other bytes in bounded time and memory."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
from enum import Enum

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base import codec
from cratewright.base.codec import Codec
from cratewright.base.serializer import DecodeError
from cratewright.base.values import dataclass
from tests.support.bounds import cpu_below
from tests.support.paths import source_paths


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Flat:
    name: str
    line: int
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deep:
    data: bytes
    colour: Colour = Colour.RED
    ready: bool = False
    rows: tuple[Flat, ...] = ()
    words: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str | None], ...] = ()
    one: tuple[int, tuple[str, ...]] = (0, ())
    maybe: Flat | None = None
    numbers: tuple[tuple[int, ...], ...] = ()


words = st.text(max_size=5) | st.just("\udcff.h")
flats = st.builds(Flat, words, st.integers(-(2**63), 2**64 - 1), st.none() | words)


def _many(item: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(item, max_size=4).map(tuple)


deeps = st.builds(
    Deep,
    data=st.binary(max_size=9),
    colour=st.sampled_from(Colour),
    ready=st.booleans(),
    rows=_many(flats),
    words=_many(words),
    pairs=_many(st.tuples(words, st.none() | words)),
    one=st.tuples(st.integers(0, 9), _many(words)),
    maybe=st.none() | flats,
    numbers=_many(_many(st.integers(0, 300))),
)
DEEP: Codec[Deep] = Codec(Deep)
EITHER: Codec[Deep | Flat] = Codec(Deep | Flat)


@given(deeps | flats)
def test_round_trip(value: Deep | Flat) -> None:
    data = EITHER.encode(value)
    assert EITHER.decode(data) == value
    assert EITHER.encode(EITHER.decode(data)) == data


@given(deeps, st.data())
def test_truncated_and_extended_bytes_are_rejected(value: Deep, data: st.DataObject) -> None:
    encoded = DEEP.encode(value)
    size = data.draw(st.integers(0, len(encoded) - 1))
    for wrong in (encoded[:size], encoded + b"\0", encoded + b"\xc4"):
        with pytest.raises(DecodeError):
            DEEP.decode(wrong)


@given(deeps, st.data())
def test_changed_byte_is_a_valid_value_or_an_error(value: Deep, data: st.DataObject) -> None:
    encoded = bytearray(DEEP.encode(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = DEEP.decode(bytes(encoded))
    except DecodeError:
        return
    assert DEEP.decode(DEEP.encode(found)) == found


@pytest.mark.parametrize(
    "value",
    [
        Deep(data="text"),  # type: ignore[arg-type]
        Deep(data=b"", ready=1),  # type: ignore[arg-type]
        Deep(data=b"", words=["a"]),  # type: ignore[arg-type]
        Deep(data=b"", words=("a", None)),  # type: ignore[arg-type]
        Deep(data=b"", rows=(Flat("a", True, None),)),
        Deep(data=b"", rows=(("a", 1, None),)),  # type: ignore[arg-type]
        Deep(data=b"", maybe=Colour.RED),  # type: ignore[arg-type]
        Deep(data=b"", one=(1,)),  # type: ignore[arg-type]
        Deep(data=b"", pairs=(("a", "b"), ("a",), ("a", "b", "c"))),  # type: ignore[arg-type]
        Deep(data=b"", pairs=(["a", "b"],)),  # type: ignore[arg-type]
        Deep(data=b"", numbers=((2**64,),)),
        Flat("a", 1, None),
    ],
    ids=repr,
)
def test_value_of_another_type_is_not_encoded(value: Deep) -> None:
    with pytest.raises(ValueError):
        DEEP.encode(value)


WHOLE = [b"", "red", False, 0, 0, 0, 0, 0, False, 0]


@pytest.mark.parametrize(
    ("place", "wrong"),
    [(0, "text"), (1, "green"), (1, 3), (2, 0), (2, 1.5), (3, -1), (3, 1), (3, True), (3, 2**63), (4, "2"), (8, None)],
)
def test_value_of_another_type_is_not_decoded(place: int, wrong: object) -> None:
    assert DEEP.decode(msgpack.packb([WHOLE])) == Deep(data=b"")
    with pytest.raises(DecodeError):
        DEEP.decode(msgpack.packb([[*WHOLE[:place], wrong, *WHOLE[place + 1 :]]]))


HOSTILE = {
    "array": b"\x90",
    "nested arrays": b"\x91" * 100_000,
    "arrays with the largest size": b"\xdd\x7f\xff\xff\xff" * 1000,
    "arrays as large as the input": struct.pack(">BI", 0xDD, 400_000) * 1000 + bytes(400_000),
    "a mapping": b"\xdf\x7f\xff\xff\xff",
    "a long text": b"\xdb\x7f\xff\xff\xff",
    "long bytes": b"\xc6\xff\xff\xff\xff",
    "an extension": b"\xc7\x00\x05",
    "a date": b"\xd6\xff\x00\x00\x00\x00",
    "a long extension": b"\xc9\x7f\xff\xff\xff\x05",
    "no code": b"\xc1",
    "no UTF-8": b"\xa1\xff",
    "no rows": msgpack.packb(WHOLE),
    "a row in a row": msgpack.packb([[WHOLE]]),
    "no array": msgpack.packb(5),
    "a row and a scalar": msgpack.packb([WHOLE, 5]),
    "nested rows that claim all they may": b"\xdc\x10\x00" * 1000,
    "a long tuple": msgpack.packb([[*WHOLE[:3], 0xFFFFFFFFFF]]),
    "a negative length": msgpack.packb([[*WHOLE[:3], -1]]),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_fail_quickly(data: bytes) -> None:
    with cpu_below(5), pytest.raises(DecodeError):
        DEEP.decode(data)


def test_round_trip_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long tuples are split into rows; a value too long to be decoded is not encoded."""
    many: Codec[tuple[tuple[int, str], ...]] = Codec(tuple[tuple[int, str], ...])
    value = tuple((number, str(number)) for number in range(5000))
    data = many.encode(value)
    assert many.decode(data) == value
    for wrong in (data[:-1], data + b"\0", msgpack.packb(msgpack.unpackb(data)[:-1])):
        with pytest.raises(DecodeError):
            many.decode(wrong)
    monkeypatch.setattr(codec, "_ROW", 4)
    assert many.decode(many.encode(value[:7])) == value[:7]
    with pytest.raises(ValueError, match="too many"):
        many.encode(value[:8])


def test_claimed_sizes_allocate_no_memory() -> None:
    """The bytes claim 32 GB and more, with 1 GB of address space."""
    script = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from cratewright.base.codec import Codec, DecodeError
for data in {list(HOSTILE.values())[2:8]!r}:
    for kind in (tuple[str, ...], bytes, tuple[tuple[int, ...], ...]):
        try:
            Codec(kind).decode(data)
        except DecodeError:
            continue
        sys.exit(repr(data))
"""
    environ = {"PYTHONPATH": ":".join(source_paths())}
    command = [sys.executable, "-"]
    done = subprocess.run(command, input=script, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2 << 20


def test_pure_python_msgpack_gives_the_same_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used on platforms without a binary wheel."""
    from msgpack import fallback

    value = Deep(data=b"abc", rows=(Flat("a\udcff", 2**40, None),), pairs=(("a", "b"),), words=("x",))
    data = DEEP.encode(value)
    monkeypatch.setattr(msgpack, "Packer", fallback.Packer)
    monkeypatch.setattr(msgpack, "unpackb", fallback.unpackb)
    assert DEEP.encode(value) == data and DEEP.decode(data) == value
    for hostile in (*HOSTILE.values(), data[:-1], data + b"\0"):
        with pytest.raises(DecodeError):
            DEEP.decode(hostile)
