"""What runs inside a worker: a backend object for each session, and its methods.

Knows nothing of who asks.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache

from ..backend import CodegenBackend, Session
from ..stencil import UnitStencil

__all__ = ["backend_path", "import_directory", "open_backend", "run", "warm"]


def backend_path(backend: type[CodegenBackend]) -> str:
    """Return the words by which a worker finds a backend class, or an empty string if it could not.

    Shape: `module:qualified.name`. A class made inside an SConstruct cannot be imported by anyone else.
    """
    try:
        found: object = importlib.import_module(backend.__module__)
        for name in backend.__qualname__.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError):
        return ""
    if found is not backend or getattr(importlib.import_module(backend.__module__), "__spec__", None) is None:
        return ""
    return f"{backend.__module__}:{backend.__qualname__}"


def import_directory(backend: type[CodegenBackend]) -> str:
    """Return the directory that a backend's top-level module or package lies in.

    SCons forgets, once it has read an SConstruct, what that added to `sys.path`; workers start later.
    """
    file = getattr(sys.modules[backend.__module__.partition(".")[0]], "__file__", None) or ""
    directory, name = os.path.split(os.path.abspath(file))
    return os.path.dirname(directory) if name == "__init__.py" else directory


@cache
def open_backend(path: str, session: Session) -> CodegenBackend:
    """Return this process's backend object for a session."""
    module, _, name = path.partition(":")
    found: object = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert isinstance(found, type) and issubclass(found, CodegenBackend)
    backend = found()
    backend.init(session)
    return backend


def warm(path: str, session: Session, stencils: Sequence[UnitStencil]) -> None:
    """Warm up a backend."""
    open_backend(path, session).warm(stencils)


def run(path: str, session: Session, method: str, *arguments: object) -> object:
    """Call a method of a backend."""
    return getattr(open_backend(path, session), method)(*arguments)
