"""Options as arguments of a compiler."""

from __future__ import annotations

import os
from collections.abc import Iterable

from cratewright import DebugInfo, ModuleConfig, Options, OptLevel

from .probe import SUMMARY
from .targets import Target, find_target
from .toolchain import WORKING_DIRECTORY, Toolchain
from .zig import Zig

_FAT_OBJECTS = 17
"""The first LLVM whose clang puts bitcode and code into one object."""


def compile_words(
    toolchain: Toolchain,
    target: str,
    options: Options,
    language: str,
    path: str,
    *,
    for_lto: bool = True,
    for_code: bool = False,
) -> tuple[str, ...]:
    """Return the arguments for one source, without its name and the output; `for_lto`, `for_code` as in its stencil."""
    known = find_target(target)
    words = [*_alike(toolchain, known, options), f"-O{options.opt_level.value}", *_pic(known, options)]
    if language != "ir":
        words += _debug(toolchain, options.debuginfo)
    words += [f"-fsanitize={name}" for name in options.texts("sanitize")]
    if options.flag("coverage"):
        gcc = toolchain.kind == "gcc"
        words += ["--coverage"] if gcc else ["-fprofile-instr-generate", "-fcoverage-mapping"]
    if language != "assembler":
        words += _representation(toolchain, target, options, path, for_lto)
        if for_lto and for_code and _makes_both(toolchain, target, options, language):
            words.append("-ffat-lto-objects")
    if language == "ir":
        return tuple(words)
    words += _standard(options.texts("std"), language)
    if path.endswith(".s") and toolchain.kind != "gcc":
        words.append("-Wno-unused-command-line-argument")
    # The project root is an empty path, and an empty word would consume the next one; `=` would mean the sysroot.
    words += [
        f"-I./{directory}" if directory.startswith("=") else f"-I{directory or '.'}"
        for directory in options.texts("include_dirs")
    ]
    words += [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in options.defines]
    words += _prefix_maps(toolchain, options.texts("include_dirs"))
    return (*words, *user_words(options, language))


def user_words(options: Options, language: str) -> tuple[str, ...]:
    """Return the user's own flags."""
    if language == "ir":
        return ()
    own = {"c": "cflags", "c++": "cxxflags", "assembler": "asmflags"}[language.removeprefix("objective-")]
    words = (*options.texts(own), *options.texts("flags"))  # the order of SCons's commands
    # `-w` also disables errors about the clock; of these macros, only the time stamp of a file varies.
    return (*words, "-U__TIMESTAMP__") if "-w" in words and language != "assembler" else words


def _makes_both(toolchain: Toolchain, target: str, options: Options, language: str) -> bool:
    """Return whether clang makes bitcode and code from a source in one run, each as it would alone.

    With sanitizers LLVM would instrument twice. gcc always does so for LTO.
    """
    return (
        toolchain.llvm_major >= _FAT_OBJECTS
        and find_target(target).format == "elf"
        and language in ("c", "c++")
        and not options.texts("sanitize")
        and not any(word.startswith("-fsanitize") for word in user_words(options, language))
        and not options.texts("emit")
    )


def lowering_words(config: ModuleConfig) -> tuple[str, ...]:
    """Return the arguments for lowering an LLVM module to an object."""
    known = find_target(config.target)
    sections = ("-ffunction-sections", "-fdata-sections") if known.format == "elf" else ()
    return (f"-O{config.options.opt_level.value}", *_pic(known, config.options), *sections)


def _alike(toolchain: Toolchain, target: Target, options: Options) -> list[str]:
    """Return the arguments that make all compilers behave alike.

    zig's driver adds checks in debug builds, NDEBUG in others and frame pointers in all. A source that contains the
    time of compilation would give another result every time.
    """
    words = ["-ffunction-sections", "-fdata-sections", "-Werror=date-time"]
    if toolchain.kind == "zig":
        words += ["-fno-sanitize=undefined", "-fno-stack-protector", "-UNDEBUG"]
        if target.name.startswith("x86_64") and options.opt_level is not OptLevel.NONE:
            words.append("-fomit-frame-pointer")
    return words


def _pic(target: Target, options: Options) -> tuple[str, ...]:
    if target.format != "elf":
        return ()
    return ("-fPIC",) if options.flag("pic") else ("-fno-pic",)


def _debug(toolchain: Toolchain, amount: DebugInfo) -> list[str]:
    if amount is DebugInfo.NONE:
        return ["-g0"]
    if amount is DebugInfo.LINE:
        return ["-g1" if toolchain.kind == "gcc" else "-gline-tables-only"]
    return ["-g"]


def has_summary(target: str) -> bool:
    """Return whether modules for a target are made for ThinLTO, which only some linkers can use."""
    return find_target(target).format != "macho"


def _representation(toolchain: Toolchain, target: str, options: Options, path: str, for_lto: bool) -> list[str]:
    if toolchain.kind == "gcc":
        # Otherwise names of local symbols depend on time and process.
        seed = f"-frandom-seed={path}"
        # With LTO, gcc would record in the module where its notes for coverage are written.
        if for_lto and not options.flag("coverage"):
            return ["-flto", "-ffat-lto-objects", seed]
        return [seed, "-gno-record-gcc-switches"]
    if not for_lto:
        return []
    return list(SUMMARY) if has_summary(target) else ["-emit-llvm"]


def _standard(standards: Iterable[str], language: str) -> list[str]:
    wanted = [word for word in standards if ("++" in word) == ("++" in language)]
    return [f"-std={word}" for word in wanted] if language != "assembler" else []


def _prefix_maps(toolchain: Toolchain, directories: Iterable[str]) -> list[str]:
    """Map every directory of this machine to a name that is the same everywhere."""
    if toolchain.kind == "gcc":
        # gcc repeats these words in every object, so they must not name a directory of this machine.
        return [f"-ffile-prefix-map={WORKING_DIRECTORY}=."]
    maps = {toolchain.root: "."}
    for directory in directories:
        if os.path.isabs(directory):
            maps[directory.rstrip("/")] = os.path.basename(directory.rstrip("/"))
    if isinstance(toolchain, Zig):
        maps[os.path.dirname(toolchain.program)] = "zig"
    # The last matching map counts.
    return [f"-ffile-prefix-map={old}={new}" for old, new in sorted(maps.items()) if old not in ("", "/")]
