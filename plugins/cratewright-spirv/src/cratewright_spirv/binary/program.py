"""A module split into its preamble and its functions, with their references.

It finds what is reachable, and drops the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from cratewright import FormatError, dataclass

from ..base.stages import stage_name
from . import opcodes as op
from .enumerants import BINDING, INPUT, OUTPUT
from .module import Module, build, result, string
from .operands import Instruction

VERSION_1_4 = 0x10400
_LINES = (op.LINE, op.NO_LINE)
# the first operand of these is their target, which does not count as a use
ANNOTATIONS = frozenset(
    {
        op.NAME,
        op.MEMBER_NAME,
        op.DECORATE,
        op.MEMBER_DECORATE,
        op.DECORATE_ID,
        op.DECORATE_STRING,
        op.MEMBER_DECORATE_STRING,
        op.EXECUTION_MODE,
        op.EXECUTION_MODE_ID,
    }
)

BEFORE_NAMES = frozenset(
    {
        *(op.CAPABILITY, op.EXTENSION, op.EXT_INST_IMPORT, op.MEMORY_MODEL),
        *(op.ENTRY_POINT, op.EXECUTION_MODE, op.EXECUTION_MODE_ID),
        *(op.STRING, op.SOURCE, op.SOURCE_CONTINUED, op.SOURCE_EXTENSION),
    }
)
"""The instructions that the specification puts before debug names."""


@dataclass(frozen=True, slots=True)
class ProgramEntry:
    """An entry point; `interface` is the word at which its list of variables starts."""

    model: int
    function: int
    name: str
    interface: int

    @property
    def stage(self) -> str:
        """Return the name of its stage."""
        return stage_name(self.model)


@dataclass(frozen=True, slots=True)
class Program:
    """A module's instructions before the first function, and its functions by id, in module order."""

    module: Module
    preamble: tuple[Instruction, ...]
    functions: Mapping[int, tuple[Instruction, ...]]

    @classmethod
    def of(cls, module: Module) -> Program:
        """Take a module apart; a function starts at the `OpLine` that belongs to it."""
        instructions = module.instructions
        starts = [at for at, words in enumerate(instructions) if words[0] & 0xFFFF == op.FUNCTION]
        edges = [_with_lines(instructions, at) for at in starts] + [len(instructions)]
        functions = {
            instructions[start][2]: instructions[first:last]
            for start, first, last in zip(starts, edges, edges[1:], strict=False)
        }
        return cls(module, instructions[: edges[0]], functions)

    def encode(self) -> bytes:
        """Return the bytes of the module put together again."""
        return replace(
            self.module, instructions=(*self.preamble, *chain.from_iterable(self.functions.values()))
        ).encode()

    def entries(self) -> list[ProgramEntry]:
        """Return the entry points in module order."""
        return [entry_of(words) for words in self.preamble if words[0] & 0xFFFF == op.ENTRY_POINT]

    def interface(self, entry: ProgramEntry) -> frozenset[int]:
        """Return the variables that an entry point lists."""
        for words in self.preamble:
            if words[0] & 0xFFFF == op.ENTRY_POINT and words[2] == entry.function and words[1] == entry.model:
                return frozenset(words[entry.interface :])
        return frozenset()

    def variables(self) -> dict[int, Instruction]:
        """Return the global variables by id, in module order."""
        return {words[2]: words for words in self.preamble if words[0] & 0xFFFF == op.VARIABLE}

    def names(self) -> dict[int, str]:
        """Return the debug names by id."""
        return {words[1]: string(words, 2)[0] for words in self.preamble if words[0] & 0xFFFF == op.NAME}

    def references(self, targets: Collection[int]) -> dict[int, dict[int, None]]:
        """Return, for each function, which of `targets` its instructions use, in order of first use."""
        found: dict[int, dict[int, None]] = {}
        ids = self.module.ids
        for function, body in self.functions.items():
            used = found[function] = {}
            for words in body:
                for at in ids(words):
                    if words[at] in targets:
                        # debug information names its own function, which is not a call
                        if words[0] & 0xFFFF == op.EXT_INST and words[at] in self.functions:
                            continue
                        used[words[at]] = None
        return found

    def graph(self) -> dict[int, dict[int, None]]:
        """Return, for each function, the functions and global variables that it uses."""
        return self.references({**dict.fromkeys(self.functions), **dict.fromkeys(self.variables())})


