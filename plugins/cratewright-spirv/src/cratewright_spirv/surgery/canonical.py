"""Modules in canonical form: only what their entry points reach, with ids in the order in which it is reached.

The order of declarations, ids, and names that are not kept leave no trace. Equal types, constants and functions, and
equal variables of different modules, become one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum

from cratewright import DebugInfo, FormatError, Options

from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.debug_info import GLOBAL_VARIABLE, SET_NAME
from ..binary.enumerants import BINDING, BUILT_IN
from ..binary.function_order import callees_first
from ..binary.module import RESULTS, Instruction, Module, build, result, string
from ..binary.program import Program, ProgramEntry, entry_of, trim

__all__ = ["Names", "canonical", "canonical_library", "canonical_programs", "is_orderable"]

_DEBUG_SETS = (SET_NAME, "OpenCL.DebugInfo")
# The operand with the variable in a description.
_DESCRIBED_AT = 12
_MARKS = frozenset({op.DECORATE, op.DECORATE_ID, op.DECORATE_STRING, op.MEMBER_DECORATE, op.MEMBER_DECORATE_STRING})
_SOURCES = frozenset({op.SOURCE, op.SOURCE_CONTINUED, op.SOURCE_EXTENSION, op.MODULE_PROCESSED})
_LINES = frozenset({op.LINE, op.NO_LINE})
_NEVER = frozenset(
    {op.DECORATION_GROUP, op.GROUP_DECORATE, op.GROUP_MEMBER_DECORATE, op.EXT_INST_WITH_FORWARD_REFS_KHR}
)
# the local id of a function itself; the others count down from here
_SELF = -1

ContentKey = tuple[object, ...]


class Names(Enum):
    """Which debug names and lines a canonical module keeps."""

    NONE = "none"
    VARIABLES = "variables"
    ALL = "all"


def is_orderable(program: Program) -> bool:
    """Return whether all of a module's instructions are known well enough to be reordered."""
    opcodes = {words[0] & 0xFFFF for words in program.module.instructions}
    return opcodes <= op.INSTRUCTIONS.keys() and opcodes.isdisjoint(_NEVER)


@step("canonical form")
def canonical(
    programs: Sequence[Program], *, names: Names, preserve_bindings: bool = False, apart: bool = False
) -> bytes:
    """Return one module with the entry points of all the given ones, and what they reach, in canonical form.

    Shape: entry points in the order given; their names differ within a stage. Variables of one module stay apart; those
    of different modules merge where type and decorations are equal, because entry points never run together, unless
    variables and functions of different modules must stay `apart`.
    Raises: FormatError if memory models differ, or for recursion.
    """
    writer = _Writer(names)
    for index, program in enumerate(programs):
        _Reader(program, writer, preserve_bindings=preserve_bindings, owner=index if apart else 0).read()
    return writer.encode()


@step("canonical form")
def canonical_library(program: Program, functions: Sequence[int], *, preserve_bindings: bool = False) -> bytes:
    """Return a module with only some functions and what they call, with all names, in canonical form.

    Raises: FormatError for recursion.
    """
    writer = _Writer(Names.ALL)
    _Reader(program, writer, preserve_bindings=preserve_bindings, owner=0).read(functions)
    return writer.encode()


def canonical_programs(
    programs: Sequence[Program], options: Options, *, apart: bool = False, all_names: bool = False
) -> bytes:
    """Return programs in canonical form with all names or those that the options keep; one without a canonical form is
    returned unchanged.
    """
    if len(programs) == 1 and not is_orderable(programs[0]):
        return trim(programs[0], preserve_bindings=options.flag("preserve_bindings")).encode()
    names = {"none": Names.NONE, "name-variables": Names.VARIABLES, "full": Names.ALL}
    some = options.debuginfo is DebugInfo.NONE and not all_names
    kept = names[options.text("spirv_metadata")] if some else Names.ALL
    return canonical(programs, names=kept, preserve_bindings=options.flag("preserve_bindings"), apart=apart)


