"""Attributes failures: names the plugin that a class comes from, and wraps its exceptions as errors.

It costs time only after a failure.
"""

from __future__ import annotations

import dis
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import pluggy

from ..base import errors
from ..base.diagnostic import Diagnostic, read_diagnostics
from ..base.errors import Context, CratewrightError, PluginError, SourceError

if TYPE_CHECKING:
    from importlib import metadata

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_GROUP = "cratewright"
_BETWEEN = tuple(
    os.path.join(place, "")
    for place in (_HERE, *(os.path.dirname(os.path.abspath(file)) for file in (pluggy.__file__, importlib.__file__)))
)
_FRAMES = 8
_MODULE_OF_SCONSTRUCTS = "SCons.Script"  # where SCons executes them
_KINDS = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CratewrightError)}


def plugin_words(module: str) -> str:
    """Return the plugin of a module with its version: `cratewright-tiny 0.3.1`, or `upper, no version`."""
    from importlib import metadata  # noqa: PLC0415 - slow, and seldom needed in a worker

    if module == _MODULE_OF_SCONSTRUCTS:
        return "an SConstruct or SConscript"
    package = module.partition(".")[0]
    for entry in metadata.entry_points(group=_GROUP):
        if entry.module.partition(".")[0] == package and entry.dist is not None:
            return distribution_words(entry.dist)
    version = getattr(sys.modules.get(package), "__version__", None)
    return f"{package} {version}" if isinstance(version, str) else f"{package}, no version"


def plugin_row(module: str) -> tuple[str, str]:
    """Return the context row of an error that names the plugin of a module."""
    return "plugin", plugin_words(module)


def distribution_words(distribution: metadata.Distribution) -> str:
    """Return a distribution's name and version."""
    about = distribution.metadata  # read and parsed at each access
    return f"{about['Name']} {about['Version']}"


def is_fault(error: BaseException) -> bool:
    """Say whether an exception is a fault of the called code, and not an interrupt by the user.

    A plugin may raise `SystemExit` or a BaseException of its own. A KeyboardInterrupt is the user's unless a `raise`
    statement made it.
    """
    return not isinstance(error, KeyboardInterrupt) or _was_raised(error.__traceback__)


def own_error(error: CratewrightError) -> CratewrightError:
    """Return an error as one of our classes: a plugin's subclass could not be rebuilt in another process.

    Raises: AttributeError, TypeError if it lacks a part of our errors, or has no message.
    """
    if type(error) not in _KINDS:
        kind = next(kind for kind in type(error).__mro__ if kind in _KINDS)
        rows = [(str(label), str(value)) for label, value in error.context]
        found = [item for item in error.diagnostics if type(item) is Diagnostic]
        error = kind(str(error.message), context=rows, hint=str(error.hint), diagnostics=found).leaving(error.leftovers)
    texts = (error.message, error.hint, *(label for label, _ in error.context))
    if not all(type(text) is str for text in texts) or not all(type(item) is Diagnostic for item in error.diagnostics):
        raise TypeError("an error of texts and diagnostics")
    if not error.message.strip():
        raise TypeError("an error that says nothing")
    if isinstance(error, SourceError) and not error.diagnostics:
        # A tool's text alone is a message too.
        return error.about(read_diagnostics(error.message))
    return error


def foreign_error(error: BaseException, message: str, *, root: str = "", rows: Context = ()) -> PluginError:
    """Return a plugin's exception as an error, with the lines of the plugin that led to it.

    Shape: `message` says what failed; paths below `root` are shown relative to it.
    """
    first, *more = _exception_words(error).splitlines()
    return PluginError(
        f"{message}: {first}",
        context=(*rows, *([("it says", "\n".join(more))] if more else []), *_raised_at(error, root)),
        hint="this is a fault of the plugin, not of your sources",
    )


def _exception_words(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # its __str__ may fail
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _raised_at(error: BaseException, root: str) -> Sequence[tuple[str, str]]:
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not _is_ours(frame.filename)][-_FRAMES:]
    lines = [f"{_shown(frame.filename, root)}:{frame.lineno}: in {frame.name}: {frame.line}" for frame in foreign]
    return (("raised at", "\n".join(lines)),) if lines else ()


def _is_ours(path: str) -> bool:
    """Say whether a frame is in this package, or between it and a plugin."""
    # Plugins may subclass the stub, whose code is as foreign as theirs.
    stub = os.path.join(_HERE, "authors", "stub")
    return path == threading.__file__ or (path.startswith((*_BETWEEN, "<frozen")) and not path.startswith(stub))


def _shown(path: str, root: str) -> str:
    full = os.path.abspath(path)
    below = os.path.relpath(full, root) if root else full
    return full if below.startswith("..") else below.replace(os.sep, "/")


def _was_raised(where: TracebackType | None) -> bool:
    if where is None:
        return True
    while where.tb_next is not None:
        where = where.tb_next
    code = where.tb_frame.f_code.co_code
    return dis.opname[code[where.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
