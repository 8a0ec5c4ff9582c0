"""What a backend makes from a source: modules, their symbols and entry points.

Only its backend understands a module's data.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from ..base.diagnostic import Diagnostic
from ..base.digest import Digest
from ..base.values import dataclass


class ModuleKind(Enum):
    """Why a module exists; rustc's two kinds."""

    REGULAR = "regular"
    ALLOCATOR = "allocator"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol that a module exports or imports.

    Shape: `name` is the linkage name, `display` the user's spelling, at `file` and `line` (0 if unknown); `signature`
    is the type in the backend's words, empty where a language gives none.
    """

    name: str
    display: str
    file: str = ""
    line: int = 0
    signature: str = ""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A point where execution of an image may start, unique by stage and name together."""

    stage: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCodegen:
    """One module of a crate, serialised.

    Shape: `name` is the archive member's name, unique within the crate; `attributes` are the backend's own words,
    sorted. `exports` are the symbols that the option `exports` may name and that a link offers if it names none; for
    weak or hidden ones, a backend notes in `attributes` that they are offered only when named.
    """

    name: str
    data: bytes
    kind: ModuleKind = ModuleKind.REGULAR
    exports: tuple[Symbol, ...] = ()
    imports: tuple[Symbol, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str:
        """Return an attribute's value, or an empty string."""
        return next((value for key, value in self.attributes if key == name), "")


@dataclass(frozen=True, slots=True)
class Observed:
    """A file that a compiler or linker read, or a path that it found missing.

    Shape: `path` is relative to the project root, or absolute outside it; `digest` is the content's, None if missing,
    or another word that `digest_file` gives.
    """

    path: str
    digest: Digest | None


def merge_observed(groups: Iterable[Iterable[Observed]]) -> tuple[Observed, ...]:
    """Return what several results depend on, sorted by path.

    Shape: a path is there once, unless it changed between two results: with both contents it is as no later build
    finds it.
    """
    found: dict[str, Observed] = {}
    changed: set[Observed] = set()
    for group in groups:
        for item in group:
            if found.setdefault(item.path, item).digest != item.digest:
                changed.add(item)
    return tuple(sorted([*found.values(), *changed], key=lambda item: (item.path, item.digest or "")))


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalForm:
    """A unit reduced to what can alter its result.

    Shape: units with equal `key` have equal results but for `parameters`, such as positions in diagnostics, which the
    backend applies afterwards, and `observed`, the files that were read to find the form.
    """

    key: bytes
    observed: tuple[Observed, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledUnit:
    """The result of one `compile_codegen_unit`.

    Shape: `modules` has at least one; `observed` is as from `merge_observed` and omits the source itself; `diagnostics`
    are warnings and notes, in order. `emitted` are the files that the option `emit` requests beside the crate, by
    suffix, in the order of `EMITTED`. `form` is what the backend compiled, for the cache; `dumps` are copies for
    people, as (root-relative path, content), in directories that options name.
    """

    modules: tuple[ModuleCodegen, ...]
    observed: tuple[Observed, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    emitted: tuple[tuple[str, bytes], ...] = ()
    form: CanonicalForm | None = None
    dumps: tuple[tuple[str, bytes], ...] = ()
