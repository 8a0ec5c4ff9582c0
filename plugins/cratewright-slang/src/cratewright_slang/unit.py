"""Compiles a Slang source to a module in Slang's IR: takes the contract's stencil, returns the module."""

from __future__ import annotations

import json
import posixpath
import re

from cratewright import CodegenBackend, CompiledUnit, Diagnostic, EntryPoint, ModuleCodegen, SourceError, UnitStencil
from cratewright_spirv.sharing import STAGES

from .cached_modules import CachedModules
from .compiled import Compiled
from .diagnostics import Message, read_slang_log
from .libslang import Refused
from .macros import module_symbol
from .module_compiler import compiler_for
from .options import macros_of, settings_of, words_of
from .wheel import build_tag

_MEMBER = ".slang-module"

_PART = b"part of a module\n"
"""Marks a source that is part of another's module and compiled with it."""

_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)
_STAGE_NAMES = {stage.slang: stage.name for stage in STAGES}
_STAGE = re.compile(rf"(\.(?:{'|'.join(stage.word for stage in STAGES)}))\.hlsl$")
_IMPLEMENTING = re.compile(rb"\s*implementing\b")


def compile_slang_source(stencil: UnitStencil, backend: CodegenBackend) -> CompiledUnit:
    """Return the module of a source; its imports are read from sources and linked later.

    Raises: SourceError.
    """
    path = posixpath.normpath(stencil.path)
    without = _not_compiled(stencil)
    if without is not None:
        return without
    settings = settings_of(
        stencil.options, stencil.target, paths=_directories(stencil), macros=macros_of(stencil.options)
    )
    try:
        compiler = compiler_for(
            settings, backend.session.root, stencil.repositories, lambda: CachedModules(backend, stencil, _unit)
        )
        found = compiler.find(path, stencil.source)
        if found is not None:
            return found
        made = compiler.compile(path, stencil.source)
    except Refused as refused:
        raise SourceError(diagnostics=log_errors(refused.log, path)) from None
    return _unit(stencil, made)


def _not_compiled(stencil: UnitStencil) -> CompiledUnit | None:
    """Return the unit of a part of another's module, None for any other source.

    Raises: SourceError for what is no text.
    """
    if _IMPLEMENTING.match(_COMMENT.sub(b" ", stencil.source.removeprefix(b"\xef\xbb\xbf"))):
        return CompiledUnit(modules=(ModuleCodegen(name=_MEMBER, data=_PART, attributes=_attributes(stencil)),))
    if b"\0" in stencil.source:
        raise SourceError.at(
            posixpath.normpath(stencil.path), 1, "a NUL byte is not text", hint="save the file as UTF-8"
        )
    return None


def _unit(stencil: UnitStencil, made: Compiled) -> CompiledUnit:
    # An import is kept as a unit, so it is one only if it would be as a source.
    without = _not_compiled(stencil)
    if without is not None:
        return without
    path, macros = posixpath.normpath(stencil.path), macros_of(stencil.options)
    if not made.entries and (stage := _STAGE.search(path)):
        raise SourceError.at(
            path, 1, f"no entry point, although the file is named {stage[1]}", hint='write [shader("...")] before it'
        )
    module = ModuleCodegen(
        name=_MEMBER,
        data=made.data,
        exports=(module_symbol(path, made.uses, macros, file=path, line=1),),
        imports=tuple(module_symbol(each, used, macros, file=path) for each, used in made.asked),
        entry_points=tuple(_entry(name, stage, path) for name, stage in made.entries),
        attributes=_attributes(stencil, **_facts(made)),
    )
    observed = tuple(each for each in made.observed if each.path != path)
    return CompiledUnit(modules=(module,), observed=observed, diagnostics=_warnings_of(made.log, path))


def log_errors(log: str, path: str) -> tuple[Diagnostic, ...]:
    """Return the errors of a log, about `path` if they name no file."""
    messages = read_slang_log(log) or (Message("error", log.strip() or "Slang rejected it without a message"),)
    return tuple(each.diagnostic_about(path) for each in messages)


def _warnings_of(log: str, path: str) -> tuple[Diagnostic, ...]:
    """Return the warnings of a log that holds no error."""
    return tuple(each.diagnostic_about(path) for each in read_slang_log(log) if each.kind == "warning")


def _attributes(stencil: UnitStencil, **more: str) -> tuple[tuple[str, str], ...]:
    words = {
        "alike": words_of(stencil.options),
        "member": _MEMBER,
        "paths": json.dumps(_directories(stencil)),
        "slang": build_tag(),
        "source": stencil.path,
        **more,
    }
    return tuple(sorted(words.items()))


def _facts(made: Compiled) -> dict[str, str]:
    facts = {"exports": "1" if made.exports else "", "inlines": "1" if made.inlines else ""}
    if made.imports and made.interfaces:
        facts |= {"interfaces": made.interfaces, "own": json.dumps(made.own)}
    return {name: text for name, text in facts.items() if text}


def _directories(stencil: UnitStencil) -> tuple[str, ...]:
    # The project's root needs a name, too.
    return tuple(name or "." for name in stencil.options.texts("include_dirs"))


def _entry(name: str, stage: int, path: str) -> EntryPoint:
    known = _STAGE_NAMES.get(stage)
    if known is None:
        raise SourceError.at(path, 1, f"the stage of the entry point '{name}' is not one of Vulkan's")
    return EntryPoint(known, name)
