"""Compiler flags that users may give, and those that have an option instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cratewright import ConfigurationError, pattern

SOURCE_LANGUAGES = {
    ".c": "c",
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".c++", ".C"), "c++"),
    **dict.fromkeys((".ll", ".bc"), "ir"),
    ".wat": "wat",
}

_C, _CXX = "c", "c++"
_FEATURES = (
    "bulk-memory|bulk-memory-opt|call-indirect-overlong|extended-const|multivalue|mutable-globals|nontrapping-fptoint"
    "|reference-types|relaxed-simd|sign-ext|simd128|tail-call"
)
_SWITCHES = (
    "asm|associative-math|builtin|char8_t|coroutines|delete-null-pointer-checks|fast-math|finite-math-only"
    "|honor-infinities|honor-nans|inline|inline-functions|math-errno|merge-all-constants|omit-frame-pointer"
    "|reciprocal-math|rtti|short-enums|signed-char|signed-zeros|sized-deallocation|slp-vectorize|strict-aliasing"
    "|strict-enums|strict-overflow|trapping-math|unroll-loops|unsigned-char|vectorize|wrapv"
)
_ALLOWED = pattern(
    rf"-W(?!p,|a,|l,).+|-w|-pedantic|-pedantic-errors|-f(?:no-)?(?:{_SWITCHES})|-m(?:no-)?(?:{_FEATURES})"
    r"|-mcpu=(?:generic|mvp|lime1|bleeding-edge)|-fno-builtin-\w+|-ffp-contract=(?:on|off|fast)"
    r"|-ftrivial-auto-var-init=(?:zero|pattern|uninitialized)|-fbracket-depth=\d+|-fconstexpr-(?:depth|steps)=\d+"
    r"|-ftemplate-depth=\d+|-fvisibility=(?:default|hidden)|-fno-exceptions|-fconst-strings|-trigraphs"
)
_INSTEAD: tuple[tuple[str, str], ...] = (
    (r"-O.*", "opt_level"),
    (r"-g.*", "debuginfo"),
    (r"-D.*|-U.*|--define-macro.*", "defines"),
    (r"-I.*|-isystem.*|-iquote.*|-idirafter.*|--include-directory.*", "include_dirs"),
    (r"-std.*|--std.*|-ansi", "std"),
    (r"-flto.*|-fno-lto|-funified-lto|-fsplit-lto-unit|-ffat-lto-objects", "lto"),
    (r"--?target.*", "target"),
    (r"-Wl,.*|-Xlinker.*|-z|-L.*|-l.*", "stack_size, initial_memory, max_memory, import_memory, imports or exports"),
)
_WHY: tuple[tuple[str, str], ...] = (
    (r"-fexceptions|-fwasm-exceptions|-fcxx-exceptions", "no library supports unwinding"),
    (r"-matomics|-pthread|-mthread-model.*", "threads need a shared memory, which no link here makes"),
    (r"-f(?:plugin|pass-plugin).*|-Xclang|-load|-mllvm|-Xpreprocessor|-Wp,.*|-Wa,.*", "its effect is unknown"),
    (r"@.*|--config.*", "cratewright does not read flags in files"),
    (r"-include.*|-imacros.*|-x.*", "write it into the source"),
    (r"-f(?:no-)?(?:sanitize|profile|coverage|instrument|cs-profile|xray).*|--coverage", "its library is missing"),
    (r"-o.*|-c|-S|-E|-M.*|-emit-.*|-save-temps.*|-fsyntax-only|-ftime-.*|-###|-v", "cratewright decides what is made"),
)


def check_flags(flags: Sequence[str], *, where: str) -> None:
    """Refuse unknown flags, and those that break a guarantee.

    Raises: ConfigurationError naming the word and the way out.
    """
    for word in flags:
        if _ALLOWED.fullmatch(word):
            continue
        option = next((name for pattern, name in _INSTEAD if re.fullmatch(pattern, word)), "")
        reason = next((text for pattern, text in _WHY if re.fullmatch(pattern, word)), "")
        raise ConfigurationError(
            f"'{word}' cannot be passed to the compiler",
            context=(("where", where), *((("reason", reason),) if reason else ())),
            hint=f"use the option {option}"
            if option
            else "leave it out: only flags with known effects are allowed (-W..., -fwrapv, -msimd128)",
        )


def standard_for(language: str, standards: Sequence[str], *, where: str) -> str:
    """Return the standard for a language among those of a crate, or nothing.

    Raises: ConfigurationError for an unknown standard, or two of one language.
    """
    found = {_CXX: "", _C: ""}
    for word, kind in _standards(standards, where):
        if found[kind]:
            raise ConfigurationError(
                f"'{found[kind]}' and '{word}' are both standards of one language", context=(("where", where),)
            )
        found[kind] = word
    return found.get(language, "")


def _standards(standards: Sequence[str], where: str) -> Iterator[tuple[str, str]]:
    for word in standards:
        match = re.fullmatch(r"(?:c|gnu|iso9899:)(\+\+)?(?:\d[\dxyz]|\d{4}|\d{6})", word)
        if match is None:
            raise ConfigurationError(
                f"'{word}' is not a language standard", context=(("where", where),), hint="such as c17 or c++20"
            )
        yield word, _CXX if match[1] else _C
