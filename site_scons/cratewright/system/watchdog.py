"""Ends the process groups of this process if it is killed and cannot do so itself.

A small shell reads from a pipe which groups begin and end. When this process dies, the pipe closes, and the shell kills
the remaining groups. Linux's alternative, a signal on the parent's death, is tied to the parent's thread and needs code
after the fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress

_SHELL = "/bin/sh"
_SCRIPT = """\
trap '' HUP INT QUIT TERM
cd /
groups=
while read -r what group; do
    case $what in
        +) groups="$groups $group" ;;
        *)
            left=
            for each in $groups; do [ "$each" = "$group" ] || left="$left $each"; done
            groups=$left ;;
    esac
done
for each in $groups; do kill -s KILL -- "-$each"; done
"""


class _Watchdog:
    """The write end of its pipe, -1 if there is none, and whether starting it was attempted."""

    writer = -1
    asked = False
    lock = threading.Lock()


def wake_watchdog(groups: Iterable[int]) -> None:
    """Start the watchdog with these groups, unless that was tried before or is impossible."""
    if _Watchdog.asked:
        return
    with _Watchdog.lock:
        if _Watchdog.asked:
            return
        _Watchdog.asked = True
        if not hasattr(os, "posix_spawn") or not os.path.exists(_SHELL):
            return
        with suppress(OSError):
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            # The watchdog must not hold the build's output open: a reader waits for its end.
            nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
            actions = [(os.POSIX_SPAWN_DUP2, reader, 0), nothing, (os.POSIX_SPAWN_DUP2, 1, 2)]
            try:
                os.posix_spawn(_SHELL, [_SHELL, "-c", _SCRIPT], {}, file_actions=actions, setpgroup=0)
                _Watchdog.writer = writer
            finally:
                os.close(reader)
                if _Watchdog.writer < 0:
                    os.close(writer)
        for group in tuple(groups):
            tell_watchdog("+", group)


def tell_watchdog(what: str, group: int) -> None:
    """Tell the watchdog, if it runs, that a group has begun (`+`) or ended (`-`)."""
    if _Watchdog.writer >= 0:
        with suppress(OSError):  # the watchdog is dead, or the pipe is full
            os.write(_Watchdog.writer, f"{what} {group}\n".encode())


def close_watchdog() -> None:
    """Close the pipe in a fork, so that the watchdog sees the parent's end."""
    if _Watchdog.writer >= 0:
        os.close(_Watchdog.writer)
    leave_watchdog()


def leave_watchdog() -> None:
    """Forget the watchdog in a fork: it belongs to the parent."""
    _Watchdog.writer = -1
    _Watchdog.asked = False
