"""Compiles a source to bitcode, by clang."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from cratewright import (
    CompiledUnit,
    DebugInfo,
    Diagnostic,
    FormatError,
    ModuleCodegen,
    Observed,
    Options,
    Severity,
    SourceError,
    Symbol,
    ToolError,
    UnitStencil,
    content_digest,
    decode_depfile,
    digest_file,
    in_characters,
    read_diagnostics,
    repeat_if_changed,
    scratch_directory,
)

from .bitcode import BitcodeSymbol, bitcode_triple, is_raw_bitcode, linker_symbols
from .flags import SOURCE_LANGUAGES, check_flags, standard_for
from .objects import function_types
from .observe import DependencyFinder
from .targets import include_words
from .toolchain import FREESTANDING, WasmToolchain

HIDDEN = "hidden"
"""The attribute with the symbols, as JSON, that a module exports to crates but not to the host."""
_DEBUG = {DebugInfo.NONE: "-g0", DebugInfo.LINE: "-gline-tables-only", DebugInfo.FULL: "-g"}
_DIRECTIVE = re.compile(rb"\.\s*incbin\b")


def clang_words(toolchain: WasmToolchain, target: str, path: str, options: Options) -> tuple[str, ...]:
    """Return the command that compiles a source, without input and output.

    Raises: ConfigurationError for refused words.
    """
    language = SOURCE_LANGUAGES[posixpath.splitext(path)[1]]
    words = [
        *toolchain.clang,
        f"--target={toolchain.triple(target)}",
        f"-O{options.opt_level.value}",
        "-flto=thin",
        "-x",
        language,
    ]
    if language == "ir":
        return tuple(words)
    check_flags(options.texts("flags"), where=path)
    standard = standard_for(language, options.texts("std"), where=path)
    words += [_DEBUG[options.debuginfo], "-fvisibility=default", "-fdebug-compilation-dir=.", "-Werror=date-time"]
    if standard:
        words.append(f"-std={standard}")
    if language == "c++":
        words += ["-nostdinc++", "-fno-exceptions"]
    if target == FREESTANDING:
        # Modules never exit and have no threads: no destructors of statics, and no guards around them.
        words += ["-ffreestanding", *(["-fno-c++-static-destructors", "-fno-threadsafe-statics"] * (language == "c++"))]
        words += ["-fno-rtti"] * (language == "c++")
    words += (f"-D{name}" if value is None else f"-D{name}={value}" for name, value in options.defines)
    words += (f"-I{directory or '.'}" for directory in options.texts("include_dirs"))
    return (*words, *include_words(toolchain, target), *options.texts("flags"))


def compile_clang(
    toolchain: WasmToolchain, stencil: UnitStencil, names_in: Callable[[bytes], Sequence[str]]
) -> CompiledUnit:
    """Compile a source of C, C++ or LLVM IR.

    Raises: SourceError, ToolError.
    """
    root = toolchain.session.root
    read_at = stencil.file or stencil.path
    language = SOURCE_LANGUAGES[posixpath.splitext(stencil.path)[1]]
    _check_text(stencil.path, stencil.source, language)
    words = [*clang_words(toolchain, stencil.target, stencil.path, stencil.options)]
    words += (f"-ffile-prefix-map={directory}/=" for directory in stencil.repositories if language != "ir")
    folder = posixpath.dirname(stencil.path)
    near = [posixpath.join(directory, folder) for directory in stencil.repositories]
    words += (word for directory in near for word in ("-iquote", directory) if language != "ir")
    with scratch_directory() as scratch:
        made, rule = scratch / "unit.bc", scratch / "unit.d"
        argv = [*words, "-fno-color-diagnostics", "-c", "-o", str(made), "-MD", "-MF", str(rule), "-MT", "unit"]
        if language == "ir":
            argv[-5:] = ["-Wno-override-module"]
        argv.append(f"./{read_at}" if read_at.startswith("-") else read_at)
        directories = [*near, *stencil.options.texts("include_dirs")]

        def attempt() -> tuple[tuple[str, tuple[Observed, ...]], int]:
            done = toolchain.run(argv, what=stencil.path)
            stderr = done.stderr.decode(errors="replace")
            for directory in stencil.repositories:
                stderr = stderr.replace(f"{directory}/", "")
            if digest_file(os.path.join(root, read_at)) != content_digest(stencil.source):
                raise SourceError.at(stencil.path, 1, "the source changed while it was compiled", hint="build again")
            if done.status:
                raise _failure(_diagnostics(stderr, stencil, root), stderr, stencil.path, language)
            if language == "ir":
                return (stderr, ()), 0
            read = decode_depfile(os.fsdecode(rule.read_bytes()), name=stencil.path) if rule.is_file() else ()
            search = DependencyFinder(root, directories, _system(words), toolchain.own)
            observed = search.observe(read_at, stencil.source, read, names_in)
            return (stderr, observed), search.newest

        keep_changing = f"{stencil.path}: files that it includes keep changing while it is compiled"
        stderr, observed = repeat_if_changed(attempt, keep_changing)
        data = made.read_bytes() if made.is_file() else b""
        if not is_raw_bitcode(data):
            raise ToolError(f"{toolchain.clang[0]} reported success, but did not compile {stencil.path}")
        types = _types(toolchain, stencil, scratch)
    for item in observed:
        if item.digest is not None and not os.path.isabs(item.path):
            _check_text(item.path, Path(root, item.path).read_bytes(), language)
    found = _diagnostics(stderr, stencil, root)
    # Without a line, the compiler warns of how it was called.
    diagnostics = tuple(item for item in found if item.severity is Severity.WARNING and item.line > 0)
    return CompiledUnit(
        modules=(_bitcode_module(data, stencil.path, types),), observed=observed, diagnostics=diagnostics
    )


def _bitcode_module(data: bytes, path: str, types: Mapping[str, str]) -> ModuleCodegen:
    """Return bitcode as a module with its symbols.

    Shape: `types` are those of its functions, by name.
    Raises: SourceError if its symbols cannot be read.
    """
    try:
        symbols = linker_symbols(data)
    except FormatError as error:
        raise SourceError.at(path, 0, error.message) from error
    exported = [symbol for symbol in symbols if symbol.defined and not (symbol.weak and symbol.shared)]
    hidden = [symbol.name for symbol in exported if symbol.hidden or symbol.weak]

    def with_type(symbol: BitcodeSymbol) -> Symbol:
        return Symbol(symbol.name, symbol.name, path, signature=types.get(symbol.name, ""))

    return ModuleCodegen(
        name=".bc",
        data=data,
        exports=tuple(map(with_type, exported)),
        imports=tuple(with_type(symbol) for symbol in symbols if not symbol.defined),
        attributes=((HIDDEN, json.dumps(hidden)),) if hidden else (),
    )


def hidden_names(module: ModuleCodegen) -> tuple[str, ...]:
    """Return the symbols that a module exports to crates but not to the host."""
    return tuple(json.loads(module.attribute(HIDDEN) or "[]"))


def are_hidden_names(word: str) -> bool:
    """Return whether the value of an attribute could be this backend's."""
    try:
        names = json.loads(word)
    except (ValueError, RecursionError):
        return False
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _types(toolchain: WasmToolchain, stencil: UnitStencil, scratch: Path) -> Mapping[str, str]:
    """Return the types of functions, which bitcode does not record, from code generated without optimization.

    Optimization replaces a call with the wrong type by a trap, before the linker could report it.
    """
    words = (f"--target={toolchain.triple(stencil.target)}", "-O0", "-x", "ir", "-Wno-override-module", "-c")
    argv = (*toolchain.clang, *words, str(scratch / "unit.bc"), "-o", str(scratch / "unit.o"))
    done = toolchain.run(argv, what=stencil.path)
    if done.status:
        stderr = done.stderr.decode(errors="replace").replace(f"{scratch}/", "").strip()
        raise SourceError.at(stencil.path, 0, "clang cannot compile it", context=(("output", stderr),))
    return function_types((scratch / "unit.o").read_bytes())


