"""Dependencies whose modules are all linked."""

from __future__ import annotations

from ..base.values import dataclass


@dataclass(frozen=True, slots=True)
class WholeCrate:
    """A dependency whose modules are all linked, needed or not."""

    dependency: object


def whole(dependency: object) -> WholeCrate:
    """Return a dependency for `deps` whose modules are all linked, needed or not, as by rustc's `+whole-archive`.

    Shape: anything that `deps` takes. Units that register themselves before a program starts need this: nothing
    refers to them.
    """
    return dependency if isinstance(dependency, WholeCrate) else WholeCrate(dependency)
