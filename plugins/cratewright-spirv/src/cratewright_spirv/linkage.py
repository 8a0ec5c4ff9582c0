"""The symbols that a SPIR-V module itself says it exports and imports.

Knows nothing of who made the module.
"""

from __future__ import annotations

from . import opcodes as op
from .module import parse, string

__all__ = ["linkage_symbols"]

_LINKAGE_ATTRIBUTES = 41
_EXPORT, _IMPORT, _LINK_ONCE = 0, 1, 2


def linkage_symbols(data: bytes, *, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the exported and the imported names, each in module order.

    Raises: FormatError naming `name` for anything that is not SPIR-V.
    """
    exports: list[str] = []
    imports: list[str] = []
    for words in parse(data, name, foreign=True).instructions:
        if words[0] & 0xFFFF == op.DECORATE and words[2] == _LINKAGE_ATTRIBUTES:
            symbol, end = string(words, 3)
            (imports if words[end] == _IMPORT else exports).append(symbol)
    return tuple(exports), tuple(imports)
