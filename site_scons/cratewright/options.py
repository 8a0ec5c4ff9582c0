"""The options of a crate: one table that says names, words, defaults and what each means.

Knows nothing of where a value came from (SConstruct, profile, environment) nor of any backend; a backend adds
rows of its own to the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import ClassVar

from .crate_type import CrateType
from .errors import ConfigurationError, UnknownNameError, near_miss
from .values import dataclass

__all__ = [
    "BUILTIN_PROFILES",
    "CORE_OPTIONS",
    "SEARCH_PATHS",
    "DebugInfo",
    "LtoMode",
    "OptLevel",
    "OptionKind",
    "OptionSpec",
    "OptionValue",
    "Options",
    "parse_options",
    "resolve_profile",
]

OptionValue = bool | str | tuple[str, ...] | tuple[tuple[str, str | None], ...] | None


class OptLevel(Enum):
    """How hard to optimise; rustc's spelling."""

    NONE = "0"
    LESS = "1"
    DEFAULT = "2"
    AGGRESSIVE = "3"
    SIZE = "s"
    SIZE_MIN = "z"

    @property
    def for_size(self) -> bool:
        """Whether size matters more than speed."""
        return self in (OptLevel.SIZE, OptLevel.SIZE_MIN)


class DebugInfo(Enum):
    """How much of the source a debugger can see."""

    NONE = "none"
    LINE = "line"
    FULL = "full"


class LtoMode(Enum):
    """Which link-time optimisation is asked for."""

    OFF = "off"
    THIN_LOCAL = "thin-local"
    THIN = "thin"
    FAT = "fat"


class OptionKind(Enum):
    """How a user's value is read."""

    FLAG = "flag"
    CHOICE = "choice"
    TEXT = "text"
    TEXTS = "texts"
    DIRECTORY = "directory"
    """A directory, relative to the project root, in which a link leaves copies of what it works on."""
    DEFINES = "defines"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One row of the option table.

    Shape: `name` as written in an SConstruct; `words` are the allowed values of a CHOICE. If `per_type`, a mapping
    from crate types to such words will do as well; its value is a sorted tuple of pairs.
    """

    name: str
    kind: OptionKind
    default: OptionValue
    help: str
    words: tuple[str, ...] = ()
    per_type: bool = False

    def parse(self, value: object, *, where: str) -> OptionValue:
        """Read one user value.

        Raises: ConfigurationError naming the option, the words it takes and `where` the value stands.
        """
        if value is None:
            return self.default
        try:
            parsed = self._parse(value, where)
        except (ValueError, RecursionError) as error:  # what cannot even be shown, such as a number of 10,000 digits
            raise ConfigurationError(
                f"option '{self.name}' cannot have this value", context=(("where", where), ("reason", error))
            ) from error
        if _has_nul(parsed):
            raise self._refuse(value, where, "text without NUL characters")
        return parsed

    def _parse(self, value: object, where: str) -> OptionValue:
        if self.kind is OptionKind.FLAG:
            return self._flag(value, where)
        if self.kind is OptionKind.CHOICE:
            if self.per_type and isinstance(value, Mapping):
                return self._choices(value, where)
            return self._choice(value, where)
        if self.kind in (OptionKind.TEXT, OptionKind.DIRECTORY):
            if isinstance(value, str):
                return value
            raise self._refuse(value, where, "one string")
        if self.kind is OptionKind.TEXTS:
            if isinstance(value, str):
                return (value,)
            if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
                return tuple(value)
            raise self._refuse(value, where, "a list of strings")
        return self._defines(value, where)

    def _flag(self, value: object, where: str) -> bool:
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False, "": False}
        if isinstance(value, bool):
            return value
        word = str(value).lower()
        if word not in words:
            raise self._refuse(value, where, "true or false")
        return words[word]

    def _choice(self, value: object, where: str) -> str:
        word = _word(value)
        if word in self.words:
            return word
        raise UnknownNameError(
            f"'{word}' is not a value of '{self.name}'",
            context=(("where", where), ("allowed", " ".join(self.words))),
            hint=near_miss(word, self.words),
        )

    def _choices(self, value: Mapping[object, object], where: str) -> tuple[tuple[str, str | None], ...]:
        pairs: dict[str, str | None] = {}
        for key, word in value.items():
            kind = _word(key)
            if kind not in _choice(CrateType):
                raise UnknownNameError(
                    f"'{kind}' is not a crate type",
                    context=(("where", f"{where}, option '{self.name}'"),),
                    hint=near_miss(kind, _choice(CrateType)),
                )
            pairs[kind] = self._choice(word, where)
        return tuple(sorted(pairs.items()))

    def _defines(self, value: object, where: str) -> tuple[tuple[str, str | None], ...]:
        """Read macros as SCons's CPPDEFINES spells them: a mapping, or a list of NAME, NAME=VALUE, (NAME, VALUE)."""
        pairs: list[tuple[str, str | None]] = []
        if isinstance(value, str):
            value = [value]
        if isinstance(value, Mapping):
            items: Iterable[object] = list(value.items())
        elif isinstance(value, Sequence):
            items = value
        else:
            raise self._refuse(value, where, "a mapping or a list")
        for item in items:
            if isinstance(item, str):
                name, equals, text = item.partition("=")
                pairs.append((name, text if equals else None))
            elif isinstance(item, Sequence) and len(item) in (1, 2):
                text_or_none = item[1] if len(item) == 2 else None
                pairs.append((str(item[0]), None if text_or_none is None else str(text_or_none)))
            else:
                raise self._refuse(item, where, "NAME, NAME=VALUE or (NAME, VALUE)")
        for name, _ in pairs:
            if not name.replace("_", "a").isalnum() or name[0].isdigit():
                raise ConfigurationError(f"'{name}' is not a macro name", context=(("where", where),))
        # The last definition of a name wins; order is otherwise without meaning and must not reach a key.
        return tuple(sorted(dict(pairs).items()))

    def _refuse(self, value: object, where: str, wanted: str) -> ConfigurationError:
        return ConfigurationError(f"option '{self.name}' takes {wanted}, not {value!r}", context=(("where", where),))


