"""The crate graph as text for Mermaid or Graphviz: crates, their types, and how each is linked.

Crates declared elsewhere are known only by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from ..base.errors import LinkageConflictError
from ..base.printable import printable
from ..base.values import dataclass
from ..formats.crate_metadata import CrateMetadata
from ..rules.dependency_format import Linkage
from ..rules.format_table import FormatTable, LinkableCrate
from ..rules.graph import CrateGraph
from ..values.crate_type import CrateType
from .declaration import Workspace
from .features import select_features

_RLIB = LinkableCrate(crate_types=frozenset({CrateType.RLIB}))


@dataclass(slots=True)
class _Edge:
    """A dependency.

    Shape: `linkages` says for each crate that is linked, and each of its types, how the edge's end gets into it.
    """

    user: str
    used: str
    optional: bool = False
    linkages: dict[str, Linkage] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        if self.optional:
            return ["optional, not requested"]
        if len(set(self.linkages.values())) < 2:
            return [linkage.value for linkage in self.linkages.values()][:1]
        return [f"{root}: {linkage.value}" for root, linkage in self.linkages.items()]

    @property
    def dashed(self) -> bool:
        """Whether nothing is copied along the edge."""
        return self.optional or any(linkage is not Linkage.STATIC for linkage in self.linkages.values())


@dataclass(slots=True)
class _Picture:
    types: dict[str, str]
    elsewhere: tuple[str, ...]
    edges: list[_Edge]
    conflicts: dict[str, list[str]]


def draw(workspace: Workspace, style: str) -> str:
    """Return the picture: crates with their types in the order declared, then those declared elsewhere, dashed.

    Shape: an edge says how the crates that no other linked crate reaches are linked with its end, all alike or each
    crate type for itself. What is declared elsewhere is taken for an rlib.
    """
    return _drawn(_picture(workspace), style)


def _drawn(picture: _Picture, style: str) -> str:
    if style == "json":
        return json.dumps(_plain(picture), indent=1) + "\n"
    return "\n".join(_dot(picture) if style == "dot" else _mermaid(picture)) + "\n"


def _picture(workspace: Workspace) -> _Picture:
    selections = select_features(workspace.document, workspace.features)
    edges = [
        _Edge(crate.name, item.path or item.name, item not in selections[crate.name].dependencies)
        for crate in workspace.crates
        for item in crate.dependencies
    ]
    types = {crate.name: " ".join(kind.value for kind in crate.crate_types) for crate in workspace.crates}
    elsewhere = tuple(dict.fromkeys(edge.used for edge in edges if edge.used not in types))
    picture = _Picture(types, elsewhere, edges, {})
    _link(
        picture,
        {
            crate.name: LinkableCrate(
                crate_types=frozenset(crate.crate_types), prefer_dynamic=workspace.prefers_dynamic(crate)
            )
            for crate in workspace.crates
        },
    )
    return picture


def draw_built(crates: Sequence[CrateMetadata], style: str) -> str:
    """Return the same picture of crates as a build has left them, in order."""
    labels = _unique_labels([f"{crate.name}" for crate in crates], [crate.target for crate in crates])
    known = {(crate.stable_id, crate.target): label for crate, label in zip(crates, labels, strict=True)}
    edges = [
        _Edge(label, known.get((item.stable_id, crate.target), item.name))
        for crate, label in zip(crates, labels, strict=True)
        for item in crate.dependencies
    ]
    types = {
        label: " ".join(kind.value for kind in crate.crate_types) for crate, label in zip(crates, labels, strict=True)
    }
    picture = _Picture(types, tuple(dict.fromkeys(edge.used for edge in edges if edge.used not in types)), edges, {})
    linkable = {
        label: LinkableCrate(
            crate_types=frozenset(crate.crate_types), prefer_dynamic=crate.options.flag("prefer_dynamic")
        )
        for crate, label in zip(crates, labels, strict=True)
    }
    _link(picture, linkable)
    return _drawn(picture, style)


def _unique_labels(names: Sequence[str], places: Sequence[str]) -> list[str]:
    """Return names, each with its place where there are several of them, and a number where that does not do."""
    labels: list[str] = []
    for name, place in zip(names, places, strict=True):
        label = name if names.count(name) == 1 else f"{name} {place}"
        number = sum(each == label or each.startswith(f"{label} #") for each in labels)
        labels.append(f"{label} #{number + 1}" if number else label)
    return labels


def _link(picture: _Picture, crates: Mapping[str, LinkableCrate]) -> None:
    """Find out how everything is linked."""
    used: dict[str, list[_Edge]] = {name: [] for name in (*picture.types, *picture.elsewhere)}
    for edge in picture.edges:
        if not edge.optional:
            used[edge.user].append(edge)
    graph = CrateGraph({name: [edge.used for edge in edges] for name, edges in used.items()})
    # What is told of a crate below the root in hand is told by the root.
    linked = {name: crate.crate_types - {CrateType.RLIB} for name, crate in crates.items()}
    below = {name for root in linked if linked[root] for name in graph.link_order(root)}
    table = FormatTable(graph, {**dict.fromkeys(picture.elsewhere, _RLIB), **crates})
    for root in (name for name in picture.types if linked[name] and name not in below):
        for kind in sorted(linked[root], key=lambda kind: kind.value):
            try:
                formats = table.formats(root, kind)
            except LinkageConflictError as error:
                picture.conflicts.setdefault(root, []).append(str(error))
                continue
            how = dict(zip(formats.crates, formats.linkages, strict=True))
            for user in (root, *formats.crates):
                for edge in used[user]:
                    # A file is an rlib; of other crates from elsewhere nothing is known.
                    if edge.used in picture.types or edge.used.endswith(".rlib"):
                        edge.linkages[f"{root} {kind.value}"] = how[edge.used]


def _plain(picture: _Picture) -> dict[str, object]:
    crates = [
        {"crate": name, "crate_types": types.split(), "conflicts": picture.conflicts.get(name, [])}
        for name, types in picture.types.items()
    ]
    edges = [
        {
            "user": edge.user,
            "used": edge.used,
            "optional": edge.optional,
            "linkages": {root: linkage.value for root, linkage in edge.linkages.items()},
        }
        for edge in picture.edges
    ]
    return {"crates": crates, "elsewhere": list(picture.elsewhere), "dependencies": edges}


def _mermaid(picture: _Picture) -> Iterator[str]:
    # Names would do as identifiers but for Mermaid's own words, such as `end`.
    ids = {name: f"c{number}" for number, name in enumerate((*picture.types, *picture.elsewhere))}
    yield "graph LR"
    yield from _comments(picture, "  %% ")
    for name, text in picture.types.items():
        yield f'  {ids[name]}["{name}<br>{text}"]' + (":::conflict" if name in picture.conflicts else "")
    yield from (f'  {ids[name]}["{_entities(name)}"]:::elsewhere' for name in picture.elsewhere)
    for edge in picture.edges:
        label = f'|"{"<br>".join(edge.words)}"|' if edge.words else ""
        yield f"  {ids[edge.user]} {'-.->' if edge.dashed else '-->'}{label} {ids[edge.used]}"
    if picture.elsewhere:
        yield "  classDef elsewhere stroke-dasharray: 4"
    if picture.conflicts:
        yield "  classDef conflict stroke: red"


def _dot(picture: _Picture) -> Iterator[str]:
    yield "digraph crates {"
    yield "  rankdir = LR;"
    yield "  node [shape = box];"
    yield from _comments(picture, "  // ")
    for name, text in picture.types.items():
        yield f'  "{name}" [{_attributes(label=f"{name}|{text}", color=_colour(picture, name))}];'
    yield from (f'  "{_escaped(name)}" [style = dashed];' for name in picture.elsewhere)
    for edge in picture.edges:
        attributes = _attributes(label="|".join(edge.words), style="dashed" if edge.dashed else "")
        yield f'  "{edge.user}" -> "{_escaped(edge.used)}"' + (f" [{attributes}];" if attributes else ";")
    yield "}"


def _colour(picture: _Picture, name: str) -> str:
    return "red" if name in picture.conflicts else ""


def _escaped(path: str) -> str:
    """Return a path as a text of DOT's, in which a backslash is one before a quote alone."""
    return printable(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _entities(path: str) -> str:
    """Return a path as a text of Mermaid's, which reads HTML and Markdown in it."""
    return "".join(
        character if character.isalnum() or character in " ./_-" else f"#{ord(character)};" for character in path
    )


def _attributes(**values: str) -> str:
    shown = (f'{name} = "{text}"'.replace("|", "\\n") for name, text in values.items() if text)
    return ", ".join(shown)


def _comments(picture: _Picture, mark: str) -> Iterator[str]:
    for errors in picture.conflicts.values():
        for error in errors:
            yield from (f"{mark}{line}" for line in error.splitlines())
