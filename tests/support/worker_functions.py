"""What the tests of the worker pool run in workers."""

from __future__ import annotations

import os
import signal
import sys
import time

from cratewright.base.errors import SourceError
from tests.support.bounds import until

WARMED: list[str] = []


def warm(word: str) -> None:
    """Remember that this process, or the one it was forked from, was warmed up."""
    WARMED.append(word)


def warm_badly() -> None:
    """Fail while warming up."""
    raise SourceError("cannot warm up", hint="try a stove")


def warmed() -> list[str]:
    """Return what was warmed up here."""
    return list(WARMED)


def double(number: int) -> int:
    """Return twice the number."""
    return number * 2


def slow(seconds: float) -> float:
    """Return late."""
    time.sleep(seconds)
    return seconds


def wait_for(path: str) -> None:
    """Return when there is a file."""
    until(lambda: os.path.exists(path))


def span(seconds: float) -> tuple[float, float]:
    """Return when this began and ended."""
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def meet(directory: str, seconds: float) -> bool:
    """Say whether calls that are given the same directory run at one time; wait so long for another."""
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
    """Return the worker's process number, after a moment in which others may start."""
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
    """Never answer, and take no notice of a polite request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def fail(text: str) -> None:
    """Raise one of our own errors."""
    raise SourceError(text, context=[("row", "value")], hint="hint")


def foreign() -> None:
    """Raise what nobody expects."""
    raise KeyError("unexpected")


def chatter(size: int) -> bytes:
    """Print, and return a large answer."""
    print("chatter on standard output", flush=True)
    return b"x" * size


def length(data: bytes) -> int:
    """Return how much arrived."""
    return len(data)


def unsendable() -> object:
    """Return what cannot be sent."""
    return lambda: None


def evaluate(expression: str) -> object:
    """Return what a Python expression comes to here."""
    result: object = eval(expression)
    return result
