"""Refuses what a toolchain cannot build. Whatever passes these checks is supported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from cratewright import ConfigurationError, Crate, CrateType, LtoMode, Options, UnsupportedError, near_miss, pattern

from .arguments.compiler_flags import compiler_flag_refusal
from .arguments.ldflags import linker_flag_refusal, parse_ldflags
from .arguments.linker_options import ZIG_OPTIONS
from .arguments.options import EMITTED
from .arguments.symbols import has_version_script
from .compile.emit import emit_refusal
from .linking.soname import check_soname
from .toolchains.languages import MODULES, language_of
from .toolchains.probe import can_link
from .toolchains.targets import Target, find_target
from .toolchains.toolchain import Toolchain

_COMPILER_WORDS = ("flags", "cflags", "cxxflags", "asmflags")
_OTHER_TOOLCHAIN = "set CRATE_CC=zig after installing cratewright-native[zig], or install clang and lld"
_OTHER_LINKER = {"undefined": "write -Wl,-u,NAME", "require-defined": "write -Wl,-u,NAME"}
_RUNTIME = {
    "llvm": "install compiler-rt of the same version (on Debian libclang-rt-NN-dev), or leave the option out",
    "gcc": "install the library of this gcc (as libasan, libtsan, libubsan), or leave the option out",
}
# With these sanitizers, a merged object has section groups whose names occur in other objects.
_GROUPED = pattern(r"\b(?:address|fuzzer)\b")
_COMPILED_AND_LINKED = pattern(
    r"(-(?:fprofile-generate|fcs-profile-generate|fxray-instrument|pg|p))(?:=.*)?\Z", re.DOTALL
)
# The wheel has no libraries for the others.
_ZIG_SANITIZERS = ("undefined", "thread")


def check_crate(crate: Crate, toolchain: Toolchain) -> None:
    """Refuse what the toolchain cannot do as asked.

    Raises: ConfigurationError naming the crate, the option and the way out.
    """
    reason = toolchain.refusal(crate.target)
    if reason:
        raise UnsupportedError(
            f"crate '{crate.name}': {reason}", context=(("toolchain", toolchain.version),), hint=_OTHER_TOOLCHAIN
        )
    _check_words(crate)
    for check in (_check_lto, _check_types, _check_sources, _check_emit, _check_link, _check_code):
        check(crate, toolchain)
    check_soname(crate)


def _check_lto(crate: Crate, toolchain: Toolchain) -> None:
    for kind in crate.crate_types:
        lto = LtoMode.OFF if kind is CrateType.RLIB else crate.options.lto_for(kind)
        if lto is LtoMode.OFF:
            continue
        if lto is not LtoMode.FAT and not toolchain.supports_thin:
            raise UnsupportedError(
                f"crate '{crate.name}' asks for lto='{lto.value}', which gcc cannot do",
                context=(("crate type", kind.value), ("toolchain", toolchain.version)),
                hint=f"gcc has no thin LTO: set lto='fat' or 'off'; or {_OTHER_TOOLCHAIN}",
            )
        if toolchain.kind == "gcc" and _covered(crate):
            raise UnsupportedError(
                f"crate '{crate.name}' asks for coverage and lto='{lto.value}', which gcc does not do together",
                context=(("crate type", kind.value), ("toolchain", toolchain.version)),
                hint=f"set lto='off' where coverage is counted; or {_OTHER_TOOLCHAIN}",
            )
        if find_target(crate.target).format != "elf":
            raise UnsupportedError(
                f"crate '{crate.name}' asks for lto='{lto.value}', which target '{crate.target}' does not support yet",
                context=(("crate type", kind.value),),
                hint="set lto='off'; targets in ELF format have LTO",
            )


def _covered(crate: Crate) -> bool:
    return any(options.flag("coverage") for _, options in _options(crate))


def _check_types(crate: Crate, toolchain: Toolchain) -> None:
    for kind in crate.crate_types:
        if kind in (CrateType.DYLIB, CrateType.CDYLIB, CrateType.OBJECT) and find_target(crate.target).format != "elf":
            raise UnsupportedError(
                f"crate '{crate.name}': target '{crate.target}' has no {kind.value} yet",
                hint="make a program or a staticlib; targets in ELF format have all crate types",
            )
        if kind is CrateType.OBJECT and toolchain.kind == "gcc" and _covered(crate):
            raise UnsupportedError(
                f"crate '{crate.name}': gcc keeps coverage notes for each object, and a linked one has none",
                context=(("toolchain", toolchain.version),),
                hint="count coverage in a program or a staticlib",
            )


def _check_sources(crate: Crate, toolchain: Toolchain) -> None:
    for source in crate.sources:
        reason, hint = _unsupported_source(source.path, find_target(crate.target), toolchain)
        if reason:
            raise UnsupportedError(
                f"{source.path}: {reason}",
                context=(("crate", crate.name), ("target", crate.target), ("toolchain", toolchain.version)),
                hint=hint,
            )


def _unsupported_source(path: str, target: Target, toolchain: Toolchain) -> tuple[str, str]:
    """Return why a source cannot be compiled, and the way out; empty if it can."""
    if path.endswith(MODULES):
        return (
            "C++ modules are not compiled yet, because a unit would depend on the output of another",
            "include headers, or compile the module by a builder of SCons and link it by 'libs'",
        )
    language = language_of(path)
    if language.startswith("objective-") and not toolchain.compiles(language):
        return f"this {toolchain.kind} has no compiler for {language.title()}", _OTHER_TOOLCHAIN
    if language == "ir" and toolchain.kind == "gcc":
        return "gcc does not read LLVM's intermediate representation", _OTHER_TOOLCHAIN
    if language == "assembler" and target.format != "elf":
        return "assembly is compiled for ELF targets only", "write it as inline assembly of a C source"
    return "", ""


def _options(crate: Crate) -> Iterator[tuple[str, Options]]:
    yield f"crate '{crate.name}'", crate.options
    for source in crate.sources:
        if source.options != crate.options:
            yield source.path, source.options


def _check_words(crate: Crate) -> None:
    for where, options in _options(crate):
        for name in _COMPILER_WORDS:
            refused = compiler_flag_refusal(options.texts(name), assembly=name == "asmflags")
            if refused is not None:
                raise ConfigurationError(
                    f"{where}: '{refused.word}' cannot be among '{name}'",
                    context=(("reason", refused.reason), ("crate", crate.name)),
                    hint=refused.hint,
                )
        if options.text("entry_point") or options.flag("multimodule"):
            raise ConfigurationError(
                f"{where}: 'entry_point' and 'multimodule' have no meaning for programs and libraries",
                context=(("crate", crate.name),),
            )


def _check_emit(crate: Crate, toolchain: Toolchain) -> None:
    """Refuse `emit` kinds that a source does not have."""
    for where, options in _options(crate):
        unknown = [kind for kind in options.texts("emit") if kind not in EMITTED]
        if unknown:
            raise ConfigurationError(
                f"{where}: '{unknown[0]}' cannot be among 'emit'",
                context=(("crate", crate.name),),
                hint=near_miss(unknown[0], EMITTED) or f"there are {', '.join(EMITTED)}",
            )
    for source in crate.sources:
        language = language_of(source.path)
        for kind in source.options.texts("emit"):
            reason = emit_refusal(kind, language, toolchain)
            if reason:
                served = [
                    other for other in source.options.texts("emit") if not emit_refusal(other, language, toolchain)
                ]
                raise UnsupportedError(
                    f"{source.path}: there is no '{kind}' to emit: {reason}",
                    context=(("crate", crate.name), ("toolchain", toolchain.version)),
                    hint=f'ask for others: ("{source.path}", {{"emit": {json.dumps(served)}}})',
                )


def _check_link(crate: Crate, toolchain: Toolchain) -> None:
    """Refuse linker words that would have no effect, or a different one."""
    words = crate.options.texts("ldflags")
    if not words:
        return
    refused = linker_flag_refusal(words, lto=_with_lto(crate))
    if refused is not None:
        raise ConfigurationError(
            f"crate '{crate.name}': '{refused.word}' cannot be among 'ldflags'",
            context=(("reason", refused.reason),),
            hint=refused.hint,
        )
    reason, hint = _conflict(crate, words, toolchain)
    if reason:
        raise ConfigurationError(
            f"crate '{crate.name}': {reason}", context=(("toolchain", toolchain.version),), hint=hint
        )


def _conflict(crate: Crate, words: tuple[str, ...], toolchain: Toolchain) -> tuple[str, str]:
    """Return what conflicts with the linker words, and the way out; empty if nothing does."""
    if has_version_script(words):
        if crate.options.texts("exports") and CrateType.BIN not in crate.crate_types:
            return "'exports' and --version-script both choose the exported symbols", "keep one of the two"
        if toolchain.kind == "zig" and CrateType.BIN in crate.crate_types:
            return "zig passes a version script on for libraries only", "use clang or gcc"
    for flag in parse_ldflags(words):
        name = flag.option.name
        if toolchain.kind == "zig" and flag.linker and name and name not in ZIG_OPTIONS:
            return f"zig does not pass '{flag.shown}' on to its linker", _OTHER_LINKER.get(name, "use clang or gcc")
        if toolchain.kind == "gcc" and name in ("wrap", "defsym") and _with_lto(crate):
            return f"gcc's LTO ignores '{flag.shown}'", "set lto='off', or use clang"
    return "", ""


def _check_code(crate: Crate, toolchain: Toolchain) -> None:
    for where, options in _options(crate):
        reason, hint = _unsupported_code(crate, options, toolchain)
        if reason:
            raise UnsupportedError(
                f"{where}: {reason}", context=(("crate", crate.name), ("toolchain", toolchain.version)), hint=hint
            )


def _one_sided(crate: Crate, options: Options, toolchain: Toolchain) -> tuple[str, str]:
    """Return what is wrong with words that both the compiler and the link need, and the way out."""
    ldflags = [word.partition("=")[0] for word in crate.options.texts("ldflags")]
    linked = [kind for kind in crate.crate_types if kind not in (CrateType.RLIB, CrateType.STATICLIB)]
    for word in dict.fromkeys(word for name in _COMPILER_WORDS for word in options.texts(name)):
        found = _COMPILED_AND_LINKED.match(word)
        if found is None:
            continue
        if toolchain.kind == "gcc" and "profile" in found[1]:
            return f"gcc's counters for {found[1]} would be deleted with the directory it runs in", "set coverage=True"
        if toolchain.kind == "zig" or not can_link(toolchain, crate.target, found[1]):
            return (
                f"{toolchain.kind} has no library for {found[1]}",
                _OTHER_TOOLCHAIN if toolchain.kind == "zig" else _RUNTIME["llvm"],
            )
        if linked and found[1] not in ldflags:
            return f"a {linked[0].value} made with {found[1]} would record nothing", "put the word into ldflags as well"
    return "", ""


def _with_lto(crate: Crate) -> bool:
    linked = (kind for kind in crate.crate_types if kind is not CrateType.RLIB)
    return any(crate.options.lto_for(kind) is not LtoMode.OFF for kind in linked)


def _unsupported_code(crate: Crate, options: Options, toolchain: Toolchain) -> tuple[str, str]:
    """Return what is unsupported in the code options, and the way out; empty if nothing is."""
    zig = toolchain.kind == "zig"
    if (
        toolchain.kind != "gcc"
        and _GROUPED.search(",".join(options.texts("sanitize")))
        and any(
            kind in crate.crate_types and crate.options.lto_for(kind) is LtoMode.FAT
            for kind in (CrateType.STATICLIB, CrateType.OBJECT)
        )
    ):
        return (
            f"one merged object with -fsanitize={options.texts('sanitize')[0]} cannot be linked with others",
            "set lto='thin' or 'off'",
        )
    missing = [name for name in options.texts("sanitize") if zig and name not in _ZIG_SANITIZERS]
    if missing:
        return f"zig has no library for -fsanitize={missing[0]}", "use clang with compiler-rt"
    if zig and options.flag("coverage"):
        return "zig has no library for coverage", "use clang with compiler-rt, or gcc"
    reason, hint = _one_sided(crate, options, toolchain)
    if reason:
        return reason, hint
    if toolchain.kind == "gcc" and options.texts("sanitize") != crate.options.texts("sanitize") and _with_lto(crate):
        return "gcc's LTO sanitizes a whole link or none of it", "set lto='off', or sanitize for the crate alone"
    instrumented = [f"-fsanitize={name}" for name in options.texts("sanitize")]
    instrumented += ["--coverage"] if options.flag("coverage") else []
    absent = [word for word in instrumented if not zig and not can_link(toolchain, crate.target, word)]
    if absent:
        return f"the library for {absent[0]} is not installed", _RUNTIME[toolchain.kind]
    shared = [kind for kind in crate.crate_types if kind in (CrateType.DYLIB, CrateType.CDYLIB)]
    if options.flag("pic") or not (zig or shared):
        return "", ""
    who = "zig's C libraries need" if zig else f"a {shared[0].value} needs"
    return f"{who} position-independent code", "leave out pic=False"
