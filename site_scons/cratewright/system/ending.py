"""Ends the processes that a build has started when a signal ends the build.

SCons notes a signal and waits for running jobs; this ends them at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from ..base.host import wakeup_ends
from .child import end_all
from .scratch import remove_scratch

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Watch:
    """How to read the numbers of signals, whether a thread does, and the callback at the end."""

    read: Callable[[], bytes] | None = None
    begun = False
    at_end: Callable[[], object] | None = None


def end_on_signals() -> None:
    """End everything that this process has started when a signal ends it.

    Call this in the main thread before other threads start; a second call has no effect. While SCons runs jobs, its own
    handlers stand instead, and `watch_signals` sees the signals.
    """
    if _Watch.read is not None or threading.current_thread() is not threading.main_thread():
        return
    _Watch.read, writer = wakeup_ends()
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    if before != -1:  # another event loop waits for signals
        signal.set_wakeup_fd(before)
    for number in _ENDING:
        # Python's handler of SIGINT raises KeyboardInterrupt, upon which code that waits for a process ends it.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def call_at_end(call: Callable[[], object]) -> None:
    """Call `call` when a signal ends this process; nothing else, such as atexit, runs then."""
    _Watch.at_end = call


def end_anew() -> None:
    """Set up `end_on_signals` again in a fork, in place of what it inherited."""
    signal.set_wakeup_fd(-1)
    _Watch.read, _Watch.begun, _Watch.at_end = None, False, None
    for number in _ENDING:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    end_on_signals()


def watch_signals() -> None:
    """Watch for signals in a thread, since SCons's handlers only note them while it runs jobs."""
    if _Watch.begun or _Watch.read is None:
        return
    _Watch.begun = True
    try:
        threading.Thread(target=_read, args=(_Watch.read,), name="cratewright signals", daemon=True).start()
    except RuntimeError:  # no thread can be started: an interrupt then waits for running jobs
        return


def _read(read: Callable[[], bytes]) -> None:
    while data := read():
        if any(byte in _ENDING for byte in data):
            end_all()


def _end(number: int, frame: FrameType | None) -> None:
    end_all()
    remove_scratch()
    if _Watch.at_end is not None:
        with suppress(Exception):  # an error of a listener must not stop the end
            _Watch.at_end()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
