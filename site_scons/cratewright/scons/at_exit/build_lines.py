"""What SCons prints while it builds: whether that is only what is up to date, and whether it has finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import SCons.Script.Main

from ..last_build.terminal_writes import listen

_FINISHED = "scons: done building targets."
_ENDED = ("scons: done building targets", "scons: building terminated")


class BuildLines:
    """Collects the lines that SCons prints while it builds.

    Shape: `is_complete` until anything else prints, apart from SCons's progress; `has_finished` once SCons says so,
    `has_ended` also if it has failed.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_complete = True
        self.has_finished = False
        self.has_ended = False
        self._is_own = False
        main = SCons.Script.Main
        main.display = _Display(main.display, self._print, self.lines.append)
        main.progress_display = _Display(main.progress_display, self._print, self._note_progress)
        listen(self._note_output)

    def _note_progress(self, text: str) -> None:
        self.has_finished = text == _FINISHED
        self.has_ended = self.has_ended or text.startswith(_ENDED)

    def _print(self, display: Callable[..., None], *args: Any) -> None:
        self._is_own = True
        try:
            display(*args)
        finally:
            self._is_own = False

    def _note_output(self) -> None:
        self.is_complete = self.is_complete and self._is_own


class _Display:
    """One of SCons's two printing functions, which print or not depending on its options."""

    def __init__(self, original: Any, call: Callable[..., None], note: Callable[[str], None]) -> None:
        self._original = original
        self._call = call
        self._note = note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def __call__(self, text: str, *args: Any) -> None:
        self._note(text)
        self._call(self._original, text, *args)
