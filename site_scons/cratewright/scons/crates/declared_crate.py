"""A crate that an SConstruct declared, and what `env.Crate` returns for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field

from ...base.values import dataclass
from ...pipeline.engine import Engine
from ...system.events import CrateDeclared
from ...values.crate import Crate
from ...values.crate_type import CrateType
from ...values.identity import CrateReference, stable_crate_id
from ...values.native_library import NativeLibrary, parse_library
from ...values.options import LtoMode, Options
from ..nodes.crate_target import CrateTarget
from ..nodes.node import Node


@dataclass(slots=True)
class DeclaredCrate:
    """A crate that an SConstruct declared.

    Shape: `resolve` gives the crate once its sources can be located; `sources` are their nodes. `declared_at` is
    `file:line` of the SConscript. `directory` is relative to the project root; `place` gives `file:line` of a
    dependency's name if it is in a file other than an SConscript. `libraries` are the nodes that dependents may link,
    the rlib and the dylib, if made; `made` are the nodes of each linked crate type; `for_target` declares the crate
    for another target, if it names none itself; `lto_for` gives the mode of LTO of a crate type; `instead` are rlibs,
    by the key of a dependency, that are linked instead of its own. `final_options` gives the options once all
    SConscripts have been read, and `read_by_link` the generated files that linker flags name.
    """

    name: str
    key: str
    directory: str
    dependencies: tuple[str, ...]
    resolve: Callable[[], Crate]
    sources: Sequence[Node]
    engine: Engine
    version: str
    declared_at: str = ""
    backend: str = ""
    machine: str = ""
    metadata: tuple[str, ...] = ()
    crate_types: tuple[CrateType, ...] = (CrateType.RLIB,)
    prefer_dynamic: bool = False
    export_include_dirs: tuple[str, ...] = ()
    final_options: Callable[[], Options] | None = None
    place: Callable[[str], str] | None = None
    read_by_link: Sequence[Node] = ()
    target: CrateTarget | None = None
    libraries: dict[CrateType, Node] = field(default_factory=dict)
    made: dict[CrateType, Node] = field(default_factory=dict)
    for_target: Callable[[str], CrateTarget] | None = None
    lto_for: Callable[[CrateType], LtoMode] = lambda kind: LtoMode.OFF
    instead: dict[str, Node] = field(default_factory=dict)
    _crate: Crate | None = None

    @property
    def crate(self) -> Crate:
        """The crate's values.

        Raises: ConfigurationError as `pipeline.plan.check_buildable`.
        """
        if self._crate is None:
            self._crate = self.resolve()
        return self._crate

    def generated(self) -> list[Node]:
        """Return the sources that the build makes, when SCons looks for what a stage depends on."""
        return [node for node in self.sources if node.is_derived()]

    @property
    def native_libraries(self) -> tuple[NativeLibrary, ...]:
        """Libraries that are not crates, searched for in `lib_dirs`; call it once SConscripts have been read."""
        texts = self.final_options().texts("libs") if self.final_options is not None else ()
        return tuple(parse_library(text, where=f"crate '{self.name}'") for text in texts)

    def lto_modes(self) -> Iterator[LtoMode]:
        """Yield the mode of LTO of each linked crate type."""
        if self.final_options is not None:
            for kind in self.crate_types:
                if kind is not CrateType.RLIB:
                    yield self.final_options().lto_for(kind)

    @property
    def lib_dirs(self) -> tuple[str, ...]:
        """The directories that are searched for libraries."""
        return self.final_options().texts("lib_dirs") if self.final_options is not None else ()

    @property
    def reference(self) -> CrateReference:
        """The crate as its dependents see it before anything is built."""
        return CrateReference(self.name, stable_crate_id(self.name, self.version, self.metadata))

    @property
    def event(self) -> CrateDeclared:
        """The crate as build events describe it."""
        types = tuple(kind.value for kind in self.crate_types)
        words = (self.name, self.directory, self.backend, self.machine, types, self.dependencies)
        return CrateDeclared(*words)

    @property
    def interface_file(self) -> Node:
        """The first file with the interface of the crate: the `.rlink`, or what a prebuilt crate has."""
        rlink = self.target.rlink if self.target is not None else None
        return rlink if rlink is not None else next(iter(self.libraries.values()))

    def fits(self, backend: str, machine: str) -> bool:
        """Return whether the crate can be used for a target of a backend; targets of two backends never differ."""
        return not self.machine or self.machine == machine or self.backend != backend

    def path(self, name: str) -> str:
        """Return the root-relative path of one of the crate's files."""
        return os.path.normpath(os.path.join(self.directory, name)).replace(os.sep, "/")
