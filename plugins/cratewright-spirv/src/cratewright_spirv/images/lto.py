"""Link-time optimization of shaders: all entry points together (fat), or each separately (thin); and their images.

Its input is in canonical form, so that irrelevant edits give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from cratewright import (
    CratewrightError,
    EntryPoint,
    LinkRequest,
    LinkResult,
    LtoMode,
    ModuleCodegen,
    ModuleConfig,
    ThinModule,
    dataclass,
    option_attributes,
    options_among,
)

from ..base.names import ImageEntry, entries_of, image_path, optimized_entries, spv_environment
from ..binary import opcodes as op
from ..binary.lines import lines_for_linker, linked_lines
from ..binary.module import parse
from ..binary.operands import Instruction
from ..binary.program import Program, trim
from ..binary.workgroup import size_by_entry_point, size_by_module
from ..link.assembly import assemble
from ..link.dumps import inputs
from ..link.symbols import closures
from ..reflection import reflect
from ..reflection.blocks import Row
from ..reflection.facts import Facts, sources_of
from ..spirv_tools.tools import Tools
from ..spirv_tools.upgrade import upgrade_for
from ..transforms.canonical import canonical_programs, is_orderable
from ..transforms.debug_split import at_level
from ..transforms.finalize import finalize_program, only_entry_points, with_entry_names
from ..transforms.memory_model import programs_of_one_model
from ..transforms.repairs import repair_optimized
from .image import Image, finish, joined, run_passes


def link_entry_point(request: LinkRequest, tools: Tools) -> tuple[ThinModule, ...]:
    """Link what the entry point of a part reaches, and bring it into canonical form.

    Raises: LinkError for symbols, stages and recursion.
    """
    request = at_level(request)
    (entry,) = (each for each in entries_of(request) if each.output == request.part)
    closure = _close(request, replace(entry, name=entry.inner), tools)
    data = canonical_programs([closure.program], request.options)
    item = request.modules[entry.module]
    own = Program.of(parse(item.module.data, item.module.name, bodies=False))
    if not _needs(closure.program) <= _needs(own):
        # Capabilities that only omitted functions need would reveal them.
        data = trimmed(data, request.config, tools)
    facts = Facts.of(data, closure.sources, closure.interface)
    attributes = (
        ("entries", optimized_entries([entry])),
        ("facts", Facts.encode([facts])),
        *option_attributes(options_among(item.module.attributes)),
    )
    return (ThinModule(name=item.module.name, crate=item.crate, data=data, attributes=attributes),)


def link_entry_points(request: LinkRequest, tools: Tools) -> ModuleCodegen:
    """Link all entry points and what they reach into one module in canonical form.

    Shape: `data` holds several modules, one after another, if each entry point is to have an image of its own and they
    differ in memory model, capabilities or extensions; the attribute `parts` has their sizes. The optimizer skips a
    whole module because of what one of its entry points needs.
    Raises: LinkError for symbols, stages and recursion.
    """
    request = at_level(request)
    # In one module every name must be unique within its stage, whatever is made of it.
    entries = [replace(entry, name=entry.output) for entry in entries_of(request)]
    reached = closures(request.modules, [(entry.module, entry.suffix) for entry in entries])
    facts: list[Facts] = []
    multimodule = request.options.flag("multimodule")
    groups: dict[frozenset[Instruction], list[Program]] = {}
    for entry, modules in zip(entries, reached, strict=True):
        items = tuple(request.modules[index] for index in modules)
        alone = replace(request, modules=items)
        closure = _close(alone, replace(entry, module=modules.index(entry.module)), tools)
        facts.append(
            Facts.of(canonical_programs([closure.program], request.options), closure.sources, closure.interface)
        )
        needs = frozenset(_needs(closure.program)) if multimodule else frozenset()
        groups.setdefault(needs, []).append(size_by_entry_point(closure.program))
    parts = [_join_programs(programs, request.config, tools, apart=True) for programs in groups.values()]
    return ModuleCodegen(
        name=f"{request.crate}.lto",
        data=b"".join(parts),
        entry_points=tuple(EntryPoint(entry.stage, entry.output) for entry in entries),
        attributes=(
            ("entries", optimized_entries(replace(entry, inner=entry.output) for entry in entries)),
            ("facts", Facts.encode(facts)),
            ("parts", " ".join(str(len(part)) for part in parts)),
        ),
    )


def _join_programs(programs: Sequence[Program], config: ModuleConfig, tools: Tools, *, apart: bool = False) -> bytes:
    """Return one module with the entry points of several, without duplicates.

    Shape: variables and functions of different programs stay `apart` if they are to be optimized: a variable of two
    entry points is optimized less than one's own.
    """
    upgrade = upgrade_for(tools, spv_environment(config.target))
    programs = programs_of_one_model(programs, [program.module.name for program in programs], upgrade)
    if len(programs) == 1 or all(map(is_orderable, programs)):
        return canonical_programs(programs, config.options, apart=apart)
    ready = lines_for_linker([program.encode() for program in programs])
    linked = linked_lines(tools.link(ready, env=spv_environment(config.target)))
    preserve = config.options.flag("preserve_bindings")
    return finalize_program(
        Program.of(parse(linked, programs[0].module.name)), initialisers=(), preserve_bindings=preserve
    ).encode()


def _parts_of(module: ModuleCodegen) -> list[bytes]:
    """Return the modules that fat LTO made, or the one that thin LTO did."""
    ends = list(accumulate(map(int, module.attribute("parts").split()))) or [len(module.data)]
    return [module.data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def optimize_entry_points(module: ModuleCodegen, config: ModuleConfig, tools: Tools) -> ModuleCodegen:
    """Return what fat LTO made, optimized.

    Raises: ToolError if the optimizer refuses.
    """
    parts = [run_passes(part, config, tools) for part in _parts_of(module)]
    sizes = {"parts": " ".join(str(len(part)) for part in parts)}
    return replace(module, data=b"".join(parts), attributes=tuple(sorted((dict(module.attributes) | sizes).items())))


def optimize_entry_point(data: bytes, config: ModuleConfig, tools: Tools) -> ModuleCodegen:
    """Return an entry point with what it reaches, optimized; the caller adds name and attributes.

    Raises: ToolError if the optimizer refuses.
    """
    data = run_passes(data, config, tools)
    return ModuleCodegen(name="", data=data, entry_points=reflect.entry_points(data))


def trimmed(data: bytes, config: ModuleConfig, tools: Tools) -> bytes:
    """Return a module without unneeded capabilities and extensions."""
    preserve = config.options.flag("preserve_bindings")
    passes = ["--trim-capabilities"]
    done = tools.optimize(data, env=config.target, passes=passes, validator=None, preserve_bindings=preserve)
    return repair_optimized(data, done)


@dataclass(frozen=True, slots=True)
class _Closure:
    """What one entry point reaches, linked; the modules it comes from, and its interface."""

    program: Program
    sources: tuple[tuple[str, str], ...]
    interface: Row


def _close(request: LinkRequest, entry: ImageEntry, tools: Tools) -> _Closure:
    path = image_path(request.crate, entry.output)
    program = assemble(request, path, [entry], tools, lambda _option, _data: None)
    # A shader that needs nothing else comes as compiled.
    program = trim(program, preserve_bindings=request.options.flag("preserve_bindings"))
    return _Closure(program, sources_of(request.modules), reflect.interface(program.encode()))


def _needs(program: Program) -> set[Instruction]:
    """Return the requirements that a program declares."""
    return {words for words in program.preamble if words[0] & 0xFFFF in (op.CAPABILITY, op.EXTENSION, op.MEMORY_MODEL)}


def link_optimized(request: LinkRequest, entries: Sequence[ImageEntry], tools: Tools) -> LinkResult:
    """Make images of modules that LTO has optimized.

    Shape: as of `link_image`; after fat LTO all images are made at once, for they come from one module.
    Raises: ValidationError if an image breaks its target's rules.
    """
    link = _Link(request, tools)
    noted = [facts for item in request.modules for facts in Facts.decode(item.module.attribute("facts"))]
    facts = [each.renamed(entry.stage, entry.inner, entry.name) for each, entry in zip(noted, entries, strict=True)]
    if not request.options.flag("multimodule"):
        results = [link.finish("", link.merge(entries), Facts.joined(facts))]
    elif request.lto is LtoMode.FAT:
        images = zip(entries, link.split(entries), facts, strict=True)
        results = [link.finish(entry.output, data, each) for entry, data, each in images]
    else:
        results = [link.finish(entries[0].output, request.modules[0].module.data, facts[0])]
    return joined([*results, LinkResult(artifacts=inputs(request), report="[]")])


class _Link:
    def __init__(self, request: LinkRequest, tools: Tools) -> None:
        self._request = request
        self._tools = tools

    def finish(self, output: str, data: bytes, facts: Facts) -> LinkResult:
        image = Image(self._request, image_path(self._request.crate, output))
        image.dump("dump_post_split", data)
        try:
            return finish(image, data, facts, self._tools)
        except CratewrightError as error:
            leftovers = (*inputs(self._request), *image.dumps)
            raise error.leaving((dump.path, dump.data) for dump in leftovers) from error

    def merge(self, entries: Sequence[ImageEntry]) -> bytes:
        """Return one module with all entry points, without duplicates."""
        request, tools = self._request, self._tools
        programs = self._programs(entries)
        if len(programs) > 1:
            programs = [size_by_entry_point(program) for program in programs]
        data = _join_programs(programs, request.config, tools)
        whole = Program.of(parse(data, image_path(request.crate, "")))
        sized = size_by_module(whole, target=request.target)
        return data if sized is whole else canonical_programs([sized], request.options)

    def split(self, entries: Sequence[ImageEntry]) -> list[bytes]:
        """Return a module for each entry point, from the one that fat LTO made."""
        config, tools, images = self._request.config, self._tools, list[bytes]()
        for program in self._programs(entries):
            data = canonical_programs([size_by_module(program, target=config.target)], config.options)
            images.append(trimmed(data, config, tools))
        return images

    def _programs(self, entries: Sequence[ImageEntry]) -> list[Program]:
        """Return a program for each entry point alone, under its new name; each module is read once."""
        where: dict[tuple[int, str, str], Program] = {}
        for index, item in enumerate(self._request.modules):
            for data in _parts_of(item.module):
                program = Program.of(parse(data, item.module.name))
                where.update({(index, entry.stage, entry.name): program for entry in program.entries()})
        alone: list[Program] = []
        for entry in entries:
            inner = (entry.stage, entry.inner)
            program = only_entry_points(where[entry.module, entry.stage, entry.inner], [inner])
            alone.append(with_entry_names(program, {inner: entry.name}) if entry.name != entry.inner else program)
        return alone
