"""Compiler output as a module: its symbols, and whether it has a program's entry point."""

from __future__ import annotations

from collections.abc import Iterable

from cratewright import EntryPoint, ModuleCodegen, Symbol, ToolError

from .bitcode import bitcode_symbols, is_bitcode
from .elf import elf_symbols, embedded_bitcode, has_gcc_representation, is_elf
from .exports import is_injected

__all__ = ["MAIN_SYMBOLS", "module_of"]

# Names of `main` where they include its arguments or begin with an underscore.
_MAIN = ("__main_argc_argv", "__main_void", "__original_main", "main", "_main")
MAIN_SYMBOLS = frozenset(_MAIN)


def module_of(
    data: bytes, *, path: str, attributes: Iterable[tuple[str, str]] = (), foreign: bool = False
) -> ModuleCodegen:
    """Return a module with its symbols and additional attributes; a foreign object counts as code, whatever else it
    has.

    Raises: ToolError if the compiler's output has an unknown format.
    """
    if is_bitcode(data):
        found, suffix, representation = bitcode_symbols(data, name=path), ".bc", "llvm"
    elif not foreign and (bitcode := embedded_bitcode(data)):
        found, suffix, representation = bitcode_symbols(bitcode, name=path), ".o", "both"
    elif is_elf(data):
        found, suffix = elf_symbols(data, name=path), ".o"
        representation = "gcc" if has_gcc_representation(data) else "none"
    else:
        raise ToolError(f"{path}: the compiler made neither bitcode nor an ELF object")
    exports = tuple(
        Symbol(item.name, item.name, path, 0, _words(item.weak, item.hidden))
        for item in found
        if item.defined and not is_injected(item.name)
    )
    defined = {symbol.name for symbol in exports}
    main = [name for name in _MAIN if name in defined]
    return ModuleCodegen(
        name=suffix,
        data=data,
        exports=exports,
        imports=tuple(Symbol(item.name, item.name, path) for item in found if not item.defined),
        entry_points=tuple(EntryPoint("program", name) for name in main[:1]),
        attributes=tuple(sorted({"representation": representation, **dict(attributes)}.items())),
    )


def _words(weak: bool, hidden: bool) -> str:
    return " ".join(word for word, said in (("weak", weak), ("hidden", hidden)) if said)
