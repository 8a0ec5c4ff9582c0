"""Random crate graphs, and their description for our rules."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cratewright.rules.dependency_format import Available, Recorded, load_order
from cratewright.rules.graph import CrateGraph
from cratewright.values.crate_type import CrateType

__all__ = ["Build", "Forms", "Node", "Sample", "available", "random_graph"]

RLIB, DYLIB = (CrateType.RLIB,), (CrateType.DYLIB,)
BOTH = (CrateType.RLIB, CrateType.DYLIB)
ROOT_TYPES = ((CrateType.BIN,), (CrateType.CDYLIB,), DYLIB, (CrateType.STATICLIB,), RLIB, BOTH)


@dataclass(frozen=True)
class Build:
    """One crate to build: for which crate types, and whether dylibs are preferred."""

    crate_types: tuple[CrateType, ...]
    prefer_dynamic: bool = False

    def __str__(self) -> str:
        return "+".join(kind.value for kind in self.crate_types) + " prefer_dynamic" * self.prefer_dynamic


@dataclass(frozen=True)
class Node:
    """A crate, its dependencies, and the builds to try.

    Shape: the first build that succeeds stays; the forms in `lost` are deleted afterwards, at once or, if
    `lost_late`, after all libraries are built.
    """

    name: str
    dependencies: tuple[str, ...]
    builds: tuple[Build, ...] = (Build(RLIB),)
    lost: tuple[CrateType, ...] = ()
    lost_late: bool = False

    def __str__(self) -> str:
        lost = "".join(f", {form.value} lost{' late' * self.lost_late}" for form in self.lost)
        return f"{self.name}: [{', '.join(self.dependencies)}] as {' or '.join(map(str, self.builds))}{lost}"


@dataclass(frozen=True)
class Sample:
    """Libraries, each after its dependencies, and a root for which all builds are tried."""

    seed: int
    libraries: tuple[Node, ...]
    root: Node


@dataclass
class Forms:
    """The forms in which a built library exists."""

    rlib: bool = False
    dylib: bool = False
    recorded: Recorded = ()


def random_graph(seed: int) -> Sample:
    """Return the graph of a seed."""
    chance = random.Random(seed)
    # With uniform probabilities most graphs are dull: everything is static, or everything conflicts.
    dynamic, density, losses = (chance.choice(choices) for choices in ((0.2, 0.7, 1.0, 1.0), (0.3, 0.6), (0.2, 0.4)))
    libraries: list[Node] = []

    def node(name: str, builds: tuple[Build, ...], at_least: int = 0) -> Node:
        names = [library.name for library in libraries]
        known = [dep for dep in names if chance.random() < density]
        known = chance.sample(known, len(known)) or names[:at_least]
        lost = tuple(form for form in BOTH if chance.random() < losses)
        return Node(name, tuple(known), builds, lost, chance.random() < 0.7)

    for number in range(chance.randint(2, 6)):
        wanted = Build(chance.choice((RLIB, DYLIB, DYLIB, BOTH, BOTH)), chance.random() < dynamic)
        # A crate that cannot be linked is built as an rlib, so that others can still depend on it.
        libraries.append(node(f"c{number}", (wanted, Build(RLIB))))
    every = [Build(kinds, on) for kinds in ROOT_TYPES for on in (False, True)]
    return Sample(seed, tuple(libraries), node("root", tuple(chance.sample(every, 6)), at_least=1))


def available(
    node: Node, libraries: Mapping[str, Node], forms: Mapping[str, Forms], std: Iterable[Available]
) -> tuple[Available, ...]:
    """Return the forms of the crates below `node`, for our rules; std's own come first, as rustc loads them."""
    graph = CrateGraph({name: each.dependencies for name, each in {**libraries, node.name: node}.items()})
    below = (
        Available(name, forms[name].rlib, forms[name].dylib, forms[name].recorded)
        for name in load_order(graph, node.name)
    )
    return (*std, *below)
