"""Symbols that a user's linker flags refer to, so that LTO keeps their names.

How LTO is told about them is decided elsewhere. Symbols whose use a compiler sees are not handled here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from cratewright import LinkError, LinkRequest, LtoMode, pattern

from ..binary.elf import elf_symbols
from .ldflags import Flag, parse_ldflags
from .linker_options import Fate

__all__ = [
    "check_prepared",
    "is_versioned",
    "kept_symbols",
    "offered_symbols",
    "offers_all",
    "script_patterns",
    "script_reader",
    "shared_symbols",
    "told_words",
    "wanted_symbols",
]

_COMMENT = pattern(r"/\*.*?\*/|#[^\n]*", re.DOTALL)
_TOKEN = pattern(r'"[^"]*"|[{};]|[^\s{};"]+')
_NAME = pattern(r"[A-Za-z_.$][\w.$@]*")
_ASSIGNED = pattern(r"([A-Za-z_.$][\w.$]*)\s*=(?!=)")
# What a linker looks for by name, wherever it is defined.
_ALWAYS = frozenset({"_start", "_init", "_fini"})
_MANGLED = "_Z*"


def check_prepared(request: LinkRequest) -> None:
    """Refuse modules that hold only code when LTO needs more: their crate was built where no link had LTO.

    Raises: LinkError naming the crate.
    """
    for item in request.modules:
        takes_part = request.lto is not LtoMode.THIN_LOCAL or item.crate == request.crate
        if takes_part and item.module.attribute("representation") == "code":
            raise LinkError(
                f"crate '{request.crate}' has lto='{request.lto.value}', but '{item.crate}' was compiled without",
                context=(("module", item.module.name), ("reason", "where it was built, no link of it had lto")),
                hint=f"build '{item.crate}' where a link of it has lto, or where nothing links it; or set lto='off'",
            )


def is_versioned(words: Sequence[str]) -> bool:
    """Return whether the user's version script decides what is exported."""
    return any(flag.option.fate is Fate.VERSIONS for flag in parse_ldflags(words))


def offers_all(words: Sequence[str]) -> bool:
    """Return whether a program exports every visible symbol."""
    state = False
    for flag in parse_ldflags(words):
        state = (state or flag.option.fate is Fate.ALL_KEPT) and flag.option.name != "no-export-dynamic"
    return state


def told_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return lld's arguments for resolving symbols for LTO."""
    told: list[str] = []
    for flag in parse_ldflags(words):
        name = {"u": "undefined", "require-defined": "undefined", "e": "entry"}.get(flag.option.name, flag.option.name)
        if flag.option.fate is Fate.TOLD:
            told.append(f"--{name}" if flag.value is None else f"--{name}={flag.value}")
        elif name == "z" and flag.value == "muldefs":
            told.append("--allow-multiple-definition")
    return tuple(told)


def wanted_symbols(words: Sequence[str], defined: Iterable[str]) -> set[str]:
    """Return the symbols whose modules the user's flags request although nothing uses them."""
    known, names = set(defined), ("undefined", "u", "require-defined", "entry", "e", "undefined-glob")
    flags = [flag for flag in parse_ldflags(words) if flag.option.name in names]
    return set().union(*(_match([flag.value or ""], known) for flag in flags))


def kept_symbols(words: Sequence[str], defined: Iterable[str], read: Callable[[str], str]) -> set[str]:
    """Return the symbols whose names LTO must keep.

    Shape: `defined` are symbols that may be seen from outside; `read` returns the text of a file that the flags name.
    Raises: as `read`.
    """
    known = set(defined)
    kept = {name for name in known if name in _ALWAYS or "@" in name}
    for flag in parse_ldflags(words):
        kept |= _matching(flag, known, read)
    return kept


def shared_symbols(request: LinkRequest, defined: set[str], root: str) -> set[str]:
    """Return the symbols that a dylib of the link uses or also defines: it binds to the program's.

    Raises: FormatError for a dylib that is damaged.
    """
    shared: set[str] = set()
    for library in request.libraries:
        with open(os.path.join(root, library.path), "rb") as file:
            shared |= {symbol.name for symbol in elf_symbols(file.read(), name=library.path, dynamic=True)}
    return defined & shared


