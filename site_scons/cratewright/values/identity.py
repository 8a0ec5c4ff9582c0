"""The identity of a crate, and what its dependents see of it.

There are three names, each of which changes more often than the one before. The *stable id* identifies the crate
whatever it contains: its name, its version and the words that its declaration adds to distinguish it. The *interface*
is a digest of everything that a dependent may rely on. The *content* is a digest of everything, so that an edit of a
body changes only the content.
Source: rustc's `StableCrateId` and strict version hash, which covers bodies as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..base.digest import value_digest
from ..base.values import dataclass
from .module import ModuleCodegen

__all__ = ["CrateReference", "interface_digest", "stable_crate_id", "unique_labels"]

_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class CrateReference:
    """A crate that another depends on.

    Shape: `stable_id` is empty only while crates are being declared, when not all are known; `interface` is empty
    where it is not known: crates are compiled side by side, so it is recorded not before the crate is archived.
    `whole` if all modules of the crate are to be linked wherever it is linked statically, needed or not.
    """

    name: str
    stable_id: str = ""
    interface: str = ""
    whole: bool = False


def stable_crate_id(name: str, version: str, metadata: Iterable[str] = ()) -> str:
    """Return the id of a crate: 64 bits, in hex, as rustc's."""
    return value_digest(("crate", name, version, tuple(metadata)))[:_ID_DIGITS]


def interface_digest(
    stable_id: str,
    *,
    backend: str,
    target: str,
    modules: Iterable[ModuleCodegen],
    dependencies: Iterable[CrateReference],
) -> str:
    """Return the digest of what dependents see.

    Shape: symbols count by name and signature, not by where they stand; the order of modules and of dependencies
    does not count.
    """
    modules = tuple(modules)
    exports = sorted({(symbol.name, symbol.signature) for module in modules for symbol in module.exports})
    entries = sorted({(entry.stage, entry.name) for module in modules for entry in module.entry_points})
    others = sorted({(other.name, other.stable_id) for other in dependencies})
    return value_digest((stable_id, backend, target, tuple(exports), tuple(entries), tuple(others)))


def unique_labels(crates: Iterable[tuple[str, str, tuple[str, ...]]]) -> tuple[str, ...]:
    """Return what to call each crate of a link, given as (name, version, metadata): its name, if no other has it.

    Shape: the first crate is the one that is linked, and keeps its name, for its files have it; two that share name
    and version are told apart by their metadata.
    """
    rows = list(crates)
    names = Counter(name for name, _, _ in rows)
    versions = Counter(row[:2] for row in rows)
    labels = [rows[0][0]] if rows else []
    for name, version, metadata in rows[1:]:
        words = f" ({' '.join(metadata)})" if versions[name, version] > 1 else ""
        labels.append(f"{name} {version}{words}" if names[name] > 1 else name)
    return tuple(labels)
