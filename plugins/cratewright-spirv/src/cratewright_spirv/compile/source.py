"""Compiles a source of any kind to modules: takes the contract's stencil, returns modules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cratewright import (
    CompiledUnit,
    Diagnostic,
    EntryPoint,
    ModuleCodegen,
    Observed,
    SourceError,
    UnitStencil,
)

from ..base.implied import IMPLIES
from ..base.stages import STAGE_NAMES
from ..compilers.glslang import Compiler
from ..spirv_tools.tools import Tools
from ..text.includes import plain_lines
from ..text.sources import SourceUnit, classify
from ..transforms.finalize import rename_entry_points
from .objects import ObjectVariant
from .positions import AS_WRITTEN
from .ready_made import ready_made_unit
from .request import FoundSource, UnitRequest
from .unit import compile_unit


def compile_shader_source(
    stencil: UnitStencil,
    root: str,
    compiler: Callable[[], Compiler],
    tools: Callable[[], Tools],
    found: FoundSource | None,
) -> CompiledUnit:
    """Return the modules of a source; `found` is its canonical form, if that was looked for already.

    Shape: one module; or one for each entry point of an HLSL source, or for each way in which a library
    depends on the stage. Module names are what tells them apart within the source.
    Raises: SourceError, FormatError for a foreign `.spv`.
    """
    wanted = stencil.options.text("entry_point") or None
    units = classify(stencil.path, stencil.source, wanted)
    if units[0].language in ("spvasm", "spv"):
        return ready_made_unit(stencil, units[0], tools())
    if not stencil.source.strip():
        raise SourceError.at(stencil.path, 1, "the source is empty", hint="take it out of the crate's sources")
    modules: list[ModuleCodegen] = []
    observed: dict[str, Observed] = {}
    diagnostics: dict[Diagnostic, None] = {}
    for unit in units:
        result = compile_unit(unit_request(stencil, unit, root), compiler(), found)
        for variant in result.variants:
            member = _member(unit, variant, several=len(units) > 1, variants=len(result.variants))
            more = {"several": "1"} if len(units) > 1 else {}
            more |= {AS_WRITTEN: "1"} if result.as_written else {}
            modules.append(_module(variant, {"member": member, "source": stencil.path, **more}))
        observed |= {item.path: item for item in result.observed}
        diagnostics |= dict.fromkeys(result.diagnostics)
    if units[0].language == "glsl" and wanted:
        modules = [_renamed(module, wanted) for module in modules]
    return CompiledUnit(modules=tuple(modules), observed=tuple(observed.values()), diagnostics=tuple(diagnostics))


def unit_request(stencil: UnitStencil, unit: SourceUnit, root: str) -> UnitRequest:
    """Return the request to compile one unit of a source."""
    return UnitRequest(
        root=root,
        path=stencil.path,
        text=plain_lines(stencil.source),
        language=unit.language,
        stage=unit.stage,
        entry_point=unit.entry_point,
        target=stencil.target,
        defines=stencil.options.defines,
        include_dirs=stencil.options.texts("include_dirs"),
        repositories=stencil.repositories,
        debuginfo=stencil.options.debuginfo.value,
    )


def _member(unit: SourceUnit, variant: ObjectVariant, *, several: bool, variants: int) -> str:
    if several:
        return f".{unit.entry_point}.spv"
    if variants > 1:
        return f".{'-'.join(variant.stages) if len(variant.stages) <= 3 else 'other'}.spv"
    return ".spv"


def _module(variant: ObjectVariant, attributes: dict[str, str]) -> ModuleCodegen:
    if variant.stages and not variant.entry_point:
        attributes["stages"] = " ".join(variant.stages)
    if variant.initialiser:
        attributes["initialiser"] = variant.initialiser
    if implied := variant.implied.encode():
        attributes[IMPLIES] = implied
    entries: tuple[EntryPoint, ...] = ()
    if variant.entry_point:
        entries = (EntryPoint(STAGE_NAMES[variant.entry_point[0]], variant.entry_point[1]),)
    return ModuleCodegen(
        name=attributes["member"],
        data=variant.data,
        exports=variant.exports,
        imports=variant.imports,
        entry_points=entries,
        attributes=tuple(sorted(attributes.items())),
    )


def _renamed(module: ModuleCodegen, name: str) -> ModuleCodegen:
    """Give a GLSL entry point, always `main` in the language, the requested name."""
    if not module.entry_points:
        return module
    (entry,) = module.entry_points
    data = rename_entry_points(module.data, {(entry.stage, entry.name): name}, name=module.name)
    return replace(module, data=data, entry_points=(EntryPoint(entry.stage, name),))
