"""Turns standalone WebAssembly modules into objects for a linker, with symbols and relocations.

Source: "WebAssembly Object File Linking" of the tool conventions.
"""

from __future__ import annotations

from collections.abc import Iterator

from cratewright import FormatError, ModuleCodegen, Symbol, dataclass

from .bodies import Unlinkable, relocate_bodies
from .leb import LebReader, leb128, name_bytes, vector

_HEADER = b"\0asm\1\0\0\0"
_CUSTOM, _TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _START, _ELEMENT, _CODE, _DATA = range(12)
_REFUSED = {
    _TABLE: ("table", 'import it: (import "env" "__indirect_function_table" (table 0 funcref))'),
    _MEMORY: ("memory", 'import it: (import "env" "memory" (memory 0))'),
    _START: ("start", "export the function, and let a source in C or C++ call it from a constructor"),
    _ELEMENT: ("elem", "take the address of the function in a source in C"),
    _DATA: ("data", "define the data in a source in C or LLVM IR: the linker chooses its address"),
    12: ("data", "define the data in a source in C or LLVM IR: the linker chooses its address"),
    13: ("tag", "the linker does not support exceptions"),
}
_FUNCTIONS, _TABLES, _MEMORIES, _GLOBALS = range(4)
_UNDEFINED, _LOCAL, _EXPLICIT = 0x10, 0x02, 0x40
_INIT_FUNCTIONS, _SYMBOL_TABLE = 6, 8
_DATA_SYMBOL, _SECTION_SYMBOL = 1, 3
_VALUES = (("7f", "i32"), ("7e", "i64"), ("7d", "f32"), ("7c", "f64"), ("7b", "v128"))
_SYMBOL_OF = {_FUNCTIONS: 0, _GLOBALS: 2, _TABLES: 5}


@dataclass(frozen=True, slots=True)
class _Item:
    """A function, global or table: imported from a module under a name, or defined here."""

    kind: int
    index: int
    module: str = ""
    field: str = ""


def linkable_object(module: bytes, path: str) -> ModuleCodegen:
    """Return a module as an object.

    Raises: Unlinkable for what only a standalone module may have; FormatError for a damaged one.
    """
    sections: dict[int, bytes] = {}
    names = b""
    for number, data in _sections(module):
        if number == _CUSTOM:
            custom = LebReader(data)
            names = data[custom.at :] if custom.name() == "name" and not names else names
        elif number in _REFUSED and (number == _START or data != b"\0"):
            word, hint = _REFUSED[number]
            raise Unlinkable(f"a module that is linked with others has no {word} of its own", word, hint)
        else:
            sections[number] = data
    items = _imports(sections.get(_IMPORT, b"\0"))
    imported = {kind: sum(item.kind == kind for item in items) for kind in range(4)}
    functions = LebReader(sections.get(_FUNCTION, b"\0")).number()
    items += [_Item(_FUNCTIONS, imported[_FUNCTIONS] + number) for number in range(functions)]
    items += [_Item(_GLOBALS, imported[_GLOBALS] + number) for number in range(_check_globals(sections.get(_GLOBAL)))]
    exported = _exports(sections.get(_EXPORT, b"\0"), imported)
    table, numbers, exports, imports = _symbols(items, exported, _function_names(names))
    code, relocations = relocate_bodies(sections.get(_CODE, b"\0"), numbers)
    order = [(number, sections[number]) for number in (_TYPE, _IMPORT, _FUNCTION, _GLOBAL) if number in sections]
    parts = [bytes([number]) + leb128(len(data)) + data for number, data in order]
    if _CODE in sections:
        parts.append(bytes([_CODE]) + leb128(len(code)) + code)
    parts.append(_custom("linking", leb128(2) + bytes([_SYMBOL_TABLE]) + leb128(len(table)) + table))
    if relocations:
        parts.append(_custom("reloc.CODE", leb128(len(order)) + vector(relocations)))
    data = _HEADER + b"".join(parts)
    types = function_types(data)
    return ModuleCodegen(
        name=".o",
        data=data,
        exports=tuple(Symbol(name, name, path, signature=types.get(name, "")) for name in exports),
        imports=tuple(Symbol(name, name, path, signature=types.get(name, "")) for name in imports),
    )


