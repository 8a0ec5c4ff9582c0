"""Link-time optimisation of shaders: of all entry points together (fat), or of each by itself (thin).

Knows nothing of caches or of the order of work. What is to be optimised is in canonical form, so that edits which
do not matter give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cratewright import (
    DebugInfo,
    EntryPoint,
    LinkModule,
    LinkRequest,
    ModuleCodegen,
    ModuleConfig,
    Options,
    ThinModule,
)

from . import opcodes as op
from . import reflect
from .assembly import assemble
from .canonical import Names, canonical, is_orderable
from .facts import Facts
from .finalize import only_entry_points
from .image import optimise
from .lines import lines_for_linker
from .module import Instruction, parse
from .names import Entry, entries_of, image_path, optimised_entries, spv_environment
from .program import Program, trim
from .symbols import closures
from .tools import Tools

__all__ = ["canonical_form", "link_modules", "optimise_module", "run_fat_lto", "run_thin_lto", "trimmed"]


def run_thin_lto(request: LinkRequest, tools: Tools) -> tuple[ThinModule, ...]:
    """Link what the entry point of a part reaches, and bring it into canonical form.

    Raises: LinkError for symbols, stages and recursion.
    """
    (entry,) = (each for each in entries_of(request) if each.output == request.part)
    entry = replace(entry, name=entry.inner)
    program = _assembled(request, entry.output, [entry], tools)
    data = canonical_form([program], request.options)
    item = request.modules[entry.module]
    own = Program.of(parse(item.module.data, item.module.name, bodies=False))
    if not _capabilities(program) <= _capabilities(own):
        # What only functions that are left out needed would tell of them.
        data = trimmed(data, request.config, tools)
    facts = Facts.of(data, _sources(request.modules), reflect.interface(program.encode()))
    attributes = (("entries", optimised_entries([entry])), ("facts", Facts.encode([facts])))
    return (ThinModule(name=item.module.name, crate=item.crate, data=data, attributes=attributes),)


def run_fat_lto(request: LinkRequest, tools: Tools) -> ModuleCodegen:
    """Link all entry points and what they reach into one module in canonical form.

    Raises: LinkError for symbols, stages and recursion.
    """
    # In one module every name must be unique within its stage, whatever becomes of it.
    entries = [replace(entry, name=entry.output) for entry in entries_of(request)]
    program = _assembled(request, "", entries, tools)
    interface = reflect.interface(program.encode())
    reached = closures(request.modules, [(entry.module, entry.suffix) for entry in entries])
    facts = [
        Facts.of(
            canonical_form([only_entry_points(program, [(entry.stage, entry.name)])], request.options),
            _sources([request.modules[index] for index in modules]),
            _of_entry(interface, entry),
        )
        for entry, modules in zip(entries, reached, strict=True)
    ]
    inside = [replace(entry, inner=entry.output) for entry in entries]
    return ModuleCodegen(
        name=f"{request.crate}.lto",
        data=canonical_form([program], request.options),
        entry_points=tuple(EntryPoint(entry.stage, entry.output) for entry in entries),
        attributes=(("entries", optimised_entries(inside)), ("facts", Facts.encode(facts))),
    )


def optimise_module(data: bytes, config: ModuleConfig, tools: Tools) -> ModuleCodegen:
    """Return a module that LTO made, optimised; its name and attributes are the caller's to add.

    Raises: ToolError if the optimiser refuses.
    """
    data = optimise(data, config, tools)
    entries = tuple(EntryPoint(entry.stage, entry.name) for entry in reflect.entry_points(data))
    return ModuleCodegen(name="", data=data, entry_points=entries)


def link_modules(modules: Sequence[ModuleCodegen], target: str, tools: Tools) -> ModuleCodegen:
    """Return what the linker makes of modules, and do no more.

    Raises: LinkError for symbols that are missing, repeated or do not match.
    """
    data = tools.link(lines_for_linker([module.data for module in modules]), env=spv_environment(target))
    entries = tuple(entry for module in modules for entry in module.entry_points)
    return ModuleCodegen(name="linked", data=data, entry_points=entries)


def trimmed(data: bytes, config: ModuleConfig, tools: Tools) -> bytes:
    """Return a module without capabilities and extensions that nothing in it needs."""
    preserve = config.options.flag("preserve_bindings")
    passes = ["--trim-capabilities"]
    return tools.optimize(data, env=config.target, passes=passes, validator=None, preserve_bindings=preserve)


def canonical_form(programs: Sequence[Program], options: Options) -> bytes:
    """Return programs in canonical form with the names that the options keep, or one that has none as it is."""
    if len(programs) == 1 and not is_orderable(programs[0]):
        return trim(programs[0], preserve_bindings=options.flag("preserve_bindings")).encode()
    names = {"none": Names.NONE, "name-variables": Names.VARIABLES, "full": Names.ALL}
    kept = names[options.text("spirv_metadata")] if options.debuginfo is DebugInfo.NONE else Names.ALL
    return canonical(programs, names=kept, preserve_bindings=options.flag("preserve_bindings"))


def _assembled(request: LinkRequest, output: str, entries: Sequence[Entry], tools: Tools) -> Program:
    program = assemble(request, image_path(request.crate, output), entries, tools, lambda _option, _data: None)
    # A shader that stands alone comes as its compiler left it.
    return trim(program, preserve_bindings=request.options.flag("preserve_bindings"))


def _of_entry(interface: reflect.Row, entry: Entry) -> reflect.Row:
    rows = interface["entry_points"]
    assert isinstance(rows, list)
    own = [row for row in rows if (row["stage"], row["name"]) == (entry.stage, entry.name)]
    return {"entry_points": own, "spec_constants": interface["spec_constants"]}


def _sources(modules: Sequence[LinkModule]) -> list[tuple[str, str]]:
    return [(item.crate, item.module.name) for item in modules]


def _capabilities(program: Program) -> set[Instruction]:
    return {words for words in program.preamble if words[0] & 0xFFFF == op.CAPABILITY}
