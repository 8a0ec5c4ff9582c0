"""Finds the source line of a validator's error in crates compiled without line information.

A successful build pays nothing: only failing crates are compiled again with lines, and the result is discarded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..base.diagnostic import Diagnostic
from ..base.errors import CratewrightError, ValidationError
from ..contract.backend import CodegenBackend
from ..formats.crate_metadata import CrateMetadata
from ..rules.dependency_format import DependencyFormats
from ..values.crate import Crate
from ..values.crate_type import CrateType
from ..values.identity import CrateId
from ..values.option_spec import OptionKind
from ..values.options import DebugInfo, Options
from .codegen import codegen_crate
from .engine import Engine
from .link import link_crate
from .link_inputs import Dependency


def source_of(
    error: ValidationError,
    engine: Engine,
    crate: CrateMetadata,
    dependencies: Sequence[Dependency],
    kind: CrateType,
    formats: DependencyFormats,
    *,
    sources: Mapping[CrateId, Crate],
) -> tuple[Diagnostic, ...]:
    """Return the source places of a link error, if it has none and they can be found.

    Shape: `sources` are the crates that can be recompiled, by stable identity.
    """
    if error.diagnostics:
        return ()
    backend = engine.backend(crate.backend, crate.target)
    try:
        with engine.unheard():
            again = [replace(item, crate=_with_lines(engine, backend, item.crate, sources)) for item in dependencies]
            link_crate(engine, _with_lines(engine, backend, crate, sources), again, kind, formats)
    except CratewrightError as other:
        return other.diagnostics if other.message == error.message else ()
    return ()


def _with_lines(
    engine: Engine, backend: CodegenBackend, crate: CrateMetadata, sources: Mapping[CrateId, Crate]
) -> CrateMetadata:
    found = sources.get(crate.stable_id)
    if found is None or not found.sources:
        return crate
    units = tuple(replace(each, options=_lined(backend, each.options)) for each in found.sources)
    made = codegen_crate(engine, replace(found, options=_lined(backend, found.options), sources=units))
    return replace(crate, modules=made.metadata.modules, options=made.metadata.options)


def _lined(backend: CodegenBackend, options: Options) -> Options:
    """Return options that keep line information and write no files."""
    dumps = {spec.name: "" for spec in backend.OPTIONS if spec.kind is OptionKind.DIRECTORY}
    return options.override({**dumps, "debuginfo": DebugInfo.LINE.value})
