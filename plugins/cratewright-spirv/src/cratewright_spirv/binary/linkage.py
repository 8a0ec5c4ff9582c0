"""The symbols that a SPIR-V module declares as exports and imports."""

from __future__ import annotations

from dataclasses import replace

from . import opcodes as op
from .enumerants import EXPORT, IMPORT, LINK_ONCE, LINKAGE, LINKAGE_ATTRIBUTES
from .module import MAGIC_BYTES, build, parse, string
from .operands import Instruction
from .signatures import DECLARES_TYPES, Signatures

_LINKAGE_CAPABILITY = b"\x11\0\x02\0\x05\0\0\0"


def with_plain_linkage(data: bytes, *, name: str) -> bytes:
    """Return a module with exports of one kind, and the linkage capability only if it has any.

    `LinkOnceODR` becomes a plain export; `once` records those names.
    """
    if _LINKAGE_CAPABILITY not in data or data[:4] != MAGIC_BYTES:
        return data
    module = parse(data, name, foreign=True)
    linked = False
    kept: list[Instruction] = []
    for words in module.instructions:
        if words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES:
            linked = True
            words = (*words[:-1], EXPORT) if words[-1] == LINK_ONCE else words  # noqa: PLW2901
        elif words[0] & 0xFFFF == op.EXTENSION and string(words, 1)[0] == "SPV_KHR_linkonce_odr":
            continue
        kept.append(words)
    if not linked:
        kept = [words for words in kept if words != build(op.CAPABILITY, LINKAGE)]
    return replace(module, instructions=tuple(kept)).encode()


def linkage_symbols(data: bytes, *, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the exported and the imported names with the types of the functions, each in module order.

    Shape: the type is empty for what is no function.
    Raises: FormatError naming `name` for anything that is not SPIR-V.
    """
    instructions = parse(data, name, foreign=True).instructions
    signatures = Signatures(words for words in instructions if words[0] & 0xFFFF in DECLARES_TYPES)
    types = {words[2]: signatures.of(words[4]) for words in instructions if words[0] & 0xFFFF == op.FUNCTION}
    exports: dict[str, str] = {}
    imports: dict[str, str] = {}
    for words in instructions:
        if words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES:
            symbol, end = string(words, 3)
            (imports if words[end] == IMPORT else exports)[symbol] = types.get(words[1], "")
    return exports, imports