def _has_nul(value: object) -> bool:
    """Return whether a value has what no argument of a program can have."""
    return "\0" in value if isinstance(value, str) else isinstance(value, tuple) and any(map(_has_nul, value))


def _word(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _choice(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in kind)


CORE_OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec(
        name="include_dirs",
        kind=OptionKind.TEXTS,
        default=(),
        help="directories searched for #include, in order",
    ),
    OptionSpec(
        name="export_include_dirs",
        kind=OptionKind.TEXTS,
        default=(),
        help="directories that the crate and all that depend on it search for #include, after their own",
    ),
    OptionSpec(name="defines", kind=OptionKind.DEFINES, default=(), help="macros, per crate or per source"),
    OptionSpec(
        name="opt_level",
        kind=OptionKind.CHOICE,
        default="0",
        words=_choice(OptLevel),
        help="0 none, 1 2 3 speed, s z size",
    ),
    OptionSpec(
        name="debuginfo",
        kind=OptionKind.CHOICE,
        default="none",
        words=_choice(DebugInfo),
        help="what a debugger can see",
    ),
    OptionSpec(
        name="lto",
        kind=OptionKind.CHOICE,
        default="off",
        words=_choice(LtoMode),
        per_type=True,
        help="link-time optimisation, of all crate types or of each",
    ),
    OptionSpec(
        name="prefer_dynamic",
        kind=OptionKind.FLAG,
        default=False,
        help="link dependencies dynamically if possible",
    ),
    OptionSpec(
        name="exports",
        kind=OptionKind.TEXTS,
        default=(),
        help="symbols to keep beside those the crate type keeps",
    ),
    OptionSpec(
        name="keep_exports",
        kind=OptionKind.FLAG,
        default=False,
        help="let an object offer what the crates linked into it export, beside its own",
    ),
    OptionSpec(
        name="allocator",
        kind=OptionKind.CHOICE,
        default="none",
        words=("none", "needs", "provides"),
        help="whether the crate calls the global allocator, or implements it",
    ),
    OptionSpec(
        name="libs",
        kind=OptionKind.TEXTS,
        default=(),
        help="libraries that are no crates, as rustc's -l: NAME, static=NAME, static:+whole-archive=NAME",
    ),
    OptionSpec(name="lib_dirs", kind=OptionKind.TEXTS, default=(), help="directories searched for libs, in order"),
    OptionSpec(name="version", kind=OptionKind.TEXT, default="", help="the crate's version, part of its identity"),
    OptionSpec(name="multimodule", kind=OptionKind.FLAG, default=False, help="one image for each entry point"),
    OptionSpec(name="entry_point", kind=OptionKind.TEXT, default="", help="name of the entry point, per source"),
)

SEARCH_PATHS = {"include_dirs": "include", "export_include_dirs": "include", "lib_dirs": "library"}
"""The options that name directories, and what for."""

_SHOWN = 20
"""Profiles of a chain that a message names."""

BUILTIN_PROFILES: Mapping[str, Mapping[str, object]] = {
    "dev": {"opt_level": "0", "debuginfo": "line"},
    "release": {"opt_level": "3", "debuginfo": "none"},
}


