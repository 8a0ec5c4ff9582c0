"""Compiles one unit of GLSL or HLSL to linkable SPIR-V objects: one for a stage, or as many as stages differ.

Everything else that it reads is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from cratewright import Diagnostic, SourceError

from ..base.stages import STAGE_NAMES
from ..binary import opcodes as op
from ..binary.enumerants import BUILT_IN, FLAT, INPUT
from ..binary.module import parse
from ..binary.program import Program
from ..compilers.glslang import Compiler
from ..text.columns import with_columns
from ..text.diagnostics import GlslangMessage
from ..text.extensions import extension_hint
from ..transforms.repairs import volatile_once
from .request import FoundSource, UnitRequest, UnitResult, find_canonical, resolver_of
from .stage_compiler import Attempt, StageCompiler, StageRefused, UnknownStage

_FIRST = ("comp", "frag")
_SIZED = (
    "gl_WorkGroupSize is set by the shader that links this, so it is not a literal here; "
    "where a literal is required, declare it here as well: layout(local_size_x = ...) in;"
)


def compile_unit(request: UnitRequest, compiler: Compiler, found: FoundSource | None = None) -> UnitResult:
    """Return the objects of one source; `found` is its canonical form, if that was looked for already.

    Raises: SourceError.
    """
    if b"\0" in request.text:
        line = request.text.count(b"\n", 0, request.text.index(b"\0")) + 1
        raise SourceError.at(request.path, line, "a NUL byte is not text")
    includes, form = found or find_canonical(request)
    ask = partial(_messages_with, request, compiler)
    if form is not None:
        try:
            result = _compiled(StageCompiler(request, compiler, includes, form))
            return replace(result, diagnostics=with_columns(result.diagnostics, includes.texts, ask))
        except SourceError:
            includes = resolver_of(request)  # errors are worded by the text as written
    try:
        result = _compiled(StageCompiler(request, compiler, includes, None))
    except SourceError as error:
        diagnostics = with_columns(error.diagnostics, includes.texts, ask)
        raise SourceError(context=error.context, hint=error.hint, diagnostics=diagnostics) from None
    diagnostics = with_columns(result.diagnostics, includes.texts, ask)
    return replace(result, diagnostics=diagnostics, as_written=form is not None)


def _messages_with(request: UnitRequest, compiler: Compiler, file: str, text: bytes) -> tuple[Diagnostic, ...]:
    """Return the messages about a unit in which one file has another text."""
    if file == request.path:
        request = replace(request, text=text)
    includes = resolver_of(request)
    includes.replace_text(file, text)
    try:
        return _compiled(StageCompiler(request, compiler, includes, None)).diagnostics
    except SourceError as error:
        return error.diagnostics


def _compiled(unit: StageCompiler) -> UnitResult:
    stage = unit.request.stage
    try:
        attempts = _free_of_stage(unit) if stage is None else (unit.compile(stage),)
    except StageRefused as failure:
        raise _error(unit, failure.messages) from None
    except UnknownStage as unknown:
        raise SourceError.at(
            *unknown.position,
            f"'{unit.request.entry_point}' is an entry point, but the stage is not known",
            hint="name the stage in the suffix (.comp, .frag.hlsl, ...) or by #pragma shader_stage(...)",
        ) from None
    warnings = dict.fromkeys(warning.diagnostic for attempt in attempts for warning in attempt.warnings)
    variants = tuple(replace(each.variant, data=volatile_once(each.variant.data)) for each in attempts)
    return UnitResult(variants, unit.includes.observed, tuple(warnings))


def _free_of_stage(unit: StageCompiler) -> tuple[Attempt, ...]:
    """Compile for fragment and compute, and for the others only if both refuse the unit.

    A unit that some stages accept serves all: an image that reaches an operation of another stage is refused, with
    the path of calls.
    Raises: StageRefused if all do, or for a mistake in any stage.
    """
    fine: dict[str, Attempt] = {}
    failures: list[StageRefused] = []

    def attempt(stages: Iterable[str]) -> None:
        for stage in stages:
            try:
                fine[stage] = unit.compile(stage)
            except StageRefused as failure:
                if failure.in_any_stage:
                    raise
                failures.append(failure)

    attempt(_FIRST)
    if not fine:
        attempt(stage for stage in STAGE_NAMES if stage not in _FIRST)
    if not fine:
        raise max(failures, key=lambda failure: _progress(failure.messages, unit.request.path))
    if "frag" not in fine:
        return _by_stage(fine)
    frag, others = fine["frag"], tuple(stage for stage in STAGE_NAMES if stage != "frag")
    comp = fine.get("comp")
    if comp is None:
        data = _without_flat_built_ins(frag.variant.data, unit.request.path)
        comp = replace(frag, variant=replace(frag.variant, data=data))
    if (comp.variant.data, comp.variant.implied.declared) == (frag.variant.data, frag.variant.implied.declared):
        return (_for_stages(comp, ()),)
    return frag, _for_stages(comp, others)


def _progress(messages: tuple[GlslangMessage, ...], path: str) -> tuple[int, int]:
    """Return how far a stage got: glslang stops early, so the last to stop shows the real mistake."""
    reached = messages[0].line if messages and messages[0].file == path else 0
    return reached, -len(messages)


def _error(unit: StageCompiler, messages: tuple[GlslangMessage, ...]) -> SourceError:
    if not messages:
        return SourceError.at(unit.request.path, 1, "glslang rejected it without a message")
    includes = unit.includes
    return SourceError(
        diagnostics=(replace(each.diagnostic, related=includes.related_places(each.file)) for each in messages),
        context=includes.chain_context(messages[0].file),
        hint=extension_hint((message.text for message in messages), latest=unit.compiler.latest)
        or (_SIZED if unit.sized else ""),
    )


def _by_stage(fine: Mapping[str, Attempt]) -> tuple[Attempt, ...]:
    """Return each attempt that differs, for its stages; the first also for those that no attempt is for."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for stage, attempt in fine.items():
        groups.setdefault((attempt.variant.data, attempt.variant.implied), []).append(stage)
    if len(groups) == 1:
        return (_for_stages(next(iter(fine.values())), ()),)
    first, *others = groups.values()
    first += [stage for stage in STAGE_NAMES if stage not in fine]
    return tuple(_for_stages(fine[stages[0]], tuple(stages)) for stages in (first, *others))


def _for_stages(attempt: Attempt, stages: tuple[str, ...]) -> Attempt:
    return replace(attempt, variant=replace(attempt.variant, stages=stages))


def _without_flat_built_ins(data: bytes, name: str) -> bytes:
    """Return a module whose built-in inputs are not `Flat`; the module itself if none is.

    A fragment shader must decorate integers with `Flat`; a vertex shader must not.
    """
    program = Program.of(parse(data, name))
    marks = {(words[1], words[2]) for words in program.preamble if words[0] & 0xFFFF == op.DECORATE}
    inputs = [each for each, words in program.variables().items() if words[3] == INPUT]
    flat = {each for each in inputs if (each, BUILT_IN) in marks and (each, FLAT) in marks}
    if not flat:
        return data
    kept = [
        words
        for words in program.preamble
        if words[0] & 0xFFFF != op.DECORATE or words[1] not in flat or words[2] != FLAT
    ]
    return Program(program.module, tuple(kept), program.functions).encode()
