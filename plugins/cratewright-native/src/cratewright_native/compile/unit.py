"""Compiles one source to one module: takes the contract's stencil, returns the module and its dependencies.

Modules suit every kind of link.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from cratewright import (
    CompiledUnit,
    CratewrightError,
    ModuleConfig,
    Observed,
    Options,
    Severity,
    SourceError,
    UnitStencil,
    content_digest,
    decode_depfile,
    merge_observed,
    pattern,
    repeat_if_changed,
)

from ..arguments.response_file import response_file
from ..arguments.words import embed_directories, file_words, included_files, lost_word
from ..binary.bitcode import is_bitcode
from ..binary.elf import embedded_bitcode
from ..binary.module import module_of
from ..lookups.assembly import assembly_of
from ..lookups.directives import embeds
from ..lookups.listing import ListedUnit, ask_assembler, ask_preprocessor, ask_texts, called
from ..lookups.observe import FileFacts, FileMemory, Search, earlier, observe, read_facts
from ..lookups.portable import is_portable, list_inputs, portable_of, run_portable
from ..lookups.search_path import parse_search_path, plain
from ..lookups.world import World
from ..toolchains.flags import LANGUAGES, compile_words, has_summary, language_words, user_words
from ..toolchains.targets import find_target
from ..toolchains.toolchain import Completed, Toolchain
from .codegen import OPTIMIZED
from .coverage import keep_notes, notes_name
from .diagnostics import counted, messages, warnings
from .emit import assembly_words, emitted

__all__ = ["command", "compile_source"]

_Files = Mapping[str, FileFacts | None]
Missing = tuple[Observed, ...]

_SHOWN = 20
_CODE = ("representation", "code")
"""The attribute of a module that is only code, because no link optimizes it with others."""
# A single word may have 128 KiB, and so has the variable in which gcc passes them on.
_LONG = 96 << 10
_HINTS = (
    (r"file not found|No such file", "add the directory that holds it to include_dirs"),
    (r"Producer:", "this bitcode was made by a newer LLVM; use one toolchain of that version for all"),
    (
        r"date-time|__TIMESTAMP__",
        "the result would depend on the clock; set the time yourself, as in defines={'BUILT': '\"2026-01-31\"'}",
    ),
    (
        r"unrecognized command-line option|unknown (?:clang option|argument)|unsupported option",
        "this compiler does not know the flag: correct it in flags, cflags or cxxflags, or leave it out",
    ),
    (r"modules?\b.*not found|module interface", "C++ modules are not compiled; include headers"),
)
"""Patterns of errors, and the way out."""
# gcc's name for the file that passes assembly on.
_PASSED = pattern(r"/cc\w{6}\.s\Z|\{standard input\}")


def compile_source(stencil: UnitStencil, toolchain: Toolchain, memory: FileMemory) -> CompiledUnit:
    """Compile a source.

    Shape: one module, called `.bc` if it is LLVM's intermediate representation alone, else `.o`.
    Raises: SourceError with `file:line:`; ToolError.
    """
    language = _language(stencil.path)
    for_lto = stencil.for_lto or find_target(stencil.target).format != "elf" or bool(stencil.options.texts("emit"))
    # gcc's objects for LTO hold code as well, which is what is emitted.
    if stencil.for_lto if toolchain.kind == "gcc" else for_lto:
        _refuse_lost(stencil, language, toolchain)
    words = command(
        stencil.file or stencil.path,
        stencil.target,
        stencil.options,
        toolchain,
        for_lto=for_lto,
        for_code=stencil.for_code,
    )
    with toolchain.scratch() as directory:
        output = directory / "module.bc"
        unit = ListedUnit(
            path=stencil.path,
            file=plain(stencil.file or stencil.path),
            target=stencil.target,
            words=_shortened(words, language, toolchain, directory),
            driver=toolchain.clang_ir(stencil.target) if language == "ir" else toolchain.cc(stencil.target, language),
            toolchain=toolchain,
        )

        def attempt() -> tuple[tuple[Completed, _Files, tuple[Observed, ...]], int]:
            said = _run_elsewhere(stencil, unit, output, directory, memory) or _run(stencil, unit, output, directory)
            names, missing = _listed(unit, stencil, directory, said)
            files, newest = _files(stencil, toolchain, memory, names)
            search = _search(unit, stencil, files, said.stderr)
            observed, appeared = observe(unit.file, files, search, root=memory.root, bundled=toolchain.headers)
            return (said, files, merge_observed([observed, missing])), max(newest, appeared)

        said, files, observed = repeat_if_changed(
            attempt, f"{stencil.path}: files that it includes keep changing while it is compiled"
        )
        data = output.read_bytes()
        notes = directory / "module.gcno"
        kept: tuple[tuple[str, str], ...] = (keep_notes(stencil.path, notes.read_bytes()),) if notes.exists() else ()
        _refuse_embedding(unit, files, directory)
        # Without a summary, the second half of optimization does not exist.
        attributes = kept if has_summary(stencil.target) else (OPTIMIZED,)
        if not for_lto and language not in ("assembler", "object"):
            attributes += (_CODE,)
        module = module_of(data, path=stencil.path, attributes=attributes)
        config = ModuleConfig(target=stencil.target, options=stencil.options)
        beside = emitted(module, config, toolchain, directory)
    return CompiledUnit(
        modules=(module,),
        emitted=beside,
        observed=observed,
        diagnostics=counted(warnings(_logical(said.stderr, stencil), path=stencil.path), stencil, toolchain),
    )


def _refuse_lost(stencil: UnitStencil, language: str, toolchain: Toolchain) -> None:
    """Refuse a flag that would be lost when a link makes the code."""
    if language in ("assembler", "object"):
        return
    word = lost_word(user_words(stencil.options, language), toolchain.kind)
    if word:
        raise SourceError.at(
            stencil.path,
            1,
            f"'{word}' would lose its effect",
            context=(("reason", "the unit is compiled for LTO, which makes its code later"),),
            hint="leave it out, or set lto='off' for all that the crate is linked into in this build",
        )


def command(
    path: str, target: str, options: Options, toolchain: Toolchain, *, for_lto: bool = True, for_code: bool = False
) -> tuple[str, ...]:
    """Return the command that compiles a source in the project root, without its output."""
    language = _language(path)
    if language == "object":
        return ()
    words = compile_words(toolchain, target, options, language, path, for_lto=for_lto, for_code=for_code)
    # A path that begins with this would be an option, or a response file.
    file = f"./{path}" if path.startswith(("-", "@")) else path
    if language == "ir":
        return (*toolchain.clang_ir(target), *words, "-x", "ir", "-c", file)
    return (*toolchain.cc(target, language), *words, *language_words(path), "-c", file)


def _shortened(words: tuple[str, ...], language: str, toolchain: Toolchain, directory: Path) -> tuple[str, ...]:
    """Move the preprocessor's words of a command to a file if the command is too long for the system."""
    if sum(map(len, words)) < _LONG:
        return words
    # An assembler searches the directories as well.
    moved = ("-D", "-U") if language == "assembler" else ("-D", "-U", "-I")
    told = [word for word in words if word.startswith(moved) and len(word) > len("-D")]
    file = directory / response_file("defines.rsp", told, directory).removeprefix("@")
    kept = tuple(word for word in words if word not in set(told))
    at = len(kept) - 2  # before -c and the source
    return (*kept[:at], *toolchain.preprocessor_words(str(file), language), *kept[at:])


