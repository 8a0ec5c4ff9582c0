"""Execution modes that library units imply, added to the entry points that reach them.

Modes that a unit declares apply to every entry point that reaches one of its functions; modes that a function needs, to
every entry point that reaches the function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cratewright import LinkError

from ..base.implied import Mode
from ..base.stages import STAGE_NAMES
from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import build
from ..binary.operands import Instruction
from ..binary.program import Program
from ..binary.workgroup import entry_size, with_entry_size
from .reached import Reached, ReachedUnit

NO_SIZE: Mode = (spv.LOCAL_SIZE, 1, 1, 1)
"""The size of a workgroup that nothing declares."""

_REPLACES = {spv.FRAG_DEPTH: (spv.DEPTH_REPLACING,), spv.FRAG_STENCIL_REF: (spv.STENCIL_REF_REPLACING,)}
"""By built-in: the mode of an entry point that writes `gl_FragDepth` or `gl_FragStencilRefARB`."""
_ONE_OF: Mapping[str, Sequence[int]] = {
    "depth": (spv.DEPTH_REPLACING, spv.DEPTH_GREATER, spv.DEPTH_LESS, spv.DEPTH_UNCHANGED),
    "interlock": range(spv.PIXEL_INTERLOCK_ORDERED, spv.SHADING_RATE_INTERLOCK_UNORDERED + 1),
    "derivative group": (spv.DERIVATIVE_GROUP_QUADS, spv.DERIVATIVE_GROUP_LINEAR),
    "input primitive": range(spv.INPUT_POINTS, spv.ISOLINES + 1),
    "output primitive": (
        spv.OUTPUT_POINTS,
        spv.OUTPUT_LINE_STRIP,
        spv.OUTPUT_TRIANGLE_STRIP,
        spv.OUTPUT_TRIANGLES,
        spv.OUTPUT_LINES,
    ),
    "vertices": (spv.OUTPUT_VERTICES,),
    "primitives": (spv.OUTPUT_PRIMITIVES,),
    "invocations": (spv.INVOCATIONS,),
    "spacing": (spv.SPACING_EQUAL, spv.SPACING_FRACTIONAL_EVEN, spv.SPACING_FRACTIONAL_ODD),
    "order": (spv.VERTEX_ORDER_CW, spv.VERTEX_ORDER_CCW),
    "origin": (spv.ORIGIN_UPPER_LEFT, spv.ORIGIN_LOWER_LEFT),
    "size": (spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID),
    "front stencil": range(spv.STENCIL_REF_UNCHANGED_FRONT, spv.STENCIL_REF_LESS_FRONT + 1),
    "back stencil": range(spv.STENCIL_REF_UNCHANGED_BACK, spv.STENCIL_REF_LESS_BACK + 1),
}
_GROUP = {mode: name for name, modes in _ONE_OF.items() for mode in modes}
_BY_WIDTH = {
    **dict.fromkeys((spv.DENORM_PRESERVE, spv.DENORM_FLUSH_TO_ZERO), "denorms"),
    **dict.fromkeys((spv.ROUNDING_MODE_RTE, spv.ROUNDING_MODE_RTZ), "rounding"),
}
_NAMES = {
    spv.INVOCATIONS: "invocations = {}",
    spv.SPACING_EQUAL: "equal_spacing",
    spv.SPACING_FRACTIONAL_EVEN: "fractional_even_spacing",
    spv.SPACING_FRACTIONAL_ODD: "fractional_odd_spacing",
    spv.VERTEX_ORDER_CW: "cw",
    spv.VERTEX_ORDER_CCW: "ccw",
    spv.PIXEL_CENTER_INTEGER: "pixel_center_integer",
    spv.EARLY_FRAGMENT_TESTS: "early_fragment_tests",
    spv.POINT_MODE: "point_mode",
    spv.XFB: "xfb_buffer",
    spv.DEPTH_REPLACING: "depth_any",
    spv.DEPTH_GREATER: "depth_greater",
    spv.DEPTH_LESS: "depth_less",
    spv.DEPTH_UNCHANGED: "depth_unchanged",
    spv.LOCAL_SIZE: "local_size = {} {} {}",
    **dict.fromkeys((spv.INPUT_POINTS, spv.OUTPUT_POINTS), "points"),
    **dict.fromkeys((spv.INPUT_LINES, spv.OUTPUT_LINES), "lines"),
    spv.INPUT_LINES_ADJACENCY: "lines_adjacency",
    **dict.fromkeys((spv.TRIANGLES, spv.OUTPUT_TRIANGLES), "triangles"),
    spv.INPUT_TRIANGLES_ADJACENCY: "triangles_adjacency",
    spv.QUADS: "quads",
    spv.ISOLINES: "isolines",
    spv.OUTPUT_VERTICES: "vertices = {}",
    spv.OUTPUT_LINE_STRIP: "line_strip",
    spv.OUTPUT_TRIANGLE_STRIP: "triangle_strip",
    spv.POST_DEPTH_COVERAGE: "post_depth_coverage",
    spv.OUTPUT_PRIMITIVES: "max_primitives = {}",
    spv.DERIVATIVE_GROUP_QUADS: "derivative_group_quadsNV",
    spv.DERIVATIVE_GROUP_LINEAR: "derivative_group_linearNV",
    spv.PIXEL_INTERLOCK_ORDERED: "pixel_interlock_ordered",
    spv.PIXEL_INTERLOCK_UNORDERED: "pixel_interlock_unordered",
    spv.SAMPLE_INTERLOCK_ORDERED: "sample_interlock_ordered",
    spv.SAMPLE_INTERLOCK_UNORDERED: "sample_interlock_unordered",
}


def needs_modes(program: Program, units: Sequence[ReachedUnit]) -> bool:
    """Return whether something in a program needs a mode that its entry points may lack."""
    return any(unit.implied.modes for unit in units) or bool(_replacing(program))


def with_implied_modes(program: Program, reached: Sequence[Reached], units: Sequence[ReachedUnit]) -> Program:
    """Return the program with what the units that each entry point reaches imply, and the size of its workgroups.

    Raises: LinkError naming both files and the path of calls where two contradict each other, or where an entry point
    of another stage reaches one.
    """
    replaces = _replacing(program)
    for each in reached:
        program = _Modes(program, each, units, replaces).applied()
    return program


def _replacing(program: Program) -> dict[int, int]:
    """Return the variables whose use needs a mode, with the number of the built-in."""
    return {
        words[1]: words[3]
        for words in program.preamble
        if words[0] & 0xFFFF == op.DECORATE and words[2] == spv.BUILT_IN and words[3] in _REPLACES
    }


class _Modes:
    def __init__(
        self, program: Program, reached: Reached, units: Sequence[ReachedUnit], replaces: Mapping[int, int]
    ) -> None:
        self.program, self.entry, self.units = program, reached.entry, units
        self.reached = reached
        self.built_ins = sorted({replaces[each] for each in reached.globals if each in replaces})
        self.own = reached.own
        # By group: the mode, and the unit that declares it.
        self.known: dict[object, tuple[Mode, int]] = {}

    def applied(self) -> Program:
        """Return the program with the modes that the entry point lacks."""
        defaults = self.units[self.own].implied.defaults
        mine = list(self._own_modes())
        for mode in mine:
            if mode[0] not in defaults and (_group_of(mode) not in self.known or mode != (spv.DEPTH_REPLACING,)):
                self.known[_group_of(mode)] = (mode, self.own)
        for at in self.reached.units:
            self._add_unit(at)
        return self._with(mine, defaults)

    def _own_modes(self) -> Iterator[Mode]:
        size = entry_size(self.program, self.entry)
        if size is not None:
            yield size
        for words in self.program.preamble:
            is_mode = words[0] & 0xFFFF in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID)
            if is_mode and words[1] == self.entry.function and words[2] not in (spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID):
                yield words[2:]

    def _add_unit(self, at: int) -> None:
        unit = self.units[at]
        modes = unit.implied.modes
        declared = [mode for mode in modes if mode != (spv.DEPTH_REPLACING,)]
        if declared and STAGE_NAMES[unit.implied.stage] != self.entry.stage:
            raise self._other_stage(at, declared[0])
        for mode in modes:
            group = _group_of(mode)
            if group == "depth" and (spv.FRAG_DEPTH not in self.built_ins or not _decides_depth(mode, modes)):
                continue
            known = self.known.setdefault(group, (mode, at))
            if known[0] != mode:
                raise self._contradiction(at, mode, *known)

    def _with(self, mine: Sequence[Mode], defaults: Iterable[int]) -> Program:
        program = self.program
        wanted = dict.fromkeys([mode for mode, _ in self.known.values()] + [_REPLACES[each] for each in self.built_ins])
        size, _ = self.known.get("size", (None, -1))
        if size is None and not {spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID}.isdisjoint(defaults):
            size = NO_SIZE
        if size is not None and size not in mine:
            program = with_entry_size(program, self.entry, size)
        replaced = {mode for mode in mine if mode[0] in defaults and _group_of(mode) in self.known}
        added = [mode for mode in wanted if mode not in mine and mode[0] not in (spv.LOCAL_SIZE, spv.LOCAL_SIZE_ID)]
        if not added and not replaced:
            return program
        return _with_modes(program, self.entry.function, added, replaced)

    def _other_stage(self, at: int, mode: Mode) -> LinkError:
        unit, entry = self.units[at], self.entry
        return LinkError(
            f"{unit.shown} declares layout({_as_declared(mode)}) for {STAGE_NAMES[unit.implied.stage]} shaders, "
            f"but {entry.stage} entry point `{entry.name}` reaches it",
            context=[("image", self.program.module.name), ("path", self.reached.units[at])],
            hint="move the declaration into a source of its own, or into the shader",
        )

    def _contradiction(self, at: int, mode: Mode, other: Mode, by: int) -> LinkError:
        rows = [("image", self.program.module.name), ("path", self.reached.units[at])]
        if by in self.reached.units:
            rows.append(("other path", self.reached.units[by]))
        rows.append(("declared by", f"{self.units[at].shown}: {_as_declared(mode)}"))
        rows.append(("declared by", f"{self.units[by].shown}: {_as_declared(other)}"))
        return LinkError(
            f"entry point `{self.entry.name}` would have both {_as_declared(other)} and {_as_declared(mode)}",
            context=rows,
            hint="all units of a stage must declare the same; declare it only in the shader, or in a common header",
        )


def _decides_depth(mode: Mode, modes: Sequence[Mode]) -> bool:
    """Return whether a mode is a unit's depth layout, which implies that depth is written."""
    return mode != (spv.DEPTH_REPLACING,) or not any(_group_of(each) == "depth" and each != mode for each in modes)


