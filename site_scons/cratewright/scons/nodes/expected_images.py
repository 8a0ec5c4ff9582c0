"""The images of a crate that are known before the link, by entry point.

No node is made of an image until it is looked up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...base.errors import GraphError, near_miss
from ..SCons import entrance

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class ExpectedImages:
    """The images of a crate that are known before the link, determined when first needed.

    Shape: `find` gives paths, relative to the directory being read, by entry point, or None if not all are known.
    """

    def __init__(self, env: Environment, find: Callable[[], Mapping[str, str] | None]) -> None:
        self._here = str(env.fs.getcwd().abspath)
        self._find = find

    @cached_property
    def paths(self) -> Mapping[str, str]:
        """Absolute paths by entry point, empty if they are not known."""
        return {entry: os.path.normpath(os.path.join(self._here, file)) for entry, file in (self._found or {}).items()}

    @cached_property
    def files(self) -> frozenset[str] | None:
        """The paths; None if they are not known."""
        return None if self._found is None else frozenset(self.paths.values())

    @cached_property
    def _found(self) -> Mapping[str, str] | None:
        return self._find()


class ImageNodes(Mapping[str, Any]):
    """The images of a crate by entry point, such as `clouds.comp`; those known before the link.

    Shape: in the order of the sources. A name without its directories is enough if it is unambiguous.
    """

    def __init__(self, env: Environment, crate: str, expected: Iterable[ExpectedImages], hint: str) -> None:
        self._env = env
        self._crate = crate
        self._expected = tuple(expected)
        self._hint = hint

    @cached_property
    def paths(self) -> Mapping[str, str]:
        """The absolute paths, without making nodes."""
        return {entry: path for expected in self._expected for entry, path in expected.paths.items()}

    @entrance
    def __getitem__(self, name: str) -> Any:
        paths = self._paths(name)
        if len(paths) == 1:
            return self._env.fs.File(paths[0])
        raise GraphError(
            f"crate '{self._crate}' has no image '{name}'" if not paths else f"'{name}' could be several images",
            context=(("images", " ".join(self.paths) or "none that is known before the link"),),
            hint=near_miss(name, self.paths) if self.paths else self._hint,
        )

    # A mapping's own would expect a KeyError, which SCons would print as a traceback.
    def __contains__(self, name: object) -> bool:
        return len(self._paths(name)) == 1

    def get(self, name: str, default: Any = None) -> Any:
        """Return the image of an entry point, or a default if there is none."""
        paths = self._paths(name)
        return self._env.fs.File(paths[0]) if len(paths) == 1 else default

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def _paths(self, name: object) -> list[str]:
        whole = [path for key, path in self.paths.items() if key == name]
        return whole or [path for key, path in self.paths.items() if key.rpartition("/")[2] == name]
