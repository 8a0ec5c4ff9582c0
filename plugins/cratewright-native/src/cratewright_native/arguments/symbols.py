"""What a user's linker flags say about symbols: which of them are linked, kept and exported."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from cratewright import LinkError, LinkRequest, pattern

from .ldflags import Flag, parse_ldflags
from .linker_options import Treatment

_COMMENT = pattern(r"/\*.*?\*/|#[^\n]*", re.DOTALL)
_TOKEN = pattern(r'"[^"]*"|[{};]|[^\s{};"]+')
_NAME = pattern(r"[A-Za-z_.$][\w.$@]*")
_ASSIGNED = pattern(r"([A-Za-z_.$][\w.$]*)\s*=(?!=)")
# Symbols that a linker uses without a reference.
_ALWAYS = frozenset({"_start", "_init", "_fini"})
_MANGLED = "_Z*"


def has_version_script(words: Sequence[str]) -> bool:
    """Return whether a version script decides what is exported."""
    return any(flag.option.treatment is Treatment.VERSION_SCRIPT for flag in parse_ldflags(words))


def exports_everything(words: Sequence[str]) -> bool:
    """Return whether a program exports every visible symbol."""
    state = False
    for flag in parse_ldflags(words):
        state = (state or flag.option.treatment is Treatment.ALL_SYMBOLS) and flag.option.name != "no-export-dynamic"
    return state


def resolution_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return lld's arguments for resolving symbols for LTO."""
    arguments: list[str] = []
    for flag in parse_ldflags(words):
        name = {"u": "undefined", "require-defined": "undefined", "e": "entry"}.get(flag.option.name, flag.option.name)
        if flag.option.treatment is Treatment.RESOLUTION:
            arguments.append(f"--{name}" if flag.value is None else f"--{name}={flag.value}")
        elif name == "z" and flag.value == "muldefs":
            arguments.append("--allow-multiple-definition")
    return tuple(arguments)


def requested_symbols(words: Sequence[str], defined: Iterable[str]) -> set[str]:
    """Return the symbols whose modules are linked because of a flag, although nothing uses them."""
    known, names = set(defined), ("undefined", "u", "require-defined", "entry", "e", "undefined-glob")
    flags = [flag for flag in parse_ldflags(words) if flag.option.name in names]
    return set().union(*(_match([flag.value or ""], known) for flag in flags))


def kept_by_flags(words: Sequence[str], defined: Iterable[str], read: Callable[[str], str]) -> set[str]:
    """Return the symbols whose names LTO must keep because of flags.

    Shape: `defined` are symbols that may be seen from outside; `read` returns the text of a file that the flags name.
    Raises: as `read`.
    """
    known = set(defined)
    kept = {name for name in known if name in _ALWAYS or "@" in name}
    for flag in parse_ldflags(words):
        kept |= _matching(flag, known, read)
    return kept


def exported_by_flags(words: Sequence[str], defined: Iterable[str], read: Callable[[str], str]) -> set[str]:
    """Return the symbols that flags export, apart from version scripts.

    Raises: as `read`.
    """
    known = set(defined)
    flags = [
        flag
        for flag in parse_ldflags(words)
        if flag.option.treatment in (Treatment.SYMBOL_PATTERN, Treatment.SYMBOL_LIST)
    ]
    return set().union(*(_matching(flag, known, read) for flag in flags))


def _matching(flag: Flag, known: set[str], read: Callable[[str], str]) -> set[str]:
    treatment, value = flag.option.treatment, flag.value or ""
    if treatment is Treatment.ALL_SYMBOLS:
        return known
    if treatment is Treatment.SYMBOL_PATTERN:
        return _match([value], known)
    if treatment in (Treatment.SYMBOL_LIST, Treatment.VERSION_SCRIPT):
        return _match(script_patterns(read(value)), known)
    if treatment is Treatment.LINKER_SCRIPT:
        text = _COMMENT.sub(" ", read(value))
        replaced = known.intersection(_ASSIGNED.findall(text))
        if replaced:
            raise LinkError(
                f"{value} gives a value to '{min(replaced)}', which a crate defines; LTO does not see that",
                hint="set lto='off', or use --defsym",
            )
        return known & set(_NAME.findall(text))
    if treatment is Treatment.RESOLUTION:
        names = set(_NAME.findall(value))
        if flag.option.name == "wrap":
            names = {value, f"__wrap_{value}", f"__real_{value}"}
        return known & names
    return set()


def _match(patterns: Iterable[str], known: set[str]) -> set[str]:
    found: set[str] = set()
    for glob in patterns:
        if any(char in glob for char in "*?["):
            found |= {name for name in known if fnmatchcase(name.partition("@")[0], glob)}
        elif glob in known:
            found.add(glob)
    return found


def script_patterns(text: str) -> list[str]:
    """Return the patterns of symbols that a version script or a dynamic list exports.

    Shape: C++ names, which scripts spell as sources do, become `_Z*`, since keeping too much is never wrong.
    """
    patterns: list[str] = []
    exported, depth = True, 0
    languages: list[bool] = []
    tokens = list(_tokens(text))
    for index, token in enumerate(tokens):
        if token == "{":
            depth += 1
            languages.append(index > 0 and tokens[index - 1] == '"C++"')
            exported = exported if depth > 1 else True
        elif token == "}":
            depth -= 1
            languages = languages[:-1]
        elif token in ("global:", "local:"):
            exported = token == "global:"
        elif token != ";" and depth and exported and "extern" not in (token, tokens[index - 1]):
            patterns.append(_MANGLED if any(languages) else token.strip('"'))
    return patterns


def _tokens(text: str) -> Iterator[str]:
    plain = re.sub(r"\b(global|local)\s*:(?!:)", r" \1: ", _COMMENT.sub(" ", text))
    yield from _TOKEN.findall(plain)


def script_directories(request: LinkRequest) -> list[str]:
    """Return where linkers look for files that linker flags name: where libraries are."""
    flags = parse_ldflags(request.options.texts("ldflags"))
    named = [flag.value or "" for flag in flags if flag.option.treatment is Treatment.DIRECTORY]
    return [*request.options.texts("lib_dirs"), *named]


def script_places(path: str, directories: Iterable[str]) -> list[str]:
    """Return where a file that linker flags name may be: at its path, or in one of the directories."""
    return [path, *(os.path.join(directory, os.path.basename(path)) for directory in directories)]


def script_reader(root: str, request: LinkRequest) -> Callable[[str], str]:
    """Return a function that reads files named in a crate's linker flags.

    Raises: LinkError naming the crate and the file.
    """
    directories = script_directories(request)

    def read(path: str) -> str:
        tried = script_places(path, directories)
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
