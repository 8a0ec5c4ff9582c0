"""Ends what this process has started if it is killed and cannot do so itself.

A small shell is told of each process group that begins and ends. When this process dies, its end of the pipe closes,
and the shell ends the remaining groups. The system's own mechanism, a signal on the parent's death, is tied to the
parent's thread, and needs code after the fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress

__all__ = ["close_watchdog", "leave_watchdog", "tell_watchdog", "wake_watchdog"]

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
    """The end of the pipe to it; -1 if there is none, and `asked` once it was to be started."""

    writer = -1
    asked = False
    lock = threading.Lock()


def wake_watchdog(groups: Iterable[int]) -> None:
    """Start it, with the groups that there are; without effect the second time, or where it cannot be started."""
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
            # A build's own output must end with the build, for whoever reads it to the end.
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
    """Tell it that a group has begun (`+`) or ended (`-`), if it runs."""
    if _Watchdog.writer >= 0:
        with suppress(OSError):  # it has been ended, or is behind by thousands
            os.write(_Watchdog.writer, f"{what} {group}\n".encode())


def close_watchdog() -> None:
    """Be none of those it watches for, in a fresh fork, so that it sees the end of the process it was forked from."""
    if _Watchdog.writer >= 0:
        os.close(_Watchdog.writer)
    leave_watchdog()


def leave_watchdog() -> None:
    """Be none of those it watches for: of a process that was forked, the parent has the pipe."""
    _Watchdog.writer = -1
    _Watchdog.asked = False
