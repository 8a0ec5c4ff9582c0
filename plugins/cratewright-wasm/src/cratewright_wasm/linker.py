"""Calls wasm-ld, for final links and for the analysis before LTO, and reads its messages."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cratewright import (
    Artifact,
    CrateType,
    Diagnostic,
    LinkError,
    LinkModule,
    LinkRequest,
    LinkResult,
    RelatedPlace,
    Severity,
    ToolError,
    output_file_name,
    scratch_directory,
)

from .memory import memory_words
from .objects import has_constructors, linkable_object
from .targets import CLibrary
from .toolchain import WasmToolchain
from .unit import hidden_names

ENTRIES = ("_start", "main", "__main_void", "__main_argc_argv", "__original_main", "_initialize")
"""The function that the start of a program calls, as clang names it."""

_LIBRARY_ENTRY = "_initialize"
_MAGIC = b"\0asm"
_INITIALIZE = bytes.fromhex(
    "0061736d01000000 01040160000002190103656e76115f5f7761736d5f63616c6c5f63746f727300000302010007"
    "0f010b5f696e697469616c697a6500010a06010400 1000 0b"
)
"""(module (import "env" "__wasm_call_ctors" (func $f)) (func (export "_initialize") call $f))"""


class Inputs:
    """The modules of a link as files of a directory.

    Shape: `direct` files are always linked, `lazy` ones if needed, as from an archive; `sources` are the modules whose
    symbols name their sources, by default the same.
    """

    def __init__(
        self,
        request: LinkRequest,
        directory: Path,
        modules: Sequence[LinkModule],
        names: Sequence[str],
        sources: Sequence[LinkModule] = (),
    ) -> None:
        self.directory = directory
        whole = {request.crate, *request.whole}
        self.direct = [name for item, name in zip(modules, names, strict=True) if item.crate in whole]
        self.lazy = [name for item, name in zip(modules, names, strict=True) if item.crate not in whole]
        self.sources = tuple(sources or modules)
        self._labels = {
            name: f"{item.crate}/{_stem(item.module.name)}" if item.crate else item.module.name
            for item, name in zip(modules, names, strict=True)
        }
        for item, name in zip(modules, names, strict=True):
            (directory / name).write_bytes(item.module.data)

    def label(self, text: str) -> str:
        """Return the linker's output with crates and modules in place of file names."""
        return re.sub(r"\b[\w-]+\.(?:bc|o)\b", lambda match: self._labels.get(match[0], match[0]), text)


def link_objects(toolchain: WasmToolchain, request: LinkRequest, library: CLibrary) -> LinkResult:
    """Link objects to the output of a crate.

    Raises: LinkError, ToolError.
    """
    modules = list(request.modules)
    extra: list[str] = []
    if request.crate_type is CrateType.CDYLIB:
        if not _exported_names(request):
            raise LinkError(
                f"crate '{request.crate}' exports nothing: the module would be empty",
                context=(("crate", request.crate),),
                hint="define a function that is not static, or name functions of other crates in `exports`",
            )
        if not library.first and any(has_constructors(item.module.data) for item in modules):
            # The host calls it once before all else, as in WASI's reactors. Otherwise the linker would run
            # constructors before each exported call.
            modules.insert(0, LinkModule(request.crate, linkable_object(_INITIALIZE, _LIBRARY_ENTRY)))
            extra.append(f"--export={_LIBRARY_ENTRY}")
    names = [f"{number}.o" for number in range(len(modules))]
    with scratch_directory() as directory:
        inputs = Inputs(request, directory, modules, names)
        run_linker(toolchain, request, library, inputs, extra=extra, output="linked.wasm")
        path = directory / "linked.wasm"
        data = path.read_bytes() if path.is_file() else b""
    if not data.startswith(_MAGIC):
        raise ToolError(f"the linker reported success, but did not write crate '{request.crate}'")
    output = output_file_name(request.crate, request.crate_type, request.target)
    return LinkResult(artifacts=(Artifact(output, data),), observed=library.observed)


def run_linker(
    toolchain: WasmToolchain,
    request: LinkRequest,
    library: CLibrary,
    inputs: Inputs,
    *,
    extra: Sequence[str],
    output: str,
) -> None:
    """Link files of a directory.

    Raises: LinkError, ToolError.
    """
    directory = inputs.directory
    words = [*_fixed_words(request), *memory_words(request.options), *extra, "-o", output]
    imports = request.options.texts("imports")
    if imports:
        (directory / "imports.txt").write_text("".join(f"{name}\n" for name in imports), encoding="utf-8")
        words.append("--allow-undefined-file=imports.txt")
    lazy = ["--start-lib", *inputs.lazy, "--end-lib"] if inputs.lazy else []
    files = [*library.first, *inputs.direct, *lazy, *library.last]
    (directory / "words.rsp").write_text(
        "\n".join(_quoted(word) for word in (*words, *files)), encoding="utf-8", errors="surrogateescape"
    )
    argv = (*toolchain.linker, "--rsp-quoting=posix", "@words.rsp")
    done = toolchain.run(argv, what=f"crate '{request.crate}'", cwd=directory)
    if done.status:
        text = inputs.label((done.stderr + done.stdout).decode(errors="replace"))
        raise _failure(request, text.replace(f"{directory}{os.sep}", "").strip(), inputs.sources)


