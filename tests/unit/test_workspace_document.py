"""The lines of the keys of a TOML document."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cratewright.workspace.document import Document

DOCUMENT = """\
a.b = 1 # c = 2
[t."x.y"] # [u]
s = '''
[no]
k = 1
'''
e = "\\"[no]"
l = [ 1, [2,
  3], { p = 1.5, q.r = [
    4 ] }, # ]
  1979-05-27T07:32:00Z ]
[[m]]
"k\\u0041" = { }
[[m]]
n = ""
"""


def test_every_key_has_its_line() -> None:
    document = Document(DOCUMENT.encode(), path="f")
    lines = {
        ("a",): 1, ("a", "b"): 1, ("t",): 2, ("t", "x.y"): 2, ("t", "x.y", "s"): 3, ("t", "x.y", "e"): 7,
        ("t", "x.y", "l"): 8, ("t", "x.y", "l", 1): 8, ("t", "x.y", "l", 1, 1): 9, ("t", "x.y", "l", 2, "p"): 9,
        ("t", "x.y", "l", 2, "q", "r", 0): 10, ("t", "x.y", "l", 3): 11, ("m", "kA"): 13, ("m", "n"): 15,
    }  # fmt: skip
    assert {key: document.place(*key) for key in lines} == {key: f"f:{line}" for key, line in lines.items()}
    assert document.place("t", "x.y", "nothing", 3) == "f:2"
    assert document.place("nothing") == "f:1"


_NAMES = st.text(st.sampled_from("ab.'\"\\#[]= é\t"), min_size=1, max_size=4)

_VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(st.sampled_from("ab'\"\\#[]{}=,\n"), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(_toml, value)) + "\n]"
    return json.dumps(value, ensure_ascii=False)


@given(st.dictionaries(_NAMES, st.dictionaries(_NAMES, _VALUES, max_size=3), max_size=3))
def test_scan_agrees_with_the_parser(values: dict[str, dict[str, object]]) -> None:
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for table, content in values.items():
        expected[(table,)] = "\n".join(lines).count("\n") + 1 + bool(lines)
        lines.append(f"[{json.dumps(table)}]")
        for key, value in content.items():
            expected[(table, key)] = "\n".join(lines).count("\n") + 2
            lines.append(f"{json.dumps(key)} = {_toml(value)}")
    document = Document("\n".join(lines).encode(), path="f")
    assert document.values == values
    assert {key: document.place(*key) for key in expected} == {key: f"f:{line}" for key, line in expected.items()}
