"""A crate after codegen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..base.digest import value_digest
from ..base.values import dataclass
from ..values.crate_type import CrateType
from ..values.identity import CrateId, CrateReference, InterfaceDigest, interface_digest, stable_crate_id
from ..values.module import ModuleCodegen
from ..values.native_library import NativeLibrary
from ..values.options import Options
from ..version import __version__

PRODUCER = f"cratewright {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateMetadata:
    """A crate after codegen.

    Shape: `dependencies` in the order declared; `modules` in source order, their data left empty where only the
    metadata is read; `options` complete, as the link step needs them; `metadata` the words that tell the crate from
    others of its name and version; `interface` and `content` as `identity` has them, empty until `identified`.
    """

    name: str
    version: str
    backend: str
    fingerprint: str
    target: str
    crate_types: tuple[CrateType, ...]
    dependencies: tuple[CrateReference, ...]
    options: Options
    modules: tuple[ModuleCodegen, ...]
    natives: tuple[NativeLibrary, ...] = ()
    allocator: str = "none"
    metadata: tuple[str, ...] = ()
    producer: str = PRODUCER
    interface: InterfaceDigest = InterfaceDigest("")
    content: str = ""

    @property
    def stable_id(self) -> CrateId:
        """The crate's identity, whatever it contains."""
        return stable_crate_id(self.name, self.version, self.metadata)

    @property
    def reference(self) -> CrateReference:
        """The reference that a dependent records."""
        return CrateReference(self.name, self.stable_id, self.interface)

    def knowing(self, interfaces: Mapping[CrateId, InterfaceDigest]) -> CrateMetadata:
        """Return the crate with the interfaces of its dependencies, given by stable id, where they are known."""
        known = tuple(
            replace(item, interface=interfaces.get(item.stable_id, item.interface)) for item in self.dependencies
        )
        return replace(self, dependencies=known)


def identified(crate: CrateMetadata) -> CrateMetadata:
    """Return the crate with its digests, computed after codegen."""
    interface = interface_digest(
        crate.stable_id,
        backend=crate.backend,
        target=crate.target,
        modules=crate.modules,
        dependencies=crate.dependencies,
    )
    # Without later findings and without the digest itself.
    plain = tuple(replace(item, interface=InterfaceDigest("")) for item in crate.dependencies)
    return replace(
        crate,
        interface=interface,
        content=value_digest(replace(crate, dependencies=plain, interface=interface, content="")),
    )
