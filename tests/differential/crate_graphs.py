"""Graphs of crates made by chance, and what our rules are told of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from cratewright.rules.dependency_format import Available, LinkSwitches, Recorded, load_order
from cratewright.rules.graph import CrateGraph
from cratewright.values.crate_type import CrateType

__all__ = ["Build", "Forms", "Node", "Sample", "available", "random_graph"]

RLIB, DYLIB = (CrateType.RLIB,), (CrateType.DYLIB,)
BOTH = (CrateType.RLIB, CrateType.DYLIB)
ROOT_TYPES = ((CrateType.BIN,), (CrateType.CDYLIB,), DYLIB, (CrateType.STATICLIB,), RLIB, BOTH)


@dataclass(frozen=True)
class Build:
    """One crate to build: for which crate types, with which switches."""

    crate_types: tuple[CrateType, ...]
    switches: LinkSwitches = LinkSwitches()  # noqa: RUF009

    def __str__(self) -> str:
        switches = [field.name for field in fields(self.switches) if getattr(self.switches, field.name)]
        return "+".join(kind.value for kind in self.crate_types) + "".join(f" {name}" for name in switches)


RARE = (
    Build((CrateType.BIN,), LinkSwitches(crt_static=True)),
    Build((CrateType.BIN,), LinkSwitches(crt_static=True, prefer_dynamic=True)),
    Build((CrateType.STATICLIB,), LinkSwitches(staticlib_prefer_dynamic=True)),
    Build((CrateType.STATICLIB,), LinkSwitches(staticlib_allows_dylibs=True)),
    Build((CrateType.STATICLIB,), LinkSwitches(staticlib_prefer_dynamic=True, staticlib_allows_dylibs=True)),
)


@dataclass(frozen=True)
class Node:
    """A crate, the crates it depends on, those of which it only reads the interface, and its ways of being built.

    Shape: the first build that succeeds stays; the forms in `lost` are deleted afterwards, at once or, if
    `lost_late`, when all libraries are built.
    """

    name: str
    dependencies: tuple[str, ...]
    interfaces: tuple[str, ...] = ()
    builds: tuple[Build, ...] = (Build(RLIB),)
    lost: tuple[CrateType, ...] = ()
    lost_late: bool = False

    def __str__(self) -> str:
        deps = ", ".join(f"{dep} (interface)" if dep in self.interfaces else dep for dep in self.dependencies)
        lost = "".join(f", {form.value} lost{' late' * self.lost_late}" for form in self.lost)
        return f"{self.name}: [{deps}] as {' or '.join(map(str, self.builds))}{lost}"


@dataclass(frozen=True)
class Sample:
    """Libraries, each before those that depend on it, and a root that is built in every way it has."""

    seed: int
    libraries: tuple[Node, ...]
    root: Node


@dataclass
class Forms:
    """What there is of a library once it is built."""

    rlib: bool = False
    dylib: bool = False
    recorded: Recorded = ()


def random_graph(seed: int) -> Sample:
    """Make a graph; the same seed makes the same."""
    chance = random.Random(seed)
    # Few graphs are of interest if all of this is even: either everything is static, or everything clashes.
    dynamic, density, losses, interfaces = (
        chance.choice(choices) for choices in ((0.2, 0.7, 1.0, 1.0), (0.3, 0.6), (0.0, 0.4), (0.0, 0.0, 0.2))
    )
    libraries: list[Node] = []

    def node(name: str, builds: tuple[Build, ...], at_least: int = 0) -> Node:
        names = [library.name for library in libraries]
        known = [dep for dep in names if chance.random() < density]
        known = chance.sample(known, len(known)) or names[:at_least]
        unlinked = tuple(dep for dep in known if chance.random() < interfaces)
        lost = tuple(form for form in BOTH if chance.random() < losses)
        return Node(name, tuple(known), unlinked, builds, lost, chance.random() < 0.7)

    for number in range(chance.randint(2, 6)):
        switches = LinkSwitches(prefer_dynamic=chance.random() < dynamic)
        wanted = Build(chance.choice((RLIB, DYLIB, DYLIB, BOTH, BOTH)), switches)
        # What cannot be linked is still there for the others to depend on, as an rlib.
        libraries.append(node(f"c{number}", (wanted, Build(RLIB))))
    every = [Build(kinds, LinkSwitches(prefer_dynamic=on)) for kinds in ROOT_TYPES for on in (False, True)]
    builds = [*chance.sample(every, 5), chance.choice(RARE)]
    return Sample(seed, tuple(libraries), node("root", tuple(builds), at_least=1))


def available(
    node: Node, libraries: Mapping[str, Node], forms: Mapping[str, Forms], std: Iterable[Available]
) -> tuple[Available, ...]:
    """Return what our rules are told of the crates below `node`, std's own first, as rustc loads it."""
    graph = CrateGraph({name: each.dependencies for name, each in {**libraries, node.name: node}.items()})
    linked = _linked(node, libraries)
    below = (
        Available(name, forms[name].rlib, forms[name].dylib, forms[name].recorded, not linked[name])
        for name in load_order(graph, node.name)
    )
    return (*std, *below)


def _linked(node: Node, libraries: Mapping[str, Node]) -> dict[str, bool]:
    """Say of every crate below `node` whether rustc wants it linked, or only reads its interface.

    rustc asks for what is below a crate when it first loads that crate. One that is read for its interface first,
    and linked by something else later, leaves what is below it unlinked; a trap, but rustc's.
    """
    found: dict[str, bool] = {}

    def load(name: str, linked: bool) -> None:
        if name in found:
            found[name] |= linked
            return
        found[name] = linked
        for dep, recorded in _linked(libraries[name], libraries).items():
            load(dep, linked and recorded)

    for dep in node.dependencies:
        load(dep, dep not in node.interfaces)
    return found
