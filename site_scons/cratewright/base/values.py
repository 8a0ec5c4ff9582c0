"""Dataclasses that are quick to create, compare and pickle.

A build creates eighty such classes before it does any work, and sends thousands of their values between processes and
into the cache.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

State = Callable[[Any], tuple[Any, ...]]

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - for all others
else:

    def dataclass(**words: bool) -> Callable[[type], type]:
        """Do as the standard library's decorator of this name, but faster, for classes with slots.

        The standard one generates and compiles up to eight methods for each class. Here only `__init__` is generated,
        which gains by it, at its first call. The others are closures, and so are the pickling methods, which in the
        standard library look up the fields' names each time.
        """
        if not words.get("slots") or words.keys() - {"slots", "frozen", "kw_only"}:
            return dataclasses.dataclass(**words)
        return lambda kind: _made(kind, words)


def _made(kind: type, words: dict[str, bool]) -> type:
    # The standard library asks that both be frozen if one inherits from the other; then its two methods stay.
    inherits = any(dataclasses.is_dataclass(base) for base in kind.__bases__)
    frozen = words.get("frozen", False)
    # Without a docstring, it would make one from a signature, which takes longer than all the rest.
    kind.__doc__ = kind.__doc__ or kind.__name__
    made: Any = dataclasses.dataclass(**{**words, "frozen": frozen and inherits}, init=False, repr=False, eq=False)(
        kind
    )
    made.__dataclass_params__.frozen = frozen
    made.__signature__ = _Signature()
    compared = _state([field.name for field in dataclasses.fields(made) if field.compare])
    methods = _methods(made, compared) | (_frozen_methods(made, compared) if frozen else {"__hash__": None})
    for name, method in methods.items():
        if name not in kind.__dict__:  # keep a handwritten one
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _methods(made: Any, compared: State) -> dict[str, Any]:
    shown = [field.name for field in dataclasses.fields(made) if field.repr]

    def __init__(self: object, *values: object, **named: object) -> None:
        made.__init__ = _initialiser(made)
        made.__init__(self, *values, **named)

    def __repr__(self: object) -> str:
        return f"{made.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def __eq__(self: object, other: object) -> bool:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    return {method.__name__: method for method in (__init__, __repr__, __eq__)}


def _frozen_methods(made: Any, compared: State) -> dict[str, Any]:
    setters = _setters(made)
    state = state_of(made)

    def __setattr__(self: object, name: str, _: object) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self: object, name: str) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __hash__(self: object) -> int:
        return hash(compared(self))

    def __getstate__(self: object) -> tuple[Any, ...]:
        return state(self)

    def __setstate__(self: object, found: Sequence[object]) -> None:
        for put, item in zip(setters, found, strict=True):
            put(self, item)

    methods = (__setattr__, __delattr__, __hash__, __getstate__, __setstate__)
    return {method.__name__: method for method in methods}


def state_of(kind: Any) -> State:
    """Return a function that returns the values of a dataclass's fields, in order."""
    return _state([field.name for field in dataclasses.fields(kind)])


def _state(names: Sequence[str]) -> State:
    """Return a function that returns some attributes, always as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple([getattr(value, name) for name in names])


def _setters(kind: type) -> list[Callable[[object, object], None]]:
    """Return the setters of the fields' slots, which bypass `__setattr__`."""
    return [getattr(kind, field.name).__set__ for field in dataclasses.fields(kind)]


def maker(kind: type) -> Callable[..., Any]:
    """Return a function that makes a value of such a class from all its fields, in order."""
    setters = _setters(kind)
    known: dict[str, Any] = {"kind": kind, "new": kind.__new__} | {f"_set{n}": put for n, put in enumerate(setters)}
    words = [f"_{number}" for number in range(len(setters))]
    body = "\n".join(f" _set{number}(value, {word})" for number, word in enumerate(words))
    exec(f"def make({', '.join(words)}):\n value = new(kind)\n{body}\n return value", known)
    made: Callable[..., Any] = known["make"]
    return made


def _initialiser(kind: type) -> Callable[..., None]:
    """Generate `__init__` for a class."""
    known: dict[str, Any] = {"_made": _MADE}
    positional, named, body = ["self"], ["*"], []
    fields = dataclasses.fields(kind)
    for number, (field, put) in enumerate(zip(fields, _setters(kind), strict=True)):
        known[f"_set{number}"], value, default = put, field.name, ""
        if field.default is not dataclasses.MISSING:
            known[f"_default{number}"], default = field.default, f"=_default{number}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_default{number}"], default = field.default_factory, "=_made"
            value = f"_default{number}() if {field.name} is _made else {field.name}"
        if field.init:
            (named if field.kw_only else positional).append(field.name + default)
        elif default:
            value = f"_default{number}{'()' if default == '=_made' else ''}"
        if field.init or default:
            body.append(f" _set{number}(self, {value})")
    if hasattr(kind, "__post_init__"):
        body.append(" self.__post_init__()")
    words = ", ".join((*positional, *named) if len(named) > 1 else positional)
    exec(f"def __init__({words}):\n{chr(10).join(body) or ' pass'}", known)
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    made.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return made


class _Made:
    """Marks a default that is made anew for each value."""

    def __repr__(self) -> str:
        return "<factory>"


_MADE = _Made()


class _Signature:
    """The signature of a class, made only on demand, as by `help`."""

    def __get__(self, value: object, kind: type) -> inspect.Signature:
        signature = inspect.signature(_initialiser(kind))
        return signature.replace(parameters=list(signature.parameters.values())[1:])
