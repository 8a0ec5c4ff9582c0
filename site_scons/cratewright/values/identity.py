"""The identity of a crate, and what its dependents see of it.

It has three parts, each changing more often than the one before. The *stable id* is that of the name, the version and
the distinguishing words of the declaration, whatever the crate contains. The *interface* is a digest of everything that
a dependent may rely on. The *content* is a digest of everything: editing a function body changes only the content.
Source: rustc's `StableCrateId` and strict version hash, which covers bodies as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NewType

from ..base.digest import value_digest
from ..base.values import dataclass
from .module import ModuleCodegen

_ID_DIGITS = 16

# Codecs read annotations; to them both are strings.
if TYPE_CHECKING:
    CrateId = NewType("CrateId", str)
    """A stable id."""
    InterfaceDigest = NewType("InterfaceDigest", str)
    """The digest of what dependents see, empty if unknown."""
else:
    CrateId = InterfaceDigest = str


@dataclass(frozen=True, slots=True)
class CrateReference:
    """A crate that another depends on.

    Shape: `stable_id` is empty only while crates are being declared. `interface` is empty until the dependent is
    archived, since crates compile in parallel. `whole` links all modules of the crate wherever it is linked statically,
    needed or not.
    """

    name: str
    stable_id: CrateId = CrateId("")
    interface: InterfaceDigest = InterfaceDigest("")
    whole: bool = False


def stable_crate_id(name: str, version: str, metadata: Iterable[str] = ()) -> CrateId:
    """Return a crate's stable id: 64 bits in hex, as in rustc."""
    return CrateId(value_digest(("crate", name, version, tuple(metadata)))[:_ID_DIGITS])


def interface_digest(
    stable_id: CrateId,
    *,
    backend: str,
    target: str,
    modules: Iterable[ModuleCodegen],
    dependencies: Iterable[CrateReference],
) -> InterfaceDigest:
    """Return the digest of what dependents see.

    Shape: symbols count by name and signature, not by position; the order of modules and dependencies does not count.
    """
    modules = tuple(modules)
    exports = sorted({(symbol.name, symbol.signature) for module in modules for symbol in module.exports})
    entries = sorted({(entry.stage, entry.name) for module in modules for entry in module.entry_points})
    others = sorted({(other.name, other.stable_id) for other in dependencies})
    return InterfaceDigest(value_digest((stable_id, backend, target, tuple(exports), tuple(entries), tuple(others))))


def unique_labels(crates: Iterable[tuple[str, str, tuple[str, ...]]]) -> tuple[str, ...]:
    """Return a unique label for each crate of a link, given as (name, version, metadata): its name if that is unique.

    Shape: the first crate is the root of the link and always keeps its name, which its files bear; metadata
    distinguishes crates of the same name and version.
    """
    rows = list(crates)
    names = Counter(name for name, _, _ in rows)
    versions = Counter(row[:2] for row in rows)
    labels = [rows[0][0]] if rows else []
    for name, version, metadata in rows[1:]:
        words = f" ({' '.join(metadata)})" if versions[name, version] > 1 else ""
        labels.append(f"{name} {version}{words}" if names[name] > 1 else name)
    return tuple(labels)
