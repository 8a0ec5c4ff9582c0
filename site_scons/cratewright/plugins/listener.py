"""Passes a build's events to a plugin. If it raises, the error is reported, and it gets no more events."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from ..contract.blame import foreign_error, is_fault
from ..system.events import Event
from .hooks import say


class PluginListener:
    """Passes events to one plugin, one at a time; `call` is its hook."""

    def __init__(self, plugin: str, call: Callable[..., object]) -> None:
        self._plugin = plugin
        self._call: Callable[..., object] | None = call
        self._lock = threading.RLock()
        self._owner = os.getpid()

    def __call__(self, event: Event) -> None:
        """Pass an event, except in a process that was forked from the build's own."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            if self._call is None:
                return
            try:
                self._call(event=event)
            except BaseException as error:
                if not is_fault(error):
                    raise
                self._call = None
                what = (
                    f"plugin '{self._plugin}' failed at {type(event).__name__}, and gets no more events of this build"
                )
                say(str(foreign_error(error, what)))
