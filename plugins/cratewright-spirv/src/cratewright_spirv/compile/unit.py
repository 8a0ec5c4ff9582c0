"""Compiles a source of any kind to modules: takes the contract's stencil, returns modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from cratewright import (
    CompiledUnit,
    CratewrightError,
    Diagnostic,
    EntryPoint,
    ModuleCodegen,
    Observed,
    SourceError,
    Symbol,
    UnitStencil,
    ValidationError,
    pattern,
)

from ..base.implied import IMPLIES
from ..base.names import spv_environment
from ..base.stages import STAGES
from ..binary import opcodes as op
from ..binary.checks import check
from ..binary.linkage import linkage_symbols, with_plain_linkage
from ..binary.module import parse
from ..compilers.glslang import Compiler
from ..reflection import reflect
from ..spirv_tools.tools import Tools, ValidatorOptions
from ..surgery.finalize import rename_entry_points
from ..surgery.once import ONCE, once_symbols
from ..text.demangle import demangle
from ..text.includes import plain_lines
from ..text.sources import SourceUnit, classify
from .compiler import FoundSource, UnitRequest, compile_unit, find_canonical
from .objects import ObjectVariant, SymbolInfo
from .places import AS_WRITTEN

__all__ = ["compile_source", "read_ahead", "unit_request"]

# A module may use whatever an image may; the image is validated again.
_LENIENT = ValidatorOptions(relax_struct_store=True, relax_logical_pointer=True, skip_block_layout=True)
_FUNCTION_NAME = pattern(rb"(?m)^[ \t]*(%\w+)[ \t]*=[ \t]*OpFunction\b")
# This many sources include most of all included files.
_AHEAD = 32
_STAGE_NAMES = {stage.suffix[1:]: stage.name for stage in STAGES}


def compile_source(
    stencil: UnitStencil,
    root: str,
    compiler: Callable[[], Compiler],
    tools: Callable[[], Tools],
    found: FoundSource | None = None,
) -> CompiledUnit:
    """Return the modules of a source; `found` is its canonical form, if that was looked for already.

    Shape: one module; or one for each entry point of an HLSL source, or for each way in which a library
    depends on the stage. Module names are what tells them apart within the source.
    Raises: SourceError, FormatError for a foreign `.spv`.
    """
    wanted = stencil.options.text("entry_point") or None
    units = classify(stencil.path, stencil.source, wanted)
    if units[0].language in ("spvasm", "spv"):
        return _ready_made(stencil, units[0], tools())
    if not stencil.source.strip():
        raise SourceError.at(stencil.path, 1, "the source is empty", hint="take it out of the crate's sources")
    modules: list[ModuleCodegen] = []
    observed: dict[str, Observed] = {}
    diagnostics: dict[Diagnostic, None] = {}
    # Entry points of one source share one text.
    found = found or find_canonical(unit_request(stencil, units[0], root))
    for unit in units:
        result = compile_unit(unit_request(stencil, unit, root), compiler(), found)
        for variant in result.variants:
            member = _member(unit, variant, several=len(units) > 1, variants=len(result.variants))
            module = _module(variant, member, stencil.path, several=len(units) > 1)
            modules.append(replace(module, attributes=_as_written(module)) if result.as_written else module)
        observed |= {item.path: item for item in result.observed}
        diagnostics |= dict.fromkeys(result.diagnostics)
    if units[0].language == "glsl" and wanted:
        modules = [_renamed(module, wanted) for module in modules]
    return CompiledUnit(modules=tuple(modules), observed=tuple(observed.values()), diagnostics=tuple(diagnostics))


def read_ahead(stencils: Sequence[UnitStencil], root: str) -> None:
    """Parse some sources and their includes before workers are forked."""
    for stencil in stencils[:: max(1, len(stencils) // _AHEAD)]:
        # Errors in a source are reported when it is compiled.
        with suppress(CratewrightError):
            first = classify(stencil.path, stencil.source)[0]
            if first.language in ("glsl", "hlsl"):
                find_canonical(unit_request(stencil, first, root))


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


def _module(variant: ObjectVariant, member: str, path: str, *, several: bool) -> ModuleCodegen:
    attributes = {"member": member, "source": path}
    if several:
        attributes["several"] = "1"
    if variant.stages and not variant.entry_point:
        attributes["stages"] = " ".join(variant.stages)
    if variant.initialiser:
        attributes["initialiser"] = variant.initialiser
    if implied := variant.implied.encode():
        attributes[IMPLIES] = implied
    entries: tuple[EntryPoint, ...] = ()
    if variant.entry_point:
        entries = (EntryPoint(_STAGE_NAMES[variant.entry_point[0]], variant.entry_point[1]),)
    return ModuleCodegen(
        name=member,
        data=variant.data,
        exports=tuple(_symbol(item) for item in variant.exports),
        imports=tuple(_symbol(item) for item in variant.imports),
        entry_points=entries,
        attributes=tuple(sorted(attributes.items())),
    )


def _as_written(module: ModuleCodegen) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((*module.attributes, (AS_WRITTEN, "1"))))


def _symbol(item: SymbolInfo) -> Symbol:
    return Symbol(item.name, demangle(item.name), item.file, item.line, item.signature)


def _renamed(module: ModuleCodegen, name: str) -> ModuleCodegen:
    """Give a GLSL entry point, always `main` in the language, the requested name."""
    if not module.entry_points:
        return module
    (entry,) = module.entry_points
    data = rename_entry_points(module.data, {(entry.stage, entry.name): name}, name=module.name)
    return replace(module, data=data, entry_points=(EntryPoint(entry.stage, name),))


def _ready_made(stencil: UnitStencil, unit: SourceUnit, tools: Tools) -> CompiledUnit:
    environment = spv_environment(stencil.target)
    data = stencil.source
    if unit.language == "spvasm":
        data = tools.assemble(data, env=environment, name=stencil.path)
    once = once_symbols(data, name=stencil.path)
    data = with_plain_linkage(data, name=stencil.path)
    exports, imports = linkage_symbols(data, name=stencil.path)
    # Foreign modules are checked before they are archived: the linker trusts its input.
    try:
        tools.validate(data, env=environment, options=_LENIENT)
    except ValidationError as error:
        raise ValidationError(f"{stencil.path}: {error.message}", context=error.context, hint=error.hint) from error
    if not imports and reflect.entry_points(data, name=stencil.path):
        check(data, name=stencil.path, describe=_names_in(stencil.source, data, stencil.path))
    attributes = {"member": ".spv" if unit.language == "spvasm" else "", "source": stencil.path}
    module = ModuleCodegen(
        name=".spv" if unit.language == "spvasm" else "",
        data=data,
        exports=tuple(Symbol(name, demangle(name), stencil.path, 0, exports[name]) for name in exports),
        imports=tuple(Symbol(name, demangle(name), stencil.path, 0, imports[name]) for name in imports),
        entry_points=tuple(
            EntryPoint(entry.stage, entry.name) for entry in reflect.entry_points(data, name=stencil.path)
        ),
        attributes=tuple(sorted({**attributes, **({ONCE: once} if once else {})}.items())),
    )
    return CompiledUnit(modules=(module,))


def _names_in(text: bytes, data: bytes, path: str) -> Callable[[str], str]:
    """Return a function that gives a text's name for a function without a debug name."""
    functions = [words[2] for words in parse(data, path).instructions if words[0] & 0xFFFF == op.FUNCTION]
    written = dict(
        zip((f"%{each}" for each in functions), map(bytes.decode, _FUNCTION_NAME.findall(text)), strict=False)
    )
    return lambda name: written.get(name) or demangle(name)
