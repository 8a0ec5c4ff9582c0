"""What `env.Crate` returns, for a crate that is declared and for one that is not declared yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import SCons.Errors
import SCons.Util

from .node import Node


class CrateTarget(SCons.Util.NodeList):  # type: ignore[misc]
    """What `env.Crate` returns: a list of the crate's final nodes, usable wherever SCons takes nodes.

    Shape: `rlink`, `rlib`, `manifest` are nodes, `image` a file or a directory; None if not made. `images` are the
    known files of a directory by entry point; `emitted` files that units write beside the crate. A crate for
    several targets has no nodes of its own: `targets` holds a crate target for each. `results` are all final nodes,
    whatever an SConstruct does to this list. SCons makes slices and sums of targets from the nodes alone; they do
    not stand for a crate, nor does a target to which other nodes were added.
    """

    images: Mapping[str, Node]
    targets: Mapping[str, CrateTarget]

    def __init__(self, nodes: list[Node], *, name: str = "", key: str = "", rlib: Node | None = None) -> None:
        super().__init__(nodes)
        self.results = list(nodes)
        self.name = name
        self.key = key
        self.images = {}
        self.emitted = SCons.Util.NodeList()
        self.targets = {}
        self.rlink: Node | None = None
        self.rlib = rlib
        self.image: Node | None = None
        self.manifest: Node | None = None

    @property
    def is_crate(self) -> bool:
        """Whether this stands for the crate: an SConstruct may have added nodes to it, or removed some."""
        return bool(self.name) and self.data == self.results

    def add_results(self, nodes: Sequence[Node]) -> None:
        """Add final nodes of the crate."""
        super().extend(nodes)
        self.results.extend(nodes)

    def __add__(self, other: Any) -> Any:
        return super().__add__(_as_list(other))

    def __iadd__(self, other: Any) -> Any:
        return super().__iadd__(_as_list(other))

    def extend(self, other: Any) -> None:
        """Append the nodes of another list."""
        super().extend(_as_list(other))

    def __repr__(self) -> str:
        return f"<crate {self.name}>" if self.is_crate else str(super().__repr__())


PARTS = ("name", "key", "rlink", "rlib", "image", "manifest", "images", "emitted")
"""The attributes of a target that are recorded, unless it is for several targets or its list was changed."""


class PendingTarget(CrateTarget):
    """The target of a crate that is declared as soon as more of it is needed.

    Shape: `declare` has to call `become` for it; from then on it shares all attributes of the other target. Until then,
    `nodes` gives its nodes and `parts` its attributes, so that `targets += env.Crate(...)` declares nothing; either
    gives None once the crate has to be declared for that.
    """

    def __init__(
        self,
        declare: Callable[[], None],
        nodes: Callable[[], list[Node] | None],
        parts: Callable[[], Mapping[str, Any] | None],
    ) -> None:
        object.__getattribute__(self, "__dict__").update({_DECLARE: declare, _NODES: nodes, _PARTS: parts})

    def __getitem__(self, index: Any) -> Any:
        return CrateTarget(list(self))[index] if is_pending(self) else super().__getitem__(index)

    def __iter__(self) -> Iterator[Node]:
        return iter(_nodes(self)) if is_pending(self) else super().__iter__()

    def __add__(self, other: Any) -> Any:
        return CrateTarget(list(self)) + other if is_pending(self) else super().__add__(other)

    def __radd__(self, other: Any) -> Any:
        return other + CrateTarget(list(self)) if is_pending(self) else super().__radd__(other)

    def __bool__(self) -> bool:
        return bool(_nodes(self)) if is_pending(self) else super().__bool__()

    def __len__(self) -> int:
        return len(_nodes(self)) if is_pending(self) else super().__len__()

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":  # known without its crate
            return CrateTarget
        if name in PARTS and is_pending(self):
            parts = object.__getattribute__(self, "__dict__")[_PARTS]()
            if parts is not None and name in parts:
                return parts[name]
        _declare(self)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: object) -> None:
        _declare(self)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        _declare(self)
        super().__delattr__(name)


_DECLARE = "(declare)"
_NODES = "(nodes)"
_PARTS = "(parts)"


def _as_list(other: Any) -> Any:
    return list(other) if is_pending(other) else other


def _nodes(target: PendingTarget) -> list[Node]:
    nodes: list[Node] | None = object.__getattribute__(target, "__dict__")[_NODES]()
    if nodes is None:
        _declare(target)
        return list(target)
    return nodes


def _declare(target: PendingTarget) -> None:
    declare = object.__getattribute__(target, "__dict__").get(_DECLARE)
    if declare is not None:
        declare()
        if is_pending(target):
            raise SCons.Errors.UserError("a crate is used that could not be declared")


def is_pending(target: object) -> bool:
    """Return whether something is a target that is not declared yet."""
    return type(target) is PendingTarget and _DECLARE in object.__getattribute__(target, "__dict__")


def become(target: PendingTarget, declared: CrateTarget) -> None:
    """Turn a target into that of a declared crate: from now on both share one state."""
    object.__setattr__(target, "__dict__", declared.__dict__)


def refer_crate_to(target: CrateTarget) -> None:
    """Make a target the one that its crate refers to."""
    for node in (target.rlink, *target):
        stages = getattr(getattr(node, "attributes", None), "crate_stages", None)
        if stages is not None and stages.target.__dict__ is target.__dict__:
            stages.target = stages.declared.target = target
            return
