"""What a backend makes from a source: modules, their symbols and entry points.

A module's data is opaque to everyone but its backend.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from ..base.diagnostic import Diagnostic
from ..base.values import dataclass

__all__ = [
    "CanonicalForm",
    "CompiledUnit",
    "EntryPoint",
    "ModuleCodegen",
    "ModuleKind",
    "Observed",
    "Symbol",
    "merge_observed",
]


class ModuleKind(Enum):
    """Why a module exists; rustc's two kinds."""

    REGULAR = "regular"
    ALLOCATOR = "allocator"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that modules are linked by.

    Shape: `name` is the linkage name, `display` how the user wrote it, `file` and `line` where (0: not known);
    `signature` is its type in the backend's words, empty where a language does not tell.
    """

    name: str
    display: str
    file: str = ""
    line: int = 0
    signature: str = ""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where execution of an image may start: unique by stage and name together."""

    stage: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCodegen:
    """One module of a crate, serialised.

    Shape: `name` is its member name, unique within the crate; `attributes` are the backend's own words, sorted.
    `exports` are what the option `exports` may name and, if it names nothing, what a link is asked to offer: of what
    is weak or hidden, a backend remembers in `attributes` that nobody named it.
    """

    name: str
    data: bytes
    kind: ModuleKind = ModuleKind.REGULAR
    exports: tuple[Symbol, ...] = ()
    imports: tuple[Symbol, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str:
        """Return one of the backend's own words, or an empty string."""
        return next((value for key, value in self.attributes if key == name), "")


@dataclass(frozen=True, slots=True)
class Observed:
    """A file that a compiler or a linker read, or a path that was missing.

    Shape: `path` relative to the project root, or absolute outside it; `digest` of the content, None if absent.
    """

    path: str
    digest: str | None


def merge_observed(groups: Iterable[Iterable[Observed]]) -> tuple[Observed, ...]:
    """Return what several results depend on together: each path once, sorted by path."""
    found = {item.path: item for group in groups for item in group}
    return tuple(found[path] for path in sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalForm:
    """What is left of a unit when all that cannot alter its result is taken away.

    Shape: units of one `key` have one result, apart from `parameters`, which the backend applies to it afterwards
    (as positions in diagnostics), and from `observed`, the files that were read to find the form.
    """

    key: bytes
    observed: tuple[Observed, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledUnit:
    """The result of one `compile_codegen_unit`.

    Shape: `modules` at least one; `observed` unique by path, the source itself left out; `diagnostics` are
    warnings and notes, in order. `emitted` are files to be kept beside the crate: one for each that
    the option `emit` asks for, by suffix, in the order of `EMITTED`. `form` is what the backend compiled, for whoever
    keeps results; `dumps` are copies for people, as (root-relative path, content), in directories that options name.
    """

    modules: tuple[ModuleCodegen, ...]
    observed: tuple[Observed, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    emitted: tuple[tuple[str, bytes], ...] = ()
    form: CanonicalForm | None = None
    dumps: tuple[tuple[str, bytes], ...] = ()
