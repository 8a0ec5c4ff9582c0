"""Libraries that are not crates, as a crate names them.

Source: rustc's `-l [KIND[:MODIFIERS]=]NAME`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from enum import Enum

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.values import dataclass

__all__ = ["LibraryKind", "NativeLibrary", "parse_library"]


class LibraryKind(Enum):
    """What form of a library is meant."""

    DYLIB = "dylib"
    STATIC = "static"
    FRAMEWORK = "framework"


@dataclass(frozen=True, slots=True)
class NativeLibrary:
    """A library by name, or by a path, which has a `/` in it.

    Shape: `bundle` if a static library becomes part of the crate's rlib and staticlib (the default, as in rustc);
    `whole_archive` if all of its members are linked, needed or not.
    """

    name: str
    kind: LibraryKind = LibraryKind.DYLIB
    bundle: bool = False
    whole_archive: bool = False

    @property
    def path(self) -> str:
        """The file that is meant, relative to the project root or absolute; empty if a library is named."""
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
    """Read one library as rustc's `-l` spells it: `m`, `static=z`, `static:-bundle,+whole-archive=z`, `framework=X`.

    Raises: UnknownNameError for a kind or modifier that is none; ConfigurationError for one that makes no sense.
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
