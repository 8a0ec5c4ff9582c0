"""The features of the crates of a workspace: those declared, and those enabled.

As with Cargo, a crate is built once, with the union of the features that its dependents ask for. A crate without
dependents has its default features; another has them if any dependent wants them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import partial

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.values import dataclass
from .dependency import WorkspaceDependency
from .document import Document, Key

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+.-]*\Z")


@dataclass(frozen=True, slots=True)
class Features:
    """The features that a crate declares.

    Shape: `table` maps each to what it enables: other features, `dep:NAME`, `NAME/FEATURE`, `define:NAME[=VALUE]`.
    """

    crate: str
    table: Mapping[str, tuple[str, ...]]
    dependencies: tuple[WorkspaceDependency, ...]

    @property
    def optional(self) -> frozenset[str]:
        """The dependencies that only features enable."""
        return frozenset(item.name for item in self.dependencies if item.optional)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is enabled in a crate.

    Shape: `features` sorted; `dependencies` in the order declared; `defines` as options hold them.
    """

    features: tuple[str, ...] = ()
    dependencies: tuple[WorkspaceDependency, ...] = ()
    defines: tuple[tuple[str, str | None], ...] = ()


def read_features(document: Document, crate: str, dependencies: tuple[WorkspaceDependency, ...]) -> Features:
    """Read `[crate.NAME.features]`.

    Raises: ConfigurationError that begins with `path:line:`.
    """
    key = ("crate", crate, "features")
    table: dict[str, tuple[str, ...]] = {}
    for name, items in document.table(*key).items():
        if not _NAME.match(name):
            raise document.error(f"{name!r} is not a feature's name", *key, name)
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise document.error(f"feature '{name}' takes a list of strings, not {items!r}", *key, name)
        table[name] = tuple(items)
    named = {item for items in table.values() for item in items}
    for dependency in dependencies:
        name = dependency.name
        if not dependency.optional or f"dep:{name}" in named:
            continue
        if name in table:
            raise document.error(
                f"no feature of crate '{crate}' asks for its optional dependency '{name}'",
                *dependency.key,
                hint=f"add \"dep:{name}\" to feature '{name}'",
            )
        table[name] = (f"dep:{name}",)
    features = Features(crate, table, dependencies)
    for name in document.table(*key):
        for index, item in enumerate(table[name]):
            _check_item(document, (*key, name, index), features, item)
    return features


def _check_item(document: Document, key: Key, features: Features, item: str) -> None:
    kind, colon, rest = item.partition(":")
    user = f"crate '{features.crate}'"
    if colon and kind == "dep":
        if rest not in features.optional:
            if any(dependency.name == rest for dependency in features.dependencies):
                raise document.error(f"{user} always depends on '{rest}'", *key, hint="set optional = true in 'deps'")
            known = [f"dep:{name}" for name in sorted(features.optional)]
            raise UnknownNameError(
                f"{document.place(*key)}: {user} has no optional dependency '{rest}'", hint=near_miss(item, known)
            )
    elif colon and kind == "define":
        if not re.match(r"[A-Za-z_]\w*(=|\Z)", rest, re.ASCII):
            raise document.error(f"'{item}' defines no macro", *key, hint="write define:NAME or define:NAME=VALUE")
    elif "/" in item:
        names = [dependency.name for dependency in features.dependencies]
        name = item.partition("/")[0].removesuffix("?")
        if name not in names:
            raise UnknownNameError(
                f"{document.place(*key)}: {user} has no dependency '{name}'", hint=near_miss(name, names)
            )
    elif item not in features.table:
        raise UnknownNameError(
            f"{document.place(*key)}: {user} has no feature '{item}'", hint=near_miss(item, features.table)
        )


def select_features(
    document: Document,
    crates: Sequence[Features],
    requests: Iterable[tuple[str, str]] = (),
    *,
    default: bool = True,
) -> dict[str, Selection]:
    """Return what is enabled in each crate, by name; `requests` are further pairs of crate and feature.

    Raises: ConfigurationError that begins with `path:line:` for a feature that a crate lacks, or for two values
    of one macro.
    """
    return _Selecting(document, crates).run(requests, default)


@dataclass(slots=True)
class _Asked:
    features: set[str] = field(default_factory=set)
    dependencies: set[str] = field(default_factory=set)
    # `NAME?/FEATURE` takes effect once something else enables the dependency.
    weak: dict[str, list[tuple[str, Key]]] = field(default_factory=dict)
    defines: dict[str, tuple[str | None, str]] = field(default_factory=dict)


