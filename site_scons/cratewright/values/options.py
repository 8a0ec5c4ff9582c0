"""The options of a crate: the table of those common to all backends, and the values of one crate or source.

Backends add their own rows to the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum
from typing import ClassVar

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.values import dataclass
from .crate_type import CrateType
from .option_spec import OptionKind, OptionSpec, OptionValue


class OptLevel(Enum):
    """How hard to optimize; rustc's spelling."""

    NONE = "0"
    LESS = "1"
    DEFAULT = "2"
    AGGRESSIVE = "3"
    SIZE = "s"
    SIZE_MIN = "z"

    @property
    def for_size(self) -> bool:
        """Whether to optimize for size rather than speed."""
        return self in (OptLevel.SIZE, OptLevel.SIZE_MIN)


class DebugInfo(Enum):
    """The amount of debug information."""

    NONE = "none"
    LINE = "line"
    FULL = "full"


class LtoMode(Enum):
    """The requested link-time optimization."""

    OFF = "off"
    THIN_LOCAL = "thin-local"
    THIN = "thin"
    FAT = "fat"


def _choice(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in kind)


CORE_OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec.texts("include_dirs", "include directories, in search order"),
    OptionSpec.texts(
        "export_include_dirs", "include directories for the crate and its dependents, searched after their own"
    ),
    OptionSpec(name="defines", kind=OptionKind.DEFINES, default=(), help="macros, for the crate or a source"),
    OptionSpec.choice("opt_level", _choice(OptLevel), "0: none; 1, 2, 3: speed; s, z: size"),
    OptionSpec.choice("debuginfo", _choice(DebugInfo), "debug information"),
    OptionSpec(
        name="lto",
        kind=OptionKind.CHOICE,
        default="off",
        words=_choice(LtoMode),
        per_type=True,
        help="link-time optimization, for all crate types or for each",
    ),
    OptionSpec.flag("prefer_dynamic", "link dependencies dynamically if possible"),
    OptionSpec.texts("exports", "symbols to keep in addition to those the crate type keeps"),
    OptionSpec.flag("keep_exports", "make an object also export what the crates linked into it export"),
    OptionSpec.choice(
        "allocator", ("none", "needs", "provides"), "whether the crate calls or implements the global allocator"
    ),
    OptionSpec.texts(
        "libs", "libraries that are not crates, like rustc's -l: NAME, static=NAME, static:+whole-archive=NAME"
    ),
    OptionSpec.texts("lib_dirs", "directories to search for libs, in order"),
    OptionSpec(name="version", kind=OptionKind.TEXT, default="", help="the crate's version, part of its identity"),
    OptionSpec.flag("multimodule", "one image for each entry point"),
    OptionSpec(name="entry_point", kind=OptionKind.TEXT, default="", help="name of a source's entry point"),
)

SEARCH_PATHS = {"include_dirs": "include", "export_include_dirs": "include", "lib_dirs": "library"}
"""The options that name directories, with their purpose."""

_SHOWN = 20
"""How many profiles of a chain a message names."""

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
    """One value is part of many others, so its bytes are cached."""

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
        """Return the value of a TEXT, a CHOICE or a PATH."""
        return str(self[name] or "")

    def number(self, name: str) -> int | None:
        """Return the value of an INT or SIZE; None if it is not set and has no default."""
        value = self[name]
        return value if type(value) is int else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the value of a TEXTS option."""
        value = self[name]
        return tuple(str(item) for item in value) if isinstance(value, tuple) else ()

    @property
    def defines(self) -> tuple[tuple[str, str | None], ...]:
        """Macros sorted by name; None stands for a bare `-DNAME`."""
        value = self["defines"]
        return tuple((str(item[0]), item[1]) for item in value if len(item) == 2) if isinstance(value, tuple) else ()

    @property
    def opt_level(self) -> OptLevel:
        """The optimization level."""
        return OptLevel(self.text("opt_level"))

    @property
    def debuginfo(self) -> DebugInfo:
        """The amount of debug information."""
        return DebugInfo(self.text("debuginfo"))

    def lto_for(self, crate_type: CrateType) -> LtoMode:
        """Return the link-time optimization requested for a crate type; none for one that a mapping omits."""
        value = self["lto"]
        if isinstance(value, tuple):
            words = {str(item[0]): str(item[1]) for item in value if len(item) == 2}
            return LtoMode(words.get(crate_type.value, LtoMode.OFF.value))
        return LtoMode(self.text("lto"))

    def only(self, names: Iterable[str]) -> Options:
        """Return only the named options, so that no other can affect a result unnoticed."""
        wanted = frozenset(names)
        return Options(tuple(pair for pair in self.values if pair[0] in wanted))

    def searching(self, directories: Iterable[str]) -> Options:
        """Return a copy with more include directories, after its own."""
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
    """Parse a user's options.

    Raises: UnknownNameError, with the near miss, for an option not in the table; ConfigurationError for a bad value.
    """
    specs = {spec.name: spec for spec in table}
    parsed: dict[str, OptionValue] = {}
    for name, value in given.items():
        if name not in specs:
            raise unknown_option(name, specs, where=where)
        parsed[name] = specs[name].parse(value, where=where)
    return parsed


def unknown_option(name: str, known: Iterable[str], *, where: str) -> UnknownNameError:
    """Return the error about an option that does not exist, with the near miss."""
    return UnknownNameError(f"unknown option '{name}'", context=(("where", where),), hint=near_miss(name, known))


def resolve_profile(name: str, profiles: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return a profile's options, including inherited ones.

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
