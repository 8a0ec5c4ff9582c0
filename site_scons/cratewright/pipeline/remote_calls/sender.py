"""Sends calls to another machine with the files they may read: returns their results, or that they must run locally.

The inputs of a call are the files it read last time, or those its source seems to include. If it looks for another file
that exists locally, it is repeated with that file. A result is trusted like a cached one: if each file it names is the
same locally.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any

from ...base.errors import CratewrightError, PluginError
from ...base.serializer import DecodeError
from ...base.values import dataclass
from ...cache.entry import RecompileError, result_of
from ...cache.results import observed_files
from ...cache.thin_modules import IndexedThinModules, restore_thin_modules
from ...contract.backend import CodegenBackend
from ...contract.blame import plugin_row
from ...contract.edge import plugin_class
from ...contract.promised import could_return
from ...contract.session import Session
from ...remote.store import tell_user
from ...system.elsewhere import Placed, Portable, run_elsewhere, runs_elsewhere
from ...values.call import BackendCall
from ...values.stencil import UnitStencil
from ...workers.process import CallOutcome
from .. import in_worker
from ..job import Job
from .backend_code import backend_files
from .inputs import NO_FILE, ProjectInputs, ProjectPart, Unsendable
from .machines import MachinePool
from .messages import CALLS, CODE, PROJECT, REPORT, Answer, Report, decode_report, pack_calls, rebuilt
from .remote_main import main

_ROUNDS = 12
_FAILURES = 3
_OTHER = "its tools differ there"
_OTHER_CODE = "another version of cratewright or of the backend is installed there"
_RUN = f"from {main.__module__} import main; main()"
_RUN_SENT = f"import os, sys; sys.path.insert(0, os.path.abspath('{CODE}')); {_RUN}"


@dataclass(slots=True)
class Sender:
    """Sends the calls of one backend.

    Shape: `digest` is of files of the project, as of `FileDigests`; `python` that of the other machines; `fingerprint`
    is the backend's here; `installed` the digest of the code that those machines have, empty if it is sent.
    `left` says why no more calls are sent, empty while they are.
    """

    backend: CodegenBackend
    root: str
    session: Session
    python: str
    fingerprint: str
    digest: Callable[[str], str | None]
    installed: str = ""
    left: str = ""
    _failures: int = 0
    _inputs: ProjectInputs = field(init=False)

    def __post_init__(self) -> None:
        self._inputs = ProjectInputs(self.backend, self.root, self.digest)

    def send(
        self,
        machines: MachinePool,
        jobs: Sequence[Job[Any]],
        here: Callable[[Sequence[Job[Any]]], list[CallOutcome]],
        done: Callable[[int, CallOutcome], None],
        began: Callable[[int, int], None],
    ) -> None:
        """Make the call of each job, several per machine; `here` makes those that must run locally.

        Raises: as `MachinePool.map`.
        """
        shares = machines.shares(len(jobs))

        def make(share: range) -> list[CallOutcome]:
            made = self.make([jobs[position] for position in share])
            left = [jobs[position] for position, outcome in zip(share, made, strict=True) if outcome is None]
            rest = iter(here(left) if left else ())
            return [outcome or next(rest) for outcome in made]

        def done_share(number: int, made: list[CallOutcome]) -> None:
            for position, outcome in zip(shares[number], made, strict=True):
                done(position, outcome)

        def began_share(number: int, worker: int) -> None:
            for position in shares[number]:
                began(position, worker)

        machines.map(shares, make, done_share, began_share)

    def make(self, jobs: Sequence[Job[Any]]) -> list[CallOutcome | None]:
        """Return the outcome of each call on another machine, None for one to make here.

        Raises: Interrupted if the build has ended.
        """
        outcomes: list[CallOutcome | None] = [None] * len(jobs)
        waiting: dict[int, ProjectPart] = {}
        for number, job in enumerate(jobs):
            if self.backend.is_portable(job.call):
                with suppress(Unsendable):
                    waiting[number] = self._inputs.part(self._inputs.likely(job))
        for _ in range(_ROUNDS):
            report = self._sent([jobs[number].call for number in waiting], [*waiting.values()]) if waiting else None
            if report is None:
                break
            for (number, part), answer in zip([*waiting.items()], report.answers, strict=True):
                del waiting[number]
                outcome, looked = self._outcome(jobs[number], answer)
                lacking = [path for path, there in looked.items() if self._differs(path, there, part)]
                if not lacking:
                    outcomes[number] = outcome and self._honest(jobs[number], answer, looked, outcome)
                    continue
                with suppress(Unsendable):
                    waiting[number] = self._inputs.part([*part.files, *part.directories, *lacking])
        return outcomes

    def _sent(self, calls: Sequence[BackendCall[Any]], parts: Sequence[ProjectPart]) -> Report | None:
        """Return the report on some calls, None if there is no usable one."""
        if self.left or not runs_elsewhere():
            return None
        ran = run_elsewhere(self._portable(calls, parts))
        if ran is None:
            return None
        try:
            report = decode_report(ran.outputs.get(REPORT, b""))
        except DecodeError:
            lines = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            self._failed(lines[-1] if lines else f"{self.python} ended with status {ran.status}")
            return None
        if len(report.answers) != len(calls):
            self._failed("its answers cannot be read")
            return None
        if report.fingerprint != self.fingerprint:
            failure = report.answers[0].failure
            self._failed(failure.message if failure is not None and not report.fingerprint else _OTHER, final=True)
            return None
        if report.code != self.installed:
            self._failed(_OTHER_CODE, final=True)
            return None
        self._failures = 0
        return report

    def _failed(self, reason: str, final: bool = False) -> None:
        self._failures += 1
        if not self.left and (final or self._failures >= _FAILURES):
            self.left = reason
            tell_user(f"continuing with backend '{self.backend.NAME}' on this machine alone: {reason}")

    def _outcome(self, job: Job[Any], answer: Answer) -> tuple[CallOutcome | None, dict[str, str | None]]:
        """Return what an answer holds, and every path it looked up, with what was found there."""
        looked: dict[str, str | None] = dict.fromkeys(answer.opened, "")
        if answer.failure is not None:
            error = rebuilt(answer.failure)
            return (CallOutcome(None, error) if error is not None else None), looked
        try:
            result = result_of(answer.result)
            whole = (
                restore_thin_modules(result, job.call.arguments) if isinstance(result, IndexedThinModules) else result
            )
        except (RecompileError, ValueError):
            return None, {}
        if not could_return(self.backend, job.call, whole):
            return None, {}
        looked |= {item.path: item.digest for item in observed_files(result)}
        return CallOutcome(result), looked

    def _differs(self, path: str, there: str | None, part: ProjectPart) -> bool:
        """Return whether a path leads elsewhere here than on the other machine."""
        if there == "":  # opened: it read what was sent
            there = part.at(posixpath.normpath(path))
        return self.digest(path) != there

    def _honest(
        self, job: Job[Any], answer: Answer, looked: Mapping[str, str | None], outcome: CallOutcome
    ) -> CallOutcome:
        """Return an outcome, or an error if it depends on files that it does not report."""
        source = job.call.arguments[0]
        own = {source.file or source.path} if isinstance(source, UnitStencil) else set()
        named = {posixpath.normpath(path) for path, there in looked.items() if there != ""} | own
        hidden = [path for path in answer.opened if path not in named and self.digest(path) not in NO_FILE]
        if not hidden or outcome.error is not None:
            return outcome
        plugin = plugin_class(self.backend).__module__
        error: CratewrightError = PluginError(
            f"{job.label}: the backend reads {' '.join(hidden)} but does not report it",
            context=(plugin_row(plugin), ("call", job.call.name)),
            hint="list every file that is read in the result's 'observed', or changes of it go unnoticed",
        )
        return CallOutcome(None, error)

    def _portable(self, calls: Sequence[BackendCall[Any]], parts: Sequence[ProjectPart]) -> Portable:
        files = {path: digest for part in parts for path, digest in part.files.items()}
        words = ("-I", "-B", "-c", _RUN) if self.installed else ("-I", "-S", "-B", "-c", _RUN_SENT)
        code = {} if self.installed else backend_files(plugin_class(self.backend))
        return Portable(
            root=self.root,
            argv=(self.python, *words),
            environ=(("LC_ALL", "C.UTF-8"), ("PATH", "/usr/bin:/bin")),
            placed={
                **code,
                **{
                    f"{PROJECT}/{path}": Placed(os.path.join(self.root, path), digest) for path, digest in files.items()
                },
            },
            contents={CALLS: pack_calls(in_worker.backend_path(plugin_class(self.backend)), self._session(), calls)},
            directories=frozenset(f"{PROJECT}/{path}" for part in parts for path in part.directories),
            system={},
            outputs=(REPORT,),
            tools=f"{self.fingerprint}{self.installed}",
        )

    def _session(self) -> Session:
        """Return the session for the other machine: without paths of this one, except those of tools."""
        known = tuple(item for item in self.session.environ if item[0] in self.backend.SETTINGS)
        return Session(root="", target=self.session.target, environ=known)
