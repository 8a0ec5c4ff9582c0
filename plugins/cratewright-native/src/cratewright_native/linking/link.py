"""The final link of one crate type: takes objects, returns a program or a library."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cratewright import (
    Artifact,
    CrateType,
    CratewrightError,
    DebugInfo,
    Diagnostic,
    LinkModule,
    LinkRequest,
    LinkResult,
    Observed,
    Severity,
    ToolError,
    merge_observed,
    pattern,
    repeat_if_changed,
    scratch_directory,
)

from ..arguments.link_flags import link_flags
from ..arguments.response_file import response_file
from ..arguments.symbols import exported_by_flags, exports_everything, has_version_script, script_reader
from ..binary.elf import ObjectSymbol, elf_symbols, with_retained_sections
from ..binary.module import MAIN_SYMBOLS
from ..compile.coverage import counters_object, notes_of
from ..libraries import library_words
from ..lookups.observe import FileMemory
from ..toolchains.targets import Target, find_target
from ..toolchains.toolchain import Completed, Toolchain
from .demand import is_direct
from .embed import embed_object
from .exports import check_symbols, replaceable_symbols, version_script
from .link_errors import link_error, with_source_names
from .link_files import link_search, linked_files, observe_link
from .linker_messages import linker_warnings
from .soname import file_name, soname
from .staticlib import member_names, object_name, write_staticlib

_ARGUMENTS = "arguments.rsp"
_ARCHIVE = "dependencies.a"
_DEPFILE = "inputs.d"
_LINE = "line.rsp"
_SCRIPT = "offered.map"
# Names specific to C++, or functions of its runtime, as they appear in a string table.
_CXX = pattern(rb"\0(?:_Z|__cxa_|__gxx_)")
_SHOWN = 20
_UNUSED = "argument unused during compilation"
_LINKED_ANYWAY = ("--push-state,--no-as-needed", "--pop-state")


def link_crate_type(request: LinkRequest, toolchain: Toolchain, memory: FileMemory) -> LinkResult:
    """Link one crate type.

    Raises: LinkError with the linker's output.
    """
    target = find_target(request.target)
    name = file_name(request.crate, request.crate_type, request.target, request.options)
    if request.crate_type is CrateType.STATICLIB:
        library = Artifact(name, write_staticlib(request, toolchain))
        return LinkResult(artifacts=(library, *notes_of(request, name)))
    if request.crate_type is CrateType.OBJECT:
        (item,) = request.modules
        return LinkResult(artifacts=(Artifact(name, item.module.data),))
    with scratch_directory() as directory:
        files, objects = _inputs(request, toolchain, directory)
        inputs = [*counters_object(request, toolchain, directory), *objects]
        flags = link_flags(request, toolchain.root)
        words = [*inputs, *_options(request, toolchain, target, directory)]
        words += [*_libraries(request, toolchain, target), *flags.words]

        def attempt() -> tuple[tuple[tuple[Observed, ...], tuple[Diagnostic, ...]], int]:
            command, done = _run(request, toolchain, inputs, files, words, name, directory)
            search = link_search(command, done.stderr, toolchain.root)
            requested = [library.path for library in request.libraries]
            listed = [*linked_files(directory / _DEPFILE, escaped=toolchain.kind == "llvm"), *flags.read]
            observed, newest = observe_link(
                listed, search, target.format, memory, requested=requested, bundled=toolchain.headers
            )
            observed = merge_observed([observed, [Observed(path, None) for path in flags.missing]])
            return (observed, _diagnostics(done, toolchain, directory, files)), newest

        observed, diagnostics = repeat_if_changed(
            attempt, f"files that crate '{request.crate}' is linked with keep changing meanwhile"
        )
        program = Artifact(name, (directory / name).read_bytes(), executable=request.crate_type is CrateType.BIN)
        written = [Artifact(path, _text(directory / file, toolchain)) for file, path in flags.written]
    return LinkResult(
        artifacts=(program, *written, *notes_of(request, name)), observed=observed, diagnostics=diagnostics
    )


def _run(
    request: LinkRequest,
    toolchain: Toolchain,
    inputs: Sequence[str],
    files: Mapping[str, LinkModule],
    words: Sequence[str],
    name: str,
    directory: Path,
) -> tuple[Sequence[str], Completed]:
    """Link, and return the command and its output, which includes where libraries are searched for."""
    what = f"link of crate '{request.crate}'"
    language = _language(request, toolchain)
    passed = {*inputs, *(os.path.join(toolchain.root, library.path) for library in request.libraries)}
    line = toolchain.linker(request.target, language, words, passed=passed, output=name)
    if line:
        arguments = response_file(_LINE, [*line[1:], f"--dependency-file={_DEPFILE}"], directory)
        with suppress(CratewrightError):
            return line, toolchain.run((line[0], arguments), cwd=directory, what=what, outputs=[name])
    driver = (*toolchain.cc(request.target, language), response_file(_ARGUMENTS, words, directory), "-o", name)
    cannot = f"crate '{request.crate}' cannot be linked"
    refused = link_error(request, cannot, files, final=True, archive=_ARCHIVE)
    if line:
        # Users know the driver, so its error is shown. With several threads, the first place named would vary.
        single = ("-Wl,--threads=1",) if toolchain.kind == "llvm" else ()
        toolchain.run((*driver, *single), cwd=directory, what=what, refused=refused)

    def unlisted(stderr: str) -> CratewrightError:
        # The driver's report of its search would mix with the linker's report of its inputs.
        try:
            toolchain.run(driver, cwd=directory, what=what, refused=refused)
        except CratewrightError as error:
            return error
        lines = "\n".join(stderr.strip().splitlines()[-_SHOWN:])
        return ToolError(
            f"{what}: the linker cannot list the files that it reads",
            context=(("toolchain", toolchain.version), ("output", lines)),
            hint="GNU ld does from version 2.35 on, LLD from 13 on",
        )

    listing = toolchain.listing(request.target, _DEPFILE)
    return words, toolchain.run((*driver, *listing), cwd=directory, what=what, outputs=[name], refused=unlisted)


def _diagnostics(
    done: Completed, toolchain: Toolchain, directory: Path, files: Mapping[str, LinkModule]
) -> tuple[Diagnostic, ...]:
    """Return the linker output meant for the user: requested output and warnings."""
    printed = toolchain.with_relative_paths(done.stdout.decode("utf-8", "replace"), directory).strip("\n")
    notes = [Diagnostic(Severity.NOTE, printed.splitlines()[0], rendered=printed)] if printed.strip() else []
    stderr = with_source_names(done.stderr, files, _ARCHIVE) if "warning: " in done.stderr else ""
    # Words such as -pie are unused beside -static; those of the user were checked before.
    return (*notes, *(item for item in linker_warnings(stderr) if _UNUSED not in item.text))


def _text(path: Path, toolchain: Toolchain) -> bytes:
    """Return linker output for people, without directories of this machine."""
    text = path.read_text("utf-8", "surrogateescape")
    return toolchain.with_relative_paths(text, path.parent).encode("utf-8", "surrogateescape")


def _language(request: LinkRequest, toolchain: Toolchain) -> str:
    if any(_CXX.search(item.module.data) for item in request.modules):
        return "c++"
    # A program also links the sanitizer's library for its dylibs, and C++ needs more of it.
    libraries = request.libraries if request.options.texts("sanitize") else ()
    paths = (Path(toolchain.root, library.path) for library in libraries)
    return "c++" if any(_CXX.search(path.read_bytes()) for path in paths) else "c"


def _inputs(request: LinkRequest, toolchain: Toolchain, directory: Path) -> tuple[dict[str, LinkModule], Sequence[str]]:
    """Write the objects, and return the modules by file name, and the linker's words.

    Own objects and those chosen by LTO are linked, others if needed.
    """
    names = member_names(object_name(item.crate, Path(item.module.name).stem) for item in request.modules)
    direct: list[str] = []
    lazy: list[str] = []
    for name, item in zip(names, request.modules, strict=True):
        (directory / name).write_bytes(with_retained_sections(item.module.data, name=item.module.name))
        chosen = is_direct(item, request) or item.module.attribute("lto") != ""
        (direct if chosen else lazy).append(name)
    if request.embed:
        direct.append(embed_object(request.embed, request.target, toolchain, directory))
    files = dict(zip(names, request.modules, strict=True))
    if not lazy:
        return files, direct
    toolchain.run(
        (*toolchain.ar(), "rcsD", _ARCHIVE, *lazy),
        cwd=directory,
        what=f"dependencies of crate '{request.crate}'",
        outputs=[_ARCHIVE],
    )
    # Exported symbols must be taken from the archive although nothing here calls them.
    wanted = [f"-Wl,-u,{symbol}" for symbol in check_symbols(request.exported) if "@" not in symbol]
    return files, [*wanted, *direct, _ARCHIVE]


def _options(request: LinkRequest, toolchain: Toolchain, target: Target, directory: Path) -> list[str]:
    options, shared = request.options, request.crate_type is not CrateType.BIN
    words = ["-shared"] if shared else []
    if toolchain.kind == "gcc":
        # gcc objects hold both code and IR, but LTO has already run.
        words.append("-fno-lto")
    if target.format == "elf":
        words += ["-Wl,--build-id=none", "-Wl,--gc-sections"]
        if toolchain.kind == "llvm":
            # GNU ld keeps sections referenced by `__start_X`; zig does not pass this option on.
            words.append("-Wl,-z,nostart-stop-gc")
        words += _visibility(request, toolchain, directory)
        own = soname(request.crate, request.crate_type, request.target, options)
        words += [f"-Wl,-soname,{own}"] if shared else ["-pie" if options.flag("pic") else "-no-pie"]
        words += [f"-Wl,-rpath,{path}" for path in _rpath(request)]
    if options.flag("strip"):
        words.append("-s")
    elif options.debuginfo is DebugInfo.NONE and target.format == "elf":
        # The toolchain's own start files and libraries have undefined symbols.
        words.append("-Wl,--strip-debug")
    words += [f"-fsanitize={each}" for each in options.texts("sanitize")]
    if options.flag("coverage"):
        words.append("--coverage" if toolchain.kind == "gcc" else "-fprofile-instr-generate")
    return words


def _visibility(request: LinkRequest, toolchain: Toolchain, directory: Path) -> list[str]:
    """Return the arguments that make a library export exactly its symbols, and a program those that were requested."""
    flags = request.options.texts("ldflags")
    if has_version_script(flags):
        # The user's own version script decides.
        return ["-rdynamic"] if request.crate_type is CrateType.BIN and request.options.texts("exports") else []
    exported = set(request.exported)
    words: list[str] = []
    if request.crate_type is CrateType.BIN:
        exported -= MAIN_SYMBOLS
        if not exported or exports_everything(flags):
            return []
        exported |= set(replaceable_symbols(symbol.name for symbol in _defined(request.modules)))
        words.append("-rdynamic")
    elif request.crate_type is CrateType.CDYLIB and not request.options.texts("exports"):
        # Each includer of a header has its own inline functions, but all share their variables, such as those that
        # identify a class.
        weak = {symbol.name for symbol in _defined(request.modules) if symbol.weak and not symbol.data}
        exported -= weak.difference(symbol.name for symbol in _defined(request.modules) if not symbol.weak)
    visible = (symbol.name for symbol in _defined(request.modules) if not symbol.hidden)
    exported |= exported_by_flags(flags, visible, script_reader(toolchain.root, request))
    script = version_script(sorted(exported))
    if toolchain.kind == "zig" and request.crate_type is CrateType.BIN:
        # zig passes a version script on for libraries only, but a linker script may hold one.
        (directory / _SCRIPT).write_bytes(b"VERSION {\n" + script + b"}\n")
        return [*words, f"-Wl,-T,{_SCRIPT}"]
    (directory / _SCRIPT).write_bytes(script)
    return [*words, f"-Wl,--version-script={_SCRIPT}"]


def _defined(modules: Sequence[LinkModule]) -> Iterator[ObjectSymbol]:
    for item in modules:
        yield from (symbol for symbol in elf_symbols(item.module.data, name=item.module.name) if symbol.defined)


def _rpath(request: LinkRequest) -> list[str]:
    """Return the rpath by which a program finds its dylibs, also after both are moved together."""
    found: dict[str, None] = {}
    for library in request.libraries:
        directory = library.directory
        found[directory if os.path.isabs(directory) else f"$ORIGIN/{directory}".removesuffix("/.")] = None
    return [*found, *request.options.texts("rpath")]


def _libraries(request: LinkRequest, toolchain: Toolchain, target: Target) -> list[str]:
    # zig has no --pop-state, and its default is --as-needed.
    before, after = ("--no-as-needed", "--as-needed") if toolchain.kind == "zig" else _LINKED_ANYWAY
    words: list[str] = []
    for library in request.libraries:
        path = os.path.join(toolchain.root, library.path)
        words += [f"-Wl,{before}", path, f"-Wl,{after}"] if library.crate in request.whole else [path]
    return [*words, *library_words(request.natives, request.options.texts("lib_dirs"), target, toolchain)]
