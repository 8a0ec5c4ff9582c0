"""A method call as one value: it can be sent to a worker, is its own cache key, and knows its result type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class BackendCall(Generic[_Answer]):
    """A method of the contract, such as `CodegenBackend.link`, and its arguments.

    Shape: `method` is the function of the contract's own class, not a backend's override; mypy checks `arguments`
    against it. The result depends on all of them.
    """

    __slots__ = ("arguments", "method")

    def __init__(
        self,
        method: Callable[Concatenate[Any, _Arguments], _Answer],
        *arguments: _Arguments.args,
        **_: _Arguments.kwargs,
    ) -> None:
        self.method: Callable[..., _Answer] = method
        self.arguments: tuple[Any, ...] = arguments

    @property
    def name(self) -> str:
        """The method's name."""
        return self.method.__name__

    def of(self, backend: object) -> _Answer:
        """Call the method of a backend."""
        answer: _Answer = getattr(backend, self.name)(*self.arguments)
        return answer

    def __reduce__(self) -> tuple[object, ...]:
        return BackendCall, (self.method, *self.arguments)

    def __repr__(self) -> str:
        return f"BackendCall({self.name}, {', '.join(type(item).__name__ for item in self.arguments)})"
