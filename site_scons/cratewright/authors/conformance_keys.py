"""The rule about keys: whatever an option affects is in the key, or in the canonical form of a unit.

A unit's key contains all options that the backend declares, so the backend is responsible only for its canonical form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ..base.errors import CratewrightError
from ..contract.backend import CodegenBackend
from ..contract.edge import implements
from ..pipeline.plan import option_table
from ..values.option_spec import NUMBER_KINDS, OptionKind, OptionSpec, OptionValue
from ..values.stencil import UnitStencil
from .conformance_builds import Builds, broken


class KeyRules(Builds):
    """A part of `Conformance`."""

    def test_every_option_counts(self, tmp_path: Path) -> None:
        """Units of one canonical form have one result, whichever options they are compiled with."""
        trial = self._trial()
        trial.write(str(tmp_path))
        engine = trial.engine(str(tmp_path), workers=False)
        backend = engine.backend(trial.backend.NAME, trial.crate().target)
        if not implements(backend, CodegenBackend.canonical_form):
            pytest.skip("does not apply: it has no canonical forms, so every option is in the key")
        for stencil in trial.stencils(engine):
            form = backend.canonical_form(stencil)
            for name, changed in _otherwise(stencil, trial.backend) if form is not None else ():
                try:
                    other = backend.canonical_form(changed)
                    if other is None or form is None or other.key != form.key:
                        continue
                    made = [backend.compile_codegen_unit(each) for each in (stencil, changed)]
                    bare = [backend.relative_unit(unit, unit.form or form) for unit in made]
                except CratewrightError:  # not every value goes with the others
                    continue
                units = [replace(unit, form=None, observed=(), dumps=()) for unit in bare if unit is not None]
                if len(units) == len(bare) and units[0] != units[1]:
                    broken(
                        f"{stencil.path} compiles differently with another '{name}', but has the same canonical form",
                        f"put options.text('{name}') into the key of the form, or leave it out of UNIT_OPTIONS",
                    )


def _otherwise(stencil: UnitStencil, kind: type[CodegenBackend]) -> Iterator[tuple[str, UnitStencil]]:
    """Yield a unit with each of its options changed that has values which are known to mean something."""
    for spec in option_table(kind):
        if spec.name in kind.UNIT_OPTIONS:
            for value in _other_values(spec, stencil.options[spec.name]):
                yield spec.name, replace(stencil, options=stencil.options.override({spec.name: value}))


def _other_values(spec: OptionSpec, value: OptionValue) -> Iterator[OptionValue]:
    if spec.kind is OptionKind.FLAG:
        yield not value
    elif spec.kind is OptionKind.CHOICE:
        yield from (word for word in spec.words if word != value)
    elif spec.kind is OptionKind.DEFINES:
        yield (("CRATEWRIGHT_TRIAL", "1"),)
    elif spec.kind in NUMBER_KINDS:
        start = value if isinstance(value, int) else (spec.least or 0)
        near = (start + spec.step, start - spec.step)
        low, high = (spec.least if spec.least is not None else start), (spec.most if spec.most is not None else near[0])
        yield from [number for number in near if low <= number <= high][:1]
