"""Keeps functions in a module that the compiler would drop because the entry point does not call them.

The entry point is made to call everything; the calls are removed afterwards.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from cratewright import pattern

from ..binary import opcodes as op
from ..binary.debug_info import DEBUG_GLOBAL_VARIABLE, DEBUG_LOCAL_VARIABLE, SET_NAME
from ..binary.module import HEADER_WORDS, spans
from ..text.diagnostics import STUB_STRING
from ..text.scan import Function, scan

MAIN = b"\nvoid main() {}\n"
"""The end of a text whose entry point exists only because one is required."""

FIRST_LINE = 1_000_000
"""The line of the first call, so that messages about calls can be recognised."""

_KEEPER, _KEPT = b"cw_keep", b"cw_kept_"
_TOKEN = pattern(rb"[A-Za-z_]\w*|\d[\w.]*|\S")
_QUALIFIERS = frozenset(
    b"in out inout const highp mediump lowp precise coherent volatile restrict readonly writeonly nonprivate "
    b"devicecoherent queuefamilycoherent workgroupcoherent subgroupcoherent shadercallcoherent nontemporal "
    b"spirv_by_reference spirv_literal".split()
)
_RESOURCE = pattern(
    rb"sampler(?:Shadow)?|accelerationStructure(?:EXT|NV)|(?:f16|i64|u64|i|u)?(?:subpassInput(?:MS)?|"
    rb"(?:sampler|image|texture)(?:1D|2D|3D|Cube|Buffer|2DRect|2DMS|ExternalOES)(?:Array)?(?:Shadow)?)|tensorARM"
)
_EXTENSIONS = b"#extension GL_EXT_shader_image_load_formatted : enable\n"

_WITHOUT_RESULT = frozenset({op.LINE, op.NO_LINE, op.STORE, op.COPY_MEMORY, op.LABEL, op.RETURN})
_DESCRIBES = frozenset({op.NAME, op.STRING, op.MEMBER_NAME, op.DECORATE})
_DEBUG_NAME_AT = 5


def kept_functions(text: bytes) -> tuple[Function, ...]:
    """Return the functions that a text defines, in its order."""
    return tuple(function for function in scan(text).definitions if function.name != "main")


def keeping(text: bytes, functions: Sequence[Function | None]) -> bytes:
    """Return a text that ends in `MAIN` with all these functions called, each on a line of its own."""
    resources, calls = list[bytes](), list[bytes]()
    for at, function in enumerate(functions):
        declared, call = (b"", b"") if function is None else _call(text, function, at)
        resources.append(declared)
        calls.append(call)
    parts = [text.removesuffix(MAIN)]
    if any(resources):
        parts += [_EXTENSIONS, b"#line %d %d" % (FIRST_LINE, STUB_STRING), *resources]
    parts += [b"#line %d %d" % (FIRST_LINE - 1, STUB_STRING), b"void %s() {" % _KEEPER, *calls]
    return b"\n".join([*parts, b"}", b"void main() { %s(); }\n" % _KEEPER])


def _call(text: bytes, function: Function, number: int) -> tuple[bytes, bytes]:
    """Return the resources that a function takes, and a block that calls it with variables of its parameters' types."""
    names, variables, resources = list[bytes](), list[bytes](), list[bytes]()
    for at, parameter in enumerate(_parameters(text, function.offset)):
        kind, before, after = _declaration(parameter)
        name = b"%s%d_%d" % (_KEPT, number, at)
        if _RESOURCE.fullmatch(kind.partition(b"<")[0]):
            attachment = b", input_attachment_index = 0" if b"subpassInput" in kind else b""
            layout = b"layout(set = 0, binding = 0%s)" % attachment
            resources.append(b"%s uniform %s%s %s%s; " % (layout, kind, before, name, after))
        else:
            variables.append(b"%s%s %s%s; " % (kind, before, name, after))
        names.append(name)
    call = b"{ %s%s(%s); }" % (b"".join(variables), function.name.encode(), b", ".join(names))
    return b"".join(resources), call


