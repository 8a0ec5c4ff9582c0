"""The crate graph as text for Mermaid or Graphviz.

Knows nothing of how the crates were declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .declaration import WorkspaceCrate

__all__ = ["FORMATS", "draw"]

FORMATS = ("mermaid", "dot")

_Edges = Sequence[tuple[str, str]]


def draw(crates: Iterable[WorkspaceCrate], style: str) -> str:
    """Return the picture: crates with their types in the order declared, then those declared elsewhere, dashed."""
    types: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    for crate in crates:
        types[crate.name] = " ".join(kind.value for kind in crate.crate_types)
        edges += [(crate.name, name) for name in crate.dependencies]
    elsewhere = tuple(dict.fromkeys(name for _, name in edges if name not in types))
    lines = _dot(types, elsewhere, edges) if style == "dot" else _mermaid(types, elsewhere, edges)
    return "\n".join(lines) + "\n"


def _mermaid(types: Mapping[str, str], elsewhere: Sequence[str], edges: _Edges) -> list[str]:
    # Names would do as identifiers but for Mermaid's own words, such as `end`.
    ids = {name: f"c{number}" for number, name in enumerate((*types, *elsewhere))}
    return [
        "graph LR",
        *(f'  {ids[name]}["{name}<br>{text}"]' for name, text in types.items()),
        *(f'  {ids[name]}["{name}"]:::elsewhere' for name in elsewhere),
        *(f"  {ids[user]} --> {ids[used]}" for user, used in edges),
        *(["  classDef elsewhere stroke-dasharray: 4"] if elsewhere else []),
    ]


def _dot(types: Mapping[str, str], elsewhere: Sequence[str], edges: _Edges) -> list[str]:
    return [
        "digraph crates {",
        "  rankdir = LR;",
        "  node [shape = box];",
        *(f'  "{name}" [label = "{name}\\n{text}"];' for name, text in types.items()),
        *(f'  "{name}" [style = dashed];' for name in elsewhere),
        *(f'  "{user}" -> "{used}";' for user, used in edges),
        "}",
    ]
