"""What an image costs, as far as SPIR-V shows: loops, branches, accesses to textures and buffers.

Registers, occupancy and latency depend on the driver. A branch counts as divergent unless its condition is known to be
equal for all invocations of a workgroup. When in doubt it counts as divergent, with one exception: a function variable
that is still in memory counts as equal if everything stored to it is, regardless of control flow.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from cratewright import ToolError

from ..binary import enumerants as spv
from ..binary import opcodes as op
from ..binary.module import HEADER_WORDS
from ..binary.operands import RESULTS
from ..spirv_tools.library import load

FIGURES = ("loops", "branches", "divergent_branches", "texture_accesses", "buffer_accesses")
"""The figures of each image besides size and instructions."""

_TEXTURES = frozenset(
    {
        op.IMAGE_TEXEL_POINTER,
        *range(op.IMAGE_SAMPLE_IMPLICIT_LOD, op.IMAGE_WRITE + 1),
        *range(op.IMAGE_SPARSE_SAMPLE_IMPLICIT_LOD, op.IMAGE_SPARSE_DREF_GATHER + 1),
        op.IMAGE_SPARSE_READ,
        *range(op.IMAGE_SAMPLE_WEIGHTED_QCOM, op.IMAGE_BLOCK_MATCH_SADQCOM + 1),
        *range(op.IMAGE_BLOCK_MATCH_WINDOW_SSDQCOM, op.IMAGE_BLOCK_MATCH_GATHER_SADQCOM + 1),
        *(op.FRAGMENT_MASK_FETCH_AMD, op.FRAGMENT_FETCH_AMD, op.IMAGE_SAMPLE_FOOTPRINT_NV),
    }
)
_ATOMICS = frozenset(
    {
        op.ATOMIC_LOAD,
        *range(op.ATOMIC_EXCHANGE, op.ATOMIC_XOR + 1),
        *(op.ATOMIC_FLAG_TEST_AND_SET, op.ATOMIC_FMIN_EXT, op.ATOMIC_FMAX_EXT, op.ATOMIC_FADD_EXT),
    }
)
_LOADS = _ATOMICS | {
    *(op.LOAD, op.COOPERATIVE_MATRIX_LOAD_KHR, op.COOPERATIVE_MATRIX_LOAD_NV, op.COOPERATIVE_MATRIX_LOAD_TENSOR_NV)
}
_STORES = frozenset(
    {
        *(op.STORE, op.ATOMIC_STORE, op.ATOMIC_FLAG_CLEAR),
        *(op.COOPERATIVE_MATRIX_STORE_KHR, op.COOPERATIVE_MATRIX_STORE_NV, op.COOPERATIVE_MATRIX_STORE_TENSOR_NV),
    }
)
_COPIES = frozenset({op.COPY_MEMORY, op.COPY_MEMORY_SIZED})
_VENDORS = (range(4417, 4500), range(5000, 6500))
"""Where the registry of SPIR-V has opcodes of extensions."""
_VARYING = (
    _ATOMICS
    | _TEXTURES
    | {op.FUNCTION_CALL, op.FUNCTION_PARAMETER}
    | {*range(op.DPDX, op.FWIDTH_COARSE + 1), *range(op.GROUP_NON_UNIFORM_ELECT, op.GROUP_NON_UNIFORM_QUAD_SWAP + 1)}
    | {opcode for opcodes in _VENDORS for opcode in opcodes}
)
"""Never uniform: atomics, textures, calls, parameters, derivatives, groups, and vendor extensions."""
_BUFFERS = frozenset({spv.UNIFORM, spv.PUSH_CONSTANT, spv.STORAGE_BUFFER, spv.PHYSICAL_STORAGE_BUFFER})
_CONSTANT = frozenset({spv.UNIFORM_CONSTANT, spv.UNIFORM, spv.PUSH_CONSTANT})
"""Storage classes that are not written while a shader runs."""
_EQUAL_BUILT_INS = frozenset(
    {
        *(spv.NUM_WORKGROUPS, spv.WORKGROUP_SIZE, spv.WORKGROUP_ID, spv.SUBGROUP_SIZE, spv.NUM_SUBGROUPS),
        *(spv.BASE_VERTEX, spv.BASE_INSTANCE, spv.DRAW_INDEX, spv.DEVICE_INDEX, spv.VIEW_INDEX, spv.LAUNCH_SIZE),
    }
)
"""The same for a whole workgroup."""
_ARRAYS = (op.TYPE_ARRAY, op.TYPE_RUNTIME_ARRAY)
_CHAINS = frozenset({op.ACCESS_CHAIN, op.IN_BOUNDS_ACCESS_CHAIN, op.PTR_ACCESS_CHAIN, op.IN_BOUNDS_PTR_ACCESS_CHAIN})
_OPCODES, _ALL = 8192, 255


def statistics(data: bytes) -> dict[str, int]:
    """As `count_statistics`, by the library if it was built, in a fiftieth of the time."""
    out = (ctypes.c_uint64 * len(FIGURES))()
    with suppress(ToolError):
        if load().cratewright_spirv_statistics(data, ctypes.c_uint64(len(data)), _tables(), out):
            return dict(zip(FIGURES, out, strict=True))
    return count_statistics(data)


@cache
def _tables() -> bytes:
    """Return the library's table of opcodes: place of the result, operand ids, traits."""
    results, operands, traits = bytearray(_OPCODES), bytearray(_OPCODES), bytearray(_OPCODES)
    for opcode, place in RESULTS.items():
        results[opcode] = place
        operands[opcode] = _operands(opcode)
    for bit, numbers in enumerate((_LOADS, _STORES, _COPIES, _TEXTURES, _VARYING, _EQUAL_BUILT_INS, _BUFFERS)):
        # The last two are of built-ins and of storage classes, not of opcodes.
        for number in numbers:
            traits[number] |= 1 << bit
    return bytes(results + operands + traits)


