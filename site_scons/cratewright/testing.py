"""Tools for tests of backends: a stub backend, trial builds, and the rules that every backend must keep."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .authors.scons_project import SconsProject
from .authors.stub import StubBackend
from .authors.trial import Built, Trial, make_options
from .base.errors import CacheError, ToolError
from .contract.backend import CodegenBackend
from .contract.hookspecs import hookimpl
from .pipeline.in_worker import make_watched
from .values.call import BackendCall
from .values.module import CompiledUnit
from .values.request import LinkRequest, LinkResult
from .values.stencil import UnitStencil

if TYPE_CHECKING:
    from .conformance import Conformance

__all__ = [
    "Built",
    "Conformance",
    "SconsProject",
    "StubBackend",
    "Trial",
    "check_observations",
    "cratewright_register_backend",
    "make_options",
    "require_tool",
]


def __getattr__(name: str) -> object:
    # It needs pytest, which only tests have; this module also serves builds that use the stub.
    if name == "Conformance":
        from .conformance import Conformance  # noqa: PLC0415

        return Conformance
    raise AttributeError(f"module 'cratewright.testing' has no attribute '{name}'")


@hookimpl
def cratewright_register_backend() -> type[CodegenBackend]:
    """Register the stub."""
    return StubBackend


def check_observations(backend: CodegenBackend, work: UnitStencil | LinkRequest) -> None:
    """Compile a unit, or link, and check that the backend reports every file below the root that it opens.

    Shape: `backend` after `init`. Files that a tool opens by itself, not through Python, are not seen.
    Raises: CacheError naming the files: a cached result would outlive a change of them.
    """
    if isinstance(work, UnitStencil):
        call: BackendCall[Any] = BackendCall(CodegenBackend.compile_codegen_unit, work)
        name, known = work.path, {work.path, work.file}
    else:
        call = BackendCall(CodegenBackend.link, work)
        name, known = work.crate, {library.path for library in work.libraries}
    watched = make_watched(backend, call)
    assert isinstance(watched.value, (CompiledUnit, LinkResult))
    known |= {item.path for item in watched.value.observed}
    unseen = [path for path in watched.opened if path not in known and not os.path.isabs(path)]
    if unseen:
        raise CacheError(
            f"backend '{backend.NAME}' reads {', '.join(unseen)} and does not report it",
            context=(("unit" if isinstance(work, UnitStencil) else "crate", name),),
            hint="return every file read, and every missing path, as `observed`",
        )


def require_tool(found: bool, what: str) -> None:
    """Skip a test that lacks a tool, or fail it where `CRATE_REQUIRE_TOOLS=1` says that none may be missing.

    Raises: ToolError, or pytest's skip.
    """
    if found:
        return
    if os.environ.get("CRATE_REQUIRE_TOOLS") == "1":
        raise ToolError(f"{what} is missing and CRATE_REQUIRE_TOOLS=1")
    import pytest  # noqa: PLC0415 - only tests have it

    pytest.skip(f"{what} is missing")
