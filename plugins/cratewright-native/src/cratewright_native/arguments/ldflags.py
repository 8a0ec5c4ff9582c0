"""`ldflags`, parsed as a linker parses them; `linker_options` says how each option is treated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cratewright import CrateType, dataclass

from .compiler_flags import Refusal
from .driver_options import DRIVER_OPTIONS, driver_option
from .linker_options import KEYWORD_REFUSALS, LINKER_OPTIONS, LinkerOption, Treatment

_UNKNOWN = LinkerOption("", Treatment.NOT_WITH_LTO, reason="its effect on symbols is unknown")
_FILE = LinkerOption("", Treatment.INPUT_FILE)
_LETTERS = frozenset("AFGILOPRTYabcefhlmouyz")
"""Linker options whose value may follow without a separator."""
_DRIVER_LETTERS = frozenset("LTeluz")
_WITHOUT_LTO = "set lto='off' for this crate"


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
    to_linker = False
    for word in words:
        if to_linker:
            yield word, True
            to_linker = False
        elif word == "-Xlinker":
            to_linker = True
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


def linker_flag_refusal(words: Iterable[str], *, lto: bool) -> Refusal | None:
    """Return the first refused option, or None."""
    for flag in parse_ldflags(words):
        value, option = flag.value or "", flag.option
        reason = hint = ""
        if option.treatment is Treatment.REFUSED:
            reason = option.reason
        elif option.treatment is Treatment.NOT_WITH_LTO and lto:
            reason, hint = f"with lto, {option.reason}", _WITHOUT_LTO
        elif flag.is_file and value.startswith("@"):
            reason = "the linker would read a file that no cache key includes"
        elif flag.is_file and lto:
            reason, hint = "with lto, its symbols would not be seen: name it in libs, or make it a crate", _WITHOUT_LTO
        elif option.takes_value and flag.value is None:
            reason = "its value is missing"
        elif option.name == "z":
            reason = KEYWORD_REFUSALS.get(value, "")
        if reason:
            return Refusal(flag.shown, reason, hint)
    return None


def with_paths(words: Iterable[str], locate: Callable[[str, bool], str]) -> tuple[str, ...]:
    """Return words with each path replaced by `locate`, whose second argument is whether the link writes the file."""
    located: list[str] = []
    for flag in parse_ldflags(words):
        value = flag.value
        if value and flag.option.treatment in _WITH_PATH and not value.startswith("@"):
            value = locate(value, flag.option.treatment is Treatment.OUTPUT_FILE)
        located += flag_words(replace(flag, value=value))
    return tuple(located)


_WITH_PATH = frozenset(
    {
        Treatment.SYMBOL_LIST,
        Treatment.VERSION_SCRIPT,
        Treatment.LINKER_SCRIPT,
        Treatment.INPUT_FILE,
        Treatment.OUTPUT_FILE,
        Treatment.DIRECTORY,
    }
)


def written_files(crate_type: CrateType, words: Iterable[str]) -> tuple[str, ...]:
    """Return the files that a link writes besides its output; a staticlib runs no linker."""
    if crate_type in (CrateType.RLIB, CrateType.STATICLIB, CrateType.OBJECT):
        return ()
    values = (flag.value for flag in parse_ldflags(words) if flag.option.treatment is Treatment.OUTPUT_FILE)
    return tuple(dict.fromkeys(value for value in values if value and value != "-"))


def flag_words(flag: Flag) -> tuple[str, ...]:
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
