"""The hooks that plugins implement.

Knows nothing of who implements them.
"""

from __future__ import annotations

import pluggy

from .backend import CodegenBackend

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT = "cratewright"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def cratewright_register_backend() -> type[CodegenBackend]:  # type: ignore[empty-body]
    """Return a backend class.

    Called: once, when backends are first looked up. Every implementation is asked.
    Guarantees: importing the plugin's module and calling this hook is cheap: no tool is loaded.
    Use in: a distribution's module named by an entry point of group `cratewright`, or a module passed to
    `cratewright.register`.
    """