def _quoted(word: str) -> str:
    # In LLVM's response files, a backslash escapes even within quotes.
    return re.sub(r"([\s'\"\\])", r"\\\1", word)


def _fixed_words(request: LinkRequest) -> list[str]:
    """Return the words about errors, exports and the entry point."""
    # The linker only warns about a call with another signature than the definition, which would trap.
    words = ["--fatal-warnings", "--threads=1", "--stack-first", "--error-limit=20", "--no-demangle"]
    words += [f"--export={name}" for name in _exported_names(request)]
    words += [f"--export-if-defined={name}" for name in request.kept]
    if request.crate_type is CrateType.RLIB:
        # Link-time optimization serves all types at once; their entry points are among the kept symbols.
        return [*words, "--no-entry"]
    if request.crate_type is CrateType.BIN:
        return [*words, "--entry=_start"]
    return [*words, f"--entry={_LIBRARY_ENTRY}"] if request.target.endswith("wasi") else [*words, "--no-entry"]


_HINTS: tuple[tuple[str, str], ...] = (
    (r"undefined symbol: (?:_Zn|_Zd|__cxa_|_ZTV)", "there is no C++ library: define the symbol, or avoid it"),
    (r"entry symbol not defined.*_start", "define `_start`, or build for wasm32-wasi, whose C library calls `main`"),
    (r"undefined symbol: main$", "define `main`, or ask for crate_type='cdylib'"),
    (r"exported via --export not found", "define it, or leave it out of `exports`"),
    (
        r"undefined symbol: ",
        "add the crate that defines it to `deps`, name it in `imports` if the host provides it, or declare it with"
        ' __attribute__((import_module("env"), import_name("...")))',
    ),
    (r"signature mismatch", "declare it everywhere as it is defined: a call with another signature would trap"),
    (r"duplicate symbol", "make one of them static, or leave one of the crates out"),
    (r"memory too small|initial memory", "raise initial_memory, or lower stack_size"),
    (r"shared memory|atomics", "remove what needs threads"),
)


def _stem(name: str) -> str:
    return name.removesuffix(".o").removesuffix(".bc")


def _failure(request: LinkRequest, output_text: str, modules: Sequence[LinkModule]) -> LinkError | ToolError:
    lines = [re.sub(r"^(?:\S*wasm-ld\S*: )?(?:(?:error|warning): )?", "", line) for line in output_text.splitlines()]
    errors = [line for line in lines if line.strip()]
    if not errors:
        return ToolError(f"the linker failed on crate '{request.crate}' without a message")
    hint = next((hint for pattern, hint in _HINTS if any(re.search(pattern, line) for line in errors)), "")
    found = _placed(modules, errors)
    placed = found if any(item.file for item in found) else []
    return LinkError("\n".join(errors), context=(("crate", request.crate),), hint=hint, diagnostics=placed)


_SYMBOL = re.compile(r"(?P<what>undefined symbol|duplicate symbol|mismatch): (?P<name>\S+)")


def _placed(modules: Sequence[LinkModule], lines: Sequence[str]) -> list[Diagnostic]:
    """Return errors with the sources that define or use the symbol; wasm-ld knows no lines."""
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith(">>>") and blocks:
            blocks[-1].append(line)
        else:
            blocks.append([line])
    found = []
    for text, *more in blocks:
        match = _SYMBOL.search(text)
        places = _places(modules, match["what"], match["name"]) if match else []
        item = Diagnostic(Severity.ERROR, text, places[0].file if places else "", related=tuple(places))
        found.append(replace(item, rendered="\n".join([item.headline, *more])))
    return found


def _places(modules: Sequence[LinkModule], what: str, name: str) -> list[RelatedPlace]:
    found: dict[RelatedPlace, None] = {}
    for item in modules:
        symbols = [("used", symbol) for symbol in item.module.imports if what != "duplicate symbol"]
        symbols += [("defined", symbol) for symbol in item.module.exports]
        for word, symbol in symbols:
            if symbol.name == name and symbol.file:
                found[RelatedPlace(f"{word} here, in crate '{item.crate}'", symbol.file)] = None
    return list(found)


def check_types(modules: Sequence[LinkModule]) -> None:
    """Refuse calls with the wrong signature before optimization removes them.

    Raises: LinkError.
    """
    defined = {symbol.name: (item, symbol) for item in modules for symbol in item.module.exports if symbol.signature}
    for item in modules:
        for symbol in item.module.imports:
            other, known = defined.get(symbol.name, (item, symbol))
            if symbol.signature and symbol.signature != known.signature:
                text = f"function signature mismatch: {symbol.name}"
                places = _places((item, other), "mismatch", symbol.name)
                raise LinkError(
                    text,
                    context=(
                        (f"{item.crate}/{_stem(item.module.name)}", symbol.signature),
                        (f"{other.crate}/{_stem(other.module.name)}", known.signature),
                    ),
                    diagnostics=[
                        Diagnostic(Severity.ERROR, text, place.file, related=tuple(places)) for place in places[:1]
                    ],
                    hint="declare it everywhere as it is defined: a call with another signature would trap",
                )


def _exported_names(request: LinkRequest) -> list[str]:
    """Return the exports of the result: those of the link, except hidden ones that `exports` does not name."""
    named = set(request.options.texts("exports"))
    hidden = {name for item in request.modules for name in hidden_names(item.module)} - named
    return [name for name in request.exported if name not in hidden]
