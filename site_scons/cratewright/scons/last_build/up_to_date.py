"""Has SCons print that targets are up to date, instead of checking them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import SCons.Node
import SCons.Node.Python
import SCons.Script
import SCons.Script.Main

from ..nodes.node import Node


class UpToDateNode(SCons.Node.Python.Value):  # type: ignore[misc]
    """A target with nothing to build, in place of crates that are not declared.

    Shape: `lines` are printed when SCons comes to it; then `done` is called.
    """

    def __init__(self, lines: Iterable[str], done: Callable[[], None] = lambda: None) -> None:
        super().__init__("crates that are up to date")
        self._lines = list(lines)
        self._done = done
        self.set_state(SCons.Node.up_to_date)

    def disambiguate(self, must_exist: object = None) -> Node:
        """Print what is up to date where SCons would have printed it."""
        while self._lines:
            SCons.Script.Main.display(self._lines.pop(0))
        self._done()
        return self


def build_only(targets: Iterable[Any]) -> None:
    """Have SCons build these targets; once it begins, its lists of targets are again what the SConstruct made them."""
    script = SCons.Script
    original = script.BUILD_TARGETS, script._build_plus_default

    def restore() -> None:
        script.BUILD_TARGETS, script._build_plus_default = original

    script.BUILD_TARGETS, script._build_plus_default = [UpToDateNode((), restore), *targets], []