def offered_symbols(words: Sequence[str], defined: Iterable[str], read: Callable[[str], str]) -> set[str]:
    """Return the symbols that the user's flags export, apart from version scripts.

    Raises: as `read`.
    """
    known = set(defined)
    flags = [flag for flag in parse_ldflags(words) if flag.option.fate in (Fate.KEPT, Fate.LIST)]
    return set().union(*(_matching(flag, known, read) for flag in flags))


def _matching(flag: Flag, known: set[str], read: Callable[[str], str]) -> set[str]:
    fate, value = flag.option.fate, flag.value or ""
    if fate is Fate.ALL_KEPT:
        return known
    if fate is Fate.KEPT:
        return _match([value], known)
    if fate in (Fate.LIST, Fate.VERSIONS):
        return _match(script_patterns(read(value)), known)
    if fate is Fate.SCRIPT:
        text = _COMMENT.sub(" ", read(value))
        replaced = known.intersection(_ASSIGNED.findall(text))
        if replaced:
            raise LinkError(
                f"{value} gives a value to '{min(replaced)}', which a crate defines; LTO cannot take that into account",
                hint="set lto='off', or use --defsym",
            )
        return known & set(_NAME.findall(text))
    if fate is Fate.TOLD:
        names = set(_NAME.findall(value))
        if flag.option.name == "wrap":
            names = {value, f"__wrap_{value}", f"__real_{value}"}
        return known & names
    return set()


def _match(patterns: Iterable[str], known: set[str]) -> set[str]:
    found: set[str] = set()
    for wanted in patterns:
        if any(char in wanted for char in "*?["):
            found |= {name for name in known if fnmatchcase(name.partition("@")[0], wanted)}
        elif wanted in known:
            found.add(wanted)
    return found


def script_patterns(text: str) -> list[str]:
    """Return the patterns of symbols that a version script or a dynamic list exports.

    Shape: C++ names, which it spells as in the source, become `_Z*`: keeping too much is never wrong.
    """
    patterns: list[str] = []
    offered, depth = True, 0
    languages: list[bool] = []
    tokens = list(_tokens(text))
    for index, token in enumerate(tokens):
        if token == "{":
            depth += 1
            languages.append(index > 0 and tokens[index - 1] == '"C++"')
            offered = offered if depth > 1 else True
        elif token == "}":
            depth -= 1
            languages = languages[:-1]
        elif token in ("global:", "local:"):
            offered = token == "global:"
        elif token != ";" and depth and token != "extern" and not _is_language(tokens, index) and offered:
            patterns.append(_MANGLED if any(languages) else token.strip('"'))
    return patterns


def _is_language(tokens: Sequence[str], index: int) -> bool:
    return index > 0 and tokens[index - 1] == "extern"


def _tokens(text: str) -> Iterator[str]:
    plain = re.sub(r"\b(global|local)\s*:(?!:)", r" \1: ", _COMMENT.sub(" ", text))
    yield from _TOKEN.findall(plain)


def script_reader(root: str, request: LinkRequest) -> Callable[[str], str]:
    """Return a function that reads files named in a crate's linker flags.

    Shape: scripts not found at their path are searched for like libraries, as linkers do.
    Raises: LinkError naming the crate and the file.
    """
    flags = parse_ldflags(request.options.texts("ldflags"))
    named = [flag.value or "" for flag in flags if flag.option.fate is Fate.DIRECTORY]
    places = [*request.options.texts("lib_dirs"), *named]

    def read(path: str) -> str:
        tried = [path, *(os.path.join(place, os.path.basename(path)) for place in places)]
        found = next((item for item in tried if os.path.isfile(os.path.join(root, item))), path)
        try:
            with open(os.path.join(root, found), encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except OSError as error:
            raise LinkError(
                f"crate '{request.crate}': ldflags name {path}, which cannot be read",
                context=(("reason", error.strerror),),
            ) from error

    return read