def _parameters(text: bytes, offset: int) -> list[bytes]:
    start = text.index(b"(", offset) + 1
    depth, at, begin, found = 1, start, start, list[bytes]()
    while depth:
        character = text[at : at + 1]
        depth += (character in (b"(", b"[", b"<")) - (character in (b")", b"]", b">"))
        if depth == 0 or (depth == 1 and character == b","):
            found.append(text[begin:at])
            begin = at + 1
        at += 1
    return [] if len(found) == 1 and found[0].strip() in (b"", b"void") else found


def _declaration(parameter: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a parameter's type, and the lengths of arrays before and after its name."""
    words = [word for word in _TOKEN.findall(parameter) if word not in _QUALIFIERS]
    end = words.index(b">") + 1 if words[1:2] == [b"<"] else 1
    depth = 0
    for at, word in enumerate(words[end:], end):
        depth += (word == b"[") - (word == b"]")
        if depth == 0 and word != b"]":
            return b"".join(words[:end]), b"".join(words[end:at]), b"".join(words[at + 1 :])
    return b"".join(words[:end]), b"".join(words[end:]), b""


def without_keeper(data: bytes) -> bytes:
    """Return a module without what `keeping` made of its text."""
    words = array("I", data)
    keepers: set[int] = set()
    # Variables, including those that a compiler moves out of the function, and their debug information.
    gone: set[int] = set()
    for opcode, at, end in spans(words):
        if opcode == op.NAME and words[at + 2 : end].tobytes().startswith(_KEEPER + b"("):
            keepers.add(words[at + 1])
        elif opcode in (op.NAME, op.STRING) and words[at + 2 : end].tobytes().startswith(_KEPT):
            gone.add(words[at + 1])
        elif opcode == op.FUNCTION and words[at + 2] in keepers:
            gone |= _results(words, end)
    return _freed(words, keepers, gone)


def _freed(words: array[int], keepers: set[int], gone: set[int]) -> bytes:
    out = words[:HEADER_WORDS]
    sets: set[int] = set()
    inside = False
    for opcode, at, end in spans(words):
        if opcode == op.FUNCTION and words[at + 2] in keepers:
            inside = True
        if inside:
            inside = opcode != op.FUNCTION_END
            continue
        if opcode == op.EXT_INST_IMPORT and words[at + 2 : end].tobytes().startswith(SET_NAME.encode()):
            sets.add(words[at + 1])
        if opcode == op.ENTRY_POINT:
            named = at + 3 + _length(words, at + 3)
            kept = [word for word in words[named:end] if word not in gone]
            out.append((named - at + len(kept)) << 16 | op.ENTRY_POINT)
            out += words[at + 1 : named]
            out.extend(kept)
            continue
        described = opcode in _DESCRIBES and words[at + 1] in gone | keepers
        resource = opcode == op.VARIABLE and words[at + 2] in gone
        called = opcode == op.FUNCTION_CALL and words[at + 3] in keepers
        shown = (
            opcode == op.EXT_INST
            and words[at + 3] in sets
            and words[at + 4] in (DEBUG_GLOBAL_VARIABLE, DEBUG_LOCAL_VARIABLE)
            and words[at + _DEBUG_NAME_AT] in gone
        )
        if not (described or resource or called or shown):
            out += words[at:end]
    return out.tobytes()


def _results(words: array[int], at: int) -> set[int]:
    """Return what a body of mere calls defines."""
    found: set[int] = set()
    while words[at] & 0xFFFF != op.FUNCTION_END:
        if words[at] & 0xFFFF not in _WITHOUT_RESULT:
            found.add(words[at + 2])
        at += words[at] >> 16
    return found


def _length(words: array[int], at: int) -> int:
    """Return how many words a string takes."""
    end = at
    while words[end] >> 24:
        end += 1
    return end - at + 1