def _language(path: str) -> str:
    return LANGUAGES[os.path.splitext(path)[1]]


def _run(stencil: UnitStencil, unit: ListedUnit, output: Path, directory: Path) -> Completed:
    toolchain = unit.toolchain

    def refused(said: str) -> CratewrightError:
        return _source_error(_logical(said, stencil), stencil, toolchain)

    words = (*unit.words, *(f"-ffile-prefix-map={repository}/=" for repository in stencil.repositories))
    listing: tuple[str, ...] = ("-v", "-MD", "-MF", str(directory / "module.d"), "-MT", "module")
    if _language(stencil.path) == "ir":
        listing = ()
    elif not has_summary(stencil.target):
        # zig's driver loses what -emit-llvm makes if it lists files as well.
        toolchain.run(
            (*words, "-M", "-MF", str(directory / "module.d"), "-MT", "module"),
            cwd=toolchain.root,
            what=stencil.path,
            refused=refused,
        )
        listing = ("-v",)
    if toolchain.kind == "gcc" and stencil.options.flag("coverage"):
        place, name = os.path.split(notes_name(stencil.path))
        words += ("-dumpdir", os.path.join(place, ""), "-dumpbase", name, "-dumpbase-ext", "")
        words += (f"-fprofile-note={directory / 'module.gcno'}",)
    if toolchain.kind == "gcc" and "asm" in stencil.options.texts("emit"):
        assembly = directory / "module.s"
        toolchain.run(
            assembly_words(words, assembly),
            cwd=toolchain.root,
            what=stencil.path,
            outputs=[assembly],
            refused=refused,
        )
    if toolchain.kind == "gcc" and _language(stencil.path) == "assembler":
        # For C sources, gcc would repeat this in the module, and LTO would print it.
        listing += ("-Wa,--MD,/dev/stdout",)
    return toolchain.run(
        (*words, *listing, "-o", str(output)),
        cwd=toolchain.root,
        what=stencil.path,
        outputs=[output],
        refused=refused,
    )


