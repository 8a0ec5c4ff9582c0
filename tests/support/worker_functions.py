"""Functions that tests of the worker pool run in workers."""

from __future__ import annotations

import os
import signal
import sys
import time

from cratewright.base.errors import SourceError
from tests.support.bounds import until

WARMED: list[str] = []


def warm(word: str) -> None:
    """Record that this process, or its parent, was warmed up."""
    WARMED.append(word)


def warm_badly() -> None:
    """Fail while warming up."""
    raise SourceError("cannot warm up", hint="try a stove")


def warmed() -> list[str]:
    """Return the words with which this process was warmed up."""
    return list(WARMED)


def double(number: int) -> int:
    """Return twice the number."""
    return number * 2


def slow(seconds: float) -> float:
    """Return after some seconds."""
    time.sleep(seconds)
    return seconds


def wait_for(path: str) -> None:
    """Return once a file exists."""
    until(lambda: os.path.exists(path))


def span(seconds: float) -> tuple[float, float]:
    """Return the times of its begin and end."""
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def meet(directory: str, seconds: float) -> bool:
    """Return whether another call with the same directory runs at the same time; wait up to `seconds` for one."""
    ours, met = os.path.join(directory, str(os.getpid())), os.path.join(directory, "met")
    open(ours, "x").close()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not os.path.exists(met):
        if len(os.listdir(directory)) > 1:
            open(met, "w").close()
        time.sleep(0.005)
    os.unlink(ours)
    return os.path.exists(met)


def pid() -> int:
    """Return the worker's process id, after a moment in which others may start."""
    time.sleep(0.02)
    return os.getpid()


def crash(number: int) -> None:
    """End by a signal."""
    os.kill(os.getpid(), number)
    time.sleep(5)


def leave(status: int) -> None:
    """End the worker's process."""
    sys.exit(status)


def hang() -> None:
    """Never answer, and ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def fail(text: str) -> None:
    """Raise one of our own errors."""
    raise SourceError(text, context=[("row", "value")], hint="hint")


def foreign() -> None:
    """Raise an unexpected exception."""
    raise KeyError("unexpected")


def chatter(size: int) -> bytes:
    """Print, and return a large answer."""
    print("chatter on standard output", flush=True)
    return b"x" * size


def length(data: bytes) -> int:
    """Return the length of the data received."""
    return len(data)


def unsendable() -> object:
    """Return something that cannot be pickled."""
    return lambda: None


def evaluate(expression: str) -> object:
    """Return the value of a Python expression here."""
    result: object = eval(expression)
    return result
