"""Ends the processes that a build has started when a signal ends the build.

SCons records a signal and waits for what is running; this ends it at once.
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

__all__ = ["end_anew", "end_on_signals", "tell_at_end", "watch_signals"]

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Watch:
    """How to wait for what tells of signals, whether a thread reads it, and who is told of an end."""

    read: Callable[[], bytes] | None = None
    begun = False
    tell: Callable[[], object] | None = None


def end_on_signals() -> None:
    """End what this process has started when it is told to end, as it is told again once SCons runs its jobs.

    Shape: for the main thread, before there are others; without effect the second time.
    """
    if _Watch.read is not None or threading.current_thread() is not threading.main_thread():
        return
    _Watch.read, writer = wakeup_ends()
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    if before != -1:  # somebody else's loop waits for signals
        signal.set_wakeup_fd(before)
    for number in _ENDING:
        # That of SIGINT raises KeyboardInterrupt, for which whoever waits for a process ends it.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def tell_at_end(tell: Callable[[], object]) -> None:
    """Have somebody told when a signal ends this process, which then runs nothing else of its own."""
    _Watch.tell = tell


def end_anew() -> None:
    """Do as `end_on_signals` in a fork, which has what the process before it has set up."""
    signal.set_wakeup_fd(-1)
    _Watch.read, _Watch.begun, _Watch.tell = None, False, None
    for number in _ENDING:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    end_on_signals()


def watch_signals() -> None:
    """Watch for signals whose handlers only take note, as SCons's do while it runs jobs."""
    if _Watch.begun or _Watch.read is None:
        return
    _Watch.begun = True
    try:
        threading.Thread(target=_read, args=(_Watch.read,), name="cratewright signals", daemon=True).start()
    except RuntimeError:  # no thread can be started: then it takes as long as what runs
        return


def _read(read: Callable[[], bytes]) -> None:
    while data := read():
        if any(byte in _ENDING for byte in data):
            end_all()


def _end(number: int, frame: FrameType | None) -> None:
    end_all()
    remove_scratch()
    if _Watch.tell is not None:
        with suppress(Exception):  # the end comes, whatever a listener does
            _Watch.tell()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
