"""Reduces the library modules of an entry point to the functions it calls.

A module then affects a result only with the functions that are called, so editing another function changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from cratewright import DebugInfo, LinkModule, LinkRequest, Symbol, dataclass

from ..base.names import entries_of
from ..binary import opcodes as op
from ..binary.enumerants import EXPORT, LINKAGE_ATTRIBUTES
from ..binary.module import parse, string
from ..binary.program import Program, callees_first
from ..transforms.canonical import canonical_library, is_orderable
from ..transforms.debug_split import at_level
from .symbols import SymbolTable


@dataclass(frozen=True, slots=True)
class _Library:
    """A library module taken apart.

    Shape: `exports` and `imports` are functions by linkage name.
    """

    program: Program
    exports: Mapping[str, int]
    imports: Mapping[str, int]


def reduce_part(request: LinkRequest) -> LinkRequest:
    """Return the request for a part of thin LTO with its library modules reduced to what its entry point needs.

    Shape: unneeded modules are left out; the order is kept. Modules that cannot be reordered stay whole, as do all
    modules whose debug information describes functions.
    """
    if request.options.debuginfo is DebugInfo.FULL:
        return request
    request = at_level(request)
    (entry,) = (each for each in entries_of(request) if each.output == request.part)
    needed = _needed(request, entry.module, entry.suffix)
    preserve = request.options.flag("preserve_bindings")
    modules = [
        _reduced(item, frozenset(needed[index]), preserve) if index != entry.module else item
        for index, item in enumerate(request.modules)
        if index in needed
    ]
    return replace(request, modules=tuple(modules))


def _needed(request: LinkRequest, root: int, stage: str) -> dict[int, set[str]]:
    """Return the symbols that are needed of each module."""
    table = SymbolTable(request.modules)
    needed: dict[int, set[str]] = {root: set()}
    todo = [symbol.name for symbol in request.modules[root].module.imports]
    while todo:
        name = todo.pop()
        (index,) = table.offers(name, stage)
        known = needed.setdefault(index, set())
        if name not in known:
            wanted = {name} if known else {name, request.modules[index].module.attribute("initialiser")} - {""}
            known |= wanted
            todo += _imports(request.modules[index], wanted)
    return needed


def _imports(item: LinkModule, wanted: Collection[str]) -> Iterator[str]:
    library = _library(item.module.data, item.module.name)
    if library is None:
        yield from (symbol.name for symbol in item.module.imports)
        return
    called = set(callees_first(library.program, [library.exports[name] for name in wanted]))
    yield from (name for name, function in library.imports.items() if function in called)


def _reduced(item: LinkModule, wanted: frozenset[str], preserve_bindings: bool) -> LinkModule:
    module = item.module
    if module.entry_points or _library(module.data, module.name) is None:
        return item
    data, imports = _reduced_data(module.data, module.name, wanted, preserve_bindings)
    return replace(
        item,
        module=replace(
            module,
            data=data,
            exports=tuple(_placeless(symbol) for symbol in module.exports if symbol.name in wanted),
            imports=tuple(_placeless(symbol) for symbol in module.imports if symbol.name in imports),
        ),
    )


def _placeless(symbol: Symbol) -> Symbol:
    """Return a symbol without its line, which moves with comments."""
    return replace(symbol, line=0)


@lru_cache(maxsize=1024)
def _reduced_data(
    data: bytes, name: str, wanted: frozenset[str], preserve_bindings: bool
) -> tuple[bytes, frozenset[str]]:
    library = _library(data, name)
    assert library is not None
    functions = [library.exports[each] for each in sorted(wanted)]
    called = set(callees_first(library.program, functions))
    imports = frozenset(each for each, function in library.imports.items() if function in called)
    return canonical_library(library.program, functions, preserve_bindings=preserve_bindings), imports


@lru_cache(maxsize=256)
def _library(data: bytes, name: str) -> _Library | None:
    """Return a module taken apart, or nothing if it must stay whole."""
    program = Program.of(parse(data, name))
    if not is_orderable(program):
        return None
    exports: dict[str, int] = {}
    imports: dict[str, int] = {}
    for words in program.preamble:
        if words[0] & 0xFFFF == op.DECORATE and words[2] == LINKAGE_ATTRIBUTES:
            symbol, end = string(words, 3)
            (exports if words[end] == EXPORT else imports)[symbol] = words[1]
    if not program.functions.keys() >= {*exports.values(), *imports.values()}:
        return None  # a linked variable has no function to start from
    return _Library(program, exports, imports)
