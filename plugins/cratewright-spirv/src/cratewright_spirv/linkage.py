"""The symbols that a SPIR-V module itself says it exports and imports.

Knows nothing of who made the module.
"""

from __future__ import annotations

from . import opcodes as op
from .module import parse, string
from .signatures import DECLARES_TYPES, Signatures

__all__ = ["linkage_symbols"]

_LINKAGE_ATTRIBUTES = 41
_EXPORT, _IMPORT, _LINK_ONCE = 0, 1, 2


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
        if words[0] & 0xFFFF == op.DECORATE and words[2] == _LINKAGE_ATTRIBUTES:
            symbol, end = string(words, 3)
            (imports if words[end] == _IMPORT else exports)[symbol] = types.get(words[1], "")
    return exports, imports
