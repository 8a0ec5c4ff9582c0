"""One call of a backend, and its outcome."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..base.errors import CratewrightError
from ..base.values import dataclass
from ..values.call import BackendCall
from ..values.module import CompiledUnit, ModuleCodegen
from ..values.request import LinkResult, ThinModule

__all__ = ["NOUNS", "Job", "JobOutcome", "Made", "happened_to"]

_Answer = TypeVar("_Answer")

Made = CompiledUnit | LinkResult | ModuleCodegen | tuple[ThinModule, ...]
"""What a backend's methods return."""

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
"""What each method of a backend makes one of."""


@dataclass(frozen=True, slots=True)
class Job(Generic[_Answer]):
    """One call of a backend's method, and the name it has in messages.

    Shape: `has_form` if the backend can give the canonical form of what the call is about, by which a result is looked
    for before it is made.
    Units: `memory` in bytes, what the call may need; 0 for what is not worth a thought. `size` in bytes, of what is
    worked on: the largest is begun first, so that it is not what all wait for in the end. `crate` and `unit` are what
    events call it. A failure of one that is `retried` is no news: more is asked about it first. `reads` are the files
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
    """Return what a failure happened to, as rows of an error."""
    return tuple((label, name) for label, name in (("crate", crate), ("module", module)) if name)


@dataclass(frozen=True, slots=True)
class JobOutcome(Generic[_Answer]):
    """A result, whether it came from the cache, or why there is none."""

    result: _Answer | None
    hit: bool
    error: CratewrightError | None = None

    def get(self, crate: str, module: str = "") -> _Answer:
        """Return the result.

        Raises: the error, with the crate it happened to, and the module, if it was one.
        """
        if self.error is not None:
            raise self.error.with_context(*happened_to(crate, module)).told(f"crate '{crate}': linking failed")
        assert self.result is not None
        return self.result
