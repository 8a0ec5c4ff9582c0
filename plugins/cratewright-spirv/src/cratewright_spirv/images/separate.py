"""Extracts entry points from a program compiled from several, each as if it had been compiled alone.

The caller provides the bindings of each entry point alone. If an entry point could be affected by the others, the
answer is None, and it has to be compiled alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from cratewright import DebugInfo, LinkRequest, LtoMode

from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.lines import without_repeats
from ..binary.module import build, parse, result, spans, string
from ..binary.operands import Instruction
from ..binary.program import ANNOTATIONS, Program, reach, trim
from ..spirv_tools.tools import Tools
from ..transforms.canonical import canonical_programs, is_orderable
from ..transforms.finalize import EntryKey, only_entry_points, with_entry_names
from .lto import trimmed

_MODEL = build(op.MEMORY_MODEL, spv.LOGICAL, spv.GLSL_450)
# Capabilities that `spirv-opt --trim-capabilities` removes again, except that of every shader.
_TRIMMED = frozenset(
    {
        *(spv.SHADER, spv.FLOAT16, spv.FLOAT64, spv.INT64, spv.INT16, spv.MIN_LOD),
        *(spv.STORAGE_IMAGE_READ_WITHOUT_FORMAT, spv.STORAGE_IMAGE_WRITE_WITHOUT_FORMAT),
        *(
            spv.GROUP_NON_UNIFORM,
            spv.GROUP_NON_UNIFORM_VOTE,
            spv.GROUP_NON_UNIFORM_ARITHMETIC,
            spv.GROUP_NON_UNIFORM_CLUSTERED,
        ),
    }
)
_BUFFERS = "SPV_KHR_storage_buffer_storage_class"
# The words of a switch without cases, which represents a loop or a block that is left early.
_ONE_WAY = 3
# Values whose type is known at run time: all types take part, including those of other entry points.
_DYNAMIC = ("AnyValue", "_dispatch_")

_Binding = tuple[int, int]
WantedEntry = tuple[EntryKey, str, Callable[[_Binding], _Binding | None]]
"""An entry point's stage and name, the name that it is to have, and where what is bound at a set and binding goes."""


def separate_entry_points(data: bytes, wanted: Sequence[WantedEntry]) -> list[bytes | None]:
    """Return a module for each entry point, equal to one compiled alone except for ids and order."""
    program = Program.of(parse(data, "program"))
    if not _is_separable(program):
        return [None] * len(wanted)
    graph = program.graph()
    functions = {(entry.stage, entry.name): entry.function for entry in program.entries()}
    return [_separated(_reached(program, graph, functions[key]), key, name, rebind) for key, name, rebind in wanted]


def _reached(program: Program, graph: Mapping[int, Iterable[int]], function: int) -> Program:
    """Return a program with only the functions that one needs; faster than `trim`."""
    needed = reach(graph, function)
    functions = {each: body for each, body in program.functions.items() if each in needed}
    defined = {result(words) for words in chain(program.preamble, *functions.values())}
    preamble = tuple(words for words in program.preamble if words[0] & 0xFFFF not in ANNOTATIONS or words[1] in defined)
    return replace(program, preamble=preamble, functions=functions)


def _is_separable(program: Program) -> bool:
    """Return whether what a module declares as a whole is what each entry point alone would declare."""
    for words in program.preamble:
        opcode = words[0] & 0xFFFF
        if opcode == op.EXTENSION and string(words, 1)[0] != _BUFFERS:
            return False
        if opcode == op.CAPABILITY and words[1] not in _TRIMMED:
            return False
        if opcode == op.MEMORY_MODEL and words != _MODEL:
            return False
    return is_orderable(program)


def _separated(
    program: Program, key: EntryKey, name: str, rebind: Callable[[_Binding], _Binding | None]
) -> bytes | None:
    alone = trim(with_entry_names(only_entry_points(program, [key]), {key: name}))
    bodies = alone.functions.values()
    classes = {words[3] for words in alone.variables().values()}
    if spv.PRIVATE in classes:
        return None  # initialisers are in all entry points
    if spv.STORAGE_BUFFER not in classes:
        kept = tuple(words for words in alone.preamble if words[0] & 0xFFFF != op.EXTENSION)
        alone = replace(alone, preamble=kept)
    if any(words[0] & 0xFFFF == op.SWITCH and len(words) > _ONE_WAY for body in bodies for words in body):
        return None
    if any(word in text for text in alone.names().values() for word in _DYNAMIC):
        return None
    preamble = tuple(_rebound(alone, rebind))
    return replace(alone, preamble=preamble).encode() if len(preamble) == len(alone.preamble) else None


def _rebound(program: Program, rebind: Callable[[_Binding], _Binding | None]) -> Iterator[Instruction]:
    """Yield the preamble with resources bound elsewhere; those that go nowhere are left unbound."""
    bound: dict[int, dict[int, int]] = {}
    for words in program.preamble:
        if words[0] & 0xFFFF == op.DECORATE and words[2] in (spv.DESCRIPTOR_SET, spv.BINDING):
            bound.setdefault(words[1], {})[words[2]] = words[3]
    for words in program.preamble:
        if words[0] & 0xFFFF == op.DECORATE and words[2] in (spv.DESCRIPTOR_SET, spv.BINDING):
            at = bound[words[1]]
            new = rebind((at.get(spv.DESCRIPTOR_SET, 0), at.get(spv.BINDING, 0)))
            if new is not None:
                yield (*words[:3], new[words[2] == spv.BINDING])
        else:
            yield words


def independent_form(request: LinkRequest, data: bytes, tools: Tools) -> bytes:
    """Return the module of one entry point in a form independent of what it was compiled with.

    Shape: ids and order are left to LTO, which puts them in canonical form.
    """
    config = request.config
    if config.options.debuginfo is DebugInfo.LINE:
        data = without_repeats(data)  # a constant from another entry point does not separate lines
    if request.lto is LtoMode.OFF:
        # The link describes the image by its names before it removes them.
        data = canonical_programs([Program.of(parse(data, "module"))], config.options, all_names=True)
    needs = set(_capabilities(data))
    return trimmed(data, config, tools) if {spv.SHADER} < needs <= _TRIMMED else data


def _capabilities(data: bytes) -> Iterator[int]:
    words = array("I", data)
    for opcode, at, _ in spans(words):
        if opcode != op.CAPABILITY:
            return
        yield words[at + 1]
