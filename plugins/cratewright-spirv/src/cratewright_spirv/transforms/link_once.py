"""Keeps one definition of functions that several modules define as `LinkOnceODR`.

That linkage promises that all definitions are equal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from cratewright import LinkModule, ModuleCodegen

from ..binary import opcodes as op
from ..binary.enumerants import IMPORT, LINK_ONCE, LINKAGE_ATTRIBUTES
from ..binary.module import MAGIC_BYTES, parse, result, string
from ..binary.operands import Instruction
from ..binary.program import Program

ONCE = "once"
"""The attribute that holds the names."""

_DECLARES = frozenset({op.FUNCTION, op.FUNCTION_PARAMETER, op.FUNCTION_END})
_ANNOTATIONS = frozenset({op.NAME, op.DECORATE, op.DECORATE_ID, op.DECORATE_STRING})


def once_symbols(data: bytes, *, name: str) -> str:
    """Return the attribute's value for an unchanged module; empty if it defines nothing of the kind."""
    if data[:4] != MAGIC_BYTES:
        return ""
    found = [
        string(words, 3)[0]
        for words in parse(data, name, foreign=True).instructions
        if words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES and words[-1] == LINK_ONCE
    ]
    return json.dumps(sorted(found)) if found else ""


def defined_once(module: ModuleCodegen) -> frozenset[str]:
    """Return the names that other modules may define as well."""
    return frozenset(json.loads(module.attribute(ONCE) or "[]"))


def one_of_each(parts: Sequence[bytes], items: Sequence[LinkModule]) -> list[bytes]:
    """Return the modules of a link with one definition of each name; the others need that one."""
    once = [defined_once(item.module) for item in items]
    if not any(once):
        return list(parts)
    taken = {
        symbol.name for item, own in zip(items, once, strict=True) for symbol in item.module.exports
        if symbol.name not in own
    }  # fmt: skip
    made: list[bytes] = []
    for part, item, own in zip(parts, items, once, strict=True):
        names = own & {symbol.name for symbol in item.module.exports}
        made.append(_declaring(part, names & taken, item.module.name))
        taken |= names
    return made


def _declaring(data: bytes, names: frozenset[str], where: str) -> bytes:
    """Return a module that only declares what it defined."""
    if not names:
        return data
    program = Program.of(parse(data, where))
    declared: set[int] = set()
    preamble: list[Instruction] = []
    for words in program.preamble:
        linked = words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES
        if linked and string(words, 3)[0] in names and words[1] in program.functions:
            declared.add(words[1])
            words = (*words[:-1], IMPORT)  # noqa: PLW2901
        preamble.append(words)
    bodies = {each: program.functions[each] for each in declared}
    heads = {each: tuple(w for w in body if w[0] & 0xFFFF in _DECLARES) for each, body in bodies.items()}
    gone = {words[1] if words[0] & 0xFFFF == op.LABEL else result(words) for body in bodies.values() for words in body}
    gone -= {result(words) for head in heads.values() for words in head}
    kept = [words for words in preamble if not (words[0] & 0xFFFF in _ANNOTATIONS and words[1] in gone)]
    others = {each: body for each, body in program.functions.items() if each not in declared}
    # A module's declarations come before what it defines.
    return replace(program, preamble=tuple(kept), functions={**heads, **others}).encode()
