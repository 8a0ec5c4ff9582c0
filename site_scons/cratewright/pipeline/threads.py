"""Makes calls in parallel, in threads of this process.

The calls must be safe to make at the same time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..system.child import check_ended

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def map_in_threads(
    items: Sequence[_Item],
    make: Callable[[_Item, Callable[[], None]], _Made],
    done: Callable[[int, _Made], None],
    began: Callable[[int, int], None],
    *,
    most: int,
    name: str,
) -> None:
    """Make each item, and pass its outcome to `done` as soon as it is known.

    Shape: `make` calls its second argument when it begins. `began` and `done` are called in this thread, with the
    position of the item; `began` also with the number of its thread, from 1. `most` is the limit of threads.
    Raises: Interrupted if the build has ended; anything that `make` raises.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for position in range(len(items)):
        waiting.put(position)
    news: queue.SimpleQueue[tuple[int, int, _Made | BaseException | None]] = queue.SimpleQueue()
    stopped = threading.Event()

    def serve(number: int) -> None:
        while not stopped.is_set():
            try:
                position = waiting.get_nowait()
            except queue.Empty:
                return

            def begin(position: int = position) -> None:
                news.put((position, number, None))

            try:
                news.put((position, number, make(items[position], begin)))
            except BaseException as error:  # raised again in the waiting thread
                news.put((position, number, error))
                return

    threads = [
        threading.Thread(target=serve, args=(number,), name=name, daemon=True)
        for number in range(1, min(most, len(items)) + 1)
    ]
    for thread in threads:
        thread.start()
    left = len(items)
    try:
        while left:
            try:
                position, number, outcome = news.get(timeout=0.2)
            except queue.Empty:
                check_ended()
                continue
            if outcome is None:
                began(position, number)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                done(position, outcome)
                left -= 1
    finally:
        stopped.set()
