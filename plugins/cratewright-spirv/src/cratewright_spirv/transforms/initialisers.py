"""The functions that set up the global variables of library units, and which entry points call them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cratewright import LinkError, dataclass

from ..base.implied import INITIALISER
from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_FUNCTION_DEFINITION, DEBUG_LINE, DEBUG_SCOPE, SET_NAME, is_debug_set
from ..binary.enumerants import FUNCTION_STORAGE, PRIVATE
from ..binary.module import build, result, string
from ..binary.operands import Instruction
from ..binary.program import Program, reach

_CHAINS = frozenset(
    {
        op.ACCESS_CHAIN,
        op.IN_BOUNDS_ACCESS_CHAIN,
        op.PTR_ACCESS_CHAIN,
        op.IN_BOUNDS_PTR_ACCESS_CHAIN,
        op.COPY_OBJECT,
    }
)
_READS = _CHAINS | {op.LOAD, op.ARRAY_LENGTH}
# what may appear among the variables at the start of a function
_WITH_VARIABLES = frozenset({op.VARIABLE, op.LINE, op.NO_LINE, op.EXT_INST, op.UNDEF})
_LOCAL = frozenset({PRIVATE, FUNCTION_STORAGE})
_COMPUTES = frozenset(
    {
        *range(op.FUNCTION, op.VARIABLE + 1),
        *range(op.VECTOR_EXTRACT_DYNAMIC, op.IMAGE_READ + 1),
        *range(op.IMAGE, op.IMAGE_QUERY_SAMPLES + 1),
        *range(op.CONVERT_FTO_U, op.BITCAST + 1),
        *range(op.SNEGATE, op.SMUL_EXTENDED + 1),
        *range(op.ANY, op.FUNORD_GREATER_THAN_EQUAL + 1),
        *range(op.SHIFT_RIGHT_LOGICAL, op.BIT_COUNT + 1),
        *range(op.DPDX, op.FWIDTH_COARSE + 1),
        *range(op.PHI, op.SWITCH + 1),
        *range(op.RETURN, op.LIFETIME_STOP + 1),
        *range(op.IMAGE_SPARSE_SAMPLE_IMPLICIT_LOD, op.IMAGE_SPARSE_TEXELS_RESIDENT + 1),
        *range(op.GROUP_NON_UNIFORM_ELECT, op.GROUP_NON_UNIFORM_QUAD_SWAP + 1),
        *range(op.COPY_LOGICAL, op.PTR_NOT_EQUAL + 1),
        *range(op.SUBGROUP_ALL_KHR, op.SUBGROUP_READ_INVOCATION_KHR + 1),
        *range(op.SDOT, op.SUDOT_ACC_SAT + 1),
        *(op.UNDEF, op.LINE, op.NO_LINE, op.STORE, op.COPY_MEMORY),
        *(op.IMAGE_SPARSE_READ, op.SUBGROUP_BALLOT_KHR, op.SUBGROUP_FIRST_INVOCATION_KHR),
    }
)
"""What only computes, reads, branches, or writes through the pointer that is its first operand."""
_NO_EFFECT = _COMPUTES | _READS
_SETS_WITHOUT_EFFECT = ("GLSL.std.450", SET_NAME)


@dataclass(frozen=True, slots=True)
class Initialiser:
    """A function that sets up the globals of one unit, by its debug name, and the names of what the unit exports.

    Shape: units of one source, compiled with different macros, give theirs one name.
    """

    name: str
    exports: frozenset[str]


def with_initialisers(program: Program, initialisers: Sequence[Initialiser]) -> Program:
    """Return a linked program whose entry points call the initialisers that they need.

    Shape: those that write a global which the entry point, or another initialiser, touches; and, of units of which it
    calls a function, those that do more. Initialisers of one name are in the order of their units, in the program and
    in `initialisers`.
    Raises: LinkError for initialisers that need one another.
    """
    if not initialisers:
        return program
    owned = _functions(program, initialisers)
    graph, variables = program.graph(), program.variables()
    private = {each for each, words in variables.items() if words[3] == PRIVATE}
    writes = {
        each: {
            variable
            for function in reach(graph, each)
            if function in program.functions
            for variable in _written(program, function, private)
        }
        for each in owned
    }
    effective = _Effects(program).functions()
    acting = {each for each in owned if not effective.isdisjoint(reach(graph, each))}
    functions = _in_order(program, list(owned), graph)
    calls: dict[int, set[int]] = {}
    for entry in program.entries():
        used = acting & set(_of_used_units(program, entry.function, owned)) if acting else ()
        calls.setdefault(entry.function, set()).update(_needed(graph, [entry.function, *used], writes), used)
    bound = program.module.bound
    sets = {words[1] for words in program.preamble if is_debug_set(words)}
    bodies = dict(program.functions)
    for entry_function, needed in calls.items():
        called = [each for each in functions if each in needed]
        instructions = [
            build(op.FUNCTION_CALL, _return_type(bodies[each]), bound + index, each)
            for index, each in enumerate(called)
        ]
        bound += len(called)
        bodies[entry_function] = _with_first(bodies[entry_function], instructions, sets)
    return replace(program, module=replace(program.module, bound=bound), functions=bodies)


def _functions(program: Program, initialisers: Sequence[Initialiser]) -> dict[int, Initialiser]:
    names = program.names()
    found: dict[str, list[int]] = {}
    for each in program.functions:
        found.setdefault(names.get(each, ""), []).append(each)
    owned: dict[int, Initialiser] = {}
    for name in dict.fromkeys(each.name for each in initialisers):
        of_name = [each for each in initialisers if each.name == name]
        owned |= zip(found.get(name, ()), of_name, strict=False)
    return owned


class _Effects:
    """Which functions of a program do more than compute and write variables of their invocation alone."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.storage: dict[int, int] = {}
        self.sets: set[int] = set()
        for words in program.preamble:
            opcode = words[0] & 0xFFFF
            if opcode == op.TYPE_POINTER:
                self.storage[words[1]] = words[2]
            elif opcode == op.EXT_INST_IMPORT and string(words, 2)[0].startswith(_SETS_WITHOUT_EFFECT):
                self.sets.add(words[1])
        self.globals = {each: self.storage.get(words[1], words[3]) for each, words in program.variables().items()}

    def functions(self) -> set[int]:
        """Return those that have an effect themselves, not in what they call."""
        return {each for each, body in self.program.functions.items() if self._has_effect(body)}

    def _has_effect(self, body: Iterable[Instruction]) -> bool:
        pointers = dict(self.globals)
        for words in body:
            opcode = words[0] & 0xFFFF
            number = result(words)
            if number is not None and words[1] in self.storage:
                pointers[number] = self.storage[words[1]]
            if opcode == op.EXT_INST:
                if words[3] not in self.sets:
                    return True
            elif opcode not in _NO_EFFECT or (
                opcode in (op.STORE, op.COPY_MEMORY) and pointers.get(words[1]) not in _LOCAL
            ):
                return True
        return False


