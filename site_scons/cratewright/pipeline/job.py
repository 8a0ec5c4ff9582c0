"""One call of a backend, and its outcome."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..base.errors import CratewrightError
from ..base.values import dataclass
from ..values.call import BackendCall
from ..values.module import CompiledUnit, ModuleCodegen
from ..values.request import LinkResult, ThinModule

_Answer = TypeVar("_Answer")

Made = CompiledUnit | LinkResult | ModuleCodegen | tuple[ThinModule, ...]
"""Results of backend methods."""

NOUNS = {
    "compile_codegen_unit": "unit",
    "optimize": "module",
    "run_thin_lto": "image",
    "run_fat_lto": "image",
    "optimize_thin": "module",
    "optimize_fat": "image",
    "codegen": "module",
    "run_link": "object",
    "link": "image",
}
"""The event unit that each method of a backend makes."""


@dataclass(frozen=True, slots=True)
class Job(Generic[_Answer]):
    """One call of a backend's method, and its name in messages.

    Shape: `has_form` if the backend can compute a canonical form of the argument, by which to look for a result
    before making it.
    Units: `memory` in bytes that the call may need, 0 if negligible. `size` in bytes of input: the largest jobs
    begin first, so that none is left running alone at the end. `crate` and `unit` are its names in
    events. A failed job that is `retried` is not reported: the retry will be. `reads` are the files
    that it read last time, and missing paths.
    """

    call: BackendCall[_Answer]
    label: str
    has_form: bool = False
    memory: int = 0
    size: int = 0
    crate: str = ""
    unit: str = ""
    retried: bool = False
    reads: tuple[str, ...] = ()


def happened_to(crate: str, module: str) -> tuple[tuple[str, object], ...]:
    """Return what failed, as rows of an error."""
    return tuple((label, name) for label, name in (("crate", crate), ("module", module)) if name)


@dataclass(frozen=True, slots=True)
class JobOutcome(Generic[_Answer]):
    """A result and whether it came from the cache, or the error."""

    result: _Answer | None
    hit: bool
    error: CratewrightError | None = None

    def get(self, crate: str, module: str = "") -> _Answer:
        """Return the result.

        Raises: the error, with its crate added, and its module if there is one.
        """
        if self.error is not None:
            raise self.error.with_context(*happened_to(crate, module)).with_summary(f"crate '{crate}': linking failed")
        assert self.result is not None
        return self.result