def _run_elsewhere(
    stencil: UnitStencil, unit: ListedUnit, output: Path, directory: Path, memory: FileMemory
) -> Completed | None:
    """Compile a unit on another machine; None if it must be compiled locally."""
    if not is_portable(stencil, unit, _language(stencil.path), user_words(stencil.options, _language(stencil.path))):
        return None
    depfile = directory / "module.d"
    try:
        scanned = list_inputs(unit, depfile)
    except CratewrightError:  # the local compile reports the errors
        return None
    files, _ = _files(stencil, unit.toolchain, memory, _listed(unit, stencil, directory, scanned)[0])
    seen, _ = observe(unit.file, files, _search(unit, stencil, files, scanned.stderr), root=memory.root)
    source = Observed(unit.file, content_digest(stencil.source))
    portable = portable_of(unit, stencil, {item.path: item.digest for item in (*seen, source)})
    if portable is None:
        return None
    said = run_portable(portable, unit, output, lambda text: _source_error(text, stencil, unit.toolchain))
    return Completed(said.stdout, scanned.stderr + said.stderr) if said is not None else None


def _listed(
    unit: ListedUnit, stencil: UnitStencil, directory: Path, said: Completed
) -> tuple[tuple[str, ...], Missing]:
    """Return the files that were read, and the paths that an assembler missed."""
    depfile = directory / "module.d"
    names = _names(depfile.read_text("utf-8", "surrogateescape"), unit) if depfile.exists() else ()
    if _language(stencil.path) != "assembler":
        return names, ()
    places = stencil.options.texts("include_dirs")
    if unit.toolchain.kind == "gcc":
        read = _assembled(unit, said)
        world = World(unit.toolchain.root, frozenset(map(plain, places)))
        world.miss_all(earlier(read, ("", *map(plain, places))))
        found = world.found
    else:
        found = ask_assembler(unit, places, preprocessed=stencil.path.endswith(".S"))
        read = tuple(path for path, digest in found.items() if digest not in (None, "directory"))
    return (*names, *read), tuple(Observed(path, digest) for path, digest in found.items() if path not in read)


def _assembled(unit: ListedUnit, said: Completed) -> tuple[str, ...]:
    """Return the files that GNU's assembler read, except the compiler's output and the source."""
    listing = said.stdout.decode("utf-8", "surrogateescape")
    names = _names(listing, unit) if listing else ()
    own = (unit.file, os.path.basename(unit.file))
    return tuple(name for name in names if name not in own and not _PASSED.search(name))


def _search(unit: ListedUnit, stencil: UnitStencil, files: _Files, said: str) -> Search:
    """Return where a unit's includes were searched for."""
    language = _language(stencil.path)
    words = user_words(stencil.options, language)
    root, unclear = unit.toolchain.root, False

    def read(path: str) -> bytes:
        return Path(root, path).read_bytes()

    asked = ask_texts(unit, files, read)
    if asked is None:
        asked, unclear = ask_preprocessor(unit, files, read)
    return Search(
        path=parse_search_path(said),
        embed=tuple(map(plain, embed_directories(words))),
        included=included_files(words),
        precompiled=unit.toolchain.kind == "gcc",
        warned=any("missing-include-dirs" in word for word in words),
        asked=asked,
        told=tuple(file_words(words)),
        unclear=unclear,
    )


