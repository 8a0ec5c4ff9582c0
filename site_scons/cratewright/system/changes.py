"""Watches files, in a separate process, so that this one has no threads and can fork.

Changes wait in a pipe until they are read.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress

from ..base.errors import ConfigurationError, OutputError
from ..base.host import hold_signals
from .child import begin_group, disown, end_group, own, watch_groups

_QUIET = 15
"""Milliseconds without a change that end a burst, such as an editor's."""
_LONGEST = 200
_OFTEN = 100
_READY = b"\0"


class Changes:
    """Changes below some directories; `output` becomes readable when there are any.

    Raises: ConfigurationError if watchfiles is not installed; OutputError if the directories cannot be watched.
    """

    def __init__(self, directories: Iterable[str]) -> None:
        if importlib.util.find_spec("watchfiles") is None:
            raise ConfigurationError("watching files needs watchfiles", hint="pip install 'cratewright[watch]'")
        self.directories = tuple(directories)
        self.output, writer = os.pipe()
        watch_groups()
        parent = os.getpid()
        with hold_signals():
            self._process = os.fork()
            if not self._process:
                _watch(self.directories, self.output, writer, parent)
            own(self._process)
        os.close(writer)
        self._left = b""
        if os.read(self.output, 1) != _READY:
            self.close()
            raise OutputError(
                "files cannot be watched here",
                context=(("directories", " ".join(self.directories)),),
                hint="the system's limit may be reached: fs.inotify.max_user_watches",
            )

    def read(self) -> list[str]:
        """Return the absolute paths that changed, possibly repeated.

        Raises: OutputError if the watching process has died.
        """
        data = os.read(self.output, 1 << 20)
        if not data:
            raise OutputError("files are no longer watched", hint="start it again")
        *paths, self._left = (self._left + data).split(b"\0")
        return [os.fsdecode(path) for path in paths if path]

    def close(self) -> None:
        """Stop watching."""
        end_group(self._process)
        disown(self._process)
        with suppress(OSError):
            os.waitpid(self._process, 0)
        os.close(self.output)


def _watch(directories: tuple[str, ...], reader: int, writer: int, parent: int) -> None:
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        begin_group()
        os.close(reader)  # else a write could block for ever once the parent is gone
        from watchfiles import DefaultFilter  # noqa: PLC0415 - of an extra, and slow to import
        from watchfiles import watch as watched  # noqa: PLC0415

        ready = False
        # The watch is set up before the first wait, and each timeout yields an empty set.
        for found in watched(
            *directories, watch_filter=DefaultFilter(), step=_QUIET, debounce=_LONGEST, rust_timeout=_OFTEN,
            yield_on_timeout=True, raise_interrupt=False,
        ):  # fmt: skip
            if not ready:
                os.write(writer, _READY)
                ready = True
            if os.getppid() != parent:
                break
            row = b"".join(os.fsencode(path) + b"\0" for path in sorted({path for _, path in found}))
            while row:
                row = row[os.write(writer, row) :]
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)
