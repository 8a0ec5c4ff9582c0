"""Links the modules that some entry points need; finalises and checks the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from cratewright import LinkError, LinkModule, LinkRequest, dataclass, pattern

from ..base.implied import Implied, share
from ..base.names import ImageEntry, spv_environment
from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.checks import check_program
from ..binary.enumerants import COOPERATIVE_MATRIX
from ..binary.lines import lines_for_linker, linked_lines
from ..binary.module import build, parse
from ..binary.program import Program, ProgramEntry
from ..binary.workgroup import entry_size, size_by_entry_point, size_by_module, with_bound_size
from ..spirv_tools.tools import Tools
from ..spirv_tools.upgrade import upgrade_for
from ..text.demangle import demangle
from ..transforms.block_names import push_constant_names, with_names_apart, without_marks
from ..transforms.finalize import EntryKey, finalize_program, keep_entry_points, rename_entry_points
from ..transforms.initialisers import Initialiser
from ..transforms.link_once import defined_once, one_of_each
from ..transforms.memory_model import Upgrade, modules_of_one_model, programs_of_one_model
from .reached import ReachedUnit, reached_by, units_of
from .shared_globals import with_shared_globals
from .stage_modes import NO_SIZE, needs_modes, with_implied_modes
from .symbols import SymbolTable
from .unit_variables import marked
from .volatile_built_ins import with_volatile_built_ins

_COOPERATIVE_MATRICES = build(op.CAPABILITY, COOPERATIVE_MATRIX)
_COUNTED = pattern(r" \(input modules? [^)]*\)")

Dump = Callable[[str, bytes], None]
"""Takes the name of a dump option and the bytes to copy."""


@step("assemble image")
def assemble(request: LinkRequest, name: str, entries: Sequence[ImageEntry], tools: Tools, dump: Dump) -> Program:
    """Return a complete program with these entry points under their new names.

    Shape: `name` is for messages. One group of entry points is linked after another, then all together.
    Raises: LinkError for symbols, stages and recursion.
    """
    return _Assembly(request, name, tools, dump).run(entries)


def finished_entry(request: LinkRequest, entries: Sequence[ImageEntry]) -> bytes | None:
    """Return the image of one entry point whose module its compiler has finished, or None if there is more to do."""
    if len(entries) != 1 or len(request.modules) != 1 or not _is_finished(request.modules[0]):
        return None
    return _with_entries(request.modules[0], entries)


def _is_finished(item: LinkModule) -> bool:
    return not item.module.exports and not item.module.imports


def _with_entries(item: LinkModule, entries: Sequence[ImageEntry]) -> bytes:
    """Return a module with only the entry points that an image is to have, under the names it gives them."""
    data, name = item.module.data, item.module.name
    keep = [(entry.stage, entry.inner) for entry in entries]
    if len(keep) < len(item.module.entry_points):
        data = keep_entry_points(data, keep, name=name)
    renames: Mapping[EntryKey, str] = {
        (entry.stage, entry.inner): entry.name for entry in entries if entry.name != entry.inner
    }
    return rename_entry_points(data, renames, name=name) if renames else data


@dataclass(frozen=True, slots=True)
class _Assembly:
    request: LinkRequest
    name: str
    tools: Tools
    dump: Dump

    def run(self, entries: Sequence[ImageEntry]) -> Program:
        parts = [self._group(roots, modules) for roots, modules in self._groups(entries)]
        whole = parts[0] if len(parts) == 1 else self._finalize(self._joined(parts), ())
        return size_by_module(whole, target=self.request.target) if len(entries) > 1 else whole

    def _groups(self, entries: Sequence[ImageEntry]) -> list[tuple[tuple[ImageEntry, ...], tuple[int, ...]]]:
        """Return entry points that can share one link, with the modules it takes.

        Functions that differ by stage keep entry points apart, because two modules then export one name; so does code
        that depends on its entry point, and push constants that have several names for one entry point.
        """
        table = SymbolTable(self.request.modules)
        closures = {entry: table.closure([entry.module], entry.suffix) for entry in entries}
        names = self._push_constants({*chain(*closures.values())}) if len(entries) > 1 else {}
        groups: dict[tuple[object, ...], list[ImageEntry]] = {}
        for entry in entries:
            several_names = len({names[index] for index in closures[entry] if index in names}) > 1
            alone = several_names or self._is_bound(closures[entry])
            groups.setdefault((entry,) if alone else (), []).append(entry)
        if _clash(self.request.modules, {index for entry in groups.get((), ()) for index in closures[entry]}):
            for entry in groups.pop(()):
                groups.setdefault((entry.suffix, None), []).append(entry)
        return [
            (tuple(group), tuple(sorted({index for entry in group for index in closures[entry]})))
            for group in groups.values()
        ]

    def _is_bound(self, modules: Sequence[int]) -> bool:
        """Return whether code of some modules depends on the entry point that reaches it."""
        implied = [Implied.of(self.request.modules[index].module) for index in modules] if len(modules) > 1 else []
        return any(each.sized for each in implied) or share(implied)

    def _group(self, entries: Sequence[ImageEntry], modules: Sequence[int]) -> Program:
        items = [self.request.modules[index] for index in modules]
        parts = [
            _with_entries(item, [entry for entry in entries if entry.module == index])
            for index, item in zip(modules, items, strict=True)
        ]
        if len(entries) > 1:
            # One module's size must not become that of another's entry points.
            parts = [size_by_entry_point(Program.of(parse(part, self.name))).encode() for part in parts]
        if len(items) == 1 and _is_finished(items[0]):
            return Program.of(parse(parts[0], self.name))
        units = units_of(items)
        shared = len(entries) == 1 and share(unit.implied for unit in units)
        if shared:
            parts = [marked(part, at, self.name) for at, part in enumerate(parts)]
        try:
            parts = one_of_each(parts, items)
            sources = [_source(item) for item in items]
            alike = modules_of_one_model(parts, sources, self._upgrade())
            linked = self._link(alike, push_constants=len(entries) > 1)
        except LinkError as error:
            raise _readable(error, items) from error
        self.dump("dump_post_merge", linked)
        program, describe = Program.of(parse(linked, self.name)), _describer(items)
        owners = {(entry.stage, entry.name): list(modules).index(entry.module) for entry in entries}
        program = self._bound(program, owners, units, describe, shared=shared)
        initialisers = [
            Initialiser(name, frozenset(symbol.name for symbol in item.module.exports))
            for item in items
            if (name := item.module.attribute("initialiser"))
        ]
        finished = self._finalize(program, initialisers)
        check_program(finished, name=self.name, describe=describe)
        finished = with_volatile_built_ins(finished, self.tools, target=self.request.target)
        return with_bound_size(finished, NO_SIZE)

    def _bound(
        self,
        program: Program,
        owners: Mapping[EntryKey, int],
        units: Sequence[ReachedUnit],
        describe: Callable[[str], str],
        *,
        shared: bool,
    ) -> Program:
        """Return a linked program whose units and entry points have what the others imply."""
        sized = any(unit.implied.sized for unit in units)
        if not sized and not shared and not needs_modes(program, units):
            return program
        reached = [
            reached_by(program, entry, owners[entry.stage, entry.name], units, describe) for entry in program.entries()
        ]
        program = with_implied_modes(program, reached, units)
        if sized:
            program = self._sized(program, reached[0].entry)
        if shared:
            # A declared workgroup size would keep equal constants apart.
            program = with_shared_globals(size_by_entry_point(program), reached[0], units)
        return size_by_module(program, target=self.request.target)

    def _sized(self, program: Program, entry: ProgramEntry) -> Program:
        size = entry_size(program, entry)
        if size is None:  # without a workgroup: reaching code that needs one is an error, reported later
            return program
        program = with_bound_size(program, size)
        folded = self.tools.optimize(
            program.encode(),
            env=self.request.target,
            passes=["--fold-spec-const-op-composite"],
            validator=None,
            preserve_bindings=True,
        )
        return Program.of(parse(folded, self.name))

    def _upgrade(self) -> Upgrade:
        return upgrade_for(self.tools, spv_environment(self.request.target))

    def _push_constants(self, modules: Iterable[int]) -> dict[int, bytes]:
        """Return the names of push constants of each module that has some."""
        found = {index: push_constant_names(self.request.modules[index].module.data) for index in modules}
        return {index: names for index, names in found.items() if names}

    def _link(self, parts: Sequence[bytes], *, push_constants: bool) -> bytes:
        ready = with_names_apart(lines_for_linker(parts), push_constants=push_constants)
        return linked_lines(without_marks(self.tools.link(ready, env=spv_environment(self.request.target))))

    def _joined(self, parts: Sequence[Program]) -> Program:
        # One module's size must not become that of another's entry points.
        sized = [size_by_entry_point(part) for part in parts]
        names = [entry.name for part in parts for entry in part.entries()[:1]]
        alike = programs_of_one_model(sized, names, self._upgrade())
        return Program.of(parse(self._link([part.encode() for part in alike], push_constants=True), self.name))

    def _finalize(self, linked: Program, initialisers: Sequence[Initialiser]) -> Program:
        return finalize_program(
            linked,
            initialisers=initialisers,
            preserve_bindings=self.request.options.flag("preserve_bindings"),
        )


def _source(item: LinkModule) -> str:
    return f"crate '{item.crate}', {item.module.attribute('source') or item.module.name}"


def _clash(modules: Sequence[LinkModule], chosen: Iterable[int]) -> bool:
    names = [
        symbol.name
        for index in chosen
        for once in [defined_once(modules[index].module)]
        for symbol in modules[index].module.exports
        if symbol.name not in once
    ]
    return len(names) > len(set(names))


def _describer(items: Sequence[LinkModule]) -> Callable[[str], str]:
    places = {
        symbol.name: f"{symbol.display} ({symbol.file}:{symbol.line})"
        for item in items
        for symbol in item.module.exports
    }
    return lambda name: places.get(name) or demangle(name)


def _readable(error: LinkError, items: Sequence[LinkModule]) -> LinkError:
    """Translate the linker's mangled names to source terms, with the units that need and define the symbol."""
    text = str(error)
    for item in items:
        for symbol in item.module.exports:
            if f'"{symbol.name}"' in text or f"'{symbol.name}'" in text or symbol.name in text:
                needs = [
                    f"crate '{other.crate}', {need.file}:{need.line}"
                    for other in items
                    for need in other.module.imports
                    if need.name == symbol.name
                ]
                what = "the declaration and the definition differ" if "mismatch" in text.lower() else "cannot be linked"
                hint = "make return type and parameter qualifiers the same in both"
                if _COOPERATIVE_MATRICES in parse(item.module.data, item.module.name).instructions:
                    hint += "; cooperative matrices cannot be passed to other units: define it in a header for both"
                return LinkError(
                    f"`{symbol.display}`: {what}",
                    context=[
                        ("defined by", f"crate '{item.crate}', {symbol.file}:{symbol.line}"),
                        *(("needed by", place) for place in needs),
                        ("linker", error.message),
                    ],
                    hint=hint,
                )
    if error.context:
        return error
    # The linker numbers its inputs.
    message = _COUNTED.sub("", error.message)
    units = "\n".join(dict.fromkeys(map(_source, items)))
    return LinkError(message, context=(("units", units),), hint=error.hint)
