"""Prepares a process from which workers are forked: modules, the compiler's tables, and what most sources include."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from cratewright import CratewrightError, UnitStencil

from .compile.request import find_canonical
from .compile.source import unit_request
from .compilers.glslang import DEFAULT_VERSION, Compiler
from .images import image as _image  # noqa: F401 - loaded once here, not by each worker
from .text.sources import classify, glsl_version

# This many sources include most of all included files.
_AHEAD = 32


def warm_up(stencils: Sequence[UnitStencil], root: str, compiler: Callable[[], Compiler], target: str) -> None:
    """Build the compiler's tables for the languages and versions in use; each takes as long as ten shaders."""
    if not stencils:
        return
    _read_ahead(stencils, root)
    hlsl = any(stencil.path.endswith(".hlsl") for stencil in stencils)
    glsl = (stencil.source for stencil in stencils if not stencil.path.endswith((".hlsl", ".spv", ".spvasm")))
    versions = {glsl_version(text) or DEFAULT_VERSION for text in glsl}
    # Others are rare, or mistakes in a single unit.
    compiler().warm(target, sorted(versions & {450, 460}), hlsl=hlsl)


def _read_ahead(stencils: Sequence[UnitStencil], root: str) -> None:
    """Parse some sources and their includes."""
    for stencil in stencils[:: max(1, len(stencils) // _AHEAD)]:
        # Errors in a source are reported when it is compiled.
        with suppress(CratewrightError):
            first = classify(stencil.path, stencil.source)[0]
            if first.language in ("glsl", "hlsl"):
                find_canonical(unit_request(stencil, first, root))
