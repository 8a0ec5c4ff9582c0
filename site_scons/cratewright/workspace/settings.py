"""The options in a workspace: of backends, targets, profiles, crates and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..base.errors import UnknownNameError, near_miss
from ..base.values import dataclass
from ..values.option_spec import OptionSpec, OptionValue
from ..values.options import Options, resolve_profile
from ..values.source_options import refusal_of_source_option
from ..values.variants import Variants
from .declaration import Workspace, WorkspaceCrate, read_variants, variants_of
from .document import Key
from .keys import (
    CRATE_KEYS,
    PROFILE_KEYS,
    SOURCE_KEYS,
    TABLES_OF_A_CRATE,
    TABLES_OF_A_SOURCE,
    option_key,
    parse_keys,
    table_name,
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A backend's targets, the options of its crates, and those that a source may have."""

    targets: tuple[str, ...]
    options: tuple[OptionSpec, ...]
    of_source: tuple[OptionSpec, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceSource:
    """One entry of `sources`: a path or a pattern, relative to the TOML's directory, and options of its own.

    Shape: `key` locates it in the document; `options` may hold `name`; without `variants`, the crate's apply.
    """

    path: str
    options: Mapping[str, OptionValue]
    key: Key
    variants: Variants | None = None


class WorkspaceSettings:
    """The options in a workspace, for all backends.

    Shape: `profiles` are those known before; the workspace's extend one of the same name.
    """

    def __init__(
        self,
        workspace: Workspace,
        vocabularies: Mapping[str, Vocabulary],
        profiles: Mapping[str, Mapping[str, object]],
    ) -> None:
        """Read the tables of backends, targets and profiles.

        Raises: ConfigurationError that begins with `path:line:`, as do all methods.
        """
        self._document = workspace.document
        self._vocabularies = vocabularies
        self._backends = {name: self._of_backend(name) for name in self._document.table("backend")}
        self._targets = {name: self._of_target(name) for name in self._document.table("target")}
        self._profiles: dict[str, Mapping[str, object]] = dict(profiles)
        own = list(self._document.table("profile"))
        for name in own:
            self._profiles[name] = self._of_profile(name)
        for name in own:
            with self._document.located("profile", name, "inherits"):
                resolve_profile(name, self._profiles)

    def profiles(self, backend: str, shared: Iterable[str] = ()) -> dict[str, dict[str, object]]:
        """Return all profiles; the workspace's own and `shared` ones only with the options that a backend has."""
        known = {spec.name for spec in self._vocabularies[backend].options} | {"inherits"}
        own = {*self._document.table("profile"), *shared}
        return {
            name: {word: value for word, value in options.items() if word in known or name not in own}
            for name, options in self._profiles.items()
        }

    def options(
        self,
        crate: WorkspaceCrate,
        backend: str,
        target: str,
        defines: tuple[tuple[str, str | None], ...] = (),
    ) -> dict[str, OptionValue]:
        """Return the options of a crate; those for its target take precedence.

        Shape: macros and include directories are merged; `defines` are those of the crate's features, which take
        precedence.
        """
        vocabulary = self._vocabularies[backend]
        key = ("crate", crate.name)
        table = self._document.table(*key)
        skip = {*TABLES_OF_A_CRATE, *(spec.name for spec in CRATE_KEYS)}
        given = {word: value for word, value in table.items() if word not in skip}
        own = parse_keys(self._document, key, given, vocabulary.options, also=skip)
        if "sources" not in table:
            raise self._document.error(f"{table_name(key)} has no 'sources'", *key)
        overrides = self._overrides(key, vocabulary)
        merged: dict[str, OptionValue] = {}
        shared = (self._backends.get(backend, {}), self._targets.get(target, {}))
        features: dict[str, OptionValue] = {"defines": defines} if defines else {}
        for layer in (*shared, own, overrides.get(target, {}), features):
            merged = _overlay(merged, layer, vocabulary.options)
        return merged

    def sources(self, crate: WorkspaceCrate, backend: str) -> tuple[WorkspaceSource, ...]:
        """Return a crate's sources in the order given, patterns not expanded."""
        key = ("crate", crate.name, "sources")
        value = self._document.table(*key[:2])["sources"]
        items = [value] if isinstance(value, (str, Mapping)) else value
        if not isinstance(items, list) or not items:
            raise self._document.error(f"'sources' takes a list of paths and tables, not {value!r}", *key)
        return tuple(self._source((*key, index), item, crate, backend) for index, item in enumerate(items))

    def _source(self, key: Key, item: object, crate: WorkspaceCrate, backend: str) -> WorkspaceSource:
        if isinstance(item, str) and item:
            return WorkspaceSource(item, {}, key)
        if not isinstance(item, Mapping):
            raise self._document.error(f"a source is a path or a table with 'path', not {item!r}", *key)
        vocabulary = self._vocabularies[backend]
        specs = (*SOURCE_KEYS, *vocabulary.of_source)
        words = {option_key(spec) for spec in specs}
        for word in {option_key(spec) for spec in vocabulary.options} - words:
            if word in item:
                with self._document.located(*key, word):
                    raise refusal_of_source_option(
                        word, {*words, *TABLES_OF_A_SOURCE} - {"path"}, where=table_name(key)
                    )
        rest = {word: value for word, value in item.items() if word not in TABLES_OF_A_SOURCE}
        also = (*TABLES_OF_A_SOURCE, *map(option_key, vocabulary.options))
        options = parse_keys(self._document, key, rest, specs, also=also)
        path = options.pop("path", "")
        if not path:
            raise self._document.error("this source has no 'path'", *key)
        own = variants_of(item)
        variants = read_variants(self._document, key, own, crate.variants) if own else None
        return WorkspaceSource(str(path), options, key, variants)

    def _overrides(self, key: tuple[str, str], vocabulary: Vocabulary) -> dict[str, dict[str, OptionValue]]:
        table = self._document.table(*key).get("target")
        if not isinstance(table, Mapping):
            return {}
        for target in table:
            self._known((*key, "target", target), "target", target, vocabulary.targets)
        return {
            target: parse_keys(
                self._document,
                (*key, "target", target),
                self._document.table(*key, "target", target),
                vocabulary.options,
            )
            for target in table
        }

    def _of_backend(self, name: str) -> dict[str, OptionValue]:
        key = ("backend", name)
        self._known(key, "backend", name, self._vocabularies)
        return parse_keys(self._document, key, self._document.table(*key), self._vocabularies[name].options)

    def _of_target(self, name: str) -> dict[str, OptionValue]:
        key = ("target", name)
        able = [item for item in self._vocabularies.values() if name in item.targets]
        self._known(key, "target", name, [word for item in self._vocabularies.values() for word in item.targets])
        return parse_keys(self._document, key, self._document.table(*key), _union(able))

    def _of_profile(self, name: str) -> dict[str, object]:
        key = ("profile", name)
        specs = (*PROFILE_KEYS, *_union(self._vocabularies.values()))
        own: Mapping[str, object] = parse_keys(self._document, key, self._document.table(*key), specs)
        # As in Cargo, a profile of a known name changes that one, unless it inherits another.
        return dict(own) if "inherits" in own else {**self._profiles.get(name, {}), **own}

    def _known(self, key: Key, what: str, word: str, words: Iterable[str]) -> None:
        words = sorted(set(words))
        if word not in words:
            raise UnknownNameError(
                f"{self._document.place(*key)}: unknown {what} '{word}'", hint=near_miss(word, words)
            )


def _union(vocabularies: Iterable[Vocabulary]) -> tuple[OptionSpec, ...]:
    return tuple({spec.name: spec for item in vocabularies for spec in item.options}.values())


def _overlay(
    base: Mapping[str, OptionValue], changes: Mapping[str, OptionValue], table: Iterable[OptionSpec]
) -> dict[str, OptionValue]:
    kept = {spec.name: changes[spec.name] for spec in table if spec.name in changes}
    empty = {spec.name: spec.default for spec in table if spec.name in kept}
    return dict(Options(tuple({**empty, **base}.items())).override(kept).values)
