"""Variants: all combinations that meet the conditions, their names, and errors."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.errors import ConfigurationError, CratewrightError
from cratewright.formats.c_layout import identifier
from cratewright.values import axes as axes_module
from cratewright.values.axes import MOST_VARIANTS
from cratewright.values.variants import Variants, check_axes, read_variant

AXES = {"FOG": [0, 1], "LIGHTS": [1, 4, 8]}
SUFFIXES = (".comp", ".frag", ".glsl")


def _read(variants: object, when: object = None) -> Variants:
    return Variants.read({"variants": variants, "when": when}, where="crate 'sky'")


def _keys(variants: object, when: object = None) -> list[str]:
    return [each.key for each in _read(variants, when).chosen if each is not None]


def test_all_combinations_in_a_fixed_order() -> None:
    keys = ["FOG=0,LIGHTS=1", "FOG=0,LIGHTS=4", "FOG=0,LIGHTS=8", "FOG=1,LIGHTS=1", "FOG=1,LIGHTS=4", "FOG=1,LIGHTS=8"]
    assert _keys(AXES) == keys
    assert _keys({"LIGHTS": [8, 1, 4], "FOG": (1, 0)}) == keys
    assert _keys({"N": [-1, 10, 2], "T": ["b", "a"], "B": [True, False]})[:3] == [
        "B=off,N=-1,T=a", "B=off,N=-1,T=b", "B=off,N=2,T=a",
    ]  # fmt: skip
    assert _keys({"M": [True, 1, "1 "]}, "M == 1") == ["M=1"]
    assert _read(None).chosen == _read({}).chosen == (None,)


CONDITIONS = [
    ("FOG == 1 or LIGHTS < 8", lambda FOG, LIGHTS: FOG == 1 or LIGHTS < 8),
    ("FOG != LIGHTS", lambda FOG, LIGHTS: FOG != LIGHTS),
    ("not FOG", lambda FOG, LIGHTS: not FOG),
    ("not (FOG == 0 and LIGHTS == 1)", lambda FOG, LIGHTS: not (FOG == 0 and LIGHTS == 1)),
    ("LIGHTS in [1, 8] and FOG not in (1,)", lambda FOG, LIGHTS: LIGHTS in [1, 8] and FOG not in (1,)),
    ("0 < FOG < LIGHTS <= 4", lambda FOG, LIGHTS: 0 < FOG < LIGHTS <= 4),
    ("LIGHTS >= 4 and\n FOG > -1", lambda FOG, LIGHTS: LIGHTS >= 4 and FOG > -1),
    (["FOG == 1", "LIGHTS in {4, FOG}"], lambda FOG, LIGHTS: FOG == 1 and LIGHTS in {4, FOG}),
]


@pytest.mark.parametrize(("when", "predicate"), CONDITIONS, ids=range(len(CONDITIONS)))
def test_conditions_have_python_semantics(when: object, predicate: Any) -> None:
    expected = [f"FOG={f},LIGHTS={n}" for f, n in itertools.product(*AXES.values()) if predicate(FOG=f, LIGHTS=n)]
    assert expected and _keys(AXES, when) == expected


_NAMES = "ABC"
_ATOMS = st.builds(
    lambda left, op, right: f"{left} {op} {right}",
    st.sampled_from(_NAMES),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.sampled_from([*_NAMES, "0", "1", "2", "-1"]),
)
_FORMULAS = st.recursive(
    _ATOMS | st.sampled_from([f"{name} in [0, 2]" for name in _NAMES]),
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=6,
)


@given(st.lists(_FORMULAS, min_size=1, max_size=3))
def test_pruning_gives_the_same_variants_as_trying_all(when: list[str]) -> None:
    axes = {name: [0, 1, 2] for name in _NAMES}
    rows = (dict(zip(_NAMES, values, strict=True)) for values in itertools.product(range(3), repeat=3))
    expected = [
        ",".join(f"{name}={value}" for name, value in row.items())
        for row in rows
        if all(eval(text, {}, row) for text in when)
    ]
    if expected:
        assert _keys(axes, when) == expected
    else:
        with pytest.raises(ConfigurationError, match="'when' excludes all variants"):
            _read(axes, when)


def test_excluded_combinations_are_not_enumerated(monkeypatch: pytest.MonkeyPatch) -> None:
    # 2 ** 60 combinations within 2,000 steps
    monkeypatch.setattr(axes_module, "_MOST_STEPS", 2_000)
    axes = {f"A{n}": [0, 1] for n in range(60)}
    assert len(_keys(axes, [f"A{n} == A{n + 1}" for n in range(59)])) == 2
    assert len(_keys(axes, " and ".join(f"A{n} == 1" for n in range(58)))) == 4
    assert len(_keys({name: list(range(10)) for name in "ABCD"}, ["A == B", "C < 2"])) == 200
    with pytest.raises(ConfigurationError, match="excludes all"):
        _read(axes, ["A3 == A9", "A9 != A3"])
    with pytest.raises(ConfigurationError, match="too many combinations to be tried"):
        # nine axes that must all differ, with eight values
        _read({f"A{n}": range(8) for n in range(9)}, [f"A{n} != A{m}" for n in range(9) for m in range(n)])


REFUSED = {
    "'FOG-1' cannot be an axis": ({"FOG-1": [0]}, None),
    "'1' cannot be an axis": ({"1": [0]}, None),
    "'é' cannot be an axis": ({"é": [0]}, None),
    "1 cannot be an axis": ({1: [0]}, None),
    "'in' cannot be an axis": ({"in": [0]}, None),
    "'' cannot be an axis": ({"": [0]}, None),
    "axis 'FOG' has no values": ({"FOG": []}, None),
    "axis 'FOG' has the value 1 twice": ({"FOG": [1, 0, 1]}, None),
    "the variants of 1 and '1' would have one name": ({"FOG": [1, "1"]}, None),
    "the variants of True and 'on' would have one name": ({"FOG": [True, "on"]}, None),
    "axis 'FOG' cannot have None as a value": ({"FOG": [None]}, None),
    "axis 'FOG' cannot have [0] as a value": ({"FOG": [[0]]}, None),
    "axis 'FOG' cannot have b'0' as a value": ({"FOG": [b"0"]}, None),
    "axis 'FOG' cannot have nan as a value": ({"FOG": [float("nan")]}, None),
    "axis 'FOG' cannot have 'a\\nb' as a value": ({"FOG": ["a\nb"]}, None),
    "axis 'FOG' cannot have a longer one as a value": ({"FOG": [10**5000]}, None),
    "axis 'FOG' takes a list of values, not 1": ({"FOG": 1}, None),
    "axis 'FOG' takes a list of values, not '01'": ({"FOG": "01"}, None),
    "axis 'FOG' takes a list of values, not {0}": ({"FOG": {0}}, None),
    "'variants' takes values by axis, not ['FOG']": (["FOG"], None),
    "65 axes are too many": ({f"A{n}": [0] for n in range(65)}, None),
    "too many variants: up to 10000": ({f"A{n}": [0, 1] for n in range(14)}, None),
    "too many variants": ({"FOG": range(10**9)}, None),
    "'when' excludes all variants": (AXES, "FOG == 2"),
    "'when' names 'FOGGY', which is not an axis": (AXES, "FOGGY == 1"),
    "'when' names 'true', which is not an axis": (AXES, "FOG == true"),
    "'when' has no axes to choose from": (None, "FOG == 1"),
    "'when' takes a condition or a list, not 1": (AXES, 1),
    "'when' takes conditions, not 1": (AXES, [1]),
    "'when' takes conditions, not ''": (AXES, ""),
    "'when' is not a condition": (AXES, "FOG =="),
    "'when' compares FOG with '1', which are never equal": (AXES, "FOG == '1'"),
    "'when' compares FOG with True, which are never equal": (AXES, "FOG == True"),
    "'when' compares FOG with 'a', which cannot be put in order": (AXES, "FOG < 'a'"),
    "'when' compares B with True, which cannot be put in order": ({"B": [False, True]}, "B < True"),
    "'when' compares M with 1, which cannot be put in order": ({"M": ["a", 2]}, "M < 1"),
    "'when' cannot have 'FOG' here": (AXES, "1 in FOG"),
    '\'when\' cannot have "\'ab\'" here': ({"T": ["a"]}, "T in 'ab'"),
    "'when' cannot have '1' here": (AXES, "FOG == 1 or 1"),
}  # fmt: skip
REFUSED |= {
    f"'when' cannot have {part!r} here": (AXES, text)
    for part, text in {
        "__import__('os').system('true')": "__import__('os').system('true')",
        "FOG + 1": "FOG + 1 == 2",
        "FOG.real": "FOG.real == 1",
        "lambda: 1": "(lambda: 1) == FOG",
        "[FOG for FOG in (1,)]": "FOG in [FOG for FOG in (1,)]",
        "f'{FOG}'": "f'{FOG}' == '1'",
        "1 if FOG else 0": "1 if FOG else 0",
        "(x := 1)": "(x := 1) == FOG",
        "FOG[0]": "FOG[0] == 1",
        "b'1'": "FOG == b'1'",
        "1j": "FOG == 1j",
        "None": "FOG == None",
        "FOG": "FOG is 1",
        "~FOG": "~FOG == 1",
    }.items()
    if part not in ("FOG", "(x := 1)")
}


@pytest.mark.parametrize("message", REFUSED)
def test_invalid_axis_or_condition_is_named(message: str) -> None:
    with pytest.raises(CratewrightError) as found:
        _read(*REFUSED[message])
    assert message in str(found.value) and "crate 'sky'" in str(found.value)


NO_CONDITIONS = [
    "FOG is 1", "(x := 1) == FOG", "not " * 2000 + "FOG", "(" * 500 + "FOG" + ")" * 500, "FOG\0", "FOG; LIGHTS",
    "1 == 1", "FOG = 1", "=" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", NO_CONDITIONS, ids=range(len(NO_CONDITIONS)))
def test_invalid_condition_has_a_short_error(text: str) -> None:
    with pytest.raises(CratewrightError) as found:
        _read(AXES, text)
    assert len(str(found.value)) < 1_000


def test_macros_of_a_variant() -> None:
    (one,) = _read({"B": [True], "F": [0.5], "N": [-1], "T": ["vec2(1, 2)"], "X": [False]}).chosen
    assert one is not None
    assert one.defines == (("B", None), ("F", "0.5"), ("N", "-1"), ("T", "vec2(1, 2)"))
    check_axes(one, (("OTHER", "1"),), where="crate 'sky'")
    with pytest.raises(ConfigurationError, match="'X' is an axis of variants and one of 'defines'"):
        check_axes(one, (("X", "1"),), where="crate 'sky'")
    assert read_variant(one.encode("a.comp")) == {
        "of": "a.comp",
        "key": "B=on,F=0.5,N=-1,T=vec2~281~2C~202~29,X=off",
        "values": {"B": True, "F": 0.5, "N": -1, "T": "vec2(1, 2)", "X": False},
    }
    assert read_variant("") == {}


def test_names_of_units() -> None:
    (one,) = _read({"FOG": [1], "N": [-4]}).chosen
    assert one is not None
    names = {"a.comp": "a.FOG-1.N-minus4.comp", "d.x/a.comp.glsl": "d.x/a.FOG-1.N-minus4.comp.glsl"}
    names |= {"fast": "fast.FOG-1.N-minus4", ".comp": ".comp.FOG-1.N-minus4", "x/.comp": "x/.comp.FOG-1.N-minus4"}
    assert {name: one.unit_name(name, SUFFIXES) for name in names} == names
    (long,) = _read({f"LONG_{n}": ["x" * 20] for n in range(20)}).chosen
    assert long is not None and len(long.unit_name("a.comp", SUFFIXES)) < 50 and len(long.key) > 400


@given(st.lists(st.integers(-9, 9) | st.booleans() | st.floats(0, 9), min_size=2, max_size=4))
def test_variants_have_different_c_identifiers(values: list[object]) -> None:
    try:
        found = _read({"A": values}).chosen
    except ConfigurationError:
        return
    names = [each.unit_name("a.comp", SUFFIXES) for each in found if each is not None]
    assert len({identifier(name) for name in names}) == len(names) == len(values)


def test_source_overrides_its_crate() -> None:
    crate = _read(AXES, "FOG == 1 or LIGHTS < 8")

    def own(**given: object) -> list[str | None]:
        return [each and each.key for each in crate.of_source(given, where="crate 'sky', source a.comp").chosen]

    assert len(own()) == 5
    assert own(when="LIGHTS == 8") == ["FOG=1,LIGHTS=8"]
    assert own(variants={"T": ["x"]}) == ["T=x"]
    assert own(variants={}) == [None]
    with pytest.raises(ConfigurationError, match="no axes"):
        own(variants={}, when="FOG == 1")


def test_largest_number_of_variants() -> None:
    assert len(_keys({"A": range(100), "B": range(MOST_VARIANTS // 100)})) == MOST_VARIANTS
