"""What runs on the other machine: `python -c` runs `main` in a directory with calls, code and a part of the project."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...base.errors import CratewrightError
from ...cache.entry import RESULT_KINDS, result_bytes
from ...contract.backend import CodegenBackend
from ...contract.edge import plugin_class
from ...contract.incremental_cache import results_code
from ...contract.session import Session
from ...values.call import BackendCall
from ...values.stencil import UnitStencil
from ..in_worker import load_backend, make, watching
from .messages import CALLS, CODE, PROJECT, REPORT, Answer, Failure, Report, encode_report, is_final


def main() -> None:
    """Make the calls in this directory."""
    with open(CALLS, "rb") as file:
        path, session, calls = pickle.load(file)
    place, sent = os.path.abspath(REPORT), os.path.isdir(CODE)
    os.makedirs(PROJECT, exist_ok=True)
    os.chdir(PROJECT)
    report = _report(path, replace(session, root=os.getcwd()), calls, sent)
    with open(place, "wb") as file:
        file.write(encode_report(report))
    if not all(answer.failure is None or is_final(answer.failure) for answer in report.answers):
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
