"""What is asked of a link, and what comes back.

Knows nothing of where modules were read from or where artifacts are written.
"""

from __future__ import annotations

from dataclasses import dataclass

from .crate import CrateType
from .module import ModuleCodegen
from .options import Options

__all__ = ["Artifact", "LinkModule", "LinkPart", "LinkRequest", "LinkResult"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a link.

    Shape: `path` relative to the crate's output directory, or, if `dump`, to the project root.
    """

    path: str
    data: bytes
    dump: bool = False


@dataclass(frozen=True, slots=True)
class LinkModule:
    """A module that takes part in a link, and the crate it comes from."""

    crate: str
    module: ModuleCodegen


@dataclass(frozen=True, slots=True)
class LinkPart:
    """An independent part of a link.

    Shape: `name` is the backend's own; `modules` are positions in the request's `modules`, in link order.
    """

    name: str
    modules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """All that decides a linked artifact.

    Shape: own modules first, then those of dependencies in link order; `dependencies` are all crates whose
    modules are offered, in that order; `part` names the part this request is for, if the link was split.
    """

    crate: str
    crate_type: CrateType
    target: str
    options: Options
    modules: tuple[LinkModule, ...]
    dependencies: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """What a link made.

    Shape: `report` is the backend's own, JSON text; `diagnostics` as in `CompiledUnit`.
    """

    artifacts: tuple[Artifact, ...]
    report: str = ""
    diagnostics: tuple[str, ...] = ()
