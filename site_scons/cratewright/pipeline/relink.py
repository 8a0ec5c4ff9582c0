"""Links an `.rlink` file again: finds the crates it needs, and resolves everything again.

It can be repeated any number of times.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..base.errors import VersionError
from ..formats.crate_metadata import PRODUCER, CrateMetadata
from ..formats.locator import Candidate, FoundCrate
from ..formats.metadata import decode_rlink, encode_rlib
from ..rules.dependency_format import DependencyFormats, Linkage
from ..rules.format_table import FormatTable, LinkableCrate
from ..rules.graph import CrateGraph
from ..rules.output_name import seen_from
from ..rules.output_place import check_output_path
from ..system.fs import read_bytes, write_atomic
from ..values.crate_type import CrateType
from ..values.identity import CrateId, unique_labels
from ..values.request import LinkLibrary
from .emit import assign_paths, dump_directories, emit, output_area
from .engine import Engine
from .link import link_crate
from .link_inputs import Dependency
from .locate import find_crates
from .plan import check_crate_types


def relink(
    engine: Engine, path: str, search: Sequence[str], types: Sequence[CrateType], directory: str
) -> tuple[str, ...]:
    """Link a `.rlink` for some crate types, by default its own, and return the files written.

    Shape: `search` are the directories for rlibs and dylibs, searched before that of the `.rlink` itself.
    Raises: FormatError for a foreign, damaged or outdated file; LinkError for a dependency that is missing,
    unsuitable or ambiguous; LinkageConflictError if the available formats do not fit together.
    """
    crate = decode_rlink(read_bytes(path, role=".rlink file"), path=path)
    _check_producer(engine, crate, path)
    backend = engine.backend(crate.backend, crate.target)
    wanted = tuple(types or crate.crate_types)
    check_crate_types(crate.name, wanted, backend)
    for dump in dump_directories(backend, crate.options):
        # The dump paths come from the file, not from the user who links it.
        check_output_path(dump.rstrip("/"), where=f"{path}: a directory for dumps")
    found = find_crates(crate, backend, [*search, os.path.dirname(path) or "."])
    needed = _Needed(crate, found, engine.root, directory)
    written: list[str] = []
    for kind in wanted:
        if kind is CrateType.RLIB:
            rlib = os.path.join(directory, f"lib{crate.name}.rlib")
            write_atomic(rlib, encode_rlib(crate.knowing({key: item.crate.interface for key, item in found.items()})))
            written.append(rlib)
            continue
        formats = needed.formats(kind)
        linked = link_crate(engine, crate, needed.dependencies(formats), kind, formats)
        area = output_area(engine.root, directory, backend, crate.options)
        files, outputs = assign_paths(linked.artifacts, area, where=path)
        emit(area, files, ())
        written += outputs
    return tuple(written)


def _check_producer(engine: Engine, crate: CrateMetadata, path: str) -> None:
    for what, theirs, ours in (
        ("another version of cratewright", crate.producer, PRODUCER),
        ("tools other than those installed", crate.fingerprint, engine.fingerprint(crate.backend, crate.target)),
    ):
        if theirs != ours:
            raise VersionError(
                f"{path} was made by {what}",
                context=(("made by", theirs), ("installed", ours)),
                hint="build it again, or install those versions",
            )


class _Needed:
    """The files found for one crate, by their names in its errors."""

    def __init__(self, crate: CrateMetadata, found: Mapping[CrateId, FoundCrate], root: str, directory: str) -> None:
        crates = [crate, *(item.crate for item in found.values())]
        labels = unique_labels((part.name, part.version, part.metadata) for part in crates)
        self._label = {part.stable_id: label for part, label in zip(crates, labels, strict=True)}
        self._found = {self._label[key]: item for key, item in found.items()}
        self._crate = labels[0]
        self._root = root
        self._directory = directory
        self._graph = CrateGraph(
            {
                self._label[part.stable_id]: [self._label[item.stable_id] for item in part.dependencies]
                for part in crates
            }
        )
        linkable = {label: self._linkable(item) for label, item in self._found.items()}
        own = LinkableCrate(
            crate_types=frozenset({CrateType.RLIB}), prefer_dynamic=crate.options.flag("prefer_dynamic")
        )
        self._table = FormatTable(self._graph, {self._crate: own, **linkable})

    def formats(self, kind: CrateType) -> DependencyFormats:
        """Return how each crate is linked into one crate type."""
        return self._table.formats(self._crate, kind)

    def dependencies(self, formats: DependencyFormats) -> list[Dependency]:
        """Return the crates that take part in a link, in link order."""
        how = dict(zip(formats.crates, formats.linkages, strict=True))
        return [
            self._dependency(label, how[label])
            for label in self._graph.link_order(self._crate)
            if how.get(label) in (Linkage.STATIC, Linkage.DYNAMIC)
        ]

    def _linkable(self, item: FoundCrate) -> LinkableCrate:
        recorded = None
        if item.dylib is not None:
            recorded = tuple((self._label[other.stable_id], linkage) for other, linkage in item.dylib.inside)
        return LinkableCrate(crate_types=frozenset(part.kind for part in item.candidates), recorded=recorded)

    def _dependency(self, label: str, linkage: Linkage) -> Dependency:
        item = self._found[label]
        if linkage is Linkage.STATIC:
            return Dependency(label, item.crate, linkage)
        assert item.dylib is not None and item.dylib.crate is not None
        return Dependency(label, item.dylib.crate, linkage, self._library(label, item.dylib))

    def _library(self, label: str, dylib: Candidate) -> LinkLibrary:
        path = os.path.relpath(dylib.path, self._root).replace(os.sep, "/")
        if path.startswith("../"):
            path = os.path.abspath(dylib.path)
        # Both absolute, so that their relative path is the same in any working directory.
        beside = seen_from(os.path.abspath(self._directory), os.path.dirname(os.path.abspath(dylib.path)))
        return LinkLibrary(label, path, dylib.digest, beside)
