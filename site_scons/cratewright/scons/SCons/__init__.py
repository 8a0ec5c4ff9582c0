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

__all__ = ["entrance", "passage"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def entrance(function: _Function) -> _Function:
    """Let errors of this package leave a function as mistakes of the user, which SCons prints without a traceback."""

    @wraps(function)
    def enter(*words: Any, **more: Any) -> Any:
        try:
            return function(*words, **more)
        except Exception as error:
            mistake = _mistake(error)
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


def _mistake(error: Exception) -> Exception | None:
    """Return what to raise in place of an error; None if it is no mistake, or names its place itself."""
    from ...base.errors import CratewrightError  # noqa: PLC0415 - only once there is one

    is_of_scons = isinstance(error, SCons.Errors.UserError) and not _has_users_frame(error.__traceback__)
    if not (is_of_scons or isinstance(error, CratewrightError)):
        return None
    mistake: Exception = SCons.Errors.UserError(str(error))
    mistake.__cause__ = error
    return mistake


def _has_users_frame(place: TracebackType | None) -> bool:
    while place is not None:
        if not is_hidden(place.tb_frame.f_code.co_filename):
            return True
        place = place.tb_next
    return False
