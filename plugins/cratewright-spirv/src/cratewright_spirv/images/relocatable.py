"""One module with the functions that a crate exports and everything they need, which can be linked again.

Whatever a module declares besides its code would be lost, so it is refused.
Source: rust-gpu's `keep_link_exports`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cratewright import (
    Artifact,
    LinkError,
    LinkRequest,
    LinkResult,
    ModuleCodegen,
    ModuleConfig,
    Symbol,
    UnsupportedError,
    ValidationError,
)

from ..base.implied import Implied
from ..base.names import object_path, spv_environment, text_path
from ..binary import opcodes as op
from ..binary.enumerants import EXPORT, LINKAGE, LINKAGE_ATTRIBUTES
from ..binary.lines import lines_for_linker, linked_lines
from ..binary.linkage import linkage_symbols
from ..binary.module import build, literal, parse, string
from ..binary.operands import Instruction
from ..binary.program import BEFORE_NAMES, Program
from ..link.symbols import SymbolTable, stages_of
from ..spirv_tools.tools import LENIENT, Tools
from ..spirv_tools.upgrade import upgrade_for
from ..transforms.debug_split import at_level
from ..transforms.link_once import one_of_each
from ..transforms.memory_model import modules_of_one_model
from ..transforms.merge_variables import merge_variables
from .image import run_passes

_MARK = "cratewright export "


def merge_exports(request: LinkRequest, tools: Tools) -> ModuleCodegen:
    """Link a crate's own modules and what they need into one, which exports the request's symbols.

    Raises: UnsupportedError for a module that depends on the entry point that links it; LinkError for symbols.
    """
    if len(request.modules) == 1 and request.modules[0].module.attribute("merged"):
        return request.modules[0].module
    request = at_level(request)
    for item in request.modules:
        if item.crate == request.crate:
            _check(request.crate, item.module, stages_of(item))
    wanted = set(request.exported)
    roots = [
        index
        for index, item in enumerate(request.modules)
        if item.crate == request.crate or any(symbol.name in wanted for symbol in item.module.exports)
    ]
    items = [request.modules[index] for index in SymbolTable(request.modules).closure(roots, "")]
    for item in items:
        _check(item.crate, item.module, frozenset())
    parts = [_marked(data, wanted) for data in one_of_each([item.module.data for item in items], items)]
    env = spv_environment(request.target)
    names = [f"{item.crate}/{item.module.name}" for item in items]
    parts = modules_of_one_model(parts, names, upgrade_for(tools, env))
    linked = linked_lines(tools.link(lines_for_linker(parts), env=env))
    data = _exporting(merge_variables(Program.of(parse(linked, request.crate)))).encode()
    displays = {symbol.name: symbol for item in items for symbol in item.module.exports}
    return ModuleCodegen(
        name=f"{request.crate}.object",
        data=data,
        exports=tuple(
            displays.get(name) or Symbol(name, name) for name in linkage_symbols(data, name=request.crate)[0]
        ),
        attributes=(("merged", "1"),),
    )


def optimized(module: ModuleCodegen, config: ModuleConfig, tools: Tools) -> ModuleCodegen:
    """Return what `merge_exports` made, optimized as a whole.

    Raises: ToolError if the optimizer refuses.
    """
    data = run_passes(module.data, config, tools)
    return replace(module, data=data, attributes=(("merged", "1"), ("optimized", "1")))


def link_object(request: LinkRequest, tools: Tools) -> LinkResult:
    """Return the file: the module optimized, unless LTO has done that, and validated.

    Raises: ValidationError if it breaks the rules of SPIR-V.
    """
    (item,) = request.modules
    data, path = item.module.data, object_path(request.crate)
    if not item.module.attribute("optimized"):
        data = run_passes(data, request.config, tools)
    environment = spv_environment(request.target)
    if request.options.flag("spirv_val"):
        try:
            tools.validate(data, env=environment, options=LENIENT)
        except ValidationError as error:
            raise ValidationError(
                f"{path} breaks the rules of SPIR-V", context=(("validator", error.message), *error.context)
            ) from error
    artifacts = [Artifact(path, data)]
    if request.options.flag("disassemble"):
        artifacts.append(Artifact(text_path(path), tools.disassemble(data, env=environment).encode()))
    return LinkResult(artifacts=tuple(artifacts))


def _check(crate: str, module: ModuleCodegen, stages: frozenset[str]) -> None:
    """Refuse what an object cannot express."""
    implied = Implied.of(module)
    for wrong, reason in (
        (module.entry_points, "it has an entry point, and an object is a library"),
        (stages, f"it differs from stage to stage (here {' '.join(sorted(stages))})"),
        (module.attribute("initialiser"), "it has global variables that code sets before an entry point runs"),
        (implied.modes or implied.defaults, "it implies execution modes of its stage"),
        (implied.sized, "it depends on the workgroup size of its caller"),
        (implied.unbounded or implied.shared, "it shares variables or layouts with the entry point that calls it"),
    ):
        if wrong:
            raise UnsupportedError(
                f"crate '{crate}': {module.name} cannot be part of an object: {reason}",
                context=(("source", module.attribute("source")),) if module.attribute("source") else (),
                hint="keep it in an rlib, which preserves that",
            )


def _marked(data: bytes, wanted: set[str]) -> bytes:
    """Return a module with its exports recorded in debug names: the linker drops exports, but keeps names."""
    module = parse(data, "module")
    found: dict[int, str] = {
        words[1]: string(words, 3)[0]
        for words in module.instructions
        if words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES and words[-1] == EXPORT
    }
    marks = [build(op.NAME, number, *literal(_MARK + name)) for number, name in found.items() if name in wanted]
    if not marks:
        return data
    program = Program.of(module)
    others = [words for words in program.preamble if not (words[0] & 0xFFFF == op.NAME and words[1] in found)]
    at = next(index for index, words in enumerate(others) if words[0] & 0xFFFF not in BEFORE_NAMES)
    return replace(program, preamble=(*others[:at], *marks, *others[at:])).encode()


def _exporting(program: Program) -> Program:
    """Return a linked program with the exports recorded in its names."""
    preamble: list[Instruction] = []
    exports: dict[int, str] = {}
    for words in program.preamble:
        if words[0] & 0xFFFF == op.NAME and (text := string(words, 2)[0]).startswith(_MARK):
            exports[words[1]] = text.removeprefix(_MARK)
        else:
            preamble.append(words)
    if not exports:
        raise LinkError(f"{program.module.name} exports nothing", hint="give it a library source, or make it an rlib")
    capability = build(op.CAPABILITY, LINKAGE)
    if capability not in preamble:
        preamble.insert(0, capability)
    named = BEFORE_NAMES | {op.NAME, op.MEMBER_NAME, op.MODULE_PROCESSED}
    at = next(index for index, words in enumerate(preamble) if words[0] & 0xFFFF not in named)
    return replace(program, preamble=(*preamble[:at], *_decorations(exports), *preamble[at:]))


def _decorations(exports: Mapping[int, str]) -> Iterator[Instruction]:
    for number, name in exports.items():
        yield build(op.DECORATE, number, LINKAGE_ATTRIBUTES, *literal(name), EXPORT)