def _logical(said: str, stencil: UnitStencil) -> str:
    """Return a compiler's output with repository files named as if they were in the project."""
    for repository in stencil.repositories:
        said = said.replace(f"{repository}/", "")
    return said


def _source_error(said: str, stencil: UnitStencil, toolchain: Toolchain) -> CratewrightError:
    path = stencil.path
    found = counted(messages(said, path=path), stencil, toolchain)
    errors = [item for item in found if item.severity is Severity.ERROR]
    if not errors:
        return SourceError.at(
            path,
            1,
            "the compiler failed",
            context=(("said", "\n".join(said.strip().splitlines()[-_SHOWN:])),),
        )
    hints = (hint for pattern, hint in _HINTS if any(re.search(pattern, item.headline) for item in errors))
    return SourceError(diagnostics=found, hint=next(hints, ""))


def _names(listing: str, unit: ListedUnit) -> tuple[str, ...]:
    """Return the files that a depfile names, by their paths in the project."""
    return called(decode_depfile(listing, name=unit.path), unit.toolchain.root)


def _files(stencil: UnitStencil, toolchain: Toolchain, memory: FileMemory, names: Iterable[str]) -> tuple[_Files, int]:
    """Return the facts about all files that were read, and when the newest of them last changed.

    Raises: SourceError if the source has changed meanwhile.
    """
    source = plain(stencil.file or stencil.path)
    own = read_facts(stencil.source)
    now = content_digest(_read(memory.root, source))
    if now != own.digest:
        raise SourceError.at(stencil.path, 1, "the source has changed while it was compiled", hint="build again")
    files: dict[str, FileFacts | None] = {source: own}
    newest = 0
    for path in names:
        if path == source:
            continue
        if toolchain.headers and path.startswith(toolchain.headers):
            files[path] = None
            continue
        try:
            files[path], changed = memory.facts(path)
        except OSError as error:
            raise SourceError.at(path, 1, f"gone while it was compiled ({error.strerror})") from error
        newest = max(newest, changed)
    return files, newest


def _read(root: str, path: str) -> bytes:
    try:
        with open(os.path.join(root, path), "rb") as file:
            return file.read()
    except OSError:
        return b""


def _refuse_embedding(unit: ListedUnit, files: _Files, directory: Path) -> None:
    """Refuse inline assembly that reads files: they would be read at code generation, outside every key."""
    if _language(unit.path) == "assembler":
        return
    ours = [facts.directives for path, facts in files.items() if facts is not None and path[:5] != "/usr/"]
    suspected = any(item.assembly for item in ours) and any(item.reading for item in ours)
    if not suspected and not unit.path.endswith(".bc"):
        return
    if unit.toolchain.kind == "gcc":
        words = (*unit.words, "-fno-lto", "-w", "-Wa,--MD,/dev/stdout", "-o", str(directory / "again.o"))
        read = bool(_assembled(unit, unit.toolchain.run(words, cwd=unit.toolchain.root, what=unit.path)))
    else:
        module = directory / "module.bc"
        data = module.read_bytes()
        if bitcode := embedded_bitcode(data):
            module = directory / "beside.bc"
            module.write_bytes(bitcode)
        elif not is_bitcode(data):
            module = directory / "again.bc"
            told = (*unit.words, "-w", "-emit-llvm", "-o", str(module))
            unit.toolchain.run(told, cwd=unit.toolchain.root, what=unit.path, outputs=[module])
        words = (*unit.toolchain.clang_ir(unit.target), "-x", "ir", str(module), "-S", "-emit-llvm")
        text = unit.run((*words, "-Xclang", "-disable-llvm-passes", "-w"), directory / "module.ll")
        read = embeds("\n".join(assembly_of(text.decode("utf-8", "surrogateescape"))))
    if read:
        suspects = (path for path, facts in files.items() if facts is not None and facts.directives.reading)
        raise SourceError.at(
            next(suspects, unit.path),
            1,
            "inline assembly that reads a file (.incbin) is not tracked",
            hint="put the .incbin into a .S source of the crate, or use #embed",
        )
