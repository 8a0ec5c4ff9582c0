"""Expands `$` in options, as SCons does in arguments of its own builders."""

from __future__ import annotations

from collections import UserString, deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import SCons.Errors
import SCons.Node
import SCons.Node.FS
import SCons.Subst
import SCons.Util

from ...base.errors import ConfigurationError
from ...base.patterns import pattern
from ...values.option_spec import OptionKind, OptionSpec
from ...values.options import SEARCH_PATHS
from ..nodes.paths import relative

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_LOADER_ORIGIN = pattern(r"\\*\$+ORIGIN\b")
_FILE_VARIABLES = ("TARGET", "TARGETS", "SOURCE", "SOURCES", "CHANGED_SOURCES", "CHANGED_TARGETS")
_TEXT_TYPES = (UserString, SCons.Subst.Literal)
SINGLE_PATHS = frozenset({*SEARCH_PATHS, "rpath"})
"""Lists of directories, in which a string is one directory, whatever its name contains."""


class DependsOnFiles(ValueError):
    """A text depends on the target or the source."""


def without_files(subst: Callable[[dict[str, Any]], Any]) -> Any:
    """Return what SCons expands a text to where there are neither targets nor sources.

    Shape: `subst` is given variables that override all others.
    Raises: DependsOnFiles if the text needs them.
    """
    none = _NoFiles()
    try:
        return subst(dict.fromkeys(_FILE_VARIABLES, none))
    finally:
        if none.was_used:
            raise DependsOnFiles("it is different for each target or source") from None


def check_text(env: Environment, text: str) -> None:
    """Refuse a text that is different for each target or source.

    Raises: DependsOnFiles.
    """
    without_files(lambda words: env.subst(text, overrides=words))


class _NoFiles:
    """Stands for `TARGETS` and `SOURCES` where there are none; `was_used` once more is needed than that it is empty."""

    def __init__(self) -> None:
        self.was_used = False

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        self.was_used = True
        return ""

    def __len__(self) -> int:
        self.was_used = True
        return 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.was_used = True
        return ""

    def __getitem__(self, place: Any) -> Any:
        self.was_used = True
        return ""