def _custom(name: str, data: bytes) -> bytes:
    data = name_bytes(name) + data
    return b"\0" + leb128(len(data)) + data


def _imports(section: bytes) -> list[_Item]:
    reader, counts, items = LebReader(section), [0, 0, 0, 0, 0], []
    for _ in range(reader.number()):
        module, field, kind = reader.name(), reader.name(), reader.byte()
        if kind == _FUNCTIONS:
            reader.skip_number()
        elif kind == _GLOBALS:
            reader.take(2)
        elif kind in (_TABLES, _MEMORIES):
            if kind == _TABLES:
                reader.take(1)
            limits = reader.byte()
            for _ in range(1 + (limits & 1)):
                reader.skip_number()
            wanted = ("env", "memory") if kind == _MEMORIES else ("env", "__indirect_function_table")
            if limits & ~1 or wanted != (module, field):
                word, hint = _REFUSED[_MEMORY if kind == _MEMORIES else _TABLE]
                raise Unlinkable(f"all modules share one {word}, and this import is another", "import", hint)
        else:
            raise Unlinkable("only functions, globals, the memory and the table can be imported", "import", "")
        items.append(_Item(kind, counts[kind], module, field))
        counts[kind] += 1
    return items


def _check_globals(section: bytes | None) -> int:
    """Return the number of defined globals, whose initial values must be constants."""
    if section is None:
        return 0
    reader = LebReader(section)
    count = reader.number()
    for _ in range(count):
        reader.take(2)
        opcode = reader.byte()
        if opcode in (0x41, 0x42):
            reader.skip_number()
        elif opcode in (0x43, 0x44):
            reader.take(4 if opcode == 0x43 else 8)
        else:
            raise Unlinkable("the initial value of a global must be a constant", "global", "set it in a function")
        if reader.byte() != 0x0B:
            raise Unlinkable("the initial value of a global must be a constant", "global", "set it in a function")
    return count


def _exports(section: bytes, imported: dict[int, int]) -> dict[tuple[int, int], list[str]]:
    reader = LebReader(section)
    exported: dict[tuple[int, int], list[str]] = {}
    for _ in range(reader.number()):
        name, kind, index = reader.name(), reader.byte(), reader.number()
        if kind == _MEMORIES:
            continue  # the link decides on that
        if index < imported.get(kind, 0) or kind not in (_FUNCTIONS, _GLOBALS):
            raise Unlinkable(f"'{name}' is exported, but not defined here", "export", "export what the module defines")
        exported.setdefault((kind, index), []).append(name)
    return exported


def _function_names(section: bytes) -> dict[int, str]:
    reader, found = LebReader(section), {}
    while reader:
        kind, inside = reader.byte(), LebReader(reader.take(reader.number()))
        if kind == 1:
            for _ in range(inside.number()):
                index = inside.number()
                found[index] = inside.name()
    return found


