"""Thin modules that refer to contents of their request, and their restoration from it."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.cache.thin_modules import IndexedThinModules, index_thin_modules, restore_thin_modules
from cratewright.values.crate_type import CrateType
from cratewright.values.module import ModuleCodegen
from cratewright.values.options import Options
from cratewright.values.request import LinkModule, LinkRequest, ThinBuffer, ThinModule


def _request(*contents: bytes) -> LinkRequest:
    modules = tuple(LinkModule("c", ModuleCodegen(name=f"{n}.o", data=data)) for n, data in enumerate(contents))
    return LinkRequest(crate="c", crate_type=CrateType.BIN, target="t", options=Options(()), modules=modules)


contents = st.lists(st.binary(min_size=2, max_size=4), min_size=1, max_size=4)


@given(contents, st.lists(st.lists(st.integers(-2, 3), min_size=1, max_size=4), max_size=4))
def test_round_trip(given: list[bytes], rows: list[list[int]]) -> None:
    request = _request(*given)
    own = [b"own", b"of its own"]
    picked = [[own[n] if n < 0 else given[n % len(given)] for n in row] for row in rows]
    modules = tuple(
        ThinModule(
            name=f"m{index}",
            crate="c",
            data=row[0],
            index=b"found out",
            imports=tuple(ThinBuffer(f"i{number}", data) for number, data in enumerate(row[1:])),
            attributes=(("k", "v"),),
        )
        for index, row in enumerate(picked)
    )
    short = index_thin_modules(modules, (request,))
    assert isinstance(short, IndexedThinModules)
    there = pickle.loads(pickle.dumps(short))
    assert restore_thin_modules(there, (request,)) == modules
    given_contents = {id(data) for data in given}
    for item in short.modules:
        assert all(id(data) not in given_contents for data in (item.data, *(other.data for other in item.imports)))


def test_contents_of_the_request_are_not_sent() -> None:
    data = bytes(100_000)
    thin = tuple(ThinModule(name=f"m{n}", crate="c", data=data, imports=(ThinBuffer("x", data),)) for n in range(9))
    request = _request(data)
    assert len(pickle.dumps(index_thin_modules(thin, (request,)))) < 2_000
    assert all(item.data is data for item in restore_thin_modules(index_thin_modules(thin, (request,)), (request,)))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1, 99, -2])
def test_modules_of_another_request_are_rejected(number: int) -> None:
    short = IndexedThinModules((ThinModule(name="m", crate="c", data=b""),), ((number,),))
    with pytest.raises(ValueError, match="another request"):
        restore_thin_modules(short, (_request(b"one"),))


@pytest.mark.parametrize("rows", [(), ((),), ((0, 0),)])
def test_wrong_number_of_rows_is_rejected(rows: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="zip"):
        restore_thin_modules(
            IndexedThinModules((ThinModule(name="m", crate="c", data=b""),), rows), (_request(b"one"),)
        )


@pytest.mark.parametrize("value", [None, 3, (1, 2), ModuleCodegen(name="a", data=b"a")])
def test_other_values_are_unchanged(value: object) -> None:
    assert index_thin_modules(value, (_request(b"one"),)) is value
