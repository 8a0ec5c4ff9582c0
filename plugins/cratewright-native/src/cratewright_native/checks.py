"""What a crate may not ask for, with the toolchain it will get.

Knows nothing of how anything is done; what passes here can be done.
"""

from __future__ import annotations

from collections.abc import Iterator

from cratewright import Crate, CrateType, LtoMode, Options
from cratewright.errors import ConfigurationError, UnsupportedError

from .flags import LANGUAGES, MODULES, refused_word
from .targets import find_target
from .toolchain import Toolchain
from .words import refusal

__all__ = ["check_crate"]

_COMPILER_WORDS = ("flags", "cflags", "cxxflags", "asmflags")
_OTHER = "set CRATE_CC=zig after installing cratewright-native[zig], or install clang and lld"
# The rest need libraries that are not in the wheel.
_ZIG_SANITIZERS = ("undefined", "thread")


def check_crate(crate: Crate, toolchain: Toolchain) -> None:
    """Refuse what cannot be done honestly.

    Raises: ConfigurationError naming the crate, the option and the way out.
    """
    reason = toolchain.refusal(crate.target)
    if reason:
        raise UnsupportedError(
            f"crate '{crate.name}': {reason}", context=(("toolchain", toolchain.version),), hint=_OTHER
        )
    for check in (_check_lto, _check_types, _check_sources, _check_words, _check_code):
        check(crate, toolchain)


def _check_lto(crate: Crate, toolchain: Toolchain) -> None:
    for kind in crate.crate_types:
        lto = LtoMode.OFF if kind is CrateType.RLIB else crate.options.lto_for(kind)
        if lto is LtoMode.OFF:
            continue
        if lto is not LtoMode.FAT and not toolchain.supports_thin:
            raise UnsupportedError(
                f"crate '{crate.name}' asks for lto='{lto.value}', which gcc cannot do",
                context=(("crate type", kind.value), ("toolchain", toolchain.version)),
                hint=f"gcc splits whole programs only: set lto='fat' or 'off'; or {_OTHER}",
            )
        if find_target(crate.target).format != "elf":
            raise UnsupportedError(
                f"crate '{crate.name}' asks for lto='{lto.value}', which target '{crate.target}' does not have yet",
                context=(("crate type", kind.value),),
                hint="set lto='off'; targets in ELF format have LTO",
            )


def _check_types(crate: Crate, toolchain: Toolchain) -> None:
    for kind in crate.crate_types:
        if kind in (CrateType.DYLIB, CrateType.CDYLIB) and find_target(crate.target).format != "elf":
            raise UnsupportedError(
                f"crate '{crate.name}': target '{crate.target}' has no {kind.value} yet",
                hint="make a program or a staticlib; targets in ELF format have all crate types",
            )


def _check_sources(crate: Crate, toolchain: Toolchain) -> None:
    known = find_target(crate.target)
    for source in crate.sources:
        suffix = source.path[source.path.rfind(".") :]
        if suffix in MODULES:
            raise UnsupportedError(
                f"{source.path}: C++ modules are not compiled yet",
                context=(("crate", crate.name), ("reason", "a unit would hang on what another one makes")),
                hint="include headers, or compile the module by a builder of SCons and link it by 'libs'",
            )
        language = LANGUAGES[suffix]
        if language.startswith("objective-") and not toolchain.compiles(language):
            raise UnsupportedError(
                f"{source.path}: this {toolchain.kind} has no compiler for {language.title()}",
                context=(("crate", crate.name), ("toolchain", toolchain.version)),
                hint=_OTHER,
            )
        if language == "ir" and toolchain.kind == "gcc":
            raise UnsupportedError(
                f"{source.path}: gcc does not read LLVM's intermediate representation",
                context=(("crate", crate.name), ("toolchain", toolchain.version)),
                hint=_OTHER,
            )
        if language == "assembler" and known.format != "elf":
            raise UnsupportedError(
                f"{source.path}: assembly is compiled for ELF targets only",
                context=(("crate", crate.name), ("target", crate.target)),
                hint="write it as inline assembly of a C source",
            )


def _options(crate: Crate) -> Iterator[tuple[str, Options]]:
    yield f"crate '{crate.name}'", crate.options
    for source in crate.sources:
        if source.options != crate.options:
            yield source.path, source.options


def _check_words(crate: Crate, toolchain: Toolchain) -> None:
    for where, options in _options(crate):
        for name in _COMPILER_WORDS:
            refused = refusal(options.texts(name), assembly=name == "asmflags")
            if refused is not None:
                raise ConfigurationError(
                    f"{where}: '{refused.word}' cannot be among '{name}'",
                    context=(("reason", refused.reason), ("crate", crate.name)),
                    hint=refused.hint,
                )
        for name in ("ldflags",):
            found = refused_word(options.texts(name))
            if found:
                raise ConfigurationError(
                    f"{where}: '{found[0]}' cannot be among '{name}'",
                    context=(("reason", found[1]), ("crate", crate.name)),
                )
        if options.text("entry_point") or options.flag("multimodule"):
            raise ConfigurationError(
                f"{where}: 'entry_point' and 'multimodule' have no meaning for programs and libraries",
                context=(("crate", crate.name),),
            )


def _check_code(crate: Crate, toolchain: Toolchain) -> None:
    for where, options in _options(crate):
        reason, hint = _unsupported_code(crate, options, toolchain)
        if reason:
            raise UnsupportedError(
                f"{where}: {reason}", context=(("crate", crate.name), ("toolchain", toolchain.version)), hint=hint
            )


def _unsupported_code(crate: Crate, options: Options, toolchain: Toolchain) -> tuple[str, str]:
    """Return what cannot be had of the options about code, and the way out; empty if all can."""
    zig = toolchain.kind == "zig"
    missing = [name for name in options.texts("sanitize") if zig and name not in _ZIG_SANITIZERS]
    if missing:
        return f"zig has no library for -fsanitize={missing[0]}", "use clang with compiler-rt"
    if zig and options.flag("coverage"):
        return "zig has no library for coverage", "use clang with compiler-rt, or gcc"
    shared = [kind for kind in crate.crate_types if kind in (CrateType.DYLIB, CrateType.CDYLIB)]
    if options.flag("pic") or not (zig or shared):
        return "", ""
    who = "zig's C libraries need" if zig else f"a {shared[0].value} needs"
    return f"{who} position-independent code", "leave out pic=False"
