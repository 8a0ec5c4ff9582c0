"""Turns a module from glslang into an object, with Import and Export linkage in place of stubs and a stub main.

It works on words in one pass.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import field

from cratewright import Symbol, dataclass

from ..base.implied import INITIALISER
from ..base.stopwatch import step
from ..binary import opcodes as op
from ..binary.enumerants import BUILT_IN, EXPORT, IMPORT, LINKAGE, LINKAGE_ATTRIBUTES, SPEC_ID, WORKGROUP_SIZE
from ..binary.module import HEADER_WORDS
from ..binary.signatures import DECLARES_TYPES, Signatures
from ..binary.workgroup import RESERVED
from ..text.demangle import demangle
from .debug_repair import repair_compiler_debug_info
from .object_debug import ObjectDebugInfo, Span, string_words, text_at
from .objects import MARKER, Outline, SourcePosition

_ABOUT_ID = frozenset(
    {
        op.NAME,
        op.MEMBER_NAME,
        op.DECORATE,
        op.MEMBER_DECORATE,
        op.DECORATE_ID,
        op.DECORATE_STRING,
        op.MEMBER_DECORATE_STRING,
    }
)
_ABOUT_ENTRY = frozenset({op.ENTRY_POINT, op.EXECUTION_MODE, op.EXECUTION_MODE_ID})
_BEFORE_DEBUG = _ABOUT_ENTRY | {op.CAPABILITY, op.EXTENSION, op.EXT_INST_IMPORT, op.MEMORY_MODEL}
_BEFORE_TYPES = (
    _BEFORE_DEBUG
    | _ABOUT_ID
    | {op.SOURCE_CONTINUED, op.SOURCE, op.SOURCE_EXTENSION, op.STRING, op.MODULE_PROCESSED}
    | {op.DECORATION_GROUP, op.GROUP_DECORATE, op.GROUP_MEMBER_DECORATE}
)
_DECLARATION = frozenset({op.FUNCTION, op.FUNCTION_PARAMETER, op.FUNCTION_END})
_SOURCE_WITH_FILE = 4


@dataclass(slots=True)
class _Function:
    start: int
    end: int = 0
    id: int = 0
    type: int = 0
    stub: bool = False
    stores: bool = False
    calls: list[int] = field(default_factory=list)


@step("make object of compiled source")
def make_object(data: bytes, outline: Outline) -> tuple[bytes, tuple[Symbol, ...], tuple[Symbol, ...], str | None]:
    """Return the object, its exports, its imports and its initialiser, from glslang's module."""
    if outline.texts:
        data = repair_compiler_debug_info(data, initialiser=f"{INITIALISER}{outline.path}" if outline.library else "")
    return _Rewriter(data, outline).run()