def _with_modes(program: Program, function: int, added: Iterable[Mode], replaced: Iterable[Mode]) -> Program:
    gone = {build(op.EXECUTION_MODE, function, *mode) for mode in replaced}
    preamble: list[Instruction] = [words for words in program.preamble if words not in gone]
    at = 1 + max(
        index
        for index, words in enumerate(preamble)
        if words[0] & 0xFFFF in (op.ENTRY_POINT, op.EXECUTION_MODE, op.EXECUTION_MODE_ID)
    )
    preamble[at:at] = [build(op.EXECUTION_MODE, function, *mode) for mode in added]
    return replace(program, preamble=tuple(preamble))


def _group_of(mode: Mode) -> object:
    """Return the group of a mode, of which an entry point can have only one."""
    if mode[0] in _BY_WIDTH:
        return _BY_WIDTH[mode[0]], mode[1]
    return _GROUP.get(mode[0], (mode,))


def _as_declared(mode: Mode) -> str:
    """Return a mode as a source declares it."""
    if mode[0] == spv.LOCAL_SIZE_ID:
        pairs = zip("xyz", mode[1::2], mode[2::2], strict=True)
        return ", ".join(
            f"local_size_{axis}_id = {number}" if number >= 0 else f"local_size_{axis} = {value}"
            for axis, value, number in pairs
        )
    name = _NAMES.get(mode[0])
    return name.format(*mode[1:]) if name else f"execution mode {' '.join(map(str, mode))}"