def _symbols(
    items: list[_Item], exported: dict[tuple[int, int], list[str]], names: dict[int, str]
) -> tuple[bytes, dict[tuple[int, int], int], list[str], list[str]]:
    """Return the symbol table, the number of the symbol for each index, and the defined and the undefined names."""
    rows: list[bytes] = []
    numbers: dict[tuple[int, int], int] = {}
    exports: list[str] = []
    imports: list[str] = []
    for item in items:
        if item.kind == _MEMORIES:
            continue
        key = (item.kind, item.index)
        numbers[key] = len(rows)
        head, index = leb128(_SYMBOL_OF[item.kind]), leb128(item.index)
        if item.module == "env":
            rows.append(head + leb128(_UNDEFINED) + index)
            if item.kind != _TABLES and item.field != "__stack_pointer":
                imports.append(item.field)
        elif item.module or item.field:
            known = f"{item.module}.{item.field}"
            rows.append(head + leb128(_UNDEFINED | _EXPLICIT) + index + name_bytes(known))
        elif key in exported:
            rows += [head + leb128(0) + index + name_bytes(name) for name in exported[key]]
            exports += exported[key]
        else:
            local = names.get(item.index, f".{item.index}") if item.kind == _FUNCTIONS else f".global{item.index}"
            rows.append(head + leb128(_LOCAL) + index + name_bytes(local))
    return vector(rows), numbers, exports, imports


def function_types(data: bytes) -> dict[str, str]:
    """Return the type of each function that an object defines or imports, by the name of its symbol."""
    sections = {number: section for number, section in _sections(data) if number != _CUSTOM}
    types = _types(sections.get(_TYPE, b"\0"))
    reader, imported = LebReader(sections.get(_IMPORT, b"\0")), []
    for _ in range(reader.number()):
        _, field, kind = reader.name(), reader.name(), reader.byte()
        if kind == _FUNCTIONS:
            imported.append((field, reader.number()))
        else:
            _skip_import(reader, kind)
    reader = LebReader(sections.get(_FUNCTION, b"\0"))
    of = [number for _, number in imported] + [reader.number() for _ in range(reader.number())]
    table = next((inside for kind, inside in _linking(data) if kind == _SYMBOL_TABLE), LebReader(b"\0"))
    found = {}
    for _ in range(table.number()):
        kind, flags = table.byte(), table.number()
        if kind == _SYMBOL_OF[_FUNCTIONS]:
            index = table.number()
            named = not flags & _UNDEFINED or flags & _EXPLICIT
            name = table.name() if named else imported[index][0]
            found[name] = types[of[index]]
        else:
            _skip_symbol(table, kind, flags)
    return found


def _types(section: bytes) -> list[str]:
    reader, found = LebReader(section), []
    for _ in range(reader.number()):
        reader.take(1)
        sides = [" ".join(f"{byte:x}" for byte in reader.take(reader.number())) for _ in range(2)]
        for number, word in _VALUES:
            sides = [side.replace(number, word) for side in sides]
        found.append(f"({sides[0]}) -> ({sides[1]})")
    return found


def _skip_import(reader: LebReader, kind: int) -> None:
    if kind == _GLOBALS:
        reader.take(2)
        return
    if kind not in (_TABLES, _MEMORIES):
        raise FormatError("an object has an unknown kind of import")
    reader.take(1 if kind == _TABLES else 0)
    limits = reader.byte()
    for _ in range(1 + (limits & 1)):
        reader.skip_number()


def _skip_symbol(reader: LebReader, kind: int, flags: int) -> None:
    if kind == _DATA_SYMBOL:
        reader.name()
        numbers = 0 if flags & _UNDEFINED else 3
    else:
        numbers = 1
    for _ in range(numbers):
        reader.skip_number()
    if kind not in (_DATA_SYMBOL, _SECTION_SYMBOL) and (not flags & _UNDEFINED or flags & _EXPLICIT):
        reader.name()


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    reader = LebReader(data, len(_HEADER))
    while reader:
        number = reader.byte()
        yield number, reader.take(reader.number())


def _linking(data: bytes) -> Iterator[tuple[int, LebReader]]:
    """Yield the parts of the linking section."""
    for number, content in _sections(data):
        section = LebReader(content)
        if number != _CUSTOM or section.name() != "linking":
            continue
        section.number()
        while section:
            kind = section.byte()
            yield kind, LebReader(section.take(section.number()))


def has_constructors(data: bytes) -> bool:
    """Return whether an object has constructors."""
    return any(kind == _INIT_FUNCTIONS and inside.number() for kind, inside in _linking(data))
