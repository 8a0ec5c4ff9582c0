"""Compiles one source through the cache, with a stub that records what it compiles."""

from __future__ import annotations

from collections.abc import Sequence

from cratewright import testing
from cratewright.contract.backend import CodegenBackend
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job, JobOutcome
from cratewright.values.call import BackendCall
from cratewright.values.module import CompiledUnit
from cratewright.values.options import Options
from cratewright.values.stencil import UnitStencil


class Recorded(testing.StubBackend):
    """The stub, with a list of what it has compiled."""

    compiled: Sequence[str] = ()

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile, and remember the path."""
        Recorded.compiled = [*Recorded.compiled, stencil.path]
        return super().compile_codegen_unit(stencil)


OPTIONS = Options((("defines", ()), ("include_dirs", ("first", "second"))))


def compile_source(engine: Engine, source: bytes, path: str = "a.stub") -> JobOutcome[CompiledUnit]:
    """Compile one source."""
    return engine.run_cached("stub", "text", [Job(unit_call(source, path), path)])[0]


def stencil_of(source: bytes, path: str) -> UnitStencil:
    """Return the stencil of a source."""
    return UnitStencil(backend="stub", fingerprint="1", target="text", path=path, source=source, options=OPTIONS)


def unit_call(source: bytes, path: str) -> BackendCall[CompiledUnit]:
    """Return the call that compiles a source."""
    return BackendCall(CodegenBackend.compile_codegen_unit, stencil_of(source, path))


def data_of(outcome: JobOutcome[CompiledUnit]) -> bytes:
    """Return the module that was made; raise AssertionError if none was."""
    assert outcome.result is not None, outcome.error
    return outcome.result.modules[0].data
