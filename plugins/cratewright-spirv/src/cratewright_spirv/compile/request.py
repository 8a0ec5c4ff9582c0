"""The request to compile a unit, its result, and the canonical form that both may share."""

from __future__ import annotations

from cratewright import Diagnostic, Observed, dataclass

from ..base.stopwatch import step
from ..text.canonical_text import Canonical, canonical_lines
from ..text.includes import IncludeResolver
from .objects import ObjectVariant


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRequest:
    """A source and everything that decides its objects, except the files it includes.

    Shape: `root` is absolute and never shown; `path` is relative to it; `stage` is a suffix word (`vert`, `comp`, ...)
    or None for functions of any stage; `debuginfo` is none, line or full.
    """

    root: str
    path: str
    text: bytes
    language: str
    stage: str | None
    entry_point: str = "main"
    target: str
    defines: tuple[tuple[str, str | None], ...] = ()
    include_dirs: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    debuginfo: str = "none"


@dataclass(frozen=True, slots=True)
class UnitResult:
    """The objects of a unit, the files it depends on and its warnings.

    Shape: `as_written` if the unit has a canonical form that the compiler refused.
    """

    variants: tuple[ObjectVariant, ...]
    observed: tuple[Observed, ...]
    diagnostics: tuple[Diagnostic, ...]
    as_written: bool = False


# The include finder of a source, and its canonical form, if it has one.
FoundSource = tuple[IncludeResolver, "Canonical | None"]


def resolver_of(request: UnitRequest) -> IncludeResolver:
    return IncludeResolver(request.root, request.include_dirs, request.path, request.text, request.repositories)


@step("read source and includes")
def find_canonical(request: UnitRequest) -> FoundSource:
    """Return the include finder of a unit, and its canonical form, if there is one.

    Shape: none if debug information holds the text as written.
    """
    includes = resolver_of(request)
    if request.debuginfo == "full":
        return includes, None
    positions = request.debuginfo != "none"
    form = canonical_lines(request.path, request.text, request.language, request.defines, includes, positions=positions)
    return (resolver_of(request) if form is None else includes), form
