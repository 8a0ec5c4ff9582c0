"""SCons's construction variables as options of a native crate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from cratewright import ConfigurationError, ConstructionVariable

_C_COMPILER = (("clang++", "clang"), ("g++", "gcc"))

VARIABLES = (
    ConstructionVariable(name="CC", setting="CRATE_CC"),
    ConstructionVariable(name="CXX", setting="CRATE_CC", renamed=_C_COMPILER),
    ConstructionVariable(name="CPPPATH", option="include_dirs"),
    ConstructionVariable(name="CPPDEFINES", option="defines"),
    ConstructionVariable(name="CCFLAGS", option="flags"),
    ConstructionVariable(name="CPPFLAGS", option="flags"),
    ConstructionVariable(name="CFLAGS", option="cflags"),
    ConstructionVariable(name="CXXFLAGS", option="cxxflags"),
    ConstructionVariable(name="ASPPFLAGS", option="asmflags"),
    # ASPPFLAGS includes it by default; alone, it is for sources that crates do not have.
    ConstructionVariable(name="ASFLAGS"),
    ConstructionVariable(name="LINKFLAGS", option="ldflags"),
    ConstructionVariable(name="LIBS", option="libs"),
    ConstructionVariable(name="LIBPATH", option="lib_dirs"),
    ConstructionVariable(name="RPATH", option="rpath"),
    ConstructionVariable(name="SHLIBVERSION", option="version"),
    ConstructionVariable(name="SOVERSION", option="soversion"),
)
SETTINGS = frozenset({"CRATE_CC", "CRATE_LLVM"})
# In the order of SCons's commands, because the last word counts.
_COMPILED = ("cflags", "cxxflags", "asmflags", "flags")
_LANGUAGES = {"cflags": "CFLAGS", "cxxflags": "CXXFLAGS", "asmflags": "ASPPFLAGS"}
_TEXTS = ("version", "soversion")
_LEVELS: dict[str, bool | str] = {"-O": "1", **{f"-O{level}": level for level in "0123sz"}}
_DEBUGGING: dict[str, bool | str] = {
    "-g0": "none",
    "-g1": "line",
    "-gline-tables-only": "line",
    "-g": "full",
    "-g2": "full",
    "-g3": "full",
}
_POSITION: dict[str, bool | str] = {
    **dict.fromkeys(("-fPIC", "-fpic", "-fPIE", "-fpie"), True),
    **dict.fromkeys(("-fno-pic", "-fno-PIC"), False),
}


def read_variables(values: Mapping[str, tuple[str, ...]]) -> dict[str, bool | str | tuple[str, ...]]:
    """Return options from the arguments that SCons would pass to compilers and linkers.

    A word equivalent to an option becomes that option, so that the crate's own value takes precedence.

    Raises: ConfigurationError if such words differ by language.
    """
    scalars: dict[str, bool | str] = {}
    origins: dict[str, dict[str, str]] = {}
    lists: dict[str, list[str]] = {name: list(words) for name, words in values.items() if name not in _COMPILED}
    # CPPDEFINES come last in SCons's commands.
    defined = {_macro(word) for word in values.get("defines", ())}
    for name in _COMPILED:
        for word in _without_macros(values.get(name, ()), defined):
            option, value = _meaning(word)
            if isinstance(value, list):
                lists.setdefault(option, []).extend(value)
            elif option:
                scalars[option] = value
                origins.setdefault(option, {})[name] = word
            else:
                lists.setdefault(name, []).append(word)
    for option, words in origins.items():
        _check_alike(option, words)
    scalars |= {name: " ".join(lists.pop(name)) for name in _TEXTS if name in lists}
    # The option applies to both.
    lists["ldflags"] = [word for word in lists.get("ldflags", ()) if not word.startswith("-fsanitize=")]
    return {
        **scalars,
        **{name: tuple(dict.fromkeys(words) if name == "sanitize" else words) for name, words in lists.items()},
    }


def _check_alike(option: str, words: Mapping[str, str]) -> None:
    """Refuse words that give an option different values by language, unless one for all languages follows."""
    given = [(_LANGUAGES[name], word) for name, word in words.items() if name in _LANGUAGES]
    if "flags" not in words and len({_meaning(word) for _, word in given}) > 1:
        raise ConfigurationError(
            f"{' and '.join(name for name, _ in given)} differ in '{option}', which a crate has for all its languages",
            context=given,
            hint="put the word into CCFLAGS; or, for a crate in one language, set the variable of the other: CFLAGS=[]",
        )


def _without_macros(words: tuple[str, ...], defined: set[str]) -> Iterator[str]:
    """Yield words without the macros that are always defined."""
    rest = iter(words)
    for word in rest:
        if word[:2] not in ("-D", "-U"):
            yield word
            continue
        parts = (word,) if len(word) > 2 else (word, *islice(rest, 1))
        if _macro("".join(parts)[2:]) not in defined:
            yield from parts


def _macro(word: str) -> str:
    return word.partition("=")[0].partition("(")[0]


def _meaning(word: str) -> tuple[str, bool | str | list[str]]:
    """Return the option that a word is equivalent to, and its value; an empty name if there is none."""
    for table, option in ((_LEVELS, "opt_level"), (_DEBUGGING, "debuginfo"), (_POSITION, "pic")):
        if word in table:
            return option, table[word]
    if word.startswith("-std="):
        return "std", [word.removeprefix("-std=")]
    if word.startswith("-fsanitize="):
        return "sanitize", word.removeprefix("-fsanitize=").split(",")
    return "", ""
