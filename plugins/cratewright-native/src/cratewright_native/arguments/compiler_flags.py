"""Compiler flags that users may give, and how the others are treated.

An accepted flag has the same effect however the crate is linked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cratewright import dataclass, pattern

_SEPARATE = frozenset(
    {"-D", "-U", "-include", "-imacros", "--include", "--imacros", "--embed-dir", "--param", "-Xassembler"}
    | {"-isystem", "-iquote", "-idirafter", "-isysroot", "--sysroot", "-iprefix", "-iwithprefix", "-iwithprefixbefore"}
)
"""Words followed by their value."""

_DECIDED = "cratewright decides it"
_FILES = "the compiler would read files that no cache key includes"
_MODULES = "a module is made from other units, and read from files that no cache key includes"
_DELETED = "its output would be deleted with the compiler's working directory"
_PATHS = "the output would contain paths of this machine; cratewright already maps them"
_HOST = "the result would depend on the build machine"
_PARSED = "cratewright parses the compiler's output"
_PARTLY = "it affects how objects are made, and a link with LTO makes its own"
_LINK = "a compiler does not link here"
_SYSTEM = "which programs run, and where they search, is part of the toolchain"
_LONG = "it is the long form of another flag, or unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused word: why, and the way out if there is one."""

    word: str
    reason: str
    hint: str


def _rule(pattern: str, reason: str, hint: str = "") -> tuple[str, str, str]:
    return pattern, reason, hint


# The first match at the beginning of a word counts. Compiled on first use, because most crates have no flags.
_RULES = (
    _rule(r"@", _FILES, "list the words themselves"),
    _rule(r"-fsanitize=", "option 'sanitize' sets it", "set sanitize=[...]"),
    _rule(r"-O", "option 'opt_level' sets it", "set opt_level"),
    _rule(r"-g(?!no-|columns?-)", "option 'debuginfo' sets it", "set debuginfo='none', 'line' or 'full'"),
    _rule(r"-?-std\b|-ansi\Z", "option 'std' sets it", 'set std=["c17", "c++20"]: each is for its language'),
    _rule(
        r"-I|--include-directory", "option 'include_dirs' sets it", "set include_dirs; it is relative to the SConscript"
    ),
    _rule(
        r"-?-coverage\Z|-f(?:no-)?(?:profile-arcs|test-coverage|coverage-mapping|profile-instr-generate)",
        "option 'coverage' sets it",
        "set coverage=True",
    ),
    _rule(r"-f(?:no-)?(?:pic|PIC|pie|PIE)\Z|-(?:no-)?pie\Z", "option 'pic' sets it", "set pic"),
    _rule(
        r"-f(?:no-)?(?:lto|thinlto|unified-lto|fat-lto|split-lto|whole-program|virtual-function-el|use-linker-plugin)",
        "option 'lto' sets it",
        "set lto='off', 'thin' or 'fat'",
    ),
    _rule(r"-?-target\b|-m(?:32|64|x32|16)\Z", "option 'target' sets it", "set target, or CRATE_TARGET"),
    _rule(r"-(?:march|mcpu|mtune)=native", _HOST, "name the processor"),
    _rule(r"-l", _LINK, "set libs"),
    _rule(r"-L", _LINK, "set lib_dirs"),
    _rule(r"-s\Z", _LINK, "set strip=True"),
    _rule(r"-(?:shared|static|r|nostartfiles|nostdlib\+*|nodefaultlibs)\b", _LINK, "set crate_type, or ldflags"),
    _rule(r"-(?:Wl,|Xlinker|z\Z|T|u\Z|rdynamic)", _LINK, "put it into ldflags"),
    _rule(r"-(?:fuse-ld|-ld-path)", _DECIDED, "set CRATE_CC or CRATE_LLVM"),
    _rule(r"-(?:c|S|E|emit-[\w-]+|fsyntax-only|dM)\Z", _DECIDED, "set crate_type"),
    _rule(r"-o|--output", _DECIDED, "files are called after the crate"),
    _rule(r"-x", "the suffix of a source tells its language", "rename the source"),
    _rule(r"-M(?:\Z|M\Z|D\Z|MD\Z|F|T|Q|P\Z|J|G\Z|V\Z)|-(?:v|H|P|C|CC|#+|-verbose|wrapper)\Z|-wrapper", _DECIDED),
    _rule(r"-d[A-Z]|-dump|-aux-info|-f(?:dump|save|stack-usage|callgraph|opt-info|optimization-rec|time-)", _DELETED),
    _rule(r"-fprofile-(?:dir|note|abs-path|prefix-path)", _DELETED),
    _rule(r"-save-|--save-|-f(?:proc-stat|mem-report|module-output|crash-diag|gen-rep)|-gen-", _DELETED),
    _rule(r"-f(?:\w+-)?prefix-map=|-f(?:\w+-)?compilation-dir|-frecord-|-frandom-seed", _PATHS),
    _rule(r"-f(?:no-)?(?:cxx-|builtin-|implicit-|prebuilt-|prebuilt-implicit-)?modules?\b", _MODULES),
    _rule(r"-fmodule-|-fprebuilt-|-fmodules", _MODULES),
    _rule(r"-(?:include-pch|emit-pch|fpch|relocatable-pch)|-fpcm-", _FILES, "include the header itself"),
    _rule(r"-?-?i?vfsoverlay", _FILES, "use include_dirs, or let SCons copy the files"),
    _rule(r"-fms-compatibility", _FILES),
    _rule(r"-(?:F|iframework|iframeworkwithsysroot)", _FILES, "use include_dirs"),
    _rule(r"-f(?:auto-profile|profile-use|profile-instr-use|profile-sample-use|cs-profile|memory-profile-use)", _FILES),
    _rule(r"-f(?:plugin|pass-plugin)|-load|-?-specs|--config|-B|--prefix|-resource-dir|-no-canonical", _FILES),
    _rule(r"--(?:gcc-|driver-mode|no-default-config)|-ccc-", _SYSTEM, "set CRATE_CC or CRATE_LLVM"),
    _rule(r"-(?:Xclang|Xpreprocessor|Wp,|Xarch|Xcuda|Xopenmp|mllvm)", "its contents would bypass all checks"),
    _rule(r"-f(?:no-)?(?:integrated-|emulated-tls|use-init-array|basic-block-sec|split-machine|unique-)", _PARTLY),
    _rule(r"-(?:no-)?integrated-", _PARTLY),
    _rule(
        r"-f(?:no-)?(?:diagnostics-(?:format|color|column|abs|print-source-range|parse|urls)|color-diag|ansi-esc|show-col)",
        _PARSED,
    ),
    _rule(
        r"--(?!param\b|include\b(?!-)|imacros\b|embed-dir\b|sysroot\b|no-sysroot-suffix\Z)",
        _LONG,
        "write the short form, or use cratewright's option for it",
    ),
    _rule(
        r"-(?:print|dump|help|aux|version|info|arch_)[\w-]*|-###|-target-help", "the compiler would print, not compile"
    ),
    _rule(r"-Wno-(?:error=)?date-time", "the output would depend on the clock", "define the time yourself"),
)
# Flags of code generation that intermediate representation does not record. Measured: they change the object that a
# compiler makes from a source, but not the one made from bitcode, or by gcc from its own representation.
# -fstack-protector guards arrays of characters, which gcc's LTO cannot tell from others.
_LOST_BY_LLVM = pattern(
    r"-fno-(?:addrsig|data-sections|function-sections|zero-initialized-in-bss|(?:tree-)?(?:slp-)?vectorize)\Z"
    r"|-f(?:basic-block-address-map|embed-bitcode|force-dwarf-frame|global-isel|order-file-instrumentation)"
    r"|-f(?:stack-size-section|align-loops=|experimental-isel|veclib=(?!none)|(?:sjlj|seh|dwarf)-exceptions)"
    r"|-m(?:relax-all|cmodel=(?!small)|branches-within-|align-branch|tls-dialect=(?!gnu\Z))"
)
_LOST_BY_GCC = pattern(
    r"-fno-(?:data-sections|function-sections|zero-initialized-in-bss|dwarf2-cfi-asm|gnu-unique|ident|merge-constants)\Z"
    r"|-f(?:call-used-|call-saved-|fixed-|inhibit-size-directive|leading-underscore|stack-check|stack-limit-(?:reg|sym))"
    r"|-f(?:split-stack|stack-protector|profile)\Z|-fzero-call-used-regs=(?!skip\Z)|-pg?\Z"
)
_ASSEMBLER = pattern(r"-Wa,|-Xassembler")
# Files that GNU's assembler reads or writes besides its object.
_ASSEMBLER_FILES = pattern(r"-o|--?M|-a|--?listing|@|-I")
_EMBED = pattern(r"--embed-dir=?(.*)", re.DOTALL)
_INCLUDES = pattern(r"--?(?:include|imacros)(?!-)=?(.*)", re.DOTALL)


