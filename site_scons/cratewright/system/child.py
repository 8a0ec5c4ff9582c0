"""Runs programs to completion, and ends everything that a build has started.

Each child leads a process group, so that killing it also kills its own children: the compiler of a wrapper, the linker
of a driver. Programs that a worker runs belong to the worker's group.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import IO, TYPE_CHECKING

from ..base.errors import Interrupted, ToolError
from ..base.host import end_tree, has_groups, lead_group, new_group, release_signals
from ..base.values import dataclass
from .watchdog import close_watchdog, leave_watchdog, tell_watchdog, wake_watchdog

if TYPE_CHECKING:
    import subprocess


@dataclass(frozen=True, slots=True)
class Finished:
    """A program's output and exit status; `status` is the negated number of the signal that killed it, if one did."""

    status: int
    stdout: bytes
    stderr: bytes


def exit_reason(status: int) -> str:
    """Return why a program ended: its exit status, a signal or, on Windows, an exception."""
    if status < 0:
        names = {int(number): f" ({number.name})" for number in signal.Signals}
        return f"signal {-status}{names.get(-status, '')}"
    return f"exit status {status}" if status < 1 << 31 else f"exception 0x{status:08X}"


class _Build:
    """The groups started by this process that are still alive, and whether the build is being ended."""

    def __init__(self) -> None:
        self.groups: set[int] = set()
        self.ended = threading.Event()
        self.running = 0
        self.lock = threading.Lock()
        self.limit = 300.0
        self.member = False


_build = _Build()


def limit_programs(seconds: float) -> None:
    """Set the default time limit of a program."""
    _build.limit = seconds


class _Turns(threading.local):
    """How this thread waits for its turn to run a program."""

    take: Callable[[], AbstractContextManager[None]] = nullcontext


_turns = _Turns()


def take_turns(take: Callable[[], AbstractContextManager[None]]) -> None:
    """Make each program that the calling thread runs wait for its turn, by entering what `take` returns."""
    _turns.take = take


def run_program(
    argv: Sequence[str],
    *,
    what: str = "",
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float | None = None,
) -> Finished:
    """Run a program to its end.

    Shape: `what` names the work in messages, such as `main.c`. In a worker only the worker's own limit applies.
    Units: `timeout` in seconds.
    Raises: OSError if it cannot be started; ToolError if it exceeds the limit, after killing it and its children;
    Interrupted if the build is interrupted.
    """
    with _turns.take():
        return _run(argv, what, cwd, env, input, _build.limit if timeout is None else timeout)


def _run(
    argv: Sequence[str],
    what: str,
    cwd: str | os.PathLike[str] | None,
    env: Mapping[str, str] | None,
    input: bytes | None,
    limit: float,
) -> Finished:
    import subprocess  # noqa: PLC0415 - a build that has nothing to do runs no program

    check_ended()
    watch_groups()
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **({} if _build.member else new_group()),
    )
    if not (_build.member and has_groups()):
        own(process.pid)
    try:
        if _build.ended.is_set():  # since the check above
            end_group(process.pid)
        stdout, stderr = process.communicate(input, timeout=None if _build.member else limit)
    except subprocess.TimeoutExpired as error:
        _end(process)
        named = f"{what}: " if what else ""
        raise ToolError(
            f"{named}{os.path.basename(argv[0])} did not answer within {limit:g} s and was killed",
            hint="set CRATE_TIMEOUT to a larger number of seconds if it is merely slow",
        ) from error
    except BaseException:
        _end(process)
        raise
    finally:
        disown(process.pid)
    check_ended()
    return Finished(process.returncode, stdout, stderr)


def _end(process: subprocess.Popen[bytes]) -> None:
    if _build.member:
        process.kill()
    else:
        end_group(process.pid)
    process.wait()
    pipes: tuple[IO[bytes] | None, ...] = (process.stdin, process.stdout, process.stderr)
    for pipe in pipes:
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def join_group() -> None:
    """Lead a group from now on, which the parent ends together with the programs that this process runs."""
    _build.member = True
    leave_watchdog()
    _build.groups.clear()
    _build.ended.clear()
    lead_group()


def begin_group() -> None:
    """Lead a group that ends with the parent, in a process just forked; forget the parent's own groups.

    Call this first in a fork that may run for long. The parent may be killed before it records the child, so the child
    tells the watchdog itself; the watchdog stays alive meanwhile, because the child holds its pipe.
    """
    lead_group()
    tell_watchdog("+", os.getpid())
    close_watchdog()
    _build.groups.clear()
    _build.ended.clear()
    release_signals()


def watch_groups() -> None:
    """Ensure that the groups started here end even if this process is killed; a worker's end with the worker."""
    if not _build.member:
        wake_watchdog(_build.groups)


def own(leader: int) -> None:
    """Record a group that must not outlive this build."""
    _build.groups.add(leader)
    tell_watchdog("+", leader)
    if _build.ended.is_set():
        end_group(leader)


def disown(leader: int) -> None:
    """Forget a group that has ended or is about to: the system may soon reuse its number."""
    if leader in _build.groups:
        _build.groups.discard(leader)
        tell_watchdog("-", leader)


def owns(leader: int) -> bool:
    """Return whether a group was started here and has not been ended."""
    return leader in _build.groups


def end_group(leader: int) -> None:
    """End a process and everything in its group."""
    end_tree(leader)


def end_all() -> None:
    """End everything that this process has started; waiting callers get Interrupted.

    Takes no lock, so signal handlers and any thread may call it.
    """
    _build.ended.set()
    for leader in tuple(_build.groups):
        end_group(leader)
        disown(leader)


def check_ended() -> None:
    """Raise Interrupted if the build has been ended."""
    if _build.ended.is_set():
        raise Interrupted("interrupted")


class running:
    """Context of a running stage; an interrupted build has ended once no stage runs any more."""

    def __enter__(self) -> None:
        with _build.lock:
            _build.running += 1

    def __exit__(self, *details: object) -> None:
        with _build.lock:
            _build.running -= 1
            if not _build.running:
                _build.ended.clear()
