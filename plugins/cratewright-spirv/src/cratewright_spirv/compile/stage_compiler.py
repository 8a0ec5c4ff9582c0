"""Compiles a unit for one stage, with stubs for the functions that other units define."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from cratewright import SourceError, dataclass, pattern

from ..base.implied import Mode
from ..compilers.glslang import Compiler, CompileRefused, StageSource
from ..text.canonical_text import Canonical
from ..text.diagnostics import GlslangMessage, at_definitions, at_prototypes, read_glslang_log, unfinished_message
from ..text.includes import IncludeResolver
from ..text.scan import Declarations, Function, LineMap, missing_bodies, scan
from .additions import layouts_wanted, tail, with_size
from .implications import UnitContext, implied_by, initialises
from .make_object import make_object
from .narrow import narrows, widened
from .objects import ObjectVariant, Outline, SourcePosition
from .request import UnitRequest

# In HLSL, glslang drops what is appended to a stream that no entry point has.
_STREAM = pattern(rb"(?:Point|Line|Triangle)Stream<")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The object for some stages, and the warnings about it."""

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


class StageRefused(Exception):
    """A stage that a unit does not compile for; holds the messages, and whether it compiles for no other."""

    def __init__(self, messages: tuple[GlslangMessage, ...]) -> None:
        super().__init__()
        self.messages = tuple(message for message in messages if message.kind == "error") or messages
        self.in_any_stage = any("Recursion detected" in message.text for message in messages)


class UnknownStage(Exception):
    """A unit with an entry point, but no stage; holds where the entry point is."""

    def __init__(self, position: SourcePosition) -> None:
        super().__init__()
        self.position = position