class _Writer:
    """The module in progress, with everything in it by content."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.version = 0
        self.bound = 1
        self.known: dict[ContentKey, int] = {}
        self.capabilities: set[Instruction] = set()
        self.extensions: set[Instruction] = set()
        self.memory_model: Instruction | None = None
        self.sets: list[Instruction] = []
        self.entries: list[Instruction] = []
        self.modes: dict[Instruction, None] = {}
        self.strings: list[Instruction] = []
        self.sources: dict[Instruction, None] = {}
        self.marks: dict[Instruction, None] = {}
        self.named: dict[Instruction, None] = {}
        self.globals: list[Instruction] = []
        self.declarations: list[int] = []
        self.functions: list[int] = []

    def number(self, count: int = 1) -> int:
        """Return the first of some new ids."""
        first, self.bound = self.bound, self.bound + count
        return first

    def encode(self) -> bytes:
        """Return the module."""
        instructions = (
            *sorted(self.capabilities),
            *sorted(self.extensions),
            *self.sets,
            *([self.memory_model] if self.memory_model else []),
            *self.entries,
            *self.modes,
            *self.strings,
            *(words for words in self.sources if words[0] & 0xFFFF != op.MODULE_PROCESSED),
            *sorted(self.named, key=_by_target),
            *(words for words in self.sources if words[0] & 0xFFFF == op.MODULE_PROCESSED),
            *sorted(self.marks, key=_by_target),
            *self.globals,
            tuple(self.declarations),
            tuple(self.functions),
        )
        return Module("canonical", self.version, 0, self.bound, instructions).encode()


def _by_target(words: Instruction) -> tuple[int, Instruction]:
    return words[1], words


class _Reader:
    """A module being copied to the writer: its definitions, and the new ids of what was reached so far."""

    def __init__(self, program: Program, writer: _Writer, *, preserve_bindings: bool, owner: int) -> None:
        self.program = program
        self.owner = owner
        self.writer = writer
        self.preserve_bindings = preserve_bindings
        self.new: dict[int, int] = {}
        self.occurrences: dict[ContentKey, int] = {}
        self.definitions: dict[int, Instruction] = {}
        self.marks: dict[int, list[Instruction]] = {}
        self.named: dict[int, list[Instruction]] = {}
        self.forward: dict[int, Instruction] = {}
        self.debug_sets: set[int] = set()
        self.sources: list[Instruction] = []
        self.modes: list[Instruction] = []
        self._sort_preamble()

    def read(self, functions: Sequence[int] = ()) -> None:
        """Copy everything that the entry points, or some functions, reach to the writer."""
        entries = [words for words in self.program.preamble if words[0] & 0xFFFF == op.ENTRY_POINT]
        roots = [words[2] for words in entries]
        for function in callees_first(self.program, [*roots, *functions]):
            self._function(function, entry=function in roots)
        for words in entries:
            self._entry(words, entry_of(words))
        for words in self.modes:
            if words[1] in roots:
                self.writer.modes[self._rewritten(words)] = None
        kept = self._kept()
        for each in sorted(kept, key=self._looks):
            self.place(each)
        self.writer.sources.update(dict.fromkeys(map(self._rewritten, self.sources)))

    def place(self, old: int) -> int:
        """Return the new id of a global, copied to the writer on first use."""
        new = self.new.get(old)
        if new is not None:
            return new
        words = self._definition(old)
        opcode = words[0] & 0xFFFF
        if old in self.forward:
            new = self.new[old] = self.writer.number()
            self.writer.globals.append(build(op.TYPE_FORWARD_POINTER, new, *self.forward[old][2:]))
            self.writer.globals.append(self._defining(self._rewritten(words), new))
            self._describe(old, new, self._described(old))
            return new
        body, described = self._rewritten(words), self._described(old)
        key: ContentKey = (self._defining(body, 0), *((words[0], *words[2:]) for words in described))
        if opcode == op.VARIABLE:
            # The second of two equal ones corresponds to the second in another module.
            count = self.occurrences[key] = self.occurrences.get(key, 0) + 1
            key = (*key, count, self.owner)
        new = self.writer.known.get(key)
        if new is None:
            new = self.writer.known[key] = self.writer.number()
            self._section(opcode).append(self._defining(body, new))
            self._describe(old, new, described)
        self.new[old] = new
        return new

    def _definition(self, old: int) -> Instruction:
        try:
            return self.definitions[old]
        except KeyError:
            raise FormatError(
                f"{self.program.module.name} uses id {old}, which nothing defines",
                hint="with debuginfo='full' some compilers do so for references to buffers: try 'line'",
            ) from None

    def _sort_preamble(self) -> None:
        writer, every = self.writer, self.writer.names is Names.ALL
        for words in self.program.preamble:
            opcode = words[0] & 0xFFFF
            if opcode in _MARKS:
                self.marks.setdefault(words[1], []).append(words)
            elif opcode in (op.NAME, op.MEMBER_NAME):
                self.named.setdefault(words[1], []).append(words)
            elif opcode == op.TYPE_FORWARD_POINTER:
                self.forward[words[1]] = words
            elif opcode in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID):
                self.modes.append(words)
            elif opcode == op.CAPABILITY:
                writer.capabilities.add(words)
            elif opcode == op.EXTENSION:
                writer.extensions.add(words)
            elif opcode in _SOURCES:
                self.sources += [words] if every else []
            elif opcode == op.MEMORY_MODEL:
                self._set_memory_model(words)
            elif (defined := result(words)) is not None:
                self.definitions[defined] = words
                if opcode == op.EXT_INST_IMPORT and string(words, 2)[0].startswith(_DEBUG_SETS):
                    self.debug_sets.add(defined)
        writer.version = max(writer.version, self.program.module.version)

    def _set_memory_model(self, words: Instruction) -> None:
        if self.writer.memory_model not in (None, words):
            raise FormatError(
                f"{self.program.module.name} has a different memory model from the module it is merged into",
                hint="compile all sources of an image with one memory model",
            )
        self.writer.memory_model = words

    def _kept(self) -> list[int]:
        """Return what stays although no entry point uses it."""
        kept = [
            old
            for old, marks in self.marks.items()
            if old in self.definitions
            and any(
                (words[2] == BUILT_IN and self.definitions[old][0] & 0xFFFF != op.VARIABLE)
                or (words[2] == BINDING and self.preserve_bindings)
                for words in marks
                if words[0] & 0xFFFF == op.DECORATE
            )
        ]
        if self.writer.names is Names.ALL:
            # Debug information refers to variables, not the other way round.
            kept += [old for old, words in self.definitions.items() if self._speaks_of_kept(words)]
        return [old for old in kept if old not in self.new]

    def _speaks_of_kept(self, words: Instruction) -> bool:
        """Return whether an instruction describes a variable that is kept."""
        if words[0] & 0xFFFF != op.EXT_INST or words[3] not in self.debug_sets or words[4] != GLOBAL_VARIABLE:
            return False
        return len(words) > _DESCRIBED_AT and words[_DESCRIBED_AT] in self.new

    def _looks(self, old: int) -> ContentKey:
        opcode = self.definitions[old][0] & 0xFFFF
        # Instructions of debug information are in an order of their own.
        return (opcode, () if opcode == op.EXT_INST else tuple(sorted(words[2:] for words in self.marks.get(old, ()))))

    def _entry(self, words: Instruction, entry: ProgramEntry) -> None:
        interface = sorted({self.place(each) for each in words[entry.interface :]})
        new = self.new[entry.function]
        self.writer.entries.append(build(op.ENTRY_POINT, words[1], new, *words[3 : entry.interface], *interface))

    def _rewritten(self, words: Instruction) -> Instruction:
        """Return an instruction with its global operands replaced; its target or result is left."""
        positions = self.program.module.ids(words)
        if not positions:
            return words
        out = list(words)
        for at in positions:
            out[at] = self.new[out[at]] if out[at] in self.new else self.place(out[at])
        return tuple(out)

    def _defining(self, words: Instruction, new: int) -> Instruction:
        at = RESULTS[words[0] & 0xFFFF]
        return (*words[:at], new, *words[at + 1 :])

    def _described(self, old: int) -> list[Instruction]:
        """Return decorations and kept names of something global, in an order that depends on their content only."""
        found = [self._mark(words) for words in self.marks.get(old, ())]
        if self._keeps_names(old):
            found += self.named.get(old, ())
        return sorted(dict.fromkeys(found), key=lambda words: (words[0], words[2:]))

    def _mark(self, words: Instruction) -> Instruction:
        target = words[1]
        positions = [at for at in self.program.module.ids(words) if at != 1]
        out = list(words)
        for at in positions:
            out[at] = self.place(out[at])
        return (out[0], target, *out[2:])

    def _keeps_names(self, old: int) -> bool:
        if self.writer.names is Names.VARIABLES:
            return self.definitions[old][0] & 0xFFFF == op.VARIABLE
        return self.writer.names is Names.ALL

    def _describe(self, old: int, new: int, described: Iterable[Instruction]) -> None:
        for words in described:
            section = self.writer.named if words[0] & 0xFFFF in (op.NAME, op.MEMBER_NAME) else self.writer.marks
            section.setdefault((words[0], new, *words[2:]))

    def _section(self, opcode: int) -> list[Instruction]:
        if opcode == op.EXT_INST_IMPORT:
            return self.writer.sets
        return self.writer.strings if opcode == op.STRING else self.writer.globals

    def _function(self, function: int, *, entry: bool) -> None:
        flat, local = self._body(function)
        marks, named = self._local_marks(local), self._local_names(function, local)
        key: ContentKey = (tuple(flat), tuple(marks), tuple(named), self.owner)
        # An entry point's execution modes depend on its function, so the function is not merged.
        new = None if entry else self.writer.known.get(key)
        if new is None:
            new = self.writer.number(len(local))
            if not entry:
                self.writer.known[key] = new
            has_body = any(words[0] & 0xFFFF == op.LABEL for words in self.program.functions[function])
            section_of = self.writer.functions if has_body else self.writer.declarations
            section_of += [word if word >= 0 else new + _SELF - word for word in flat]
            for section, rows in ((self.writer.marks, marks), (self.writer.named, named)):
                section.update({(words[0], new + _SELF - words[1], *words[2:]): None for words in rows})
        self.new[function] = new

    def _body(self, function: int) -> tuple[list[int], dict[int, int]]:
        """Return a function's words with local ids counting down, and those ids."""
        every, ids, debug_sets = self.writer.names is Names.ALL, self.program.module.ids, self.debug_sets
        local: dict[int, int] = {function: _SELF}
        new, definitions = self.new, self.definitions
        flat: list[int] = []
        for words in self.program.functions[function]:
            opcode = words[0] & 0xFFFF
            if not every and (opcode in _LINES or (opcode == op.EXT_INST and words[3] in debug_sets)):
                continue
            out = list(words)
            defined = RESULTS.get(opcode)
            for at in ids(words) if defined is None else (*ids(words), defined):
                old = out[at]
                if old in local:
                    out[at] = local[old]
                elif old in new:
                    out[at] = new[old]
                elif old in definitions:
                    out[at] = self.place(old)
                else:
                    out[at] = local[old] = _SELF - len(local)
            flat += out
        return flat, local

    def _local_names(self, function: int, local: Mapping[int, int]) -> list[Instruction]:
        if self.writer.names is Names.NONE:
            return []
        kept: Iterable[int] = local
        if self.writer.names is Names.VARIABLES:
            kept = [words[2] for words in self.program.functions[function] if words[0] & 0xFFFF == op.VARIABLE]
        return sorted((words[0], local[old], *words[2:]) for old in kept for words in self.named.get(old, ()))

    def _local_marks(self, local: Mapping[int, int]) -> list[Instruction]:
        marks = self.marks
        found: Collection[Instruction] = {
            (words[0], local[old], *self._mark(words)[2:]) for old in local if old in marks for words in marks[old]
        }
        return sorted(found)