@dataclass(frozen=True, slots=True)
class Options:
    """The option values of one crate or source, complete and checked.

    Shape: `values` holds every option of the table, sorted by name.
    """

    SHARED: ClassVar[bool] = True
    """One value is part of many: its digest is worth remembering."""

    values: tuple[tuple[str, OptionValue], ...]

    def __getitem__(self, name: str) -> OptionValue:
        for known, value in self.values:
            if known == name:
                return value
        raise KeyError(f"'{name}' is not among the options given here; see UNIT_OPTIONS and LINK_OPTIONS")

    def flag(self, name: str) -> bool:
        """Return a FLAG's value."""
        return bool(self[name])

    def text(self, name: str) -> str:
        """Return the value of a TEXT or a CHOICE."""
        return str(self[name] or "")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the value of a TEXTS option."""
        value = self[name]
        return tuple(str(item) for item in value) if isinstance(value, tuple) else ()

    @property
    def defines(self) -> tuple[tuple[str, str | None], ...]:
        """Macros in order of name; a value of None is a bare `-DNAME`."""
        value = self["defines"]
        return tuple((str(item[0]), item[1]) for item in value if len(item) == 2) if isinstance(value, tuple) else ()

    @property
    def opt_level(self) -> OptLevel:
        """The optimisation level."""
        return OptLevel(self.text("opt_level"))

    @property
    def debuginfo(self) -> DebugInfo:
        """The amount of debug information."""
        return DebugInfo(self.text("debuginfo"))

    def lto_for(self, crate_type: CrateType) -> LtoMode:
        """Return the link-time optimisation asked for one crate type; none for a type that a mapping leaves out."""
        value = self["lto"]
        if isinstance(value, tuple):
            words = {str(item[0]): str(item[1]) for item in value if len(item) == 2}
            return LtoMode(words.get(crate_type.value, LtoMode.OFF.value))
        return LtoMode(self.text("lto"))

    def only(self, names: Iterable[str]) -> Options:
        """Return the named options alone, so that no other can reach a result unseen."""
        wanted = frozenset(names)
        return Options(tuple(pair for pair in self.values if pair[0] in wanted))

    def searching(self, directories: Iterable[str]) -> Options:
        """Return a copy that looks for includes in more directories, after those it has."""
        dirs = tuple(dict.fromkeys((*self.texts("include_dirs"), *directories)))
        return replace(self, values=tuple((name, dirs if name == "include_dirs" else old) for name, old in self.values))

    def override(self, changes: Mapping[str, OptionValue]) -> Options:
        """Return a copy with some values replaced; defines are merged, include directories put first."""
        merged = dict(self.values)
        for name, value in changes.items():
            old = merged[name]
            if name == "defines" and isinstance(old, tuple) and isinstance(value, tuple):
                combined = {str(pair[0]): pair[1] for pair in (*old, *value)}
                merged[name] = tuple(sorted(combined.items()))
            elif name == "include_dirs" and isinstance(old, tuple) and isinstance(value, tuple):
                merged[name] = (*value, *old)
            else:
                merged[name] = value
        return replace(self, values=tuple(sorted(merged.items())))


def parse_options(given: Mapping[str, object], table: Iterable[OptionSpec], *, where: str) -> dict[str, OptionValue]:
    """Read the options a user wrote.

    Raises: UnknownNameError for a word not in the table, with its near miss; ConfigurationError for a bad value.
    """
    specs = {spec.name: spec for spec in table}
    parsed: dict[str, OptionValue] = {}
    for name, value in given.items():
        if name not in specs:
            raise UnknownNameError(f"unknown option '{name}'", context=(("where", where),), hint=near_miss(name, specs))
        parsed[name] = specs[name].parse(value, where=where)
    return parsed


def resolve_profile(name: str, profiles: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return a profile's options with those it inherits.

    Raises: UnknownNameError for an unknown profile, ConfigurationError for one that inherits itself.
    """
    chain: dict[str, None] = {}
    current: object = name
    while current:
        word = str(current)
        if word in chain:
            shown = [*chain, word] if len(chain) < _SHOWN else [*list(chain)[:_SHOWN], "...", word]
            raise ConfigurationError(f"profile '{name}' inherits itself", context=(("chain", " -> ".join(shown)),))
        if word not in profiles:
            raise UnknownNameError(f"unknown profile '{word}'", hint=near_miss(word, profiles))
        chain[word] = None
        current = profiles[word].get("inherits")
    merged: dict[str, object] = {}
    for word in reversed(chain):
        merged |= profiles[word]
    merged.pop("inherits", None)
    return merged
