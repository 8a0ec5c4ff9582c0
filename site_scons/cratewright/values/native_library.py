"""Libraries that are not crates, as a crate names them.

Source: rustc's `-l [KIND[:MODIFIERS]=]NAME`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from enum import Enum

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.values import dataclass


class LibraryKind(Enum):
    """The form of a library."""

    DYLIB = "dylib"
    STATIC = "static"
    FRAMEWORK = "framework"


@dataclass(frozen=True, slots=True)
class NativeLibrary:
    """A library by name, or by a path, which has a `/` in it.

    Shape: `bundle` makes a static library part of the crate's rlib and staticlib (the default, as in rustc);
    `whole_archive` links all of its members, needed or not.
    """

    name: str
    kind: LibraryKind = LibraryKind.DYLIB
    bundle: bool = False
    whole_archive: bool = False

    @property
    def path(self) -> str:
        """The library's path, relative to the project root or absolute; empty if it is given by name."""
        return posixpath.normpath(self.name) if "/" in self.name else ""

    def __str__(self) -> str:
        words = [f"{sign}{word}" for sign, word in self._modifiers()]
        return f"{self.kind.value}{':' if words else ''}{','.join(words)}={self.name}"

    def _modifiers(self) -> Iterable[tuple[str, str]]:
        if self.kind is LibraryKind.STATIC and not self.bundle:
            yield "-", "bundle"
        if self.whole_archive:
            yield "+", "whole-archive"


def parse_library(text: str, *, where: str) -> NativeLibrary:
    """Parse a library as rustc's `-l` spells it: `m`, `static=z`, `static:-bundle,+whole-archive=z`, `framework=X`.

    Raises: UnknownNameError for an unknown kind or modifier; ConfigurationError for one that makes no sense.
    """
    head, equals, name = text.partition("=")
    if not equals:
        head, name = "dylib", text
    word, _, modifiers = head.partition(":")
    kinds = {kind.value: kind for kind in LibraryKind}
    if word not in kinds:
        raise UnknownNameError(
            f"unknown library kind '{word}'",
            context=(("where", where), ("library", text), ("kinds", " ".join(kinds))),
            hint=near_miss(word, kinds),
        )
    kind = kinds[word]
    switches = {"bundle": kind is LibraryKind.STATIC, "whole-archive": False}
    for modifier in filter(None, modifiers.split(",")):
        sign, option = modifier[0], modifier[1:]
        if sign not in "+-" or option not in switches:
            raise UnknownNameError(
                f"'{modifier}' is not a modifier of a library",
                context=(("where", where), ("library", text), ("modifiers", "+bundle -bundle +whole-archive")),
            )
        if kind is not LibraryKind.STATIC:
            raise ConfigurationError(
                f"'{modifier}' is for static libraries only", context=(("where", where), ("library", text))
            )
        switches[option] = sign == "+"
    if not name or name.endswith("/") or (kind is LibraryKind.FRAMEWORK and "/" in name):
        raise ConfigurationError(
            f"library {text!r} has no name",
            context=(("where", where),),
            hint="a name as after the linker's -l, or the path of a library's file",
        )
    return NativeLibrary(name, kind, switches["bundle"], switches["whole-archive"])