class _Selecting:
    def __init__(self, document: Document, crates: Sequence[Features]) -> None:
        self._document = document
        self._crates = {crate.crate: crate for crate in crates}
        self._asked = {name: _Asked() for name in self._crates}
        self._visited: set[str] = set()
        # An explicit list: a chain of crates may be longer than Python's stack.
        self._todo: list[Callable[[], None]] = []

    def run(self, requests: Iterable[tuple[str, str]], default: bool) -> dict[str, Selection]:
        used = {item.name for crate in self._crates.values() for item in crate.dependencies if not item.path}
        for name, feature in requests:
            self._request(name, feature)
        for name in [*(name for name in self._crates if name not in used), *self._crates]:
            # A crate without dependents is built for its own sake.
            if name not in used or name not in self._visited:
                self._visit(name, default=default)
            while self._todo:
                self._todo.pop()()
        return {name: self._selection(name) for name in self._crates}

    def _selection(self, name: str) -> Selection:
        asked, crate = self._asked[name], self._crates[name]
        return Selection(
            tuple(sorted(asked.features)),
            tuple(item for item in crate.dependencies if not item.optional or item.name in asked.dependencies),
            tuple(sorted((macro, value) for macro, (value, _) in asked.defines.items())),
        )

    def _visit(self, name: str, *, default: bool) -> None:
        if name not in self._visited:
            self._visited.add(name)
            for dependency in self._crates[name].dependencies:
                if not dependency.optional:
                    self._todo.append(partial(self._use, dependency))
        if default and DEFAULT in self._crates[name].table:
            self._enable(name, DEFAULT, ())

    def _use(self, dependency: WorkspaceDependency) -> None:
        if dependency.path:
            return
        if dependency.name in self._crates:
            self._visit(dependency.name, default=dependency.default_features)
        for feature in dependency.features:
            self._enable(dependency.name, feature, (*dependency.key, "features"))

    def _request(self, name: str, feature: str) -> None:
        if name not in self._crates:
            raise UnknownNameError(
                f"{self._document.path}: there is no crate '{name}' with a feature '{feature}'",
                hint=near_miss(name, self._crates),
            )
        self._enable(name, feature, ("crate", name))

    def _enable(self, name: str, feature: str, key: Key) -> None:
        if name not in self._crates:
            raise self._document.error(
                f"the features of crate '{name}', which is declared elsewhere, cannot be chosen here", *key
            )
        table = self._crates[name].table
        if feature not in table:
            raise UnknownNameError(
                f"{self._document.place(*key)}: crate '{name}' has no feature '{feature}'",
                hint=near_miss(feature, table),
            )
        asked = self._asked[name]
        if feature not in asked.features:
            asked.features.add(feature)
            for index, item in enumerate(table[feature]):
                key = ("crate", name, "features", feature, index)
                self._todo.append(partial(self._apply, name, feature, item, key))

    def _apply(self, name: str, feature: str, item: str, key: Key) -> None:
        kind, _, rest = item.partition(":")
        if kind == "dep":
            self._need(name, rest)
        elif kind == "define":
            self._define(name, feature, rest, key)
        elif "/" in item:
            used, _, wanted = item.partition("/")
            asked = self._asked[name]
            if used.endswith("?"):
                asked.weak.setdefault(used[:-1], []).append((wanted, key))
                if used[:-1] not in self._crates[name].optional or used[:-1] in asked.dependencies:
                    self._enable(used[:-1], wanted, key)
            else:
                self._need(name, used)
                self._enable(used, wanted, key)
        else:
            self._enable(name, item, key)

    def _need(self, name: str, used: str) -> None:
        asked, crate = self._asked[name], self._crates[name]
        if used in asked.dependencies or used not in crate.optional:
            return
        asked.dependencies.add(used)
        self._use(next(item for item in crate.dependencies if item.name == used))
        for wanted, key in asked.weak.get(used, ()):
            self._enable(used, wanted, key)

    def _define(self, name: str, feature: str, text: str, key: Key) -> None:
        macro, equals, value = text.partition("=")
        defines = self._asked[name].defines
        known, by = defines.setdefault(macro, (value if equals else None, feature))
        if known != (value if equals else None):
            raise ConfigurationError(
                f"{self._document.place(*key)}: crate '{name}' cannot have features '{by}' and '{feature}' together",
                context=((by, _shown(macro, known)), (feature, text)),
                hint="features add up; alternatives that exclude one another are an option, not features",
            )


def _shown(macro: str, value: str | None) -> str:
    return macro if value is None else f"{macro}={value}"
