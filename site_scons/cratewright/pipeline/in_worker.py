"""The part that runs in a worker: one backend object per session, and its methods."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from ..base.errors import ConfigurationError, PluginError
from ..base.values import dataclass
from ..cache.thin_modules import index_thin_modules
from ..contract.backend import CodegenBackend
from ..contract.blame import foreign_error, is_fault, plugin_row
from ..contract.edge import open_backend, plugin_class
from ..contract.session import Session
from ..values.call import BackendCall
from ..values.stencil import UnitStencil
from .timings import Timed


@dataclass(frozen=True, slots=True)
class Watched:
    """The result of a call, and the files that Python code opened meanwhile.

    Shape: files below the root are root-relative, Python's own are left out. Files opened by a tool are
    not seen.
    """

    value: object
    opened: tuple[str, ...]


def backend_path(backend: type[CodegenBackend]) -> str:
    """Return the path by which a worker finds a backend class, or an empty string if it cannot.

    Shape: `module:qualified.name`. A class made inside an SConstruct or a function cannot be imported.
    """
    try:
        found: object = importlib.import_module(backend.__module__)
        for name in backend.__qualname__.split("."):
            found = getattr(found, name)
    except Exception:  # the class's attributes or its module may fail in any way
        return ""
    if found is not backend or getattr(importlib.import_module(backend.__module__), "__spec__", None) is None:
        return ""
    return f"{backend.__module__}:{backend.__qualname__}"


def not_found(kind: type[CodegenBackend]) -> PluginError:
    """Return the error for a backend that workers cannot find."""
    return PluginError(
        f"backend '{kind.NAME}': workers cannot find the class {kind.__qualname__} by its name",
        context=(plugin_row(kind.__module__), ("looked for", f"{kind.__module__}:{kind.__qualname__}")),
        hint="define it at the top of a module that can be imported, such as site_scons/NAME.py, not in an SConstruct "
        "or a function",
    )


def in_process(kind: type[CodegenBackend]) -> ConfigurationError:
    """Return the error for a backend that threads cannot serve."""
    return ConfigurationError(
        f"CRATE_WORKERS is 'threads', and backend '{kind.NAME}' computes in the process that calls it",
        context=(plugin_row(kind.__module__),),
        hint="leave it out, or set it to fork or spawn: a crash or a hang then costs one unit",
    )


def import_directory(backend: type[CodegenBackend]) -> str:
    """Return the directory of a backend's top-level module or package.

    After reading an SConstruct, SCons drops what that added to `sys.path`; workers start later.
    """
    file = getattr(sys.modules[backend.__module__.partition(".")[0]], "__file__", None) or ""
    directory, name = os.path.split(os.path.abspath(file))
    return os.path.dirname(directory) if name == "__init__.py" else directory


@cache
def load_backend(path: str, session: Session) -> CodegenBackend:
    """Return this process's backend object for a session.

    Raises: PluginError if the class is not found here, or cannot be instantiated.
    """
    module, _, name = path.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except BaseException as error:
        if not is_fault(error):
            raise
        raise foreign_error(error, f"a worker cannot import {path}", root=session.root) from error
    assert isinstance(found, type) and issubclass(found, CodegenBackend)
    return open_backend(found, session)


def warm(path: str, session: Session, stencils: Sequence[UnitStencil]) -> None:
    """Warm up a backend."""
    load_backend(path, session).warm(stencils)


def run_call(path: str, session: Session, call: BackendCall[object], watched: bool, timed: bool) -> object:
    """Make a call of a backend, as `make`.

    Raises: PluginError if a thread that the call started has failed: its work is missing.
    """
    backend = load_backend(path, session)
    failed: list[BaseException] = []

    def note(details: threading.ExceptHookArgs) -> None:
        if details.exc_value is not None and details.exc_type is not SystemExit:  # which only ends the thread
            failed.append(details.exc_value)

    before, threading.excepthook = threading.excepthook, note
    try:
        value = make(backend, call, watched, timed)
    finally:
        threading.excepthook = before
    if failed:
        rows = (plugin_row(plugin_class(backend).__module__),)
        message = f"backend '{backend.NAME}': {call.name}() failed in a thread of its own"
        raise foreign_error(failed[0], message, root=session.root, rows=rows) from failed[0]
    return value


def make(backend: CodegenBackend, call: BackendCall[object], watched: bool = False, timed: bool = False) -> object:
    """Return the result of a call, without what its request has already: `Watched` or `Timed` if requested."""
    if not timed:
        return make_watched(backend, call) if watched else index_thin_modules(call.of(backend), call.arguments)
    # Earlier passes, perhaps of the process that this one was forked from, do not belong to this call.
    backend.print_pass_timings()
    started = time.perf_counter()
    value = make(backend, call, watched)
    seconds = time.perf_counter() - started
    return Timed(value, seconds, dict(backend.print_pass_timings()))


def make_watched(backend: CodegenBackend, call: BackendCall[object]) -> Watched:
    """Make a call and record the files it opens."""
    with watching() as files:
        value = make(backend, call)
    root = os.path.join(os.path.realpath(backend.session.root), "")
    paths = dict.fromkeys(os.path.realpath(os.path.join(root, path)) for path in files)
    python = tuple(os.path.join(os.path.realpath(place), "") for place in {sys.prefix, sys.base_prefix})
    opened = (
        path[len(root) :] if path.startswith(root) else path
        for path in paths
        if path.startswith(root) or not path.startswith(python)
    )
    return Watched(value, tuple(opened))


@contextmanager
def watching() -> Iterator[list[str]]:
    """Yield a list to which each file that Python code of this thread opens, or tries to, is added."""
    _watch()
    files: list[str] = []
    _seen.files = files
    try:
        yield files
    finally:
        _seen.files = None


_seen = threading.local()


@cache
def _watch() -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        files = getattr(_seen, "files", None)
        if files is not None and event == "open" and isinstance(arguments[0], (str, bytes)):
            files.append(os.fsdecode(arguments[0]))

    sys.addaudithook(hook)
