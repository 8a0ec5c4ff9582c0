"""`ldflags`, parsed the way a linker parses them.

What happens to each option is decided by the table in `linker_options`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cratewright import CrateType, dataclass

from .driver_options import DRIVER_OPTIONS, driver_option
from .linker_options import LINKER_OPTIONS, Fate, LinkerOption, refusal_of_keyword

__all__ = ["Flag", "parse_ldflags", "refused_flag", "spelled", "with_places", "written_files"]

_UNKNOWN = LinkerOption("", Fate.NOT_WITH_LTO, reason="its effect on symbols is unknown")
_FILE = LinkerOption("", Fate.INPUT)
_LETTERS = frozenset("AFGILOPRTYabcefhlmouyz")
"""Linker options whose value may follow without a separator."""
_DRIVER_LETTERS = frozenset("LTeluz")


@dataclass(frozen=True, slots=True)
class Flag:
    """One option, or a file.

    Shape: `before` is the text before the value, including a `=`, or the whole word if there is no value; `joined` if
    both are one word; `linker` if the driver passes it on to the linker. `option` has no name if it is a file or
    unknown.
    """

    option: LinkerOption
    before: str
    value: str | None = None
    joined: bool = False
    linker: bool = True

    @property
    def shown(self) -> str:
        """The option as the user wrote it."""
        between = "" if self.joined or not self.before or self.value is None else " "
        return f"{self.before}{between}{self.value or ''}"

    @property
    def is_file(self) -> bool:
        """Whether it is an object or a library by its path."""
        return not self.before


def parse_ldflags(words: Iterable[str]) -> tuple[Flag, ...]:
    """Parse words to options, in order."""
    flags: list[Flag] = []
    waiting: Flag | None = None
    for word, linker in _pieces(words):
        if waiting is not None and waiting.linker == linker:
            flags.append(replace(waiting, value=word))
            waiting = None
            continue
        if waiting is not None:
            flags.append(waiting)
        flag = _flag(word, linker)
        waiting = flag if flag.option.takes_value and flag.value is None else None
        if waiting is None:
            flags.append(flag)
    return (*flags, waiting) if waiting is not None else tuple(flags)


def _pieces(words: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield each word, and whether the driver passes it on to its linker."""
    handed = False
    for word in words:
        if handed:
            yield word, True
            handed = False
        elif word == "-Xlinker":
            handed = True
        elif word.startswith("-Wl,"):
            yield from ((piece, True) for piece in word.split(",")[1:])
        else:
            yield word, False


def _flag(word: str, linker: bool) -> Flag:
    if not word.startswith("-") or word == "-":
        parenthesis = linker and LINKER_OPTIONS.get(word)
        return Flag(parenthesis, word) if parenthesis else Flag(_FILE, "", word, linker=linker)
    table = LINKER_OPTIONS if linker else DRIVER_OPTIONS
    name = word.lstrip("-") if linker else word[1:]
    if name in table:
        return Flag(table[name], word, linker=linker)
    head, equals, value = name.partition("=")
    if equals and head in table and table[head].may_join:
        return Flag(table[head], word[: len(word) - len(value)], value, True, linker)
    if word[1] in (_LETTERS if linker else _DRIVER_LETTERS) and word[1] in table and len(word) > 2:
        return Flag(table[word[1]], word[:2], word[2:], True, linker)
    if linker:
        stem = next((stem for stem in ("lto-O", "lto-CGO", "plugin-opt") if name.startswith(stem)), "")
        return Flag(table[stem] if stem else _UNKNOWN, word)
    return Flag(driver_option(word), word, linker=False)


def refused_flag(words: Iterable[str], *, lto: bool) -> tuple[str, str] | None:
    """Return the first option that a link cannot accept, and why; None if it accepts all."""
    for flag in parse_ldflags(words):
        fate, reason = flag.option.fate, flag.option.reason
        if fate is Fate.REFUSED:
            return flag.shown, reason
        if fate is Fate.NOT_WITH_LTO and lto:
            return flag.shown, f"with lto, {reason}"
        if flag.is_file and (flag.value or "").startswith("@"):
            return flag.shown, "the linker would read a file that no cache could know of"
        if flag.is_file and lto:
            return flag.shown, "with lto, no symbol of it would be seen: name it in libs, or make it a crate"
        if flag.option.takes_value and flag.value is None:
            return flag.shown, "its value is missing"
        if flag.option.name == "z" and (why := refusal_of_keyword(flag.value or "")):
            return flag.shown, why
    return None


def with_places(words: Iterable[str], place: Callable[[str, bool], str]) -> tuple[str, ...]:
    """Return words with each file and directory replaced by `place`, which is told whether the link writes it."""
    placed: list[str] = []
    for flag in parse_ldflags(words):
        value = flag.value
        if value and flag.option.fate in _PLACES and not value.startswith("@"):
            value = place(value, flag.option.fate is Fate.OUTPUT)
        placed += spelled(replace(flag, value=value))
    return tuple(placed)


_PLACES = frozenset({Fate.LIST, Fate.VERSIONS, Fate.SCRIPT, Fate.INPUT, Fate.OUTPUT, Fate.DIRECTORY})


def written_files(crate_type: CrateType, words: Iterable[str]) -> tuple[str, ...]:
    """Return the files that a link writes besides its output; a staticlib runs no linker."""
    if crate_type in (CrateType.RLIB, CrateType.STATICLIB, CrateType.OBJECT):
        return ()
    values = (flag.value for flag in parse_ldflags(words) if flag.option.fate is Fate.OUTPUT)
    return tuple(dict.fromkeys(value for value in values if value and value != "-"))


def spelled(flag: Flag) -> tuple[str, ...]:
    """Return an option as words for a driver."""
    if flag.value is None:
        pieces = [flag.before]
    elif flag.joined or flag.is_file:
        pieces = [f"{flag.before}{flag.value}"]
    else:
        pieces = [flag.before, flag.value]
    if not flag.linker:
        return tuple(pieces)
    if any("," in piece for piece in pieces):
        return tuple(word for piece in pieces for word in ("-Xlinker", piece))
    return (f"-Wl,{','.join(pieces)}",)
