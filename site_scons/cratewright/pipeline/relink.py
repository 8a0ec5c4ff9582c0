"""Links a `.rlink` file again: finds the rlibs it needs and resolves everything afresh.

Knows nothing of sources or of SCons. It can be run any number of times.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..crate import CrateType
from ..dependency_format import Linkage
from ..digest import content_digest
from ..errors import ConfigurationError, LinkError
from ..format_table import FormatTable, LinkableCrate
from ..fs import read_bytes, write_atomic
from ..graph import CrateGraph
from ..metadata import CrateMetadata, decode_rlib, decode_rlink, encode_rlib
from .emit import emit, place
from .engine import Engine
from .link import Dependency, link_crate

__all__ = ["find_dependencies", "relink"]


def relink(
    engine: Engine, path: str, search: Sequence[str], types: Sequence[CrateType], directory: str
) -> tuple[str, ...]:
    """Link a `.rlink` for some crate types, or for those it was made for, and return the files written.

    Shape: `search` are the directories for rlibs, in order, before that of the `.rlink` itself.
    Raises: FormatError for a foreign, damaged or outdated file; LinkError for a dependency that is not found.
    """
    crate = decode_rlink(read_bytes(path, role=".rlink file"), path=path)
    backend = engine.backend(crate.backend, crate.target)
    fingerprint = engine.fingerprint(crate.backend, crate.target)
    if crate.fingerprint != fingerprint:
        raise ConfigurationError(
            f"{path} was compiled with other tools than are installed",
            context=(("compiled with", crate.fingerprint), ("installed", fingerprint)),
            hint="build it again, or install those versions",
        )
    for kind in types:
        if kind not in backend.supported_crate_types:
            raise ConfigurationError(f"backend '{crate.backend}' cannot make crate type '{kind.value}'")
    found = find_dependencies(crate, [*search, os.path.dirname(path) or "."])
    table = _table(crate, found)
    dependencies = [Dependency(part, Linkage.STATIC) for part in found]
    written: list[str] = []
    for kind in types or crate.crate_types:
        if kind is CrateType.RLIB:
            rlib = os.path.join(directory, f"lib{crate.name}.rlib")
            write_atomic(rlib, encode_rlib(crate))
            written.append(rlib)
            continue
        linked = link_crate(engine, crate, dependencies, kind, table.formats(crate.name, kind))
        files, outputs = place(linked.artifacts, directory)
        emit(engine.root, files, ())
        written += outputs
    return tuple(written)


def _table(crate: CrateMetadata, found: Sequence[CrateMetadata]) -> FormatTable:
    graph = CrateGraph({part.name: part.dependencies for part in (crate, *found)})
    rlib = LinkableCrate(crate_types=frozenset({CrateType.RLIB}))
    return FormatTable(graph, {part.name: rlib for part in (crate, *found)})


def find_dependencies(crate: CrateMetadata, search: Sequence[str]) -> list[CrateMetadata]:
    """Return all crates that one depends on, in link order, from the rlibs in some directories.

    Raises: LinkError if one is not found, or is found in two forms.
    """
    found: dict[str, CrateMetadata] = {crate.name: crate}
    todo = [(name, crate.name) for name in crate.dependencies]
    while todo:
        name, wanted_by = todo.pop()
        if name not in found:
            found[name] = _locate(name, wanted_by, search)
            todo += [(other, name) for other in found[name].dependencies]
    graph = CrateGraph({name: part.dependencies for name, part in found.items()})
    return [found[name] for name in graph.link_order(crate.name)]


def _locate(name: str, wanted_by: str, search: Sequence[str]) -> CrateMetadata:
    candidates: dict[str, str] = {}
    for directory in dict.fromkeys(os.path.normpath(each) for each in search):
        path = os.path.join(directory, f"lib{name}.rlib")
        if os.path.isfile(path):
            candidates.setdefault(content_digest(read_bytes(path, role="rlib")), path)
    if not candidates:
        raise LinkError(
            f"cannot find crate '{name}', which '{wanted_by}' depends on",
            context=(("looked for", f"lib{name}.rlib"), ("looked in", "\n".join(dict.fromkeys(search)))),
            hint="name the directory that holds it: -L DIR",
        )
    if len(candidates) > 1:
        raise LinkError(
            f"there are {len(candidates)} different rlibs of crate '{name}'",
            context=[("candidate", path) for path in candidates.values()],
            hint="keep one of them in the directories given with -L",
        )
    (path,) = candidates.values()
    part = decode_rlib(read_bytes(path, role="rlib"), path=path)
    if part.name != name:
        raise LinkError(f"{path} holds crate '{part.name}', not '{name}'", hint="an rlib must not be renamed")
    return part
