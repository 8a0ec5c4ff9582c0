"""The crates of a workspace: what can be read without knowing any backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..base.errors import CratewrightError, GraphError, UnknownNameError, near_miss
from ..base.values import dataclass
from ..rules.graph import CrateGraph
from ..values.crate import check_crate_name, parse_crate_types
from ..values.crate_type import CrateType
from ..values.option_spec import OptionValue
from ..values.options import BUILTIN_PROFILES, resolve_profile
from ..values.variants import Variants
from .dependency import WorkspaceDependency, read_dependencies
from .document import Document, Key
from .features import Features, read_features
from .keys import (
    CRATE_KEYS,
    TABLES,
    TABLES_OF_A_SOURCE,
    parse_keys,
    table_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceCrate:
    """A `[crate.NAME]` table, without the keys that depend on its backend.

    Shape: `backend`, `target` and `profile` are empty if not set; `targets` is set instead of `target` by a list, which
    makes an output tree for each; `dependencies` include optional ones.
    """

    name: str
    crate_types: tuple[CrateType, ...]
    dependencies: tuple[WorkspaceDependency, ...]
    backend: str
    target: str
    profile: str
    targets: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    variants: Variants = Variants.read({}, where="")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The crates of a TOML text in the order declared, and the text they come from."""

    crates: tuple[WorkspaceCrate, ...]
    features: tuple[Features, ...]
    document: Document

    def dependency_place(self, user: str, used: str) -> str:
        """Return `file:line` of a name in a crate's `deps`."""
        return self.document.place(*_dependency_key(self.crates, user, used))

    def prefers_dynamic(self, crate: WorkspaceCrate) -> bool:
        """Return whether a crate's table, its backend's or its profile prefers dynamic linking.

        Shape: a profile that is not declared here is ignored.
        """
        word = "prefer-dynamic"
        for key in (("crate", crate.name), ("backend", crate.backend)):
            if word in self.document.table(*key):
                return self.document.table(*key)[word] is True
        own = {name: self.document.table("profile", name) for name in self.document.table("profile")}
        name = crate.profile or "dev"
        with self.document.located("profile", name, "inherits"):
            return name in own and resolve_profile(name, {**BUILTIN_PROFILES, **own}).get(word) is True


def read_workspace(data: bytes, *, path: str) -> Workspace:
    """Read a workspace, without the keys that depend on backends.

    Raises: ConfigurationError that begins with `path:line:`.
    """
    document = Document(data, path=path)
    for word in document.values:
        if word not in TABLES:
            raise UnknownNameError(f"{document.place(word)}: unknown table '{word}'", hint=near_miss(word, TABLES))
    crates = tuple(_crate(document, name) for name in document.table("crate"))
    _check_cycles(document, crates)
    features = tuple(read_features(document, crate.name, crate.dependencies) for crate in crates)
    return Workspace(crates, features, document)


def _crate(document: Document, name: str) -> WorkspaceCrate:
    key = ("crate", name)
    with document.located(*key):
        check_crate_name(name)
    table = document.table(*key)
    names = {spec.name for spec in CRATE_KEYS}
    given = {word: value for word, value in table.items() if word in names and not _is_override(word, value)}
    words = parse_keys(document, key, given, CRATE_KEYS)
    with document.located(*key, "type"):
        types = parse_crate_types(words.get("type", "rlib"), crate=name)
    targets, one = _texts(words.get("target")), isinstance(given.get("target"), str)
    if "target" in words and len(set(targets)) != max(len(targets), 1):
        why = "one target twice" if targets else "no target"
        raise document.error(f"crate '{name}' is for {why}", *key, "target", hint="name each once")
    return WorkspaceCrate(
        name=name,
        crate_types=types,
        dependencies=read_dependencies(document, name),
        backend=str(words.get("backend", "")),
        target=targets[0] if one else "",
        targets=() if one else targets,
        profile=str(words.get("profile", "")),
        metadata=_texts(words.get("metadata")),
        variants=read_variants(document, key, variants_of(table)),
    )


def variants_of(table: Mapping[str, object]) -> dict[str, object]:
    """Return the axes and conditions in the table of a crate or a source."""
    return {word: table[word] for word in TABLES_OF_A_SOURCE if word in table}


def read_variants(document: Document, key: Key, given: Mapping[str, object], crate: Variants | None = None) -> Variants:
    """Read the axes and conditions of a crate, or of a source of `crate`."""
    where = table_name(key)
    try:
        return Variants.read(given, where=where) if crate is None else crate.of_source(given, where=where)
    except CratewrightError as error:
        word = "when" if "when" in given and error.message.startswith("'when'") else "variants"
        with document.located(*key, word):
            raise


def _is_override(word: str, value: object) -> bool:
    return word == "target" and isinstance(value, Mapping)


def _texts(value: OptionValue) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()


def _check_cycles(document: Document, crates: Sequence[WorkspaceCrate]) -> None:
    """Refuse cycles among these crates; those through crates declared elsewhere are found once all are known."""
    names = {crate.name for crate in crates}
    edges = {
        crate.name: [item.name for item in crate.dependencies if item.name in names and not item.path]
        for crate in crates
    }
    try:
        CrateGraph(edges)
    except GraphError as error:
        user, used = error.context[0][1].split(" -> ")[:2]
        with document.located(*_dependency_key(crates, user, used)):
            raise


def _dependency_key(crates: Sequence[WorkspaceCrate], user: str, used: str) -> Key:
    places = (item.key for crate in crates if crate.name == user for item in crate.dependencies if item.name == used)
    return next(places, ("crate", user, "deps"))