def _check_text(path: str, text: bytes, language: str) -> None:
    """Refuse assembly that would read files at code generation, and modules for another machine."""
    if match := _DIRECTIVE.search(text):
        line = text.count(b"\n", 0, match.start()) + 1
        raise SourceError.at(
            path,
            line,
            ".incbin reads a file at link time, where it is not tracked",
            hint="use #embed, or an array",
        )
    if language != "ir":
        return
    if is_raw_bitcode(text):
        triple, line = bitcode_triple(text), 0
    else:
        found = re.search(rb'^target triple = "([^"]*)"', text, re.MULTILINE)
        triple = found[1].decode(errors="replace") if found else ""
        line = text.count(b"\n", 0, found.start()) + 1 if found else 0
    if triple and not triple.startswith("wasm32"):
        hint = "compile it for wasm32, or leave the triple out"
        raise SourceError.at(path, line, f"made for the target '{triple}'", hint=hint)


def _diagnostics(stderr: str, stencil: UnitStencil, root: str) -> tuple[Diagnostic, ...]:
    return in_characters(read_diagnostics(stderr), root=root, path=stencil.path, source=stencil.source)


def _failure(found: Sequence[Diagnostic], stderr: str, path: str, language: str) -> SourceError | ToolError:
    errors = [item for item in found if item.severity is Severity.ERROR]
    if errors and errors[0].line and not errors[0].file.startswith("<"):
        return SourceError(diagnostics=found)
    text = re.sub(r"^(?:zig|clang\S*): |^(?:fatal )?error: ", "", stderr.strip())
    if language == "ir" or errors:
        first, _, rest = text.partition("\n")
        return SourceError.at(path, 0, first, context=[("output", rest)] * bool(rest))
    return ToolError(f"the compiler failed on {path}", context=(("output", text[-2000:]),) if text else ())


def _system(words: Sequence[str]) -> list[str]:
    """Return the system's header directories."""
    return [os.path.normpath(after) for word, after in pairwise(words) if word == "-isystem"]