def _in_order(program: Program, functions: Sequence[int], graph: Mapping[int, Iterable[int]]) -> list[int]:
    """Return initialisers so that each comes after those of the variables it reads, else as they were.

    Raises: LinkError for some that need one another.
    """
    variables = program.variables()
    sets = {each: set(_written(program, each, variables)) for each in functions}
    reads = {each: reach(graph, each).keys() - sets[each] for each in functions}
    before = {each: [other for other in functions if not sets[other].isdisjoint(reads[each])] for each in functions}
    done: dict[int, None] = {}
    while len(done) < len(functions):
        left = [each for each in functions if each not in done]
        ready = next((each for each in left if done.keys() >= set(before[each])), None)
        if ready is None:
            names = program.names()
            units = [names[each].removeprefix(INITIALISER) for each in left]
            raise LinkError(
                "global variables of several units are initialised from one another",
                context=[("image", program.module.name), ("units", ", ".join(units))],
                hint="initialise them in one unit, or in a function that the entry point calls",
            )
        done[ready] = None
    return list(done)


def _of_used_units(program: Program, function: int, owned: Mapping[int, Initialiser]) -> list[int]:
    """Return the initialisers of units of which the function, or an initialiser of another of them, calls one."""
    names, graph = program.names(), program.graph()
    used: list[int] = []
    while True:
        called = {names.get(each) for each in reach(graph, function, *used)}
        more = [each for each, of in owned.items() if each not in used and not called.isdisjoint(of.exports)]
        if not more:
            return used
        used += more


def _needed(
    graph: Mapping[int, Iterable[int]], roots: Iterable[int], writes: Mapping[int, Collection[int]]
) -> set[int]:
    """Return the initialisers that write what a root, or another initialiser, touches."""
    needed: set[int] = set()
    while True:
        touched = reach(graph, *roots, *needed)
        more = {each for each, written in writes.items() if not touched.keys().isdisjoint(written)} - needed
        if not more:
            return needed
        needed |= more


def _written(program: Program, function: int, variables: Collection[int]) -> Iterator[int]:
    """Yield the global variables that a function may change, directly or through a pointer it passes on."""
    bases: dict[int, int] = {}
    for words in program.functions[function]:
        opcode = words[0] & 0xFFFF
        if opcode in _CHAINS:
            bases[words[2]] = bases.get(words[3], words[3])
        if opcode not in _READS:
            for at in program.module.ids(words):
                base = bases.get(words[at], words[at])
                if base in variables:
                    yield base


def _return_type(body: Iterable[Instruction]) -> int:
    return next(words[1] for words in body if words[0] & 0xFFFF == op.FUNCTION)


def _with_first(
    body: tuple[Instruction, ...], instructions: Iterable[Instruction], debug_sets: Collection[int]
) -> tuple[Instruction, ...]:
    """Return a function's body with instructions inserted after the variables of its first block.

    Shape: if debug information begins there, it covers them as well.
    """
    at = 1 + next(index for index, words in enumerate(body) if words[0] & 0xFFFF == op.LABEL)
    after = at
    while body[at][0] & 0xFFFF in _WITH_VARIABLES:
        at += 1
        if body[at - 1][0] & 0xFFFF == op.VARIABLE:
            after = at
    for kind in (DEBUG_FUNCTION_DEFINITION, DEBUG_SCOPE, DEBUG_LINE):
        words = body[after]
        if words[0] & 0xFFFF == op.EXT_INST and words[3] in debug_sets and words[4] == kind:
            after += 1
    return (*body[:after], *instructions, *body[after:])