class _Rewriter:
    def __init__(self, data: bytes, outline: Outline) -> None:
        self.data = data
        self.words = array("I", data)
        self.outline = outline
        self.spans = self._preamble()
        self.debug_info = ObjectDebugInfo(data, self.words, self.spans)
        self.names = {
            self.words[at + 1]: text_at(self.data, at + 2, end) for opcode, at, end in self.spans if opcode == op.NAME
        }
        self.functions = self._functions()
        self.entries = {self.words[at + 2] for opcode, at, _ in self.spans if opcode == op.ENTRY_POINT}
        self.bound = self.words[3]
        self.signatures = Signatures(self.words[at:end] for opcode, at, end in self.spans if opcode in DECLARES_TYPES)

    def run(self) -> tuple[bytes, tuple[Symbol, ...], tuple[Symbol, ...], str | None]:
        exports, initialiser = self._exports() if self.outline.library else ({}, None)
        kept = self._reachable(exports, initialiser)
        imports = self._imports(kept)
        gone = self._vanished(kept)
        gone |= self.debug_info.undescribed((each.end if each.stub else each.start, each.end) for each in kept)
        links = array("I")
        for number, symbol in imports.items():
            links += _link(number, symbol.name, IMPORT)
        for number, symbol in exports.items():
            links += _link(number, symbol.name, EXPORT)
        name = f"{INITIALISER}{self.outline.path}" if initialiser is not None else None
        if initialiser is not None and name is not None:
            links += _link(initialiser, name, EXPORT)
            self.names[initialiser] = name
        out = self._head(gone, links, initialiser)
        for function in kept:
            if function.stub:
                out += self._declaration(function)
        for function in kept:
            if not function.stub:
                out += self.words[function.start : function.end]
        out[3] = self.bound
        return out.tobytes(), tuple(exports.values()), tuple(imports.values()), name

    def _preamble(self) -> list[Span]:
        words, at, spans = self.words, HEADER_WORDS, []
        while at < len(words) and words[at] & 0xFFFF != op.FUNCTION:
            end = at + (words[at] >> 16)
            spans.append((words[at] & 0xFFFF, at, end))
            at = end
        # A line before the first function belongs to it.
        while spans and spans[-1][0] == op.LINE:
            spans.pop()
        return spans

    def _functions(self) -> list[_Function]:
        words, functions = self.words, list[_Function]()
        markers = {number for number, name in self.names.items() if name == MARKER}
        at = self.spans[-1][2] if self.spans else HEADER_WORDS
        function = _Function(at)
        while at < len(words):
            opcode, end = words[at] & 0xFFFF, at + (words[at] >> 16)
            if opcode == op.FUNCTION:
                function.id, function.type = words[at + 2], words[at + 4]
            elif opcode == op.FUNCTION_CALL:
                function.calls.append(words[at + 3])
            elif opcode == op.VARIABLE and words[at + 2] in markers:
                function.stub = True
            elif opcode == op.STORE:
                function.stores = True
            elif opcode == op.FUNCTION_END:
                function.end = end
                functions.append(function)
                function = _Function(end)
            at = end
        return functions

    def _exports(self) -> tuple[dict[int, Symbol], int | None]:
        positions: dict[str, list[SourcePosition | None]] = {}
        for name, position in self.outline.definitions:
            positions.setdefault(name, []).append(position)
        exports: dict[int, Symbol] = {}
        initialiser = None
        for function in self.functions:
            if function.id in self.entries:
                initialiser = function.id if function.stores else None
            elif not function.stub:
                # glslang keeps the text's order, so overloads are told apart by theirs.
                mangled = self.names.get(function.id, "")
                waiting = positions.get(mangled.partition("(")[0])
                position = waiting.pop(0) if waiting else None
                if position is not None:
                    exports[function.id] = self._symbol(function, mangled, position)
        return exports, initialiser

    def _reachable(self, exports: Mapping[int, Symbol], initialiser: int | None) -> list[_Function]:
        if not self.outline.library:
            return self.functions
        known = {function.id: function for function in self.functions}
        todo = [*exports, *(() if initialiser is None else (initialiser,))]
        reached: set[int] = set()
        while todo:
            number = todo.pop()
            if number not in reached:
                reached.add(number)
                # A stub's body is not the function's.
                todo.extend(() if known[number].stub else known[number].calls)
        return [function for function in self.functions if function.id in reached]

    def _imports(self, kept: Iterable[_Function]) -> dict[int, Symbol]:
        positions: dict[str, list[SourcePosition]] = {}
        for name, position in self.outline.stubs:
            positions.setdefault(name, []).append(position)
        found: dict[int, Symbol] = {}
        wanted = {function.id for function in kept}
        for function in self.functions:
            if function.stub:
                mangled = self.names[function.id]
                waiting = positions.get(mangled.partition("(")[0])
                position = waiting.pop(0) if waiting else (self.outline.path, 0)
                if function.id in wanted:
                    found[function.id] = self._symbol(function, mangled, position)
        return found

    def _symbol(self, function: _Function, mangled: str, position: SourcePosition) -> Symbol:
        return Symbol(mangled, demangle(mangled), *position, self.signatures.of(function.type))

    def _vanished(self, kept: list[_Function]) -> set[int]:
        """Return the ids that are no longer defined."""
        gone: set[int] = set()
        remaining = {function.id for function in kept}
        types: set[int] | None = None
        for function in self.functions:
            whole = function.id not in remaining
            if not whole and not function.stub:
                continue
            if types is None:
                types = self._types()
            gone |= self._results(function, types, whole)
        return gone

    def _types(self) -> set[int]:
        types: set[int] = set()
        for opcode, at, _ in self.spans:
            if opcode not in _BEFORE_TYPES and opcode != op.LINE and self.words[at + 1] not in types:
                types.add(self.words[at + 1])
        return types

    def _results(self, function: _Function, types: set[int], whole: bool) -> set[int]:
        words, at, found = self.words, function.start, set[int]()
        while at < function.end:
            opcode = words[at] & 0xFFFF
            if opcode == op.LABEL:
                found.add(words[at + 1])
            # In a body, only a result's type comes first: no table of opcodes is needed.
            elif (
                (words[at] >> 16) > 2
                and words[at + 1] in types
                and (whole or opcode not in (op.FUNCTION, op.FUNCTION_PARAMETER))
            ):
                found.add(words[at + 2])
            at += words[at] >> 16
        return found

    def _head(self, gone: set[int], links: array[int], initialiser: int | None) -> array[int]:
        words, library, reserved = self.words, self.outline.library, self.outline.reserved
        out = words[:HEADER_WORDS]
        texts, taken = self._source_texts()
        linkage: array[int] | None = array("I", (2 << 16 | op.CAPABILITY, LINKAGE))
        if not links and not library:
            linkage = None
        pending_links: array[int] | None = links
        pending_strings: array[int] | None = texts
        for opcode, at, end in self.spans:
            if linkage is not None and opcode != op.CAPABILITY:
                out += linkage
                linkage = None
            if pending_strings is not None and opcode not in _BEFORE_DEBUG:
                out += pending_strings
                pending_strings = None
            if pending_links is not None and opcode not in _BEFORE_TYPES:
                out += pending_links
                pending_links = None
            if (opcode in _ABOUT_ID or opcode == op.STRING) and words[at + 1] in gone:
                continue
            if opcode == op.EXT_INST and words[at + 2] in gone:
                continue
            if library and opcode in _ABOUT_ENTRY:
                continue
            if opcode == op.DECORATE and self._is_size(at):
                continue
            if reserved and opcode == op.DECORATE and words[at + 2] == SPEC_ID and words[at + 3] - reserved in range(3):
                out += words[at : at + 3]
                out.append(words[at + 3] - reserved + RESERVED)
                continue
            if opcode == op.NAME and words[at + 1] == initialiser:
                text = string_words(self.names[initialiser].encode())
                out += array("I", (len(text) + 2 << 16 | op.NAME, initialiser)) + text
            # glslang records its arguments, which differ between library and program.
            elif opcode in (op.SOURCE_CONTINUED, op.MODULE_PROCESSED):
                continue
            elif opcode == op.SOURCE and end - at > _SOURCE_WITH_FILE:
                out += array("I", (_SOURCE_WITH_FILE << 16 | op.SOURCE,)) + words[at + 1 : at + _SOURCE_WITH_FILE]
            elif at in taken:
                out += array("I", (end - at + 1 << 16 | op.EXT_INST,)) + words[at + 1 : end]
                out.append(taken[at])
            else:
                out += words[at:end]
        return out

    def _is_size(self, at: int) -> bool:
        """Return whether a decoration marks a constant as the workgroup's size, which an entry point must set."""
        if not self.outline.library and not self.outline.reserved:
            return False
        return self.words[at + 2] == BUILT_IN and self.words[at + 3] == WORKGROUP_SIZE

    def _source_texts(self) -> tuple[array[int], dict[int, int]]:
        if not self.outline.texts:
            return array("I"), {}
        strings, taken, self.bound = self.debug_info.with_texts(self.outline.texts, self.bound)
        return strings, taken

    def _declaration(self, function: _Function) -> array[int]:
        words, at, out = self.words, function.start, array("I")
        while at < function.end:
            end = at + (words[at] >> 16)
            if words[at] & 0xFFFF in _DECLARATION:
                out += words[at:end]
            at = end
        return out


def _link(number: int, name: str, kind: int) -> array[int]:
    text = string_words(name.encode("utf-8", "surrogateescape"))
    return array("I", (len(text) + 4 << 16 | op.DECORATE, number, LINKAGE_ATTRIBUTES)) + text + array("I", (kind,))
