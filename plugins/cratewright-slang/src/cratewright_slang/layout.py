"""The layout of a program's parameters, by Slang's reflection: for one entry point alone, and together with others.

No code is generated, because a program has a layout before it has code.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from cratewright import dataclass

from .com import Object
from .libslang import Refused, SlangModule, reflection
from .wheel import library

_PTR, _TEXT, _SIZE, _U32, _I32 = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_int32
_FUNCTIONS = {
    "spReflection_GetParameterCount": (_U32, _PTR),
    "spReflection_GetParameterByIndex": (_PTR, _PTR, _U32),
    "spReflection_getEntryPointByIndex": (_PTR, _PTR, _SIZE),
    "spReflection_getEntryPointCount": (_SIZE, _PTR),
    "spReflection_getGlobalConstantBufferBinding": (_SIZE, _PTR),
    "spReflection_getGlobalConstantBufferSize": (_SIZE, _PTR),
    "spReflectionEntryPoint_getName": (_TEXT, _PTR),
    "spReflectionEntryPoint_getStage": (_U32, _PTR),
    "spReflectionEntryPoint_getVarLayout": (_PTR, _PTR),
    "spReflectionEntryPoint_getParameterCount": (_U32, _PTR),
    "spReflectionEntryPoint_getParameterByIndex": (_PTR, _PTR, _U32),
    "spReflectionVariableLayout_GetVariable": (_PTR, _PTR),
    "spReflectionVariableLayout_GetTypeLayout": (_PTR, _PTR),
    "spReflectionVariableLayout_GetOffset": (_SIZE, _PTR, _I32),
    "spReflectionVariableLayout_GetSpace": (_SIZE, _PTR, _I32),
    "spReflectionTypeLayout_GetCategoryCount": (_U32, _PTR),
    "spReflectionTypeLayout_GetCategoryByIndex": (_I32, _PTR, _U32),
    "spReflectionTypeLayout_GetSize": (_SIZE, _PTR, _I32),
}

# Categories of resources that a parameter uses.
_INPUT, _OUTPUT, _PLAIN, _DESCRIPTOR, _CONSTANT, _PUSH_CONSTANT, _PAYLOAD, _HIT, _CALLABLE, _SET = (
    *(5, 6, 8, 9, 10, 11, 14, 15, 16, 20),
)
_VARYING = frozenset({_INPUT, _OUTPUT, _PAYLOAD, _HIT, _CALLABLE})
_KNOWN = frozenset({_DESCRIPTOR, _SET, _PUSH_CONSTANT, _CONSTANT})
_MOST = 1 << 12

_Binding = tuple[int, int]
"""A set and a binding."""


@dataclass(frozen=True, slots=True)
class Use:
    """A parameter's use of a category."""

    category: int
    space: int
    offset: int
    count: int


