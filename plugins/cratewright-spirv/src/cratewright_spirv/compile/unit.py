"""Compiles one unit of GLSL or HLSL to linkable SPIR-V objects: one for a stage, or as many as stages differ.

Everything else that it reads is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from cratewright import Diagnostic, SourceError

from ..compilers import glslang
from ..compilers.glslang import Compiler
from ..text.canonical_text import Canonical
from ..text.columns import with_columns
from ..text.diagnostics import GlslangMessage
from ..text.extensions import extension_hint
from ..text.includes import IncludeResolver
from ..transforms.repairs import volatile_once
from .flat_inputs import without_flat_built_ins
from .objects import SourcePosition
from .request import FoundSource, UnitRequest, UnitResult, find_canonical, resolver_of
from .stage_compiler import Attempt, StageCompiler, StageRefused, UnknownStage

__all__ = ["compile_unit"]

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
            result = _Unit(request, compiler, includes, form).result()
            return replace(result, diagnostics=with_columns(result.diagnostics, includes.texts, ask))
        except SourceError:
            includes = resolver_of(request)  # errors are worded by the text as written
    try:
        result = _Unit(request, compiler, includes, None).result()
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
        return _Unit(request, compiler, includes, None).result().diagnostics
    except SourceError as error:
        return error.diagnostics


class _Unit:
    def __init__(
        self, request: UnitRequest, compiler: Compiler, includes: IncludeResolver, form: Canonical | None
    ) -> None:
        self.request = request
        self.compiler = compiler
        self.includes = includes
        self.stages = StageCompiler(request, compiler, includes, form)

    def result(self) -> UnitResult:
        stage = self.request.stage
        try:
            attempts = self.free_of_stage() if stage is None else (self.bound_to_stage(stage),)
        except UnknownStage as unknown:
            raise self._stageless(unknown.position) from None
        warnings = dict.fromkeys(warning.diagnostic for attempt in attempts for warning in attempt.warnings)
        variants = tuple(replace(each.variant, data=volatile_once(each.variant.data)) for each in attempts)
        return UnitResult(variants, self.includes.observed, tuple(warnings))

    def bound_to_stage(self, stage: str) -> Attempt:
        try:
            return self.stages.compile(stage)
        except StageRefused as failure:
            raise self._error(failure.messages) from None

    def free_of_stage(self) -> tuple[Attempt, ...]:
        """Compile for fragment and compute, and for the others only if both refuse the unit.

        A unit that some stages accept serves all: an image that reaches an operation of another stage is refused, with
        the path of calls.
        """
        fine: dict[str, Attempt] = {}
        failures: list[tuple[GlslangMessage, ...]] = []
        for stage in ("comp", "frag"):
            self._try(stage, fine, failures)
        if not fine:
            for stage in glslang.COMPILER_SUFFIXES:
                if stage not in ("comp", "frag"):
                    self._try(stage, fine, failures)
        if not fine:
            raise self._error(max(failures, key=self._progress))
        if "frag" not in fine:
            return _by_stage(fine)
        frag, others = fine["frag"], tuple(stage for stage in glslang.COMPILER_SUFFIXES if stage != "frag")
        comp = fine.get("comp")
        if comp is None:
            data = without_flat_built_ins(frag.variant.data, self.request.path)
            comp = replace(frag, variant=replace(frag.variant, data=data))
        if (comp.variant.data, comp.variant.implied.declared) == (frag.variant.data, frag.variant.implied.declared):
            return (_for_stages(comp, ()),)
        return frag, _for_stages(comp, others)

    def _progress(self, messages: tuple[GlslangMessage, ...]) -> tuple[int, int]:
        """Return how far a stage got: glslang stops early, so the last to stop shows the real mistake."""
        first = messages[0] if messages else None
        reached = first.line if first is not None and first.file == self.request.path else 0
        return reached, -len(messages)

    def _try(self, stage: str, fine: dict[str, Attempt], failures: list[tuple[GlslangMessage, ...]]) -> None:
        try:
            fine[stage] = self.stages.compile(stage)
        except StageRefused as failure:
            failures.append(failure.messages)

    def _error(self, messages: tuple[GlslangMessage, ...]) -> SourceError:
        if not messages:
            return SourceError.at(self.request.path, 1, "glslang rejected it without a message")
        return SourceError(
            diagnostics=(
                replace(each.diagnostic, related=self.includes.related_places(each.file)) for each in messages
            ),
            context=self.includes.chain_context(messages[0].file),
            hint=extension_hint((message.text for message in messages), latest=self.compiler.latest)
            or (_SIZED if self.stages.sized else ""),
        )

    def _stageless(self, position: SourcePosition) -> SourceError:
        name = self.request.entry_point
        return SourceError.at(
            *position,
            f"'{name}' is an entry point, but the stage is not known",
            hint="name the stage in the suffix (.comp, .frag.hlsl, ...) or by #pragma shader_stage(...)",
        )


def _by_stage(fine: Mapping[str, Attempt]) -> tuple[Attempt, ...]:
    """Return each attempt that differs, for its stages; the first also for those that no attempt is for."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for stage, attempt in fine.items():
        groups.setdefault((attempt.variant.data, attempt.variant.implied), []).append(stage)
    if len(groups) == 1:
        return (_for_stages(next(iter(fine.values())), ()),)
    first, *others = groups.values()
    first += [stage for stage in glslang.COMPILER_SUFFIXES if stage not in fine]
    return tuple(_for_stages(fine[stages[0]], tuple(stages)) for stages in (first, *others))


def _for_stages(attempt: Attempt, stages: tuple[str, ...]) -> Attempt:
    return replace(attempt, variant=replace(attempt.variant, stages=stages))