class StageCompiler:
    """Compiles a unit as written, or in its canonical form; `sized` once a workgroup size had to be added."""

    def __init__(
        self, request: UnitRequest, compiler: Compiler, includes: IncludeResolver, form: Canonical | None
    ) -> None:
        self.request = request
        self.compiler = compiler
        self.includes = includes
        self.form = form
        self.sized = False

    def compile(self, stage: str) -> Attempt:
        """Return the object for a stage.

        Raises: StageRefused; UnknownStage if it turns out to need one.
        """
        request, form = self.request, self.form or self.request
        source = StageSource(
            path=request.path, text=form.text, language=request.language, stage=stage,
            entry_point=request.entry_point, target=request.target, defines=form.defines,
            debuginfo=request.debuginfo,
        )  # fmt: skip
        whole = self.compiler.compile_whole(source) if self._may_be_complete(source) else None
        if whole is not None and not narrows(whole[0]):
            return self._complete(source, *whole)
        try:
            text = self.compiler.preprocess(source, self.includes)
        except CompileRefused as refused:
            raise StageRefused(read_glslang_log(refused.log, request.path)) from None
        attempt = self._compile_text(source, text)
        if source.language == "glsl" and narrows(attempt.variant.data):
            attempt = self._compile_text(source, widened(text))
        return attempt

    def _compile_text(self, source: StageSource, text: bytes) -> Attempt:
        request = self.request
        found = scan(text)
        entry = found.definition(request.entry_point)
        if entry is not None and request.stage is None:
            raise UnknownStage(self._position(*LineMap(text, request.path).locate(entry.offset)))
        stubs = missing_bodies(found, text)
        try:
            if entry is not None and not stubs:
                return self._entry_alone(source, text)
            return self._with_stubs(source, text, found, stubs, library=entry is None)
        except StageRefused as failure:
            raise StageRefused(at_definitions(failure.messages, found, LineMap(text, request.path))) from None

    def _entry_alone(self, source: StageSource, text: bytes) -> Attempt:
        """Compile a unit that neither imports nor exports; only its debug information is processed further."""
        try:
            data, log = self.compiler.compile(source, text, keep_uncalled=False)
        except CompileRefused as refused:
            raise StageRefused(read_glslang_log(refused.log, source.path)) from None
        if source.debuginfo != "none":
            data = make_object(data, self._outline(source, library=False))[0]
        return self._complete(source, data, log)

    def _may_be_complete(self, source: StageSource) -> bool:
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
    ) -> Attempt:
        lines = LineMap(text, source.path)
        if library and source.language == "hlsl":
            # glslang makes an empty entry point if it does not find the name.
            source = replace(source, entry_point="cw_no_entry_point")
        reserved, sized = with_size(source, text)
        self.sized = self.sized or reserved > 0
        made = self._generate(source, sized, lines, stubs, library)
        positions = tuple((stub.name, self._position(*lines.locate(stub.offset))) for stub in made.stubs)
        definitions = () if not library else _exported(
            found.definitions, lambda each: self._position(*lines.locate(each.offset)), self.includes.is_include
        )  # fmt: skip
        outline = self._outline(source, library=library, definitions=definitions, stubs=positions, reserved=reserved)
        data, exports, imports, initialiser = make_object(made.data, outline)
        entry_point = None if library else (source.stage, source.entry_point)
        about = UnitContext(
            stage=source.stage, hlsl=source.language == "hlsl", library=library, text=text, stubs=made.modes,
            reserved=reserved,
        )  # fmt: skip
        initial = None if library else self._initialisers(source, sized, found, made)
        implied = implied_by(made.data, about, initial=initial)
        variant = ObjectVariant((source.stage,), data, exports, imports, initialiser, entry_point, implied)
        return Attempt(variant, self._warnings(made.log))

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
                messages = read_glslang_log(refused.log, source.path)
                with_body = {m.line for m in messages if m.stub and m.has_body and m.line <= len(stubs)}
                wanted = {} if not library else dict(layouts_wanted(source.stage, messages))
                if with_body:
                    stubs = tuple(s for at, s in enumerate(stubs, 1) if at not in with_body)
                elif not wanted.keys() <= added.keys():
                    added |= wanted
                else:
                    raise StageRefused(
                        unfinished_message(text, lines, messages) or at_prototypes(messages, stubs, lines)
                    ) from None

    def _outline(
        self,
        source: StageSource,
        *,
        library: bool,
        definitions: tuple[tuple[str, SourcePosition | None], ...] = (),
        stubs: tuple[tuple[str, SourcePosition], ...] = (),
        reserved: int = 0,
    ) -> Outline:
        texts = self.includes.texts if source.debuginfo == "full" else {}
        return Outline(
            path=source.path, library=library, definitions=definitions, stubs=stubs, texts=texts, reserved=reserved
        )

    def _complete(self, source: StageSource, data: bytes, log: str) -> Attempt:
        """Return the attempt of an entry unit that neither imports nor exports."""
        variant = ObjectVariant((source.stage,), data, (), (), None, (source.stage, source.entry_point))
        return Attempt(variant, self._warnings(log))

    def _warnings(self, log: str) -> tuple[GlslangMessage, ...]:
        found = (message for message in read_glslang_log(log, self.request.path) if not message.stub) if log else ()
        return tuple(self._moved(message) for message in found)

    def _moved(self, message: GlslangMessage) -> GlslangMessage:
        file, line = self._position(message.file, message.line)
        return replace(message, file=file, line=line)

    def _position(self, file: str, line: int) -> SourcePosition:
        """Return where a line of the text that was compiled is from."""
        # Only a text without its own line numbers needs a mapping of lines.
        positions = self.form.line_positions if self.form is not None and self.request.debuginfo == "none" else ()
        return positions[line - 1] if 0 < line <= len(positions) else (file, line)


def _exported(
    definitions: Iterable[Function], locate: Callable[[Function], SourcePosition], is_include: Callable[[str], bool]
) -> tuple[tuple[str, SourcePosition | None], ...]:
    """Return all definitions; those included or hidden by the language have no position.

    Raises: SourceError for one that only works in the unit of its entry point.
    """
    result: list[tuple[str, SourcePosition | None]] = []
    for function in definitions:
        position = locate(function)
        private = function.private or is_include(position[0])
        if not private and any(map(_STREAM.match, function.parameters)):
            raise SourceError.at(
                *position,
                f"`{function.name}` writes to a stream, whose outputs only the unit with the entry point knows",
                hint="#include it in the geometry shader, or let it return a vertex",
            )
        result.append((function.name, None if private else position))
    return tuple(result)
