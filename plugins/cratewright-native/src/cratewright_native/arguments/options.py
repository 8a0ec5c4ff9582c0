"""The options of a native crate, in addition to those of every crate."""

from __future__ import annotations

from cratewright import OptionKind, OptionSpec

NATIVE_OPTIONS = (
    OptionSpec.texts("std", "language standards, each for sources in its language: c11, gnu17, c++20"),
    OptionSpec.texts("flags", "compiler flags for every language"),
    OptionSpec.texts("cflags", "compiler flags for C"),
    OptionSpec.texts("cxxflags", "compiler flags for C++"),
    OptionSpec.texts("asmflags", "compiler flags for assembly"),
    OptionSpec.flag("pic", "position-independent code, which dylib and cdylib need", default=True),
    OptionSpec.texts("sanitize", "sanitizers: undefined, address, thread, ..."),
    OptionSpec.texts("emit", "files to keep for each source: asm, llvm-ir, obj"),
    OptionSpec.flag("coverage", "instrument code to count which lines run"),
    OptionSpec.texts("ldflags", "linker flags"),
    OptionSpec.texts("rpath", "directories where the output looks for its dynamic libraries at run time"),
    OptionSpec(
        name="soversion",
        kind=OptionKind.TEXT,
        default="",
        help="number in a dynamic library's soname; by default the first of the crate's version",
    ),
    OptionSpec.flag("strip", "remove symbols that the output does not need at run time"),
)

EMITTED = {"asm": ".s", "llvm-ir": ".ll", "obj": ".o"}
# Options that decide a module's code. `opt_level` counts twice: before modules are linked, and after.
UNIT_OPTIONS = frozenset(
    {"include_dirs", "defines", "opt_level", "debuginfo"}
    | {"std", "flags", "cflags", "cxxflags", "asmflags", "pic", "sanitize", "coverage", "emit"}
)
# With LTO, gcc inserts sanitizer calls when it generates code.
MODULE_OPTIONS = frozenset({"opt_level", "pic", "sanitize"})
LTO_OPTIONS = frozenset({"ldflags"})
PATH_OPTIONS = frozenset({"ldflags"})
LINK_OPTIONS = MODULE_OPTIONS | frozenset(
    {"debuginfo", "sanitize", "coverage", "exports", "lib_dirs", "ldflags", "rpath", "strip", "version", "soversion"}
)
