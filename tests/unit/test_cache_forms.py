"""Lookup of units by their canonical form, and relocation of the units found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job, JobOutcome
from cratewright.values.module import CanonicalForm, CompiledUnit
from cratewright.values.stencil import UnitStencil
from tests.support.cached_engine import Recorded, data_of, unit_call
from tests.support.engine_build import kept_history


class Canonical(Recorded):
    """A backend whose canonical form leaves out comments and line numbers."""

    form_requests: Sequence[str] = ()

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm:
        """Return the form of the source without comments."""
        Canonical.form_requests = [*Canonical.form_requests, stencil.path]
        return self._form(stencil, super().compile_codegen_unit(stencil))

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile, and attach the canonical form."""
        unit = super().compile_codegen_unit(stencil)
        return replace(unit, form=self._form(stencil, unit))

    def _form(self, stencil: UnitStencil, unit: CompiledUnit) -> CanonicalForm:
        lines = stencil.source.decode().splitlines()
        code = [line for line in lines if not line.startswith("#")]
        at = next((str(n) for n, line in enumerate(lines, 1) if line.startswith("warning")), "")
        return CanonicalForm(key="\n".join(code).encode(), observed=unit.observed, parameters=(("line", at),))

    def relative_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit | None:
        """Remove the line number, or refuse if there are two warnings."""
        return None if len(unit.diagnostics) > 1 else _lined(unit, 0)

    def place_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit:
        """Restore the line number of the warning."""
        return _lined(unit, int(dict(form.parameters)["line"] or 0))


def _lined(unit: CompiledUnit, line: int) -> CompiledUnit:
    return replace(unit, diagnostics=tuple(replace(item, line=line) for item in unit.diagnostics))


@pytest.fixture
def canonical(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., JobOutcome]:
    """Return a function that compiles a source with `Canonical`, as a stage does."""
    monkeypatch.setattr(engine.registry, "backend", lambda name: Canonical)
    monkeypatch.setattr(Canonical, "form_requests", ())
    for name in ("first", "second"):
        (tmp_path / name / "x.inc").write_text("export x\n")

    def compiled(source: bytes, path: str = "a.stub") -> JobOutcome[CompiledUnit]:
        with kept_history(engine, tmp_path / "target.history"):
            job = Job(unit_call(source, path), path, has_form=True)
            return engine.run_cached("stub", "text", [job])[0]

    return compiled


def test_hit_by_canonical_form(canonical: Callable[..., JobOutcome], tmp_path: Path) -> None:
    source = b"include x.inc\nexport a\nwarning w\n"
    first = canonical(source)
    assert not first.hit and not Canonical.form_requests  # no form is requested before the first compilation
    moved = canonical(b"# a comment\n" + source)
    assert moved.hit and isinstance(moved.result, CompiledUnit) and data_of(moved) == data_of(first)
    assert [item.line for item in moved.result.diagnostics] == [4] and moved.result.form is None
    # The include is now found elsewhere: still a hit, and the unit depends on what was read this time.
    (tmp_path / "first" / "x.inc").unlink()
    other = canonical(source)
    assert other.hit and isinstance(other.result, CompiledUnit)
    assert [item.path for item in other.result.observed] == ["x.inc", "first/x.inc", "second/x.inc"]
    form_requests = len(Canonical.form_requests)
    # The unit is now stored under its own key too, so the form is not requested again.
    assert canonical(source).hit and len(Canonical.form_requests) == form_requests
    (tmp_path / "second" / "x.inc").write_text("export y\n")
    assert data_of(canonical(source + b"export z\n")) == b"export y\nexport a\nexport z\n"


def test_unit_that_cannot_be_relocated_is_not_stored_by_form(canonical: Callable[..., JobOutcome]) -> None:
    source = b"export a\nwarning v\nwarning w\n"
    assert not canonical(source).hit
    assert not canonical(b"# a comment\n" + source).hit
    assert canonical(source).hit


def test_no_form_is_requested_without_a_cache(canonical: Callable[..., JobOutcome], engine: Engine) -> None:
    canonical(b"export a\n")
    canonical(b"# a comment\nexport a\n")
    assert len(Canonical.form_requests) == 1
    engine.environ, engine._store = {"CRATE_CACHE": "off"}, None
    assert not canonical(b"# another comment\nexport a\n").hit and len(Canonical.form_requests) == 1


def test_error_in_canonical_form_is_reported_by_the_compilation(canonical: Callable[..., JobOutcome]) -> None:
    canonical(b"export a\n")
    assert str(canonical(b"error no\n").error) == "a.stub:1: error: no"