def entry_of(words: Instruction) -> ProgramEntry:
    """Parse an `OpEntryPoint`."""
    name, interface = string(words, 3)
    return ProgramEntry(words[1], words[2], name, interface)


def reach(graph: Mapping[int, Iterable[int]], *roots: int) -> dict[int, None]:
    """Return everything that can be reached from the roots, which are included."""
    seen = dict.fromkeys(roots)
    todo = list(roots)
    while todo:
        for each in graph.get(todo.pop(), ()):
            if each not in seen:
                seen[each] = None
                todo.append(each)
    return seen


def callees_first(program: Program, roots: Iterable[int]) -> list[int]:
    """Return all functions that the roots call, themselves included, each after those that it calls.

    Shape: otherwise in the order of first calls, so the order of definitions has no effect.
    Raises: FormatError for recursion.
    """
    done: dict[int, None] = {}
    for root in roots:
        path: dict[int, Iterator[int]] = {} if root in done else {root: _calls(program, root)}
        while path:
            function, callees = next(reversed(path.items()))
            callee = next((each for each in callees if each not in done), None)
            if callee is None:
                done[function] = None
                del path[function]
            elif callee in path:
                raise FormatError(
                    f"{program.module.name} has a function that calls itself",
                    hint="turn the recursion into a loop",
                )
            else:
                path[callee] = _calls(program, callee)
    return list(done)


def _calls(program: Program, function: int) -> Iterator[int]:
    return iter([words[3] for words in program.functions[function] if words[0] & 0xFFFF == op.FUNCTION_CALL])


def trim(program: Program, *, preserve_bindings: bool = False) -> Program:
    """Drop functions and global variables that no entry point reaches, and recompute interfaces."""
    graph, variables = program.graph(), program.variables()
    reached = {entry.function: reach(graph, entry.function) for entry in program.entries()}
    kept = set(chain.from_iterable(reached.values()))
    kept.update(reach(graph, *_used_by_preamble(program, graph.keys() | variables.keys())))
    if preserve_bindings:
        kept.update(w[1] for w in program.preamble if w[0] & 0xFFFF == op.DECORATE and w[2] == BINDING)
    functions = {each: body for each, body in program.functions.items() if each in kept}
    dropped = {each for each in variables if each not in kept}
    for each, body in program.functions.items():
        if each not in kept:
            dropped.update(defined for words in body if (defined := result(words)) is not None)
    preamble = tuple(_without(program.preamble, dropped)) if dropped else program.preamble
    every_class = program.module.version >= VERSION_1_4
    listed = {each for each, words in variables.items() if every_class or words[3] in (INPUT, OUTPUT)}
    return replace(program, preamble=tuple(_with_interfaces(preamble, reached, listed)), functions=functions)


def _with_lines(instructions: tuple[Instruction, ...], at: int) -> int:
    while at and instructions[at - 1][0] & 0xFFFF in _LINES:
        at -= 1
    return at


def _used_by_preamble(program: Program, targets: Collection[int]) -> Iterator[int]:
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode in (op.ENTRY_POINT, op.GROUP_DECORATE, op.GROUP_MEMBER_DECORATE):
            continue
        for at in program.module.ids(words)[opcode in ANNOTATIONS :]:
            if words[at] in targets:
                yield words[at]


def _without(preamble: Iterable[Instruction], dropped: Collection[int]) -> Iterator[Instruction]:
    for words in preamble:
        opcode = words[0] & 0xFFFF
        if opcode in ANNOTATIONS:
            if words[1] in dropped:
                continue
        elif opcode == op.VARIABLE:
            if words[2] in dropped:
                continue
        elif opcode == op.GROUP_DECORATE:
            yield build(opcode, words[1], *(each for each in words[2:] if each not in dropped))
            continue
        yield words


def _with_interfaces(
    preamble: Iterable[Instruction], reached: Mapping[int, Collection[int]], listed: Collection[int]
) -> Iterator[Instruction]:
    for words in preamble:
        if words[0] & 0xFFFF != op.ENTRY_POINT:
            yield words
            continue
        entry = entry_of(words)
        used = sorted(each for each in reached[entry.function] if each in listed)
        yield build(op.ENTRY_POINT, *words[1 : entry.interface], *used)
