"""Compiles one unit of GLSL or HLSL to linkable SPIR-V objects.

Everything else that it reads is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from cratewright import Diagnostic, Observed, SourceError, dataclass

from ..base.implied import Mode
from ..base.stopwatch import step
from ..compilers import glslang
from ..compilers.glslang import Compiler, CompileRefused, StageSource
from ..surgery.mending import volatile_once
from ..text.canonical_text import Canonical, canonical_lines
from ..text.columns import with_columns
from ..text.diagnostics import GlslangMessage, read_log
from ..text.extensions import extension_hint
from ..text.includes import IncludeResolver
from ..text.scan import Declarations, Function, LineMap, missing_bodies, scan
from ..text.stub_messages import at_definitions, at_prototypes, unfinished_message
from .additions import layouts_wanted, tail, with_size
from .declared import About, implied_by, initialises
from .exported import exported
from .flat import without_flat_built_ins
from .narrow import narrows, widened
from .objects import ObjectVariant, Outline, SourcePlace, make_object

__all__ = ["FoundSource", "UnitRequest", "UnitResult", "compile_unit", "find_canonical"]

_SIZED = (
    "gl_WorkGroupSize is set by the shader that links this, so it is not a literal here; "
    "where a literal is required, declare it here as well: layout(local_size_x = ...) in;"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRequest:
    """A source and everything that decides its objects, except the files it includes.

    Shape: `root` is absolute and never shown; `path` is relative to it; `stage` is a suffix word (`vert`, `comp`, ...)
    or None for functions of any stage; `debuginfo` is none, line or full.
    """

    root: str
    path: str
    text: bytes
    language: str
    stage: str | None
    entry_point: str = "main"
    target: str
    defines: tuple[tuple[str, str | None], ...] = ()
    include_dirs: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    debuginfo: str = "none"


@dataclass(frozen=True, slots=True)
class UnitResult:
    """The objects of a unit, the files it depends on and its warnings.

    Shape: `as_written` if the unit has a canonical form that the compiler refused.
    """

    variants: tuple[ObjectVariant, ...]
    observed: tuple[Observed, ...]
    diagnostics: tuple[Diagnostic, ...]
    as_written: bool = False


# The include finder of a source, and its canonical form, if it has one.
FoundSource = tuple[IncludeResolver, "Canonical | None"]


@dataclass(frozen=True, slots=True)
class _Attempt:
    variant: ObjectVariant
    warnings: tuple[GlslangMessage, ...]


@dataclass(frozen=True, slots=True)
class _Generated:
    """A module as the compiler left it, its log, and what had to be added to a text of some `length`."""

    data: bytes
    log: str
    stubs: tuple[Function, ...]
    modes: tuple[Mode, ...]
    length: int


class _Failed(Exception):
    """A stage that a unit does not compile for."""

    def __init__(self, messages: tuple[GlslangMessage, ...]) -> None:
        super().__init__()
        self.messages = tuple(message for message in messages if message.kind == "error") or messages


def compile_unit(request: UnitRequest, compiler: Compiler, found: FoundSource | None = None) -> UnitResult:
    """Return the objects of one source; `found` is its canonical form, if that was looked for already.

    Raises: SourceError.
    """
    if b"\0" in request.text:
        line = request.text.count(b"\n", 0, request.text.index(b"\0")) + 1
        raise SourceError.at(request.path, line, "a NUL byte is not text")
    includes, form = found or find_canonical(request)
    ask = partial(_said, request, compiler)
    if form is not None:
        try:
            result = _Unit(request, compiler, includes, form).result()
            return replace(result, diagnostics=with_columns(result.diagnostics, includes.texts, ask))
        except SourceError:
            includes = _resolver(request)  # errors are worded by the text as written
    try:
        result = _Unit(request, compiler, includes, None).result()
    except SourceError as error:
        said = with_columns(error.diagnostics, includes.texts, ask)
        raise SourceError(context=error.context, hint=error.hint, diagnostics=said) from None
    said = with_columns(result.diagnostics, includes.texts, ask)
    return replace(result, diagnostics=said, as_written=form is not None)


def _said(request: UnitRequest, compiler: Compiler, file: str, text: bytes) -> tuple[Diagnostic, ...]:
    """Return the messages about a unit in which one file has another text."""
    if file == request.path:
        request = replace(request, text=text)
    includes = _resolver(request)
    includes.put(file, text)
    try:
        return _Unit(request, compiler, includes, None).result().diagnostics
    except SourceError as error:
        return error.diagnostics


def _resolver(request: UnitRequest) -> IncludeResolver:
    return IncludeResolver(request.root, request.include_dirs, request.path, request.text, request.repositories)


@step("read source and includes")
def find_canonical(request: UnitRequest) -> FoundSource:
    """Return the include finder of a unit, and its canonical form, if there is one.

    Shape: none if debug information holds the text as written.
    """
    includes = _resolver(request)
    if request.debuginfo == "full":
        return includes, None
    positions = request.debuginfo != "none"
    form = canonical_lines(request.path, request.text, request.language, request.defines, includes, positions=positions)
    return (_resolver(request) if form is None else includes), form


class _Unit:
    def __init__(
        self, request: UnitRequest, compiler: Compiler, includes: IncludeResolver, form: Canonical | None
    ) -> None:
        self.request = request
        self.compiler = compiler
        self.includes = includes
        self.form = form
        self.sized = False

    def result(self) -> UnitResult:
        stage = self.request.stage
        attempts = self.free_of_stage() if stage is None else (self.bound_to_stage(stage),)
        warnings = dict.fromkeys(warning.diagnostic for attempt in attempts for warning in attempt.warnings)
        variants = tuple(replace(each.variant, data=volatile_once(each.variant.data)) for each in attempts)
        return UnitResult(variants, self.includes.observed, tuple(warnings))

    def bound_to_stage(self, stage: str) -> _Attempt:
        try:
            return self._compile(stage)
        except _Failed as failure:
            raise self._error(failure.messages) from None

    def free_of_stage(self) -> tuple[_Attempt, ...]:
        """Compile for fragment and compute, and for the others only if both refuse the unit.

        A unit that some stages accept serves all: an image that reaches an operation of another stage is refused, with
        the path of calls.
        """
        fine: dict[str, _Attempt] = {}
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
        if (comp.variant.data, comp.variant.implied.placed) == (frag.variant.data, frag.variant.implied.placed):
            return (_for_stages(comp, ()),)
        return frag, _for_stages(comp, others)

    def _progress(self, messages: tuple[GlslangMessage, ...]) -> tuple[int, int]:
        """Return how far a stage got: glslang stops early, so the last to stop shows the real mistake."""
        first = messages[0] if messages else None
        reached = first.line if first is not None and first.file == self.request.path else 0
        return reached, -len(messages)

    def _try(self, stage: str, fine: dict[str, _Attempt], failures: list[tuple[GlslangMessage, ...]]) -> None:
        try:
            fine[stage] = self._compile(stage)
        except _Failed as failure:
            failures.append(failure.messages)

    def _compile(self, stage: str) -> _Attempt:
        request, form = self.request, self.form or self.request
        source = StageSource(
            path=request.path, text=form.text, language=request.language, stage=stage,
            entry_point=request.entry_point, target=request.target, defines=form.defines,
            debuginfo=request.debuginfo,
        )  # fmt: skip
        whole = self.compiler.compile_whole(source) if self._may_stand_alone(source) else None
        if whole is not None and not narrows(whole[0]):
            return self._stand_alone(source, *whole)
        try:
            text = self.compiler.preprocess(source, self.includes)
        except CompileRefused as refused:
            raise _Failed(read_log(refused.log, request.path)) from None
        attempt = self._compile_text(source, text)
        if source.language == "glsl" and narrows(attempt.variant.data):
            attempt = self._compile_text(source, widened(text))
        return attempt

    def _compile_text(self, source: StageSource, text: bytes) -> _Attempt:
        request = self.request
        found = scan(text)
        entry = found.definition(request.entry_point)
        if entry is not None and request.stage is None:
            raise self._stageless(self._place(*LineMap(text, request.path).locate(entry.offset)))
        stubs = missing_bodies(found, text)
        try:
            if entry is not None and not stubs:
                return self._entry_alone(source, text)
            return self._with_stubs(source, text, found, stubs, library=entry is None)
        except _Failed as failure:
            raise _Failed(at_definitions(failure.messages, found, LineMap(text, request.path))) from None

    def _entry_alone(self, source: StageSource, text: bytes) -> _Attempt:
        """Compile a unit that neither imports nor exports; only its debug information is processed further."""
        try:
            data, log = self.compiler.compile(source, text, keep_uncalled=False)
        except CompileRefused as refused:
            raise _Failed(read_log(refused.log, source.path)) from None
        if source.debuginfo != "none":
            data = make_object(data, self._outline(source, library=False))[0]
        return self._stand_alone(source, data, log)

    def _may_stand_alone(self, source: StageSource) -> bool:
        """Return whether to try compiling in one pass, which saves a sixth; a wrong guess costs a third."""
        return (
            self.form is not None
            and not self.form.prototypes
            and self.request.stage is not None
            and source.language == "glsl"
            and source.debuginfo == "none"
            and b"main" in source.text
        )

    def _with_stubs(
        self, source: StageSource, text: bytes, found: Declarations, stubs: tuple[Function, ...], *, library: bool
    ) -> _Attempt:
        lines = LineMap(text, source.path)
        if library and source.language == "hlsl":
            # glslang makes an empty entry point if it does not find the name.
            source = replace(source, entry_point="cw_no_entry_point")
        reserved, sized = with_size(source, text)
        self.sized = self.sized or reserved > 0
        made = self._generate(source, sized, lines, stubs, library)
        places = tuple((stub.name, self._place(*lines.locate(stub.offset))) for stub in made.stubs)
        definitions = () if not library else exported(
            found.definitions, lambda each: self._place(*lines.locate(each.offset)), self.includes.is_include
        )  # fmt: skip
        outline = self._outline(source, library=library, definitions=definitions, stubs=places, reserved=reserved)
        data, exports, imports, initialiser = make_object(made.data, outline)
        entry_point = None if library else (source.stage, source.entry_point)
        about = About(
            stage=source.stage, hlsl=source.language == "hlsl", library=library, text=text, stubs=made.modes,
            reserved=reserved,
        )  # fmt: skip
        initial = None if library else self._initialisers(source, sized, found, made)
        implied = implied_by(made.data, about, initial=initial)
        variant = ObjectVariant((source.stage,), data, exports, imports, initialiser, entry_point, implied)
        return _Attempt(variant, self._warnings(made.log))

    def _initialisers(self, source: StageSource, text: bytes, found: Declarations, made: _Generated) -> bytes | None:
        """Return a module whose entry point only initialises variables, if an entry unit does so."""
        entry = found.definition(source.entry_point)
        if source.language != "glsl" or entry is None or not initialises(made.data):
            return None
        # A size inserted in front has moved the entry point.
        start = entry.offset + len(text) - made.length
        name = source.entry_point.encode()
        without = text[:start] + b"cw_" + text[start:]
        assert text.startswith(name, start)
        try:
            whole = without.rstrip(b"\0") + tail(source, made.stubs, b"", library=True)
            return self.compiler.compile(source, whole, keep_uncalled=True)[0]
        except CompileRefused:
            return None

    def _generate(
        self, source: StageSource, text: bytes, lines: LineMap, stubs: tuple[Function, ...], library: bool
    ) -> _Generated:
        """Compile with stubs, except for functions that turn out to have a body in another spelling."""
        added: dict[bytes, Mode] = {}
        while True:
            whole = text.rstrip(b"\0") + tail(source, stubs, b" ".join(added), library)
            try:
                data, log = self.compiler.compile(source, whole, keep_uncalled=library)
                return _Generated(data, log, stubs, tuple(added.values()), lines.length)
            except CompileRefused as refused:
                messages = read_log(refused.log, source.path)
                with_body = {m.line for m in messages if m.stub and m.has_body and m.line <= len(stubs)}
                wanted = {} if not library else dict(layouts_wanted(source.stage, messages))
                if with_body:
                    stubs = tuple(s for at, s in enumerate(stubs, 1) if at not in with_body)
                elif not wanted.keys() <= added.keys():
                    added |= wanted
                else:
                    raise _Failed(
                        unfinished_message(text, lines, messages) or at_prototypes(messages, stubs, lines)
                    ) from None

    def _outline(
        self,
        source: StageSource,
        *,
        library: bool,
        definitions: tuple[tuple[str, SourcePlace | None], ...] = (),
        stubs: tuple[tuple[str, SourcePlace], ...] = (),
        reserved: int = 0,
    ) -> Outline:
        texts = self.includes.texts if source.debuginfo == "full" else {}
        return Outline(
            path=source.path, library=library, definitions=definitions, stubs=stubs, texts=texts, reserved=reserved
        )

    def _stand_alone(self, source: StageSource, data: bytes, log: str) -> _Attempt:
        """Return the attempt of an entry unit that neither imports nor exports."""
        variant = ObjectVariant((source.stage,), data, (), (), None, (source.stage, source.entry_point))
        return _Attempt(variant, self._warnings(log))

    def _warnings(self, log: str) -> tuple[GlslangMessage, ...]:
        found = (message for message in read_log(log, self.request.path) if not message.stub) if log else ()
        return tuple(self._moved(message) for message in found)

    def _moved(self, message: GlslangMessage) -> GlslangMessage:
        file, line = self._place(message.file, message.line)
        return replace(message, file=file, line=line)

    def _place(self, file: str, line: int) -> SourcePlace:
        """Return where a line of the text that was compiled is from."""
        # Only a text without its own line numbers needs a mapping of lines.
        places = self.form.places if self.form is not None and self.request.debuginfo == "none" else ()
        return places[line - 1] if 0 < line <= len(places) else (file, line)

    def _error(self, messages: tuple[GlslangMessage, ...]) -> SourceError:
        if not messages:
            return SourceError.at(self.request.path, 1, "glslang rejected it without a message")
        return SourceError(
            diagnostics=(replace(each.diagnostic, related=self.includes.led(each.file)) for each in messages),
            context=self.includes.chain_rows(messages[0].file),
            hint=extension_hint((message.text for message in messages), latest=self.compiler.latest)
            or (_SIZED if self.sized else ""),
        )

    def _stageless(self, place: SourcePlace) -> SourceError:
        name = self.request.entry_point
        return SourceError.at(
            *place,
            f"'{name}' is an entry point, but the stage is not known",
            hint="name the stage in the suffix (.comp, .frag.hlsl, ...) or by #pragma shader_stage(...)",
        )


def _by_stage(fine: Mapping[str, _Attempt]) -> tuple[_Attempt, ...]:
    """Return each attempt that differs, for its stages; the first also for those that no attempt is for."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for stage, attempt in fine.items():
        groups.setdefault((attempt.variant.data, attempt.variant.implied), []).append(stage)
    if len(groups) == 1:
        return (_for_stages(next(iter(fine.values())), ()),)
    first, *others = groups.values()
    first += [stage for stage in glslang.COMPILER_SUFFIXES if stage not in fine]
    return tuple(_for_stages(fine[stages[0]], tuple(stages)) for stages in (first, *others))


def _for_stages(attempt: _Attempt, stages: tuple[str, ...]) -> _Attempt:
    return replace(attempt, variant=replace(attempt.variant, stages=stages))
