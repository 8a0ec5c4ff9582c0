"""The two laws of stencils and parameters.

Source: Cranelift's fuzz target `cranelift-icache`.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.diagnostic import Diagnostic, Severity
from cratewright.cache.entry import result_bytes, result_of
from cratewright.cache.key import key_of
from cratewright.values.module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.stencil import UnitParameters, UnitStencil, apply_parameters, logical_path

DEFAULTS = Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS)))
TEXT = st.text(max_size=10)
OPTIONS = st.builds(
    lambda defines, directories, level: DEFAULTS.override(
        {"defines": tuple(sorted(defines.items())), "include_dirs": tuple(directories), "opt_level": level}
    ),
    st.dictionaries(TEXT, st.one_of(st.none(), TEXT), max_size=3),
    st.lists(TEXT, max_size=3),
    st.sampled_from("0123sz"),
)
FIELDS = {
    "backend": TEXT,
    "fingerprint": TEXT,
    "target": TEXT,
    "path": TEXT,
    "source": st.binary(max_size=20),
    "options": OPTIONS,
    "file": TEXT,
    "repositories": st.lists(TEXT, max_size=2).map(tuple),
    "for_lto": st.booleans(),
    "for_code": st.booleans(),
}
STENCILS = st.builds(UnitStencil, **FIELDS)
SYMBOLS = st.builds(Symbol, TEXT, TEXT, TEXT, st.integers(0, 99))
UNITS = st.builds(
    CompiledUnit,
    modules=st.lists(
        st.builds(
            ModuleCodegen,
            name=TEXT,
            data=st.binary(max_size=20),
            kind=st.sampled_from(ModuleKind),
            exports=st.lists(SYMBOLS, max_size=2).map(tuple),
            entry_points=st.lists(st.builds(EntryPoint, TEXT, TEXT), max_size=2).map(tuple),
            attributes=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    observed=st.lists(st.builds(Observed, TEXT, st.one_of(st.none(), TEXT)), max_size=3).map(tuple),
    diagnostics=st.lists(
        st.builds(Diagnostic, st.sampled_from(Severity), TEXT, TEXT, st.integers(0, 9)), max_size=2
    ).map(tuple),
)


def _key(stencil: UnitStencil) -> str:
    return key_of("compile_codegen_unit", "salt", stencil)


def test_strategies_cover_every_field() -> None:
    assert set(FIELDS) == {field.name for field in fields(UnitStencil)}


@pytest.mark.parametrize("name", FIELDS)
@given(data=st.data())
def test_different_stencils_have_different_keys(name: str, data: st.DataObject) -> None:
    stencil = data.draw(STENCILS)
    other = replace(stencil, **{name: data.draw(FIELDS[name])})
    assert (_key(stencil) == _key(other)) == (stencil == other)


@given(STENCILS)
def test_equal_stencils_have_equal_keys(stencil: UnitStencil) -> None:
    again = replace(stencil, options=Options(tuple(stencil.options.values)))
    assert _key(stencil) == _key(again)


@given(UNITS, TEXT)
def test_parameters_are_applied_to_cached_results(unit: CompiledUnit, name: str) -> None:
    """They give the same unit as for a new result, and the stored result does not contain the name."""
    stored = result_of(result_bytes(unit))
    assert stored == unit
    assert isinstance(stored, CompiledUnit)
    finished = apply_parameters(stored, UnitParameters(name=name))
    assert finished == apply_parameters(unit, UnitParameters(name=name))
    assert [module.name for module in finished.modules] == [name + module.name for module in unit.modules]
    assert [module.data for module in finished.modules] == [module.data for module in unit.modules]


def test_stencil_has_no_parameters() -> None:
    assert not {field.name for field in fields(UnitParameters)} & set(FIELDS)


def test_logical_path_of_a_repository_file() -> None:
    places = ("/far/repo", "/far/other")
    assert logical_path("/far/repo/src/a.c", places) == "src/a.c"
    assert logical_path("/far/other/a.c", places) == "a.c"
    assert logical_path("/far/repository/a.c", places) == "/far/repository/a.c"
    assert logical_path("src/a.c", places) == "src/a.c"
