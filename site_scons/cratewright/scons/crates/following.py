"""Libraries without a target, built once more for each target of crates that name them in `deps`.

A name may be that of a crate that is declared later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from ...base.values import dataclass
from .declared_crate import DeclaredCrate

__all__ = ["Following"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A target that a dependency is needed for; `directory` is that of the SConscript that names it."""

    directory: str
    backend: str
    machine: str


@dataclass(slots=True)
class Following:
    """The targets for which each name is needed."""

    _asked: dict[str, dict[_Asked, None]] = field(default_factory=dict)
    _done: set[tuple[str, str]] = field(default_factory=set)

    def ask(self, name: str, named: Sequence[DeclaredCrate], *, directory: str, backend: str, machine: str) -> None:
        """Declare crates of a name for a target, both those declared so far and later ones."""
        asked = _Asked(directory, backend, machine)
        self._asked.setdefault(name, {})[asked] = None
        for crate in named:
            self._follow(crate, asked, named)

    def declared(self, crate: DeclaredCrate, named: Sequence[DeclaredCrate]) -> None:
        """Let a crate follow those that have asked for its name."""
        for asked in list(self._asked.get(crate.name, ())):
            self._follow(crate, asked, named)

    def _follow(self, crate: DeclaredCrate, asked: _Asked, named: Sequence[DeclaredCrate]) -> None:
        follows = crate.for_target is not None and not crate.fits(asked.backend, asked.machine)
        # A name means that of its own directory, if there is one.
        nearer = crate.directory != asked.directory and any(item.directory == asked.directory for item in named)
        key = (crate.key, asked.machine)
        if follows and not nearer and key not in self._done:
            self._done.add(key)
            assert crate.for_target is not None
            crate.for_target(asked.machine)
