"""How a mistake that shows while stages are planned reaches SCons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import SCons.Errors

from ..base.errors import CratewrightError

__all__ = ["planning_errors"]


@contextmanager
def planning_errors() -> Iterator[None]:
    """Let SCons print a planning error as one of its own, without a traceback."""
    try:
        yield
    except CratewrightError as error:
        raise SCons.Errors.UserError(str(error)) from error


# As for the methods of an Environment: the message is to name the line of the SConstruct.
_body = planning_errors.__wrapped__  # type: ignore[attr-defined]
_body.__code__ = _body.__code__.replace(co_filename=SCons.Errors.__file__)