Parameter = tuple[int, tuple[Use, ...]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Global parameters by variable, the same in all programs of a session.

    Shape: `own` has those of each entry point; `constants` is where the buffer with all plain globals is bound,
    and its size.
    """

    parameters: tuple[Parameter, ...]
    own: tuple[tuple[Parameter, ...], ...]
    constants: tuple[int, int]


def entry_point_of(module: SlangModule, at: int) -> tuple[str, int]:
    """Return the name of an entry point of a module, and the number of its stage."""
    slang, entry = _slang(), module.entry_point(at)
    try:
        found = slang.spReflection_getEntryPointByIndex(reflection(entry), 0)
        if not found:
            raise Refused("an entry point has no layout")
        return slang.spReflectionEntryPoint_getName(found).decode(), slang.spReflectionEntryPoint_getStage(found)
    finally:
        entry.release()


def layout_of(program: Object) -> Layout:
    """Return where the parameters of a program are bound.

    Raises: Refused.
    """
    slang, program_layout = _slang(), reflection(program)
    parameters = (
        slang.spReflection_GetParameterByIndex(program_layout, at)
        for at in range(slang.spReflection_GetParameterCount(program_layout))
    )
    entries = (
        slang.spReflection_getEntryPointByIndex(program_layout, at)
        for at in range(slang.spReflection_getEntryPointCount(program_layout))
    )
    return Layout(
        tuple(_parameter(each) for each in parameters),
        tuple(tuple(_own(each)) for each in entries),
        (
            slang.spReflection_getGlobalConstantBufferBinding(program_layout),
            slang.spReflection_getGlobalConstantBufferSize(program_layout),
        ),
    )


def moved(alone: Layout, whole: Layout, at: int) -> Callable[[_Binding], _Binding | None] | None:
    """Map the bindings of an entry point with the others to its bindings alone.

    Shape: `at` is its position among the entry points of `whole`. None if anything but bindings would differ; a binding
    maps to None if the entry point does not know it.
    """
    same = alone.parameters == whole.parameters and alone.constants == whole.constants
    there, bindings, sets = dict((*whole.parameters, *whole.own[at])), dict[_Binding, _Binding](), dict[int, int]()
    for variable, uses in (*alone.parameters, *alone.own[0]):
        others = there.get(variable, ())
        if [(use.category, use.count) for use in uses] != [(use.category, use.count) for use in others]:
            return None
        for use, other in zip(uses, others, strict=True):
            if use.category == _DESCRIPTOR and use.count <= _MOST:
                for index in range(use.count):
                    own = use.space, use.offset + index
                    if bindings.setdefault((other.space, other.offset + index), own) != own:
                        return None
            elif use.category == _SET:
                for index in range(use.count):
                    if sets.setdefault(other.offset + index, use.offset + index) != use.offset + index:
                        return None
            elif use.category != _PUSH_CONSTANT and use != other:
                return None
    categories = {use.category for _, uses in whole.own[at] for use in uses}
    if not categories <= _VARYING | {_PLAIN, _DESCRIPTOR} or not sets.keys().isdisjoint(each for each, _ in bindings):
        return None
    plain = {use.category for _, uses in whole.parameters for use in uses} - _KNOWN
    if not same and (plain or alone.constants[1]):
        return None

    def move(binding: _Binding) -> _Binding | None:
        found = bindings.get(binding)
        if found is None and binding[0] in sets:
            found = sets[binding[0]], binding[1]
        return binding if found is None and same else found

    return move


def _uses(parameter: int) -> Iterator[Use]:
    slang = _slang()
    kind = slang.spReflectionVariableLayout_GetTypeLayout(parameter)
    for at in range(slang.spReflectionTypeLayout_GetCategoryCount(kind)):
        category = slang.spReflectionTypeLayout_GetCategoryByIndex(kind, at)
        yield Use(
            category,
            slang.spReflectionVariableLayout_GetSpace(parameter, category),
            slang.spReflectionVariableLayout_GetOffset(parameter, category),
            slang.spReflectionTypeLayout_GetSize(kind, category),
        )


def _parameter(parameter: int) -> Parameter:
    return _slang().spReflectionVariableLayout_GetVariable(parameter), tuple(_uses(parameter))


def _own(entry: int) -> Iterator[Parameter]:
    """Yield the parameters of an entry point, whose bindings Slang gives relative to each other."""
    slang = _slang()
    start = {use.category: use for use in _uses(slang.spReflectionEntryPoint_getVarLayout(entry))}
    for at in range(slang.spReflectionEntryPoint_getParameterCount(entry)):
        variable, uses = _parameter(slang.spReflectionEntryPoint_getParameterByIndex(entry, at))
        yield (
            variable,
            tuple(
                replace(use, space=use.space + start[_DESCRIPTOR].space, offset=use.offset + start[_DESCRIPTOR].offset)
                if use.category == _DESCRIPTOR and _DESCRIPTOR in start
                else use
                for use in uses
            ),
        )


@cache
def _slang() -> Any:
    slang = library().functions
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(slang, name)
        function.restype, function.argtypes = result, arguments
    return slang