def compiler_flag_refusal(words: Iterable[str], *, assembly: bool = False) -> Refusal | None:
    """Return the first refused word, or None.

    Shape: `assembly` if the words apply to assembly only.
    """
    for word, value in _pairs(words):
        if word[:1] not in ("-", "@") or word in ("-", "--"):
            return Refusal(word, "the compiler would take it for a source", "list it among the sources")
        if _ASSEMBLER.match(word):
            found = _of_assembler(word, value, assembly)
            if found is not None:
                return found
            continue
        for spelling, reason, hint in _RULES:
            if re.match(spelling, word, re.DOTALL):
                return Refusal(word, reason, hint)
    return None


def flag_lost_by_lto(words: Iterable[str], kind: str) -> str:
    """Return the first word without effect on code that LTO makes, or an empty string; `kind` is the toolchain's."""
    lost = _LOST_BY_GCC if kind == "gcc" else _LOST_BY_LLVM
    return next((word for word, _ in _pairs(words) if lost.match(word)), "")


def included_files(words: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the files that the command line includes."""
    return tuple(match[1] or value for word, value in _pairs(words) if (match := _INCLUDES.match(word)))


def embed_directories(words: Sequence[str]) -> tuple[str, ...]:
    """Return the directories that `#embed` searches besides that of its file."""
    return tuple(match[1] or value for word, value in _pairs(words) if (match := _EMBED.match(word)))


def file_words(words: Iterable[str]) -> Iterator[str]:
    """Yield everything that may name a file for a compiler to read."""
    for word, value in _pairs(words):
        if not word.startswith(("-D", "-U", "-W")):
            yield from (value, *word.partition("=")[2:])


def _of_assembler(word: str, value: str, assembly: bool) -> Refusal | None:
    if not assembly:
        return Refusal(word, _PARTLY, "asmflags are for sources in assembly")
    for part in word[4:].split(",") if word.startswith("-Wa,") else [value]:
        if _ASSEMBLER_FILES.match(part):
            return Refusal(word, f"{_FILES}, or write files that would be deleted", "set include_dirs for -I")
    return None


def _pairs(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each word with the next one if that is its value, else with an empty string."""
    waiting = ""
    for word in words:
        if waiting:
            yield waiting, word
            waiting = ""
        elif word in _SEPARATE:
            waiting = word
        else:
            yield word, ""
    if waiting:
        yield waiting, ""
