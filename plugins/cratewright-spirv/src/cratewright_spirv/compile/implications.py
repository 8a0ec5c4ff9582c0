"""What a unit implies about its stage, read from its compiled module and its preprocessed text.

The text is needed only for what a module cannot show: whether a default was written explicitly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from cratewright import dataclass, pattern

from ..base.implied import INVARIANT_OUTPUT, MEMBERS, PRECISE_OUTPUT, Implied, Mode
from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.bindings import block_of, block_type, resource_names, shared_name, slot_of
from ..binary.contents import Contents
from ..binary.module import parse
from ..binary.operands import Instruction
from ..binary.program import Program
from ..binary.signatures import Signatures
from .additions import declares_size

_ACCESS = frozenset({spv.RESTRICT, spv.VOLATILE, spv.COHERENT, spv.NON_WRITABLE, spv.NON_READABLE})
# Every fragment shader has the first; the others depend on its functions.
_NOT_DECLARED = frozenset({spv.ORIGIN_UPPER_LEFT, spv.DEPTH_REPLACING, spv.STENCIL_REF_REPLACING})
# The default of each mode that an entry point always has, and its spelling in a source.
_DEFAULTS: Mapping[int, tuple[tuple[int, ...], re.Pattern[bytes]]] = {
    spv.INVOCATIONS: ((1,), pattern(rb"\binvocations\b")),
    spv.SPACING_EQUAL: ((), pattern(rb"\bequal_spacing\b")),
    spv.VERTEX_ORDER_CCW: ((), pattern(rb"\bccw\b")),
}
_STATIC_SHARED = pattern(
    rb"\bstatic\s+groupshared\b[^;({]*?(\w+)\s*(?:\[[^;]*)?;|\bgroupshared\s+static\b[^;({]*?(\w+)\s*(?:\[[^;]*)?;"
)
_REFERENCE = pattern(rb"\blayout\s*\(([^()]*\bbuffer_reference\b[^()]*)\)[^;{}()]*?\bbuffer\s+(\w+)\s*\{")
_ALIGNMENT = pattern(rb"\bbuffer_reference_align\s*=\s*([^,]+)")
_USUAL_ALIGNMENT = "16"
_QUALIFIED = pattern(rb"\b(?:invariant|precise)\b[^;{}()=]*;")
_BUILT_IN_NAME = pattern(rb"\bgl_\w+")
_ALL_INVARIANT = pattern(rb"#\s*pragma\s+STDGL\s+invariant\s*\(\s*all\s*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitContext:
    """What is known about a unit besides its module.

    Shape: `text` is preprocessed; `stubs` are the modes of layouts that were added to it; `reserved` the id of the
    first of three constants that stand for the entry point's workgroup size, 0 for none.
    """

    stage: str
    hlsl: bool
    library: bool
    text: bytes
    stubs: Sequence[Mode] = field(default=())
    reserved: int = 0


def implied_by(data: bytes, about: UnitContext, *, initial: bytes | None = None) -> Implied:
    """Return what a unit implies; the entry point of `initial`, if given, holds only initialisers."""
    unit = _Unit(Program.of(parse(data, "unit")), about)
    start = unit if initial is None else _Unit(Program.of(parse(initial, "unit")), about)
    values = start.initialisers() if about.library or initial is not None else {}
    return Implied(
        stage=about.stage,
        modes=tuple(unit.modes()) if about.library else tuple(unit.depth()),
        defaults=() if about.library else tuple(unit.defaults()),
        unbounded=bool(about.stubs) and unit.has_stage_arrays(),
        sized=bool(about.reserved),
        shared=tuple(dict.fromkeys((name, values.get(name, "")) for name in unit.shared())),
        declared=tuple(dict.fromkeys(unit.declared())),
    )


def initialises(data: bytes) -> bool:
    """Return whether the entry point of a module may hold initialisers of variables that other units share."""
    program = Program.of(parse(data, "unit"))
    private = {each for each, words in program.variables().items() if words[3] == spv.PRIVATE}
    return bool(private) and any(
        words[0] & 0xFFFF == op.STORE and words[1] in private
        for entry in program.entries()
        for words in program.functions[entry.function]
    )


class _Unit:
    def __init__(self, program: Program, about: UnitContext) -> None:
        self.program, self.about = program, about
        self.contents = Contents(program)
        self.loose = Contents(program, loose=True)
        self.signatures = Signatures(program.preamble)
        found = program.entries()
        self.entry = found[0].function if found else 0

    def modes(self) -> Iterator[Mode]:
        """Yield the execution modes that the source declares."""
        yield from self.depth()
        for words in self._entry_modes():
            mode = words[2:]
            if mode[0] in (spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID):
                if declares_size(self.about.text):
                    yield self._size(mode)
            elif mode[0] not in _NOT_DECLARED and mode not in self.about.stubs and not self._is_default(mode):
                yield mode

    def depth(self) -> Iterator[Mode]:
        """Yield the mode of writing `gl_FragDepth`, on which all units of a program must agree."""
        yield from (words[2:] for words in self._entry_modes() if words[2] == spv.DEPTH_REPLACING)

    def defaults(self) -> Iterator[int]:
        """Yield the modes that the module has, but the source does not declare."""
        for words in self._entry_modes():
            if self._is_default(words[2:]) or (
                words[2] in (spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID)
                and not self.about.hlsl
                and not declares_size(self.about.text)
            ):
                yield words[2]

    def has_stage_arrays(self) -> bool:
        """Return whether an interface variable is an array, whose length a layout may decide."""
        return any(
            words[3] in (spv.INPUT, spv.OUTPUT) and self._pointee(words)[0] & 0xFFFF == op.TYPE_ARRAY
            for words in self.program.variables().values()
        )

    def shared(self) -> Iterator[str]:
        """Yield the names of variables that a stage has only one of."""
        for number, words in self.program.variables().items():
            name = self._shared(number, words)
            if name:
                yield name

    def initialisers(self) -> dict[str, str]:
        """Return a digest of each shared variable's initialiser; `?` if it is not constant."""
        names = {
            number: name for number, words in self.program.variables().items() if (name := self._shared(number, words))
        }
        found: dict[str, str] = {}
        for number, name in names.items():
            words = self.program.variables()[number]
            if len(words) > 4:
                found[name] = self.contents.digest(words[4])
        parts: dict[int, int] = {}
        for words in self.program.functions.get(self.entry, ()):
            opcode = words[0] & 0xFFFF
            if opcode in (op.ACCESS_CHAIN, op.IN_BOUNDS_ACCESS_CHAIN) and words[3] in names:
                parts[words[2]] = words[3]
            elif opcode == op.STORE and words[1] in names:
                constant = words[2] in self.contents.definitions
                found[names[words[1]]] = self.contents.digest(words[2]) if constant else "?"
            elif opcode == op.STORE and words[1] in parts:
                found[names[parts[words[1]]]] = "?"
        return found

    def declared(self) -> Iterator[tuple[str, str]]:
        """Yield what other units must declare alike, with a digest of the declaration."""
        for number, words in self.program.variables().items():
            marks = self.contents.decorations(number)
            place = slot_of(words[3], marks) or block_of(self.contents, words)
            if place:
                yield place, self.loose.bound(number)
                if spv.BINDING in marks:
                    yield f"access to {place}", " ".join(map(str, sorted(self._access(words, marks))))
            yield from self._members(number, words)
            if spv.XFB_STRIDE in marks:
                yield f"xfb_buffer = {marks.get(spv.XFB_BUFFER, (0,))[0]}", f"xfb_stride = {marks[spv.XFB_STRIDE][0]}"
        yield from self._alignments()
        yield from self._qualified()
        for number, words in self.contents.definitions.items():
            if words[0] & 0xFFFF in (op.SPEC_CONSTANT, op.SPEC_CONSTANT_TRUE, op.SPEC_CONSTANT_FALSE):
                at = self.contents.decorations(number).get(spv.SPEC_ID)
                own = self.about.reserved
                if at is not None and not (own and own <= at[0] < own + 3):
                    yield f"constant_id = {at[0]}", self.contents.digest(number)

    def _shared(self, number: int, words: Instruction) -> str:
        if self.about.hlsl and words[3] == spv.PRIVATE:
            return ""
        names = self.contents.names
        name = shared_name(words, names.get(number) or names.get(self.contents.definitions[words[1]][3], ""))
        return "" if self.about.hlsl and name in self._static_shared() else name

    def _alignments(self) -> Iterator[tuple[str, str]]:
        """Yield each buffer reference with its alignment, which its type in the module does not show."""
        found = _REFERENCE.findall(self.about.text) if b"buffer_reference" in self.about.text else ()
        for layout, name in found:
            alignment = _ALIGNMENT.search(layout)
            for number, each in self.contents.names.items():
                words = self.contents.definitions.get(number)
                if each.encode() == name and words is not None and words[0] & 0xFFFF == op.TYPE_STRUCT:
                    said = alignment[1].strip().decode() if alignment else _USUAL_ALIGNMENT
                    yield f"buffer_reference {each} {self.signatures.type(number)}", said

    def _qualified(self) -> Iterator[tuple[str, str]]:
        """Yield the outputs that the unit redeclares, which its module shows only where it writes them."""
        text = self.about.text
        if self.about.hlsl or not (b"invariant" in text or b"precise" in text):
            return
        for found in _QUALIFIED.finditer(text):
            for name in _BUILT_IN_NAME.findall(found[0]):
                for kind in (INVARIANT_OUTPUT, PRECISE_OUTPUT):
                    if kind.strip().encode() in found[0]:
                        yield f"{kind}{name.decode()}", ""
        if _ALL_INVARIANT.search(text):
            yield f"{INVARIANT_OUTPUT}(all)", ""

    def _access(self, words: Instruction, marks: Mapping[int, object]) -> frozenset[int]:
        """Return the decorations that say how a resource is accessed."""
        block = block_type(self.contents.definitions, words)
        inside = {each[3] for each in self.contents.marks.get(block, ()) if each[0] & 0xFFFF == op.MEMBER_DECORATE}
        return _ACCESS & (inside | marks.keys())

    def _members(self, number: int, words: Instruction) -> Iterator[tuple[str, str]]:
        """Yield the type of what other units may declare under the same name, if it has several members."""
        name = self._shared(number, words)
        place = "" if name else slot_of(words[3], self.contents.decorations(number))
        if not name and not place and not block_of(self.contents, words):
            place = {spv.INPUT: "in", spv.OUTPUT: "out"}.get(words[3], "")
        text = self.signatures.type(self.contents.definitions[words[1]][3]) if name or place else ""
        if "{" in text and ", " in text:
            for each in [name] if name else resource_names(self.contents, number, words) or [""]:
                yield f"{MEMBERS}{f'{each} {place}'.strip()}", text

    def _static_shared(self) -> set[str]:
        return {word.decode() for pair in _STATIC_SHARED.findall(self.about.text) for word in pair if word}

    def _pointee(self, words: Instruction) -> Instruction:
        return self.contents.definitions[self.contents.definitions[words[1]][3]]

    def _entry_modes(self) -> Iterator[Instruction]:
        for words in self.program.preamble:
            if words[0] & 0xFFFF in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID):
                yield words

    def _is_default(self, mode: Mode) -> bool:
        default = _DEFAULTS.get(mode[0])
        return default is not None and mode[1:] == default[0] and default[1].search(self.about.text) is None

    def _size(self, mode: Mode) -> Mode:
        """Return the size with each constant that decides it as its default and its id."""
        sizes = [
            number
            for number in self.contents.marks
            if self.contents.decorations(number).get(spv.BUILT_IN) == (spv.WORKGROUP_SIZE,)
        ]
        if sizes:
            parts = self.contents.definitions[sizes[0]][3:]
        elif mode[0] == spv.LOCAL_SIZE_ID:
            parts = mode[1:]
        else:
            return mode
        pairs = [
            (self.contents.definitions[each][3], self.contents.decorations(each).get(spv.SPEC_ID, (-1,))[0])
            for each in parts
        ]
        if all(number < 0 for _, number in pairs):
            return (spv.LOCAL_SIZE, *(value for value, _ in pairs))
        return (spv.LOCAL_SIZE_ID, *(word for pair in pairs for word in pair))
