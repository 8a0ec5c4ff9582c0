"""Libraries without a target, declared again for each target of crates that name them in `deps`.

A name may be that of a crate that is declared later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from ...base.values import dataclass
from .declared_crate import DeclaredCrate


@dataclass(frozen=True, slots=True)
class _Request:
    """A target for which a dependency is needed, and the directory of the SConscript that names it."""

    directory: str
    backend: str
    machine: str


@dataclass(slots=True)
class Retargeting:
    """Declares libraries again for the targets that name them."""

    _requests: dict[str, dict[_Request, None]] = field(default_factory=dict)
    _done: set[tuple[str, str]] = field(default_factory=set)

    def request(self, name: str, named: Sequence[DeclaredCrate], *, directory: str, backend: str, machine: str) -> None:
        """Declare crates of a name for a target, both those declared so far and later ones."""
        request = _Request(directory, backend, machine)
        self._requests.setdefault(name, {})[request] = None
        for crate in named:
            self._declare(crate, request, named)

    def declared(self, crate: DeclaredCrate, named: Sequence[DeclaredCrate]) -> None:
        """Declare a crate for the targets that have requested its name."""
        for request in list(self._requests.get(crate.name, ())):
            self._declare(crate, request, named)

    def _declare(self, crate: DeclaredCrate, request: _Request, named: Sequence[DeclaredCrate]) -> None:
        is_wanted = crate.for_target is not None and not crate.fits(request.backend, request.machine)
        # A name means a crate of its own directory, if there is one.
        has_nearer = crate.directory != request.directory and any(item.directory == request.directory for item in named)
        key = (crate.key, request.machine)
        if is_wanted and not has_nearer and key not in self._done:
            self._done.add(key)
            assert crate.for_target is not None
            crate.for_target(request.machine)
