"""Where SCons and SConstructs call in: a mistake names the line of the SConstruct.

SCons takes for the place of a mistake the deepest frame whose file lies in no folder called `SCons`. This folder is
called so for that reason alone: the frames of this module are passed over, and of an error that is raised in one of
them no deeper frame is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

import SCons.Errors

from ..caller import is_hidden

__all__ = ["entrance", "method", "passage"]

_METHOD = "env."
_Function = TypeVar("_Function", bound=Callable[..., Any])


def entrance(function: _Function) -> _Function:
    """Let errors of this package leave a function as mistakes of the user, which SCons prints without a traceback."""

    @wraps(function)
    def enter(*words: Any, **more: Any) -> Any:
        try:
            return function(*words, **more)
        except Exception as error:
            mistake = _mistake(error, function)
            if mistake is None:
                raise
        raise mistake

    return enter  # type: ignore[return-value]


def passage(
    usual: Callable[..., Any],
    before: Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[Iterable[Any], Mapping[str, Any]]],
) -> Callable[..., Any]:
    """Return a function of SCons that is given what `before` returns for its words."""

    @wraps(usual)
    def passed(*words: Any, **more: Any) -> Any:
        words_now, more_now = before(words, more)
        return usual(*words_now, **more_now)

    return passed


def method(name: str) -> Callable[[_Function], _Function]:
    """Make an entrance of what SConstructs call by a name: arguments that it does not take are a mistake too."""

    def named(function: _Function) -> _Function:
        function.__qualname__ = f"{_METHOD}{name}"  # Python's own messages begin with it
        return entrance(function)

    return named


def _mistake(error: Exception, function: Callable[..., Any]) -> Exception | None:
    """Return what to raise in place of an error; None if it is no mistake, or names its place itself."""
    from ...base.errors import ConfigurationError, CratewrightError  # noqa: PLC0415 - only once there is one

    if isinstance(error, TypeError) and _is_of_arguments(error, function):
        error = ConfigurationError(str(error), hint=f"call it as {_shown(function)}")
    is_of_scons = isinstance(error, SCons.Errors.UserError) and not _has_users_frame(error.__traceback__)
    if not (is_of_scons or isinstance(error, CratewrightError)):
        return None
    mistake: Exception = SCons.Errors.UserError(str(error))
    mistake.__cause__ = error
    return mistake


def _is_of_arguments(error: Exception, function: Callable[..., Any]) -> bool:
    """Return whether a method was called with other arguments than it takes: then it has no frame of its own."""
    place = error.__traceback__
    return function.__qualname__.startswith(_METHOD) and place is not None and place.tb_next is None


def _shown(function: Callable[..., Any]) -> str:
    from inspect import Parameter, signature  # noqa: PLC0415 - only for a mistake

    taken = list(signature(function).parameters.values())[1:]  # the Environment comes first
    return f"{function.__qualname__}({', '.join(str(each.replace(annotation=Parameter.empty)) for each in taken)})"


def _has_users_frame(place: TracebackType | None) -> bool:
    while place is not None:
        if not is_hidden(place.tb_frame.f_code.co_filename):
            return True
        place = place.tb_next
    return False
