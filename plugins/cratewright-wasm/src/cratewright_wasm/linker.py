"""Calls wasm-ld, for final links and for the analysis before LTO, and reads its messages."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cratewright import (
    CrateType,
    Diagnostic,
    LinkError,
    LinkModule,
    LinkRequest,
    RelatedPlace,
    Session,
    Severity,
    ToolError,
)

from .memory import memory_words
from .targets import CLibrary
from .toolchain import WasmToolchain, run_tool
from .unit import hidden_names

__all__ = ["ENTRIES", "Inputs", "check_types", "exported_names", "run_linker"]

ENTRIES = ("_start", "main", "__main_void", "__main_argc_argv", "__original_main", "_initialize")
"""The function that the start of a program calls, as clang names it."""

LIBRARY_ENTRY = "_initialize"


class Inputs:
    """The modules of a link as files of a directory.

    Shape: `names` are their files, in order; `sources` are the modules whose symbols name their sources, by default
    the same.
    """

    def __init__(
        self,
        directory: Path,
        modules: Sequence[LinkModule],
        names: Sequence[str],
        sources: Sequence[LinkModule] = (),
    ) -> None:
        self.names = tuple(names)
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


def run_linker(
    toolchain: WasmToolchain,
    session: Session,
    request: LinkRequest,
    library: CLibrary,
    inputs: Inputs,
    directory: Path,
    *,
    direct: Sequence[str],
    lazy: Sequence[str],
    extra: Sequence[str] = (),
    output: str,
) -> str:
    """Link files of a directory, and return the linker's output.

    Shape: `direct` files are always linked, `lazy` ones if needed, as from an archive.
    Raises: LinkError, ToolError.
    """
    words = [*_fixed_words(request), *memory_words(request.options), *extra, "-o", output]
    imports = request.options.texts("imports")
    if imports:
        (directory / "imports.txt").write_text("".join(f"{name}\n" for name in imports), encoding="utf-8")
        words.append("--allow-undefined-file=imports.txt")
    files = [*library.first, *direct, *(["--start-lib", *lazy, "--end-lib"] if lazy else []), *library.last]
    (directory / "words.rsp").write_text(
        "\n".join(_quoted(word) for word in (*words, *files)), encoding="utf-8", errors="surrogateescape"
    )
    argv = (*toolchain.linker, "--rsp-quoting=posix", "@words.rsp")
    done = run_tool(toolchain, argv, what=f"crate '{request.crate}'", cwd=str(directory), timeout=session.timeout)
    output_text = (
        inputs.label((done.stderr + done.stdout).decode(errors="replace")).replace(f"{directory}{os.sep}", "").strip()
    )
    if done.status:
        raise _failure(request, output_text, inputs.sources)
    return output_text


def _quoted(word: str) -> str:
    # In LLVM's response files, a backslash escapes even within quotes.
    return re.sub(r"([\s'\"\\])", r"\\\1", word)


def _fixed_words(request: LinkRequest) -> list[str]:
    """Return the words about errors, exports and the entry point."""
    # The linker only warns about a call with another signature than the definition, which would trap.
    words = ["--fatal-warnings", "--threads=1", "--stack-first", "--error-limit=20", "--no-demangle"]
    words += [f"--export={name}" for name in exported_names(request)]
    words += [f"--export-if-defined={name}" for name in request.kept]
    if request.crate_type is CrateType.RLIB:
        # Link-time optimization serves all types at once; their entry points are among the kept symbols.
        return [*words, "--no-entry"]
    if request.crate_type is CrateType.BIN:
        return [*words, "--entry=_start"]
    return [*words, f"--entry={LIBRARY_ENTRY}"] if request.target.endswith("wasi") else [*words, "--no-entry"]


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


def exported_names(request: LinkRequest) -> list[str]:
    """Return the exports of the result: those of the link, except hidden ones that `exports` does not name."""
    named = set(request.options.texts("exports"))
    hidden = {name for item in request.modules for name in hidden_names(item.module)} - named
    return [name for name in request.exported if name not in hidden]
