"""Graphs of crates made by chance, and what our rules have to be told of them.

Knows nothing of rustc, and nothing of what comes out.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cratewright.crate import CrateType
from cratewright.dependency_format import Available, Linkages, LinkSwitches, load_order
from cratewright.graph import CrateGraph

__all__ = ["Build", "CrateGraphs", "Forms", "Node", "available", "random_graph"]

RLIB, DYLIB = (CrateType.RLIB,), (CrateType.DYLIB,)
BOTH = (CrateType.RLIB, CrateType.DYLIB)
ROOT_TYPES = ((CrateType.BIN,), (CrateType.CDYLIB,), DYLIB, (CrateType.STATICLIB,), RLIB, BOTH)


@dataclass(frozen=True)
class Build:
    """One crate to build: for which crate types, with which switches."""

    crate_types: tuple[CrateType, ...]
    switches: LinkSwitches = LinkSwitches()  # noqa: RUF009


@dataclass(frozen=True)
class Node:
    """A crate, the crates it depends on, those of which it only reads the interface, and its ways of being built.

    Shape: the first build that succeeds stays; afterwards the forms in `lost` are deleted.
    """

    name: str
    dependencies: tuple[str, ...]
    interfaces: tuple[str, ...] = ()
    builds: tuple[Build, ...] = (Build(RLIB),)
    lost: tuple[CrateType, ...] = ()


@dataclass(frozen=True)
class CrateGraphs:
    """Libraries, each before those that depend on it, and roots on top of them, each of which is built every way."""

    seed: int
    libraries: tuple[Node, ...]
    root: Node


@dataclass
class Forms:
    """What there is of a library once it is built."""

    rlib: bool = False
    dylib: bool = False
    recorded: Linkages = field(default=())


def random_graph(seed: int) -> CrateGraphs:
    """Make a graph; the same seed makes the same."""
    chance = random.Random(seed)
    # Few graphs are of interest if all of this is even: either everything is static, or everything clashes.
    dynamic, density, losses, interfaces = (
        chance.choice(choices) for choices in ((0.2, 0.7, 1.0, 1.0), (0.3, 0.6), (0.0, 0.0, 0.25), (0.0, 0.0, 0.2))
    )
    libraries: list[Node] = []

    def node(name: str, builds: tuple[Build, ...], at_least: int = 0) -> Node:
        names = [library.name for library in libraries]
        known = [dep for dep in names if chance.random() < density]
        known = chance.sample(known, len(known)) or names[:at_least]
        unlinked = tuple(dep for dep in known if chance.random() < interfaces)
        lost = tuple(form for form in BOTH if chance.random() < losses)
        return Node(name, tuple(known), unlinked, builds, lost)

    for number in range(chance.randint(2, 6)):
        switches = LinkSwitches(prefer_dynamic=chance.random() < dynamic)
        wanted = Build(chance.choice((RLIB, DYLIB, DYLIB, BOTH, BOTH)), switches)
        # What cannot be linked is still there for the others to depend on, as an rlib.
        libraries.append(node(f"c{number}", (wanted, Build(RLIB))))
    every = [Build(kinds, LinkSwitches(prefer_dynamic=on)) for kinds in ROOT_TYPES for on in (False, True)]
    first, second, third = (chance.random() < 0.5 for _ in range(3))
    every.append(Build((CrateType.BIN,), LinkSwitches(prefer_dynamic=first, crt_static=True)))
    unstable = LinkSwitches(staticlib_prefer_dynamic=second, staticlib_allows_dylibs=third or not second)
    every.append(Build((CrateType.STATICLIB,), unstable))
    return CrateGraphs(seed, tuple(libraries), node("root", tuple(every), at_least=1))


def available(
    node: Node, libraries: Mapping[str, Node], forms: Mapping[str, Forms], std: Iterable[Available]
) -> tuple[Available, ...]:
    """Return what our rules are told of the crates below `node`, std's own first, as rustc loads it."""
    own = {name: library.dependencies for name, library in {**libraries, node.name: node}.items()}
    linked: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        fresh = [dep for dep in current.dependencies if dep not in current.interfaces and dep not in linked]
        linked.update(fresh)
        pending.extend(libraries[dep] for dep in fresh)
    below = (
        Available(name, forms[name].rlib, forms[name].dylib, forms[name].recorded, name not in linked)
        for name in load_order(CrateGraph(own), node.name)
    )
    return (*std, *below)
