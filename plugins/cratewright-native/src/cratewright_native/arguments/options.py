"""The options of a native crate, beside those that every crate has."""

from __future__ import annotations

from cratewright import OptionKind, OptionSpec

__all__ = ["EMITTED", "LINK_OPTIONS", "LTO_OPTIONS", "MODULE_OPTIONS", "OPTIONS", "PATH_OPTIONS", "UNIT_OPTIONS"]


def _texts(name: str, text: str) -> OptionSpec:
    return OptionSpec(name=name, kind=OptionKind.TEXTS, default=(), help=text)


def _flag(name: str, default: bool, text: str) -> OptionSpec:
    return OptionSpec(name=name, kind=OptionKind.FLAG, default=default, help=text)


OPTIONS = (
    _texts("std", "language standards: c11, gnu17, c++20; each for the sources of its language"),
    _texts("flags", "further words for the compiler, for every language"),
    _texts("cflags", "further words for the compiler, C only"),
    _texts("cxxflags", "further words for the compiler, C++ only"),
    _texts("asmflags", "further words for the compiler, assembly only"),
    _flag("pic", True, "position-independent code; without it there can be no dylib or cdylib"),
    _texts("sanitize", "sanitizers: undefined, address, thread, ..."),
    _texts("emit", "files of each source's own code, kept beside the crate: asm, llvm-ir, obj"),
    _flag("coverage", False, "count which lines run"),
    _texts("ldflags", "further words for the link, which only it sees"),
    _texts("rpath", "directories where a program looks for its dynamic libraries"),
    OptionSpec(
        name="soversion",
        kind=OptionKind.TEXT,
        default="",
        help="the number in a dynamic library's soname, if it is not the first of the crate's version",
    ),
    _flag("strip", False, "strip symbols that are not needed to run the output"),
)

EMITTED = {"asm": ".s", "llvm-ir": ".ll", "obj": ".o"}
# What decides the code of a module. `opt_level` decides twice: what is done before modules meet, and after.
UNIT_OPTIONS = frozenset(
    {"include_dirs", "defines", "opt_level", "debuginfo"}
    | {"std", "flags", "cflags", "cxxflags", "asmflags", "pic", "sanitize", "coverage", "emit"}
)
# gcc puts calls of sanitizers into code when that is made, with LTO thus at last.
MODULE_OPTIONS = frozenset({"opt_level", "pic", "sanitize"})
LTO_OPTIONS = frozenset({"ldflags"})
PATH_OPTIONS = frozenset({"ldflags"})
LINK_OPTIONS = MODULE_OPTIONS | frozenset(
    {"debuginfo", "sanitize", "coverage", "exports", "lib_dirs", "ldflags", "rpath", "strip", "version", "soversion"}
)