def _operands(opcode: int) -> int:
    """Return how many operand ids follow an instruction's result."""
    layout = op.INSTRUCTIONS[opcode][1].lstrip("TR")
    count = len(layout) - len(layout.lstrip("i"))
    return _ALL if count and layout[count : count + 1] == "*" else count


def count_statistics(data: bytes) -> dict[str, int]:
    """Return the figures of a well-formed module without the library.

    Shape: `loops` are structured ones; `branches` those that choose by a condition or a selector, of which
    `divergent_branches` may choose differently within a workgroup. Accesses are instructions, not how often they run:
    of textures those that sample, fetch, gather, read or write texels; of buffers loads, stores, copies and atomics
    of uniform and storage blocks, push constants and buffer references.
    """
    words = struct.unpack_from(f"<{len(data) // 4}I", data)
    counts = dict.fromkeys(FIGURES, 0)
    found = _Definitions(words)
    counts["loops"] = found.loops
    counts["branches"] = len(found.conditions)
    counts["texture_accesses"] = found.textures
    counts["buffer_accesses"] = sum(map(found.is_buffer_access, found.accesses))
    counts["divergent_branches"] = sum(not found.is_equal(condition) for condition in found.conditions)
    return counts


class _Definitions:
    """Where each id of a module is defined, and what an answer about it depends on."""

    def __init__(self, words: Sequence[int]) -> None:
        self.words = words
        self.loops = self.textures = 0
        self.conditions: list[int] = []
        self.accesses: list[int] = []
        self._at: dict[int, int] = {}
        self._stored: dict[int, list[int]] = {}
        self._built_ins: dict[int, int] = {}
        self._buffer_blocks: set[int] = set()
        # For each block: the condition that ends it, and the selection that it merges.
        self._ended: dict[int, int] = {}
        self._merged: dict[int, int] = {}
        self._block_of: dict[int, int] = {}
        self._passed: set[int] = set()
        self._varying: set[int] = set()
        self._equal: set[int] = set()
        self._read()
        self._stored = self._by_variable()

    def _read(self) -> None:
        words, at, end, results = self.words, HEADER_WORDS, len(self.words), RESULTS
        places, label, merge = self._at, 0, 0
        while at < end:
            first = words[at]
            opcode = first & 0xFFFF
            place = results.get(opcode)
            if place is not None:
                places[words[at + place]] = at
                if opcode == op.LABEL:
                    label, merge = words[at + 1], 0
                elif opcode == op.PHI:
                    self._block_of[words[at + 2]] = label
            if opcode in _LOADS or opcode in _STORES or opcode in _COPIES:
                self.accesses.append(at)
                if opcode == op.STORE or opcode in _COPIES:
                    self._stored.setdefault(words[at + 1], []).append(words[at + 2])
            elif opcode in _TEXTURES:
                self.textures += 1
            elif opcode == op.SELECTION_MERGE:
                merge = words[at + 1]
            elif opcode == op.LOOP_MERGE:
                self.loops += 1
            elif opcode in (op.FUNCTION_CALL, op.EXT_INST):
                self._passed.update(words[at + 4 : at + (first >> 16)])
            elif opcode in (op.BRANCH_CONDITIONAL, op.SWITCH):
                condition = words[at + 1]
                # Both ways lead to the same block: nothing is chosen.
                if opcode == op.SWITCH or words[at + 2] != words[at + 3]:
                    self.conditions.append(condition)
                    self._ended[label] = condition
                    if merge:
                        self._merged[merge] = condition
            elif opcode == op.DECORATE:
                if words[at + 2] == spv.BUILT_IN:
                    self._built_ins[words[at + 1]] = words[at + 3]
                elif words[at + 2] == spv.BUFFER_BLOCK:
                    self._buffer_blocks.add(words[at + 1])
            at += first >> 16 or 1

    def _by_variable(self) -> dict[int, list[int]]:
        """Return what is stored to variables, in whole or in part."""
        found: dict[int, list[int]] = {}
        for pointer, values in self._stored.items():
            found.setdefault(self._root(pointer), []).extend(values)
        return found

    def _root(self, pointer: int) -> int:
        """Return the variable that a pointer points into, or its other source."""
        while (at := self._at.get(pointer)) is not None and self.words[at] & 0xFFFF in _CHAINS:
            pointer = self.words[at + 3]
        return pointer

    def _storage(self, pointer: int) -> tuple[int, int]:
        """Return the storage class of a pointer, and the type that it points to: 0 if none is named."""
        at = self._at.get(pointer)
        kind = self._at.get(self.words[at + 1]) if at is not None else None
        if kind is None or self.words[kind] & 0xFFFF not in (op.TYPE_POINTER, op.TYPE_UNTYPED_POINTER_KHR):
            return -1, 0
        return self.words[kind + 2], self.words[kind + 3] if self.words[kind] >> 16 > 3 else 0

    def is_buffer_access(self, at: int) -> bool:
        """Return whether an instruction reads or writes memory in a buffer."""
        opcode = self.words[at] & 0xFFFF
        places = (1, 2) if opcode in _COPIES else (1,) if opcode in _STORES else (3,)
        return any(self._storage(self.words[at + place])[0] in _BUFFERS for place in places)

    def is_equal(self, value: int) -> bool:
        """Return whether a value is known to be the same for all invocations of a workgroup."""
        seen, todo = {value}, [value]
        while todo:
            number = todo.pop()
            if number in self._equal:
                continue
            used = None if number in self._varying else self._used(number)
            if used is None:
                self._varying |= {value, number}
                return False
            todo += [each for each in used if each not in seen]
            seen.update(used)
        # Nothing that varies goes into any of these.
        self._equal |= seen
        return True

    def _used(self, number: int) -> list[int] | None:
        """Return the operands of a value, None if it may vary by itself."""
        words, at = self.words, self._at.get(number)
        opcode = -1 if at is None else words[at] & 0xFFFF
        if at is None or opcode in _VARYING:
            return None
        if opcode == op.VARIABLE:
            return self._used_by_variable(number, words[at + 3])
        if opcode == op.LOAD:
            return [words[at + 3]] if self._is_shared_or_own(words[at + 3]) else None
        if opcode in (op.ARRAY_LENGTH, op.SPEC_CONSTANT_OP):
            return []
        end = at + (words[at] >> 16)
        if opcode == op.EXT_INST:
            return list(words[at + 5 : end])
        if opcode == op.PHI:
            parents = words[at + 4 : end : 2]
            deciding = [self._ended.get(parent) for parent in parents] + [self._merged.get(self._block_of[number])]
            return [*words[at + 3 : end : 2], *(each for each in deciding if each is not None)]
        first, count = at + RESULTS[opcode] + 1, _operands(opcode)
        return list(words[first : end if count == _ALL else min(end, first + count)])

    def _used_by_variable(self, variable: int, storage: int) -> list[int] | None:
        if storage in _CONSTANT:
            return []
        if storage == spv.INPUT:
            return [] if self._built_ins.get(variable) in _EQUAL_BUILT_INS else None
        if storage not in (spv.PRIVATE, spv.FUNCTION_STORAGE) or variable in self._passed:
            return None
        return self._stored.get(variable, [])

    def _is_shared_or_own(self, pointer: int) -> bool:
        """Return whether nothing else writes where a pointer points."""
        storage, kind = self._storage(pointer)
        if storage != spv.UNIFORM:
            return storage in (*_CONSTANT, spv.INPUT, spv.PRIVATE, spv.FUNCTION_STORAGE)
        kind = self._storage(self._root(pointer))[1]
        while (at := self._at.get(kind)) is not None and self.words[at] & 0xFFFF in _ARRAYS:
            kind = self.words[at + 2]
        return kind not in self._buffer_blocks
