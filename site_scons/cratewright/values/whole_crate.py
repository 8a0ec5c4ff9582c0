"""A dependency whose modules are all linked."""

from __future__ import annotations

from ..base.values import dataclass

__all__ = ["WholeCrate", "whole"]


@dataclass(frozen=True, slots=True)
class WholeCrate:
    """A dependency of which every module is to be linked."""

    dependency: object


def whole(dependency: object) -> WholeCrate:
    """Return a dependency for `deps` of which every module is linked, needed or not, as rustc's `+whole-archive`.

    Shape: whatever `deps` takes. Units that register themselves before a program starts are of no use otherwise, for
    nobody calls them.
    """
    return dependency if isinstance(dependency, WholeCrate) else WholeCrate(dependency)
