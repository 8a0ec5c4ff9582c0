"""Searches directories for crates and reads their metadata.

The locator decides which file fits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ..base.digest import content_digest
from ..base.errors import FormatError
from ..contract.backend import CodegenBackend
from ..formats.crate_metadata import CrateMetadata
from ..formats.locator import Candidate, FoundCrate, Wanted, check_stable_ids, choose_candidate
from ..formats.metadata import decode_dylib, decode_rlib
from ..system.fs import read_bytes
from ..values.capability import Capability
from ..values.crate_type import CrateType
from ..values.identity import CrateId, CrateReference
from ..values.options import Options


def library_names(backend: CodegenBackend, crate: str, options: Options) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the possible file names of a crate's rlib and dylib."""
    dynamic = Capability.DYNAMIC_LINKAGE in backend.capabilities and CrateType.DYLIB in backend.supported_crate_types
    if not dynamic:
        return (f"lib{crate}.rlib",), ()
    # A library has the version of its own crate, not of the one that asks.
    options = options.override({"version": ""}) if "version" in backend.LINK_OPTIONS else options
    names = backend.output_names(crate, CrateType.DYLIB, options)
    return (f"lib{crate}.rlib",), tuple(name for name in names if not name.endswith(("/", ".json")))


def find_crates(root: CrateMetadata, backend: CodegenBackend, search: Sequence[str]) -> dict[CrateId, FoundCrate]:
    """Return all transitive dependencies of a crate, by stable id.

    Raises: LinkError for a crate that is missing, unsuitable, found twice, or has the identity of another.
    """
    directories = tuple(dict.fromkeys(os.path.normpath(each) for each in search))
    found: dict[CrateId, FoundCrate] = {}
    pending = [(reference, root.name) for reference in reversed(root.dependencies)]
    while pending:
        reference, by = pending.pop()
        check_stable_ids([("what is linked", root.reference), (f"what '{by}' depends on", reference)])
        known = found.get(reference.stable_id)
        if known is not None:
            # Another dependent was compiled against it too, perhaps against a different build.
            choose_candidate(Wanted(reference=reference, by=by, root=root), known.candidates)
            continue
        crate = _find(reference, by, root, backend, directories)
        found[reference.stable_id] = crate
        inside = crate.dylib.inside if crate.dylib is not None else ()
        needed = [*crate.crate.dependencies, *(other for other, _ in inside)]
        pending += [(other, reference.name) for other in reversed(needed)]
    return found


def _find(
    reference: CrateReference, by: str, root: CrateMetadata, backend: CodegenBackend, directories: tuple[str, ...]
) -> FoundCrate:
    rlibs, dylibs = library_names(backend, reference.name, root.options)
    wanted = Wanted(reference=reference, by=by, root=root, looked_for=(*rlibs, *dylibs), looked_in=directories)
    candidates = [
        candidate
        for names, kind in ((rlibs, CrateType.RLIB), (dylibs, CrateType.DYLIB))
        for path in _files(directories, names)
        for candidate in [_candidate(path, kind)]
    ]
    return choose_candidate(wanted, candidates)


def _files(directories: Iterable[str], names: Sequence[str]) -> list[str]:
    paths = [os.path.normpath(os.path.join(directory, name)) for directory in directories for name in names]
    return [path for path in paths if os.path.isfile(path)]


def _candidate(path: str, kind: CrateType) -> Candidate:
    data = read_bytes(path, role=kind.value)
    digest = content_digest(data)
    try:
        if kind is CrateType.RLIB:
            return Candidate(path=path, kind=kind, digest=digest, crate=decode_rlib(data, path=path))
        crate, inside = decode_dylib(data, path=path)
        return Candidate(path=path, kind=kind, digest=digest, crate=crate, inside=inside)
    except FormatError as error:
        return Candidate(path=path, kind=kind, digest=digest, problem=error)
