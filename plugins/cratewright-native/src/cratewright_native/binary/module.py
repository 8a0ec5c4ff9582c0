"""Compiler output as a module: its symbols, and whether it has a program's entry point."""

from __future__ import annotations

from collections.abc import Iterable

from cratewright import EntryPoint, ModuleCodegen, Symbol, ToolError, pattern

from .bitcode import bitcode_symbols, is_bitcode
from .elf import elf_symbols, embedded_bitcode, has_gcc_representation, is_elf

# Names of `main` where they include its arguments or begin with an underscore.
_MAIN = ("__main_argc_argv", "__main_void", "__original_main", "main", "_main")
MAIN_SYMBOLS = frozenset(_MAIN)
# Symbols that sanitizers and profilers add to a module; no source defines them, and they are not exported.
_INJECTED = pattern(
    r"___asan_|__asan_gen_|__odr_asan|asan\.module_|tsan\.module_|msan\.module_|hwasan\.|sancov\.|__sancov_gen_"
    r"|__prof[cdnv]p?_|__profbm_|__covrec_|__llvm_(?:profile_(?:raw_version|filename|runtime|counter_bias)|prf_|cov)"
    r"|__gcov_(?:\.|var)"
)


def module_from_output(
    data: bytes, *, path: str, attributes: Iterable[tuple[str, str]] = (), foreign: bool = False
) -> ModuleCodegen:
    """Return a module with its symbols and additional attributes.

    Shape: a `foreign` object counts as code, even if it holds bitcode as well.

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
        Symbol(item.name, item.name, path, 0, _signature(item.weak, item.hidden))
        for item in found
        if item.defined and not _INJECTED.match(item.name)
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


def _signature(weak: bool, hidden: bool) -> str:
    return " ".join(["weak"] * weak + ["hidden"] * hidden)
