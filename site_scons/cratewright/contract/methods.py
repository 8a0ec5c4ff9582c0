"""The methods of a backend class, compared with those of the contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from ..base.mismatch import value_words
from .backend import CodegenBackend
from .class_fault import ClassFault

METHODS: dict[str, FunctionType] = {
    name: value
    for name, value in vars(CodegenBackend).items()
    if isinstance(value, FunctionType) and not name.startswith("_")
}
"""The methods of the contract, by name."""


def inherits(kind: type[CodegenBackend], method: Callable[..., object]) -> bool:
    return getattr(kind, method.__name__) is method


def method_faults(kind: type[CodegenBackend]) -> Iterator[ClassFault]:
    for name, function in METHODS.items():
        found: Any = inspect.getattr_static(kind, name)
        if found is function:
            continue
        if isinstance(found, FunctionType):
            yield from _signature(name, found, _parameters(function))
        elif not callable(getattr(kind, name)):
            yield ClassFault(f"{name} is {value_words(found)}", f"a method: {_shown(name, _parameters(function))}")


def _parameters(function: FunctionType) -> tuple[str, ...]:
    return function.__code__.co_varnames[1 : function.__code__.co_argcount]


def _signature(name: str, found: FunctionType, wanted: Iterable[str]) -> Iterator[ClassFault]:
    # From the code object: `inspect.signature` would take as long as reading all plugins' options.
    names = tuple(wanted)
    code, expected = found.__code__, f"a method: {_shown(name, names)}"
    if code.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        what = "a generator" if code.co_flags & inspect.CO_GENERATOR else "'async'"
        yield ClassFault(f"{name} is {what}", expected, "contract methods are plain functions that return a value")
    count, defaults = len(names) + 1, len(found.__defaults__ or ())
    most = float("inf") if code.co_flags & inspect.CO_VARARGS else code.co_argcount
    only_named = set(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    if not code.co_argcount - defaults <= count <= most or only_named - set(found.__kwdefaults__ or ()):
        yield ClassFault(f"{name} cannot be called as the contract calls it", expected)


def _shown(name: str, parameters: Iterable[str]) -> str:
    return f"{name}({', '.join(('self', *parameters))})"


def misspelt_method(kind: type[CodegenBackend]) -> tuple[str, str] | None:
    """Return a method whose name is nearly that of a contract method, and that one."""
    import difflib  # noqa: PLC0415 - rarely needed

    known = {*METHODS, *vars(CodegenBackend)}
    own: list[str] = [name for base in kind.__mro__ if base not in CodegenBackend.__mro__ for name in vars(base)]
    for name in own:
        if not name.startswith("_") and name not in known and callable(getattr(kind, name)):
            close = difflib.get_close_matches(name, METHODS, n=1, cutoff=0.85)
            if close:
                return name, close[0]
    return None
