"""Modules that come as SPIR-V, in text or binary, checked before they are archived: the linker trusts its input."""

from __future__ import annotations

from collections.abc import Callable

from cratewright import (
    CompiledUnit,
    ModuleCodegen,
    Symbol,
    UnitStencil,
    ValidationError,
    pattern,
)

from ..base.names import spv_environment
from ..binary import opcodes as op
from ..binary.checks import check
from ..binary.linkage import linkage_symbols, with_plain_linkage
from ..binary.module import parse
from ..reflection import reflect
from ..spirv_tools.tools import LENIENT, Tools
from ..text.demangle import demangle
from ..text.sources import SourceUnit
from ..transforms.link_once import ONCE, once_symbols

_FUNCTION_NAME = pattern(rb"(?m)^[ \t]*(%\w+)[ \t]*=[ \t]*OpFunction\b")


def ready_made_unit(stencil: UnitStencil, unit: SourceUnit, tools: Tools) -> CompiledUnit:
    environment = spv_environment(stencil.target)
    data = stencil.source
    if unit.language == "spvasm":
        data = tools.assemble(data, env=environment, name=stencil.path)
    once = once_symbols(data, name=stencil.path)
    data = with_plain_linkage(data, name=stencil.path)
    exports, imports = linkage_symbols(data, name=stencil.path)
    try:
        tools.validate(data, env=environment, options=LENIENT)
    except ValidationError as error:
        raise ValidationError(f"{stencil.path}: {error.message}", context=error.context, hint=error.hint) from error
    entries = reflect.entry_points(data, name=stencil.path)
    if entries and not imports:
        check(data, name=stencil.path, describe=_names_in(stencil.source, data, stencil.path))
    attributes = {"member": ".spv" if unit.language == "spvasm" else "", "source": stencil.path}
    module = ModuleCodegen(
        name=".spv" if unit.language == "spvasm" else "",
        data=data,
        exports=tuple(Symbol(name, demangle(name), stencil.path, 0, exports[name]) for name in exports),
        imports=tuple(Symbol(name, demangle(name), stencil.path, 0, imports[name]) for name in imports),
        entry_points=entries,
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
