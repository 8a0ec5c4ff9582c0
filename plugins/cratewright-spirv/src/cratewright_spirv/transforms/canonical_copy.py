"""Copies what a program's entry points reach into a module in canonical form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cratewright import FormatError

from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_GLOBAL_VARIABLE, SET_NAME
from ..binary.enumerants import BINDING, BUILT_IN
from ..binary.module import build, result, string
from ..binary.operands import RESULTS, Instruction
from ..binary.program import Program, ProgramEntry, callees_first, entry_of
from .canonical_module import CanonicalModule, ContentKey, Names

_DEBUG_SETS = (SET_NAME, "OpenCL.DebugInfo")
# The operand with the variable in a description.
_DESCRIBED_AT = 12
_MARKS = frozenset({op.DECORATE, op.DECORATE_ID, op.DECORATE_STRING, op.MEMBER_DECORATE, op.MEMBER_DECORATE_STRING})
_SOURCES = frozenset({op.SOURCE, op.SOURCE_CONTINUED, op.SOURCE_EXTENSION, op.MODULE_PROCESSED})
_LINES = frozenset({op.LINE, op.NO_LINE})
# the local id of a function itself; the others count down from here
_SELF = -1


class ProgramCopier:
    """A module being copied to the writer: its definitions, and the new ids of what was reached so far."""

    def __init__(self, program: Program, writer: CanonicalModule, *, preserve_bindings: bool, owner: int) -> None:
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
        for each in sorted(kept, key=self._order):
            self.copied(each)
        self.writer.sources.update(dict.fromkeys(map(self._rewritten, self.sources)))

    def copied(self, old: int) -> int:
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
            kept += [old for old, words in self.definitions.items() if self._describes_kept(words)]
        return [old for old in kept if old not in self.new]

    def _describes_kept(self, words: Instruction) -> bool:
        """Return whether an instruction describes a variable that is kept."""
        if words[0] & 0xFFFF != op.EXT_INST or words[3] not in self.debug_sets or words[4] != DEBUG_GLOBAL_VARIABLE:
            return False
        return len(words) > _DESCRIBED_AT and words[_DESCRIBED_AT] in self.new

    def _order(self, old: int) -> ContentKey:
        opcode = self.definitions[old][0] & 0xFFFF
        # Instructions of debug information are in an order of their own.
        return (opcode, () if opcode == op.EXT_INST else tuple(sorted(words[2:] for words in self.marks.get(old, ()))))

    def _entry(self, words: Instruction, entry: ProgramEntry) -> None:
        interface = sorted({self.copied(each) for each in words[entry.interface :]})
        new = self.new[entry.function]
        self.writer.entries.append(build(op.ENTRY_POINT, words[1], new, *words[3 : entry.interface], *interface))

    def _rewritten(self, words: Instruction) -> Instruction:
        """Return an instruction with its global operands replaced; its target or result is left."""
        positions = self.program.module.ids(words)
        if not positions:
            return words
        out = list(words)
        for at in positions:
            out[at] = self.new[out[at]] if out[at] in self.new else self.copied(out[at])
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
            out[at] = self.copied(out[at])
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
                    out[at] = self.copied(old)
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
