"""Compiles WebAssembly text to a module, with wasmtime's parser."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from cratewright import CompiledUnit, Diagnostic, FormatError, Severity, SourceError, ToolError, UnitStencil

from .bodies import Unlinkable
from .objects import linkable_object


def wat_library() -> str:
    """Return the path of the library that reads WAT; empty if it is not installed."""
    found = find_spec("wasmtime")
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        for path in sorted(Path(place).glob("*/*wasmtime*")):
            return str(path)
    return ""


def compile_wat(stencil: UnitStencil) -> CompiledUnit:
    """Compile a source.

    Raises: SourceError; ToolError if wasmtime is not installed.
    """
    if not wat_library():
        raise ToolError(
            f"wasmtime, which reads WAT, is not installed: {stencil.path}", hint="pip install 'cratewright-wasm[wat]'"
        )
    import wasmtime  # noqa: PLC0415 - loads a large library, which other sources do not need

    try:
        text = stencil.source.decode()
        module = bytes(wasmtime.wat2wasm(text))
    except UnicodeDecodeError as error:
        line = stencil.source.count(b"\n", 0, error.start) + 1
        raise SourceError.at(stencil.path, line, "the file is not valid UTF-8") from error
    except wasmtime.WasmtimeError as error:
        raise SourceError(diagnostics=[_diagnostic(str(error), stencil.path)]) from error
    try:
        return CompiledUnit(modules=(linkable_object(module, stencil.path),))
    except Unlinkable as error:
        raise SourceError.at(stencil.path, _line_of(text, error.word), str(error), hint=error.hint) from error
    except FormatError as error:
        raise SourceError.at(stencil.path, 1, error.message) from error


def _diagnostic(text: str, path: str) -> Diagnostic:
    first, *rest = text.splitlines()
    place = next((match for line in rest if (match := re.search(r"--> <anon>:(\d+):(\d+)", line))), None)
    line, column = (int(place[1]), int(place[2])) if place else (1, 0)
    head = Diagnostic(Severity.ERROR, first, path, line, column)
    shown = [line for line in rest if "-->" not in line and line.strip(" |")]
    return replace(head, rendered="\n".join([str(head), *shown])) if shown else head


def _line_of(text: str, word: str) -> int:
    found = re.search(rf"\(\s*{re.escape(word)}\b" if word.isalpha() else rf"{re.escape(word)}\b", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
