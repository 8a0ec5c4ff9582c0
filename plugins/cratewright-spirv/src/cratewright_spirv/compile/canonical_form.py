"""The canonical form of a source: what remains without everything that cannot affect its modules, so that these can be
reused.

It does not contain locations. Cached results have ordinals of lines instead of files and line numbers, and get those of
the current source when they are used.
Source: Cranelift's relative source locations, `ir::RelSourceLoc`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from cratewright import CanonicalForm, CompiledUnit, CratewrightError, DebugInfo, UnitStencil, pattern, value_digest

from ..base.names import splits
from ..compilers.glslang import Compiler
from ..spirv_tools.tools import Tools
from ..text.sources import classify
from ..transforms.debug_split import compiled_twice
from .recorder import Recorder
from .request import FoundSource, find_canonical
from .source import compile_shader_source, unit_request

_ASSEMBLY = pattern(rb'"(?:[^"\\]|\\.)*"|;[^\n]*|[ \t\r]+', re.S)


def canonical_unit(stencil: UnitStencil, root: str) -> CanonicalForm | None:
    """Return the form of a source, or None if only the source as it is written decides its result.

    Raises: SourceError for a source of an unknown or contradicted stage.
    """
    # A text that is shown must be this source's own.
    if stencil.options.text("dump_source") or splits(stencil.options):
        return None
    return _form(stencil, _found(stencil, root))


def compile_with_form(
    stencil: UnitStencil, root: str, compiler: Callable[[], Compiler], tools: Callable[[], Tools]
) -> CompiledUnit:
    """Return the modules of a source and its form, which then costs almost nothing.

    Raises: as `compile_shader_source`.
    """
    if splits(stencil.options) and stencil.options.debuginfo is not DebugInfo.NONE:
        return compiled_twice(stencil, lambda each: compile_with_form(each, root, compiler, tools))
    found, directory = _found(stencil, root), stencil.options.text("dump_source")
    if not directory:
        return replace(compile_shader_source(stencil, root, compiler, tools, found), form=_form(stencil, found))
    recorder = Recorder(compiler())
    try:
        return replace(
            compile_shader_source(stencil, root, lambda: recorder, tools, found), dumps=recorder.files(directory)
        )
    except CratewrightError as error:
        raise error.leaving(recorder.files(directory)) from error


def _found(stencil: UnitStencil, root: str) -> FoundSource | None:
    unit = classify(stencil.path, stencil.source)[0]
    return find_canonical(unit_request(stencil, unit, root)) if unit.language in ("glsl", "hlsl") else None


def _form(stencil: UnitStencil, found: FoundSource | None) -> CanonicalForm | None:
    wanted = stencil.options.text("entry_point") or None
    units = classify(stencil.path, stencil.source, wanted)
    about = (stencil.path, stencil.target, stencil.options.debuginfo, wanted, units)
    if units[0].language == "spvasm":
        lines = _assembly_lines(stencil.source)
        return None if lines is None else CanonicalForm(key=_key(about, lines))
    includes, form = found or (None, None)
    if includes is None or form is None:
        return None
    key = _key(about, (form.defines, form.text, form.origins))
    return CanonicalForm(key=key, observed=includes.observed, parameters=form.runs)


def _key(about: object, form: object) -> bytes:
    return bytes.fromhex(value_digest((about, form)))


def _assembly_lines(text: bytes) -> list[bytes] | None:
    if any(b"\n" in match.group() for match in _ASSEMBLY.finditer(text)):
        return None
    lines = _ASSEMBLY.sub(_bare, text).split(b"\n")
    return [line for line in map(bytes.strip, lines) if line]


def _bare(match: re.Match[bytes]) -> bytes:
    found = match.group()
    return found if found[:1] == b'"' else b" "
