"""What one node of a crate does, and which nodes have such a stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .state import StageState


class Stage:
    """What a node of a crate runs and depends on.

    Shape: `before` gives nodes that must be made first, but affect the stage only through `state`. `depends_on_inputs`
    says whether the stage depends on the content of its sources and dependencies; if not, only on what it has read.
    `found` are its dependencies, once SCons has looked for them.
    """

    __slots__ = ("before", "dependencies", "depends_on_inputs", "found", "run", "state")

    def __init__(
        self,
        run: Callable[[list[Any], list[Any], int], None],
        dependencies: Callable[[], list[Any]],
        state: StageState,
        before: Callable[[], list[Any]] = list,
        *,
        depends_on_inputs: bool = True,
    ) -> None:
        self.run = run
        self.dependencies = dependencies
        self.state = state
        self.before = before
        self.depends_on_inputs = depends_on_inputs
        self.found: list[Any] = []


def stage_of(node: Any) -> Stage | None:
    """Return the stage that makes a node, None if it is not one of a crate's."""
    return getattr(getattr(node, "attributes", None), "crate_stage", None)


def is_made_by_stage(node: Any) -> bool:
    """Return whether a stage makes a node, itself or as an image or a directory of images."""
    return stage_of(node) is not None or getattr(node.attributes, "crate_images", None) is not None


def is_made_for_crate(node: Any) -> bool:
    """Return whether a node is made by a stage, or by a builder that replaces a stage's."""
    attributes = getattr(node, "attributes", None)
    return any(hasattr(attributes, name) for name in ("crate_stage", "crate_stages", "crate_images"))
