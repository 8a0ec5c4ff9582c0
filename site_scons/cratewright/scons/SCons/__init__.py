"""The entrance for SCons and SConstructs: a mistake is reported at its line of the SConstruct.

SCons reports a mistake at the deepest frame whose file is in no folder called `SCons`. That is why this folder has that
name: SCons skips the frames of this module, and an error that is raised in one of them has no deeper frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

import SCons.Errors

from ..caller import is_hidden

_METHOD = "env."
_Function = TypeVar("_Function", bound=Callable[..., Any])


def entrance(function: _Function) -> _Function:
    """Turn errors of this package into mistakes of the user, which SCons prints without a traceback."""

    @wraps(function)
    def enter(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            mistake = _mistake(error, function)
            if mistake is None:
                raise
        raise mistake

    return enter  # type: ignore[return-value]


def passage(
    original: Callable[..., Any],
    before: Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[Iterable[Any], Mapping[str, Any]]],
) -> Callable[..., Any]:
    """Return a function that calls one of SCons's with the arguments that `before` returns for its own."""

    @wraps(original)
    def passed(*args: Any, **kwargs: Any) -> Any:
        passed_args, passed_kwargs = before(args, kwargs)
        return original(*passed_args, **passed_kwargs)

    return passed


def method(name: str) -> Callable[[_Function], _Function]:
    """Return a decorator for a method by that name: an entrance, for which wrong arguments are a mistake too."""

    def named(function: _Function) -> _Function:
        function.__qualname__ = f"{_METHOD}{name}"  # Python's own messages begin with it
        return entrance(function)

    return named


def _mistake(error: Exception, function: Callable[..., Any]) -> Exception | None:
    """Return what to raise in place of an error; None if it is no mistake, or SCons finds its line."""
    from ...base.errors import ConfigurationError, CratewrightError  # noqa: PLC0415 - only for a mistake

    if isinstance(error, TypeError) and _has_wrong_arguments(error, function):
        error = ConfigurationError(str(error), hint=f"call it as {_signature(function)}")
    lacks_line = isinstance(error, SCons.Errors.UserError) and not _has_users_frame(error.__traceback__)
    if not (lacks_line or isinstance(error, CratewrightError)):
        return None
    mistake: Exception = SCons.Errors.UserError(str(error))
    mistake.__cause__ = error
    return mistake


def _has_wrong_arguments(error: Exception, function: Callable[..., Any]) -> bool:
    """Return whether a method was called with arguments that it does not take: then it has no frame of its own."""
    traceback = error.__traceback__
    return function.__qualname__.startswith(_METHOD) and traceback is not None and traceback.tb_next is None


def _signature(function: Callable[..., Any]) -> str:
    from inspect import Parameter, signature  # noqa: PLC0415 - only for a mistake

    parameters = list(signature(function).parameters.values())[1:]  # the Environment comes first
    shown = ", ".join(str(parameter.replace(annotation=Parameter.empty)) for parameter in parameters)
    return f"{function.__qualname__}({shown})"


def _has_users_frame(traceback: TracebackType | None) -> bool:
    while traceback is not None:
        if not is_hidden(traceback.tb_frame.f_code.co_filename):
            return True
        traceback = traceback.tb_next
    return False