def as_literal(value: Any) -> Any:
    """Return a value that means the same once it is expanded."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, (list, tuple)):
        return type(value)([as_literal(item) for item in value])
    if isinstance(value, Mapping):
        return {key: as_literal(item) for key, item in value.items()}
    return value


class Expansion:
    """Expands the options of one crate, each once, apart from paths."""

    def __init__(self, env: Environment, *, where: str) -> None:
        self._env = env
        self._where = where
        self._expanded: list[tuple[str, Callable[[], object], object]] = []

    def options(self, given: Mapping[str, object], table: Mapping[str, OptionSpec]) -> dict[str, object]:
        """Return options as SCons would understand them.

        Raises: ConfigurationError for what SCons cannot expand, or cannot expand without a source.
        """
        found = dict(given)
        for name, value in given.items():
            spec = table.get(name)
            if spec is not None and spec.kind is not OptionKind.PATH and name not in SEARCH_PATHS:
                found[name] = self._value(spec, value)
        return found

    def check_directories(self, option: str, value: object) -> None:
        """Refuse directories that depend on the source; without one, SCons would leave them out."""
        what = f"option '{option}'"
        for item in SCons.Util.flatten([value]):
            if isinstance(item, str) and "$" in item:
                self._expand(what, partial(self._text, what, item))

    def text(self, what: str, value: object) -> str:
        """Return one text, expanded; `what` names it in errors."""
        text = str(value)
        return self._expand(what, partial(self._text, what, text)) if "$" in text else text  # type: ignore[return-value]

    def words(self, what: str, value: Any) -> Any:
        """Return a value of lists and mappings with its texts expanded; `what` names it in errors."""
        if isinstance(value, str):
            return self.text(what, value)
        if isinstance(value, (list, tuple, SCons.Util.UserList)):
            return [self.words(what, item) for item in value]
        if isinstance(value, Mapping):
            return {self.words(what, key): self.words(what, item) for key, item in value.items()}
        return value

    def check(self) -> None:
        """Refuse options that expand to another value now, which SCons's own builders would use.

        Called: once all SConscripts have been read.
        """
        for what, expand, before in self._expanded:
            now = expand()
            if now != before:
                raise ConfigurationError(
                    f"{what} has changed since the crate was declared",
                    context=(("where", self._where), ("declared with", before), ("by now", now)),
                    hint="set the construction variables that it names before env.Crate",
                )

    def _value(self, spec: OptionSpec, value: Any) -> Any:
        what = f"option '{spec.name}'"
        if isinstance(value, _TEXT_TYPES):
            value = as_literal(str(value)) if isinstance(value, SCons.Subst.Literal) else str(value)
        if spec.kind is OptionKind.DEFINES:
            words = self._macros(what, value)
            if not any("$" in text for pair in words for text in pair if text):
                return words
            return self._expand(what, partial(self._expanded_macros, what, words))
        if spec.kind is OptionKind.TEXTS:
            return self._texts(spec, what, value)
        if spec.kind is OptionKind.DIRECTORY and isinstance(value, SCons.Node.FS.Dir):
            return relative(value)
        if isinstance(value, str) and "$" in value:
            return self._expand(what, partial(self._text, what, value))
        if spec.per_type and isinstance(value, Mapping):
            return self.words(what, value)
        return value

    def _texts(self, spec: OptionSpec, what: str, value: Any) -> Any:
        if isinstance(value, str):
            value = [value] if spec.name in SINGLE_PATHS else value.split()
        elif isinstance(value, (list, tuple, SCons.Util.UserList)):
            value = SCons.Util.flatten(value)
        else:
            return value
        items = [as_literal(str(item)) if isinstance(item, SCons.Subst.Literal) else item for item in value]
        items = [str(item) if isinstance(item, UserString) else item for item in items]
        if not any("$" in item for item in items if isinstance(item, str)):
            return items
        return self._expand(what, lambda: [word for item in items for word in self._list(what, item)])

    def _macros(self, what: str, value: Any) -> list[tuple[str, str | None]]:
        """Return macros and their values as SCons reads `CPPDEFINES`."""
        if isinstance(value, str):
            items: list[Any] = value.split()
        elif isinstance(value, Mapping):
            items = [*value.items()]
        elif isinstance(value, tuple) and not any(SCons.Util.is_Sequence(item) for item in value):
            items = [value]  # SCons's own reading: one macro and its value
        elif isinstance(value, (list, tuple, SCons.Util.UserList, deque)):
            items = [pair for item in value for pair in (item.items() if isinstance(item, Mapping) else [item])]
        elif value is None:
            return []
        else:
            raise self._refuse(what, value, "macros: a mapping, or a list of NAME and NAME=VALUE")
        return [self._macro(what, item) for item in items if item is not None]

    def _macro(self, what: str, item: Any) -> tuple[str, str | None]:
        if isinstance(item, (str, UserString)):
            name, equals, text = str(item).partition("=")
            return name, text if equals else None
        if not SCons.Util.is_Sequence(item) or len(item) not in (1, 2):
            raise self._refuse(what, item, "NAME, NAME=VALUE or (NAME, VALUE)")
        name, *value = item
        if not isinstance(name, (str, UserString)):
            raise self._refuse(what, name, "the name of a macro")
        if not value or value[0] is None:
            return str(name), None
        text = value[0]
        if callable(text) or SCons.Util.is_Sequence(text) or isinstance(text, Mapping):
            raise self._refuse(what, text, f"one value for {name}")
        return str(name), as_literal(str(text)) if isinstance(text, SCons.Subst.Literal) else str(text)

    def _expanded_macros(self, what: str, pairs: Iterable[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for name, text in pairs:
            if text is None:
                found += [self._macro(what, word) for word in self._list(what, name)]
            else:
                found.append((self._text(what, name), self._text(what, text)))
        return found

    def _expand(self, what: str, expand: Callable[[], object]) -> object:
        value = expand()
        self._expanded.append((what, expand, value))
        return value

    def _text(self, what: str, text: str) -> str:
        return str(
            self._subst(what, text, lambda words: self._env.subst(_LOADER_ORIGIN.sub("$$ORIGIN", text), **words))
        )

    def _list(self, what: str, item: Any) -> list[Any]:
        if not isinstance(item, str) or "$" not in item:
            return [item]
        lines = self._subst(
            what, item, lambda words: self._env.subst_list([_LOADER_ORIGIN.sub("$$ORIGIN", item)], **words)
        )
        if len(lines) > 1:
            raise ConfigurationError(f"{what}: {item!r} stands for several lines", context=(("where", self._where),))
        return [str(word) for line in lines for word in line]

    def _subst(self, what: str, text: str, subst: Callable[[dict[str, Any]], Any]) -> Any:
        # $ORIGIN is for the dynamic loader, unless a construction variable has that name.
        origin = {} if "ORIGIN" in self._env else {"ORIGIN": "$$ORIGIN"}
        try:
            return without_files(lambda words: subst({"overrides": {**words, **origin}}))
        except (SCons.Errors.UserError, SCons.Errors.BuildError, TypeError, ValueError) as error:
            hint = "a source has its own options: (SOURCE, {OPTION: ...})" if isinstance(error, DependsOnFiles) else ""
            raise ConfigurationError(
                f"{what} cannot be {text!r}", context=(("where", self._where), ("reason", str(error))), hint=hint
            ) from error

    def _refuse(self, what: str, value: object, expected: str) -> ConfigurationError:
        return ConfigurationError(f"{what} takes {expected}, not {value!r}", context=(("where", self._where),))
