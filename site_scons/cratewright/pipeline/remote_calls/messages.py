"""What is exchanged with another machine: calls as bytes, and the report on them.

The report is untrusted; only its types are checked here.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence

from ...base.codec import Codec
from ...base.diagnostic import Diagnostic
from ...base.errors import (
    ConfigurationError,
    CratewrightError,
    LinkError,
    SourceError,
    UnsupportedError,
    ValidationError,
)
from ...base.values import dataclass
from ...contract.session import Session
from ...values.call import BackendCall

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


def encode_report(report: Report) -> bytes:
    """Return a report as bytes."""
    return _REPORT.encode(report)


def pack_calls(path: str, session: Session, calls: Sequence[BackendCall[object]]) -> bytes:
    """Encode calls of the backend at a path, as of `in_worker.backend_path`; equal calls are equal bytes."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, pickle.HIGHEST_PROTOCOL)
    # Sharing of objects depends on how they were made, and would show in the bytes.
    pickler.fast = True
    pickler.dump((path, session, list(calls)))
    return out.getvalue()


def is_final(failure: Failure) -> bool:
    """Return whether a failure is about the call itself, and would happen on any machine."""
    return failure.kind in _FINAL


def rebuilt(failure: Failure) -> CratewrightError | None:
    """Return the error of a final failure, None for any other."""
    kind = _FINAL.get(failure.kind)
    if kind is None:
        return None
    error = kind(failure.message, context=failure.context, hint=failure.hint, diagnostics=failure.diagnostics)
    return error.leaving(failure.leftovers) if failure.leftovers else error
