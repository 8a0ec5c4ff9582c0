"""Calls for another machine: the bytes that are sent, and those that come back.

There, `python -c` runs `main` in a directory with the calls, the code and a part of the project. The reply is
untrusted: only its types are checked here.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..base.codec import Codec
from ..base.diagnostic import Diagnostic
from ..base.errors import (
    ConfigurationError,
    CratewrightError,
    LinkError,
    SourceError,
    UnsupportedError,
    ValidationError,
)
from ..base.values import dataclass
from ..cache.entry import RESULT_KINDS, result_bytes
from ..contract.backend import CodegenBackend, Session
from ..contract.edge import plugin_class
from ..contract.incremental_cache import results_code
from ..values.call import BackendCall
from ..values.stencil import UnitStencil
from .in_worker import load_backend, make, watching

__all__ = [
    "CALLS",
    "CODE",
    "PROJECT",
    "REPORT",
    "Answer",
    "Failure",
    "Report",
    "decode_report",
    "main",
    "pack_calls",
    "rebuilt",
]

CALLS, REPORT, CODE, PROJECT = "calls", "report", "code", "project"
"""Paths of the calls, of their report, of the code, and of the project's files."""

_FINAL = {
    kind.__name__: kind for kind in (SourceError, LinkError, ValidationError, UnsupportedError, ConfigurationError)
}
"""Errors about the call itself; any other may be the machine's fault."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A backend's error as plain values; `kind` is the name of its class."""

    kind: str
    message: str
    context: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    leftovers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a call.

    Shape: `opened` are root-relative files of the project that Python code opened or tried to open, and others that
    it did not find; `result` is empty after a failure.
    """

    opened: tuple[str, ...] = ()
    result: bytes = b""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The outcomes of some calls, in order.

    Shape: `fingerprint` is the backend's on that machine; `code` the digest of the code that is installed there, empty
    if it was sent.
    """

    fingerprint: str
    answers: tuple[Answer, ...]
    code: str = ""


_REPORT: Codec[Report] = Codec(Report)


def decode_report(data: bytes) -> Report:
    """Decode a report.

    Raises: DecodeError for anything else.
    """
    return _REPORT.decode(data)


def pack_calls(path: str, session: Session, calls: Sequence[BackendCall[object]]) -> bytes:
    """Encode calls of the backend at a path, as of `in_worker.backend_path`; equal calls are equal bytes."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, pickle.HIGHEST_PROTOCOL)
    # Sharing of objects depends on how they were made, and would show in the bytes.
    pickler.fast = True
    pickler.dump((path, session, list(calls)))
    return out.getvalue()


def rebuilt(failure: Failure) -> CratewrightError | None:
    """Return the error of a failure that would happen here too, or None for any other."""
    kind = _FINAL.get(failure.kind)
    if kind is None:
        return None
    error = kind(failure.message, context=failure.context, hint=failure.hint, diagnostics=failure.diagnostics)
    return error.leaving(failure.leftovers) if failure.leftovers else error


def main() -> None:
    """Make the calls in this directory."""
    with open(CALLS, "rb") as file:
        path, session, calls = pickle.load(file)
    place, sent = os.path.abspath(REPORT), os.path.isdir(CODE)
    os.makedirs(PROJECT, exist_ok=True)
    os.chdir(PROJECT)
    report = _report(path, replace(session, root=os.getcwd()), calls, sent)
    with open(place, "wb") as file:
        file.write(_REPORT.encode(report))
    if any(answer.failure is not None and answer.failure.kind not in _FINAL for answer in report.answers):
        sys.exit(1)  # servers do not cache failures


def _report(path: str, session: Session, calls: Sequence[BackendCall[object]], sent: bool) -> Report:
    try:
        backend = load_backend(path, session)
        fingerprint, code = backend.fingerprint(), "" if sent else results_code(plugin_class(backend))
        backend.warm([item for call in calls for item in call.arguments if isinstance(item, UnitStencil)])
    except CratewrightError as error:
        return Report("", tuple(Answer(failure=_failure(error)) for _ in calls))
    return Report(fingerprint, tuple(_answer(backend, call) for call in calls), code)


def _answer(backend: CodegenBackend, call: BackendCall[object]) -> Answer:
    with watching() as opened:
        try:
            value = make(backend, call)
        except CratewrightError as error:
            return Answer(_looked_for(opened), failure=_failure(error))
    assert isinstance(value, RESULT_KINDS)
    return Answer(_looked_for(opened), result_bytes(value))


def _looked_for(opened: Iterable[str]) -> tuple[str, ...]:
    """Return root-relative paths of the project, and paths outside it that do not exist here."""
    root = os.getcwd()
    found: dict[str, None] = {}
    for path in opened:
        whole = os.path.join(root, path)
        plain = os.path.normpath(whole)
        if whole.startswith(os.path.join(root, "")):
            plain = os.path.relpath(plain, root)
        if not plain.startswith(("/", "../")) or not os.path.exists(whole):
            found[plain] = None
    return tuple(found)


def _failure(error: CratewrightError) -> Failure:
    # A subclass of the plugin's cannot be rebuilt here.
    return Failure(type(error).__name__, error.message, error.context, error.hint, error.diagnostics, error.leftovers)
