"""All crates of one SCons run, and their dependencies."""

from __future__ import annotations

import os
import posixpath
import threading
from dataclasses import field
from typing import TYPE_CHECKING

from ...base.errors import GraphError, near_miss
from ...base.values import dataclass
from ...pipeline.engine import Engine
from ...system.ending import end_on_signals
from ..graph.generated import GeneratedFiles
from ..last_build.call_recorder import recorder_of
from ..nodes.crate_target import CrateTarget
from ..reporting.build_events import Reporting
from .declared_crate import DeclaredCrate
from .linked_crates import CrateLinks
from .retargeting import Retargeting

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_AHEAD = 100
"""How many crates are fetched before they are built: SCons may build only a few."""


@dataclass(slots=True)
class Build:
    """All crates of one SCons run.

    Shape: `crates` by key; a key is the name, the directory and what distinguishes one environment's crates.
    """

    root: str
    crates: dict[str, DeclaredCrate] = field(default_factory=dict)
    engines: dict[tuple[tuple[str, str], ...], Engine] = field(default_factory=dict)
    generated: GeneratedFiles = field(init=False)
    retargeting: Retargeting = field(default_factory=Retargeting)
    _named: dict[str, dict[str, DeclaredCrate]] = field(default_factory=dict)
    _ahead: int = 0
    _order: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    reporting: Reporting = field(init=False)
    links: CrateLinks = field(init=False)

    def __post_init__(self) -> None:
        self.links = CrateLinks(self.crates, self.direct)
        self.generated = GeneratedFiles(self.root)
        self.reporting = Reporting(self.root, lambda: sum(each.ran_elsewhere for each in self.engines.values()))

    def declare(self, crate: DeclaredCrate) -> None:
        """Add a crate.

        Raises: GraphError if its files would be those of another.
        """
        named = self._named.setdefault(crate.name, {})
        if crate.directory in named:
            raise GraphError(
                f"two crates are called '{crate.name}'",
                context=(("directory", crate.directory or "."),),
                hint="rename one, or build it in a variant directory of its own",
            )
        named[crate.directory] = crate
        self.crates[crate.key] = crate
        if self.reporting.is_recorded:
            self.reporting.hear(crate.event)
        self.links.forget()

    def prefetch(self, crate: DeclaredCrate) -> None:
        """Fetch results from distant caches for crates that come after this one, about to be built, and never were."""
        prefetch = crate.engine.prefetch
        if prefetch is None or not prefetch.begun:
            return
        with self._lock:
            if len(self._order) != len(self.crates):
                self._order = {key: number for number, key in enumerate(self.crates)}
            here = self._order[crate.key] + 1
            if self._ahead > here + _AHEAD // 2:
                return
            others = list(self.crates.values())[max(self._ahead, here) : here + _AHEAD]
            self._ahead = here + _AHEAD
        prefetch.expect(
            other.key
            for other in others
            if other.engine is crate.engine
            and other.target is not None
            and other.target.rlink is not None
            and not os.path.exists(str(other.target.rlink.abspath))
        )

    def crates_named(self, name: str) -> list[DeclaredCrate]:
        """Return the declared crates of a name."""
        return list(self._named.get(name, {}).values())

    def of_target(self, target: CrateTarget) -> DeclaredCrate | None:
        """Return the crate that a target of this build stands for."""
        crate = self.crates.get(target.key)
        return crate if crate is not None and crate.target is target else None

    def find(self, name: str, *, near: DeclaredCrate) -> DeclaredCrate:
        """Return the crate that a dependency names: by its key, or the one crate of that name.

        Raises: GraphError if there is none, or more than one.
        """
        if name in self.crates:
            return self.crates[name]
        found = self._named.get(name, {})
        fit = {place: item for place, item in found.items() if item.fits(near.backend, near.machine)} or found
        for place in (near.directory, posixpath.join(near.directory, near.machine)):
            if place in fit:
                return fit[place]
        if len(fit) == 1:
            return next(iter(fit.values()))
        where = f"{near.place(name)}: " if near.place else ""
        if found:
            raise GraphError(
                f"{where}crate '{near.name}' depends on '{name}', but there are {len(found)} of that name",
                context=tuple(("in", directory or ".") for directory in found),
                hint="pass what env.Crate returned instead of the name",
            )
        others = (crate.name for crate in self.crates.values() if crate is not near)
        raise GraphError(
            f"{where}crate '{near.name}' depends on '{name}', which is not a crate", hint=near_miss(name, others)
        )

    def direct(self, crate: DeclaredCrate) -> list[DeclaredCrate]:
        """Return the direct dependencies of a crate, in the order declared.

        Raises: GraphError as `find`, and for a crate of another target.
        """
        found = [self.find(name, near=crate) for name in crate.dependencies]
        for name, other in zip(crate.dependencies, found, strict=True):
            if not other.fits(crate.backend, crate.machine):
                where = f"{crate.place(name)}: " if crate.place else ""
                raise GraphError(
                    f"{where}crate '{crate.name}' is for target '{crate.machine}', but '{other.name}' is not",
                    context=(("declared in", crate.declared_at), (other.name, f"{other.machine}, {other.declared_at}")),
                    hint=f"declare '{other.name}' without a target, or for this one as well: target=[...]",
                )
        return found


def build_of(env: Environment) -> Build:
    """Return all crates of the SCons run that an Environment belongs to, including recorded ones."""
    recorder_of(env).declare()
    end_on_signals()
    root = env.Dir("#").abspath
    builds: dict[str, Build] = env.fs.__dict__.setdefault("cratewright_builds", {})
    return builds.setdefault(root, Build(root))
