"""The whole error tree; every message has one shape.

Each is raised for what stands beside it:

    CratewrightError(message, context=((label, value), ...), hint="")
    ├ ConfigurationError          raised while planning, before any work
    │   ├ UnknownNameError        an undeclared name, with its near miss
    │   ├ UnsupportedError        requested, but not declared by the backend
    │   └ GraphError              cycles, unknown or repeated crates
    │     └ LinkageConflictError  crates that cannot be linked together
    ├ PluginError                 a plugin that cannot be used
    ├ FormatError                 a foreign, truncated or outdated file
    │   └ VersionError            a file made by another version of this package
    ├ SourceError                 a source that does not compile
    ├ LinkError                   symbols, stages, entry points
    ├ ValidationError             a finished image that its target refuses
    ├ ToolError                   a tool that is missing, crashed, hung or failed
    │ └ Interrupted               an interrupted build
    ├ CacheError                  a cached result that a fresh compilation contradicts
    └ OutputError                 a result that could not be written
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from .diagnostic import Diagnostic, Severity
from .printable import printable

Context = Iterable[tuple[str, object]]


class CratewrightError(Exception):
    """A failure that the user can act on.

    Shape: printed as the message, then aligned `label: value` lines, then the hint. `diagnostics` are about places in
    sources; the message of such an error is their text. `leftovers` are files that help to find the cause, as
    (root-relative path, content), written although the work failed. `summary` replaces the text of an error already
    printed.
    """

    leftovers: tuple[tuple[str, bytes], ...] = ()
    summary: str = ""

    def __init__(
        self, message: str = "", *, context: Context = (), hint: str = "", diagnostics: Iterable[Diagnostic] = ()
    ) -> None:
        self.diagnostics = tuple(diagnostics)
        self.message = message or "\n".join(map(str, self.diagnostics))
        self.context = tuple((label, str(value)) for label, value in context)
        self.hint = hint
        super().__init__(self.message)

    @classmethod
    def at(
        cls: type[_Error],
        file: str,
        line: int,
        text: str,
        *,
        column: int = 0,
        context: Context = (),
        hint: str = "",
    ) -> _Error:
        """Return an error about one place: `file:line: error: text`."""
        return cls(context=context, hint=hint, diagnostics=[Diagnostic(Severity.ERROR, text, file, line, column)])

    def __str__(self) -> str:
        lines = [self.message]
        rows = [*self.context, *([("hint", self.hint)] if self.hint else [])]
        width = max((len(label) for label, _ in rows), default=0) + 1
        for label, value in rows:
            first, *rest = value.splitlines() or [""]
            lines.append(f"  {label + ':':<{width}} {first}".rstrip())
            lines.extend(f"  {'':<{width}} {line}".rstrip() for line in rest)
        return printable("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        return (
            _rebuild,
            (type(self), self.message, self.context, self.hint, self.diagnostics, self.leftovers, self.summary),
        )

    def with_context(self, *context: tuple[str, object]) -> CratewrightError:
        """Return the same error with rows before its own, from a layer that knows more."""
        known = {label for label, _ in self.context}
        fresh = tuple((label, str(value)) for label, value in context if label not in known)
        return self._with(context=fresh + self.context)

    def leaving(self, files: Iterable[tuple[str, bytes]]) -> CratewrightError:
        """Return the same error with files that help to find its cause."""
        return self._with(leftovers=(*self.leftovers, *files))

    def with_summary(self, summary: str) -> CratewrightError:
        """Return the same error as already printed, so that only its summary is printed from now on."""
        return self._with(summary=summary)

    def about(self, diagnostics: Iterable[Diagnostic]) -> CratewrightError:
        """Return the same error with diagnostics."""
        return self._with(diagnostics=tuple(diagnostics))

    def _with(self, **changed: object) -> CratewrightError:
        error = _rebuild(
            type(self), self.message, self.context, self.hint, self.diagnostics, self.leftovers, self.summary
        )
        vars(error).update(changed)
        return error


_Error = TypeVar("_Error", bound=CratewrightError)


def _rebuild(
    kind: type[CratewrightError],
    message: str,
    context: tuple[tuple[str, str], ...],
    hint: str,
    diagnostics: tuple[Diagnostic, ...],
    leftovers: tuple[tuple[str, bytes], ...],
    summary: str,
) -> CratewrightError:
    error = kind(message, context=context, hint=hint, diagnostics=diagnostics)
    error.leftovers = leftovers
    error.summary = summary
    return error


def error_diagnostics(error: CratewrightError) -> tuple[Diagnostic, ...]:
    """Return an error's diagnostics, or else one that holds the error itself.

    Shape: the last one is followed by the error's context and hint.
    """
    if not error.diagnostics:
        return (
            Diagnostic(Severity.ERROR, error.message.splitlines()[0] if error.message else "", rendered=str(error)),
        )
    after = str(error)[len(printable(error.message)) :]
    if not after.strip():
        return error.diagnostics
    *others, last = error.diagnostics
    return (*others, replace(last, rendered=str(last) + after))


class ConfigurationError(CratewrightError):
    """A request that makes no sense; raised while planning."""


class UnknownNameError(ConfigurationError):
    """An undeclared name."""


class UnsupportedError(ConfigurationError):
    """A request for something that a backend does not declare; it is never dropped in silence."""


class GraphError(ConfigurationError):
    """The crates do not form a graph: a cycle, an unknown or a repeated name."""


class LinkageConflictError(GraphError):
    """Crates that are unavailable in the forms needed to link them together."""


class PluginError(CratewrightError):
    """A plugin that is broken, clashes with another or speaks another contract version."""


class FormatError(CratewrightError):
    """A file that is truncated, foreign or of another version."""


class VersionError(FormatError):
    """An intact file made by another version of this package."""


class SourceError(CratewrightError):
    """A source that does not compile; its diagnostics say where."""


class LinkError(CratewrightError):
    """Unresolved, duplicate or mismatched symbols, wrong stages, clashing entry points."""


class ValidationError(CratewrightError):
    """A finished image that the target's validator refuses; it is never written."""


class ToolError(CratewrightError):
    """A tool that is missing, crashed, hung or failed without naming a source."""


class Interrupted(ToolError):
    """An interrupted build; what it made is valid."""


class CacheError(CratewrightError):
    """A cached result that a fresh compilation contradicts; checked only with `CRATE_CACHE_VERIFY=1`."""


class OutputError(CratewrightError):
    """A result that could not be written; an earlier file is gone or intact."""


def damaged_file(path: str, *found: tuple[str, object]) -> FormatError:
    """Return the error about a truncated or damaged file that a build has made; `found` is its context."""
    return FormatError(f"{path} is truncated or damaged", context=found, hint="delete it and build again")


_MOST_TOLD = 100
"""How many names a hint lists: enough for settings and options, not for files."""


def near_miss(name: str, known: Iterable[str], *, listed: bool = False) -> str:
    """Return a hint with the nearest known word, or else with all known words; "" if the message has `listed` them."""
    import difflib  # noqa: PLC0415 - for errors only

    words = sorted(known)
    close = difflib.get_close_matches(name.lower(), words, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if listed:
        return ""
    more = [f"and {len(words) - _MOST_TOLD} more"] if len(words) > _MOST_TOLD else []
    return f"known: {', '.join([*words[:_MOST_TOLD], *more])}" if words else "none is known"
