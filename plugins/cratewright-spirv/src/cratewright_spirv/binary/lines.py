"""A module's debug information: put into a form that survives SPIRV-Tools' linker, reduced to lines, or removed.

The linker gives new ids to instructions, but not to the lines and scopes attached to them. So the file ids in `OpLine`
are shifted in advance by as much as the linker will shift the files. NonSemantic.Shader.DebugInfo is renamed so that
the linker treats it like any other instruction set, whose instructions keep their places.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace

from cratewright import pattern

from . import opcodes as op
from .debug_info import DEBUG_LINE, DEBUG_NO_LINE, DEBUG_SOURCE, SET_NAME, is_debug_set
from .module import HEADER_WORDS, build, literal, parse, spans, string
from .operands import Instruction

_BOUND_AT = 3
_LINES = frozenset({op.LINE, op.NO_LINE})
# Lines do not extend beyond these.
_EDGES = frozenset({op.FUNCTION, op.FUNCTION_END, op.LABEL})
_NON_SEMANTIC = b"SPV_KHR_non_semantic_info"
_SHOWN = SET_NAME.encode()
_HIDDEN = b"NonSemantic.cratewright.info"
_HAS_LINES = pattern(rb"\x08\0\x04\0")


def lines_for_linker(modules: Sequence[bytes]) -> list[bytes]:
    """Return the modules, in link order, with lines and scopes that survive the link."""
    result: list[bytes] = []
    offset = 0
    for data in modules:
        moved = len(modules) > 1 and offset and _HAS_LINES.search(data)
        result.append(_named(_moved(data, offset) if moved else data, _SHOWN, _HIDDEN))
        # The offset that the linker adds to the ids of the next module.
        offset += int.from_bytes(data[_BOUND_AT * 4 : _BOUND_AT * 4 + 4], "little") - 1
    return result


def linked_lines(data: bytes) -> bytes:
    """Restore the names in the linker's result of modules prepared for it."""
    return _named(data, _HIDDEN, _SHOWN)


def without_debug_info(data: bytes) -> bytes:
    """Return a module without NonSemantic.Shader.DebugInfo and lines, if a unit brought them."""
    if _SHOWN not in data:
        return data
    words = array("I", data)
    out = words[:HEADER_WORDS]
    sets: set[int] = set()
    others = data.count(b"NonSemantic.") > data.count(_SHOWN)
    for opcode, at, end in spans(words):
        if opcode == op.EXT_INST_IMPORT and data.startswith(_SHOWN, (at + 2) * 4):
            sets.add(words[at + 1])
        elif not (
            (opcode == op.EXT_INST and words[at + 3] in sets)
            or opcode in (op.LINE, op.NO_LINE)
            or (opcode == op.EXTENSION and not others and data.startswith(_NON_SEMANTIC, (at + 1) * 4))
        ):
            out += words[at:end]
    return out.tobytes()


def only_lines(data: bytes) -> bytes:
    """Return a module with NonSemantic.Shader.DebugInfo replaced by `OpLine`.

    Shape: strings that only it used are dropped too; they hold whole sources.
    """
    if _SHOWN not in data:
        return data
    module = parse(data, "module")
    out, sets = list[Instruction](), set[int]()
    files, constants = dict[int, int](), dict[int, int]()
    others = data.count(b"NonSemantic.") > data.count(_SHOWN)
    for words in module.instructions:
        opcode = words[0] & 0xFFFF
        if is_debug_set(words):
            sets.add(words[1])
        elif opcode == op.EXTENSION and not others and string(words, 1)[0] == _NON_SEMANTIC.decode():
            continue
        elif opcode != op.EXT_INST or words[3] not in sets:
            if opcode == op.CONSTANT:
                constants[words[2]] = words[3]
            out.append(words)
        elif words[4] == DEBUG_SOURCE:
            files[words[2]] = words[5]
        elif words[4] == DEBUG_LINE and words[5] in files:
            out.append(build(op.LINE, files[words[5]], constants.get(words[6], 0), constants.get(words[8], 0)))
        elif words[4] == DEBUG_NO_LINE:
            out.append(build(op.NO_LINE))
    used = {words[at] for words in out for at in module.ids(words)}
    kept = (words for words in out if words[0] & 0xFFFF != op.STRING or words[1] in used)
    return replace(module, instructions=tuple(kept)).encode()


def with_relative_files(data: bytes, root: str, name: Callable[[str], str]) -> bytes:
    """Return a module with other names for the files below a root."""
    if root.encode() not in data:
        return data
    module = parse(data, "module")
    instructions = (
        build(op.STRING, words[1], *literal(name(text)))
        if words[0] & 0xFFFF == op.STRING and (text := string(words, 2)[0]).startswith(root)
        else words
        for words in module.instructions
    )
    return replace(module, instructions=tuple(instructions)).encode()


def without_repeats(data: bytes) -> bytes:
    """Return a module without redundant lines and lines that apply to nothing."""
    words = array("I", data)
    out, line, held = words[:HEADER_WORDS], array("I"), array("I")
    for opcode, at, end in spans(words):
        if opcode in _LINES:
            line = words[at:end]
            continue
        if opcode in _EDGES:
            held = array("I")
        if line and line != held and not (line[0] & 0xFFFF == op.NO_LINE and not held):
            out.extend(line)
            held = line
        line = array("I")
        out.extend(words[at:end])
    return out.tobytes()


def _named(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return a module with the set under another name of the same length."""
    if old not in data:
        return data
    out = bytearray(data)
    for opcode, at, _ in spans(array("I", data)):
        if opcode == op.EXT_INST_IMPORT and data.startswith(old, (at + 2) * 4):
            out[(at + 2) * 4 : (at + 2) * 4 + len(old)] = new
        elif opcode == op.FUNCTION:
            break
    return bytes(out)


def _moved(data: bytes, offset: int) -> bytes:
    words = array("I", data)
    for opcode, at, _ in spans(words):
        if opcode == op.LINE:
            words[at + 1] += offset
    return words.tobytes()
