"""Runs one backend method over many values, taking each result from the cache if possible."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..base.diagnostic import Diagnostic
from ..base.errors import CacheError, CratewrightError, PluginError, error_diagnostics
from ..base.values import dataclass
from ..cache.entry import RESULT_KINDS, Result
from ..cache.explain import describe
from ..cache.history import StageHistory
from ..cache.key import CacheKey, Fields, fields_digest, key_fields, key_of
from ..cache.results import NOTHING, Found, ResultCache, observed_files
from ..cache.shared_history import SharedHistory
from ..cache.thin_modules import IndexedThinModules, restore_thin_modules
from ..cache.verify import contradiction
from ..contract.backend import CodegenBackend
from ..contract.promised import could_return
from ..system.events import Listener, UnitEnded, UnitExplained, UnitsFound, UnitStarted
from ..values.call import BackendCall
from ..values.module import CanonicalForm, CompiledUnit, ModuleCodegen
from ..values.request import LinkResult, ThinModule
from ..values.stencil import UnitStencil
from ..workers.process import CallOutcome
from .calls import HowCalled
from .in_worker import Watched
from .job import Job, JobOutcome, Made, happened_to

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Task:
    """A job in progress: its key, what the cache has, its canonical form if computed, its outcome."""

    job: Job[Any]
    fields: Fields
    key: CacheKey
    found: Found = NOTHING
    form: CanonicalForm | None = None
    outcome: JobOutcome[Any] | None = None
    worker: int = 0
    began: float = 0.0

    @property
    def label(self) -> str:
        """The result's name in the history of its target."""
        return f"{self.job.call.name}: {self.job.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedRun:
    """Calls of one method, and what their results depend on besides the arguments.

    Shape: `run_calls` makes the call of each job; `code` and `fingerprint` as in `key_of`; with `verify` every hit is
    recomputed and compared; `listener` receives an event for each unit.
    """

    run_calls: Callable[[Sequence[Job[Any]], HowCalled], None]
    backend: CodegenBackend
    cache: ResultCache
    shared_history: SharedHistory
    history: StageHistory
    verify: bool
    code: str
    fingerprint: str
    listener: Listener

    def run(self, jobs: Sequence[Job[_Answer]]) -> list[JobOutcome[_Answer]]:
        """Return one outcome per job, in order."""
        if jobs:
            self.listener(UnitsFound(jobs[0].call.name, jobs[0].crate, len(jobs)))
        tasks = self._look_up(jobs)
        if self.cache.keeps:
            # Computing a canonical form costs a tenth of compiling, so only for units that were compiled before.
            self._look_up_forms(
                [
                    task
                    for task in tasks
                    if task.outcome is None and task.job.has_form and self.history.knows(task.label)
                ]
            )
        hits = [task for task in tasks if task.outcome is not None]
        self._make([task for task in tasks if task.outcome is None])
        if self.verify:
            self._check(hits)
        missed = [
            task for task in tasks if task.outcome is not None and task.outcome.error is None and not task.outcome.hit
        ]
        made = {task.label: task.fields for task in missed}
        elsewhere = self.shared_history.compare(made) if self.history.notes else {}
        return [self._noted(task, elsewhere.get(task.label)) for task in tasks]

    def _look_up(self, jobs: Sequence[Job[Any]]) -> list[_Task]:
        known: dict[int, str] = {}
        tasks: list[_Task] = []
        for job in jobs:
            fields = key_fields(job.call.name, self.code, job.call.arguments, self.fingerprint, known)
            tasks.append(_Task(job, fields, fields_digest(fields)))
        for task, found in zip(tasks, self.cache.find([task.key for task in tasks]), strict=True):
            task.found = found
            if found.result is not None:
                result = _restored(found.result, task.job)
                if result is not None and could_return(self.backend, task.job.call, result):
                    task.outcome = JobOutcome(result, True)
                    self._report(task)
        return tasks

    def _look_up_forms(self, tasks: Sequence[_Task]) -> None:
        """Find results by canonical form; a hit is stored under the value's own key as well."""

        def note(position: int, outcome: CallOutcome) -> None:
            # A unit without a form is compiled, which reports its error if it has one.
            if isinstance(outcome.value, CanonicalForm):
                tasks[position].form = outcome.value
            elif isinstance(outcome.error, PluginError):
                tasks[position].outcome = JobOutcome(None, False, outcome.error)

        forms = [BackendCall(CodegenBackend.canonical_form, *task.job.call.arguments) for task in tasks]
        self.run_calls([Job(call, task.job.label) for call, task in zip(forms, tasks, strict=True)], HowCalled(note))
        formed = [task for task in tasks if task.form is not None]
        keys = [self._form_key(task.job, task.form) for task in formed if task.form is not None]
        for task, found in zip(formed, self.cache.find(keys), strict=True):
            if task.form is not None and isinstance(found.result, CompiledUnit) and self._fits(found.result, task.job):
                result = replace(self.backend.place_unit(found.result, task.form), observed=task.form.observed)
                self.cache.keep(task.key, result, task.found)
                task.outcome = JobOutcome(result, True)
                self._report(task)

    def _fits(self, result: CompiledUnit, job: Job[Any]) -> bool:
        return could_return(self.backend, job.call, result)

    def _form_key(self, job: Job[Any], form: CanonicalForm) -> CacheKey:
        tools = self.fingerprint or str(getattr(job.call.arguments[0], "fingerprint", ""))
        place = (self.backend.NAME, self.backend.session.target, form.key)
        return key_of(f"{job.call.name} by form", self.code, place, tools)

    def _make(self, tasks: Iterable[_Task]) -> None:
        tasks = sorted(tasks, key=lambda task: -task.job.size)

        def keep(position: int, outcome: CallOutcome) -> None:
            task = tasks[position]
            if outcome.error is not None:
                task.outcome = JobOutcome(None, False, outcome.error)
                self._report(task)
                return
            result, form = _result(outcome.value)
            self.cache.keep(task.key, result, task.found)
            if self.cache.keeps and form is not None and isinstance(result, CompiledUnit):
                bare = self.backend.relative_unit(result, form)
                if bare is not None:
                    # The form covers the files too: another unit of the same form may have read different ones.
                    self.cache.keep(self._form_key(task.job, form), replace(bare, observed=()))
            task.outcome = JobOutcome(_whole(result, task.job), False)
            self._report(task)

        def began(position: int, worker: int) -> None:
            task = tasks[position]
            task.worker, task.began = worker, time.monotonic()
            self.listener(UnitStarted(task.job.call.name, task.job.crate, _unit(task.job), worker))

        self.run_calls([replace(task.job, reads=self._reads(task)) for task in tasks], HowCalled(keep, began))

    def _reads(self, task: _Task) -> tuple[str, ...]:
        """Return the paths that decided a result last time, whether or not they exist now."""
        kept = [item.path for alternative in task.found.alternatives for item in alternative.observed]
        return (*dict.fromkeys([*kept, *(path for path, _ in self.history.observed(task.label))]),)

    def _report(self, task: _Task) -> None:
        """Report the outcome of a task as soon as it is known."""
        outcome, job = task.outcome, task.job
        assert outcome is not None
        if job.retried and outcome.error is not None:
            return
        seconds = time.monotonic() - task.began if task.began else 0.0
        word = "failed" if outcome.error is not None else "reused" if outcome.hit else "made"
        diagnostics = tuple(_about(item.of(job.crate, _unit(job)), job) for item in _diagnostics(outcome, job))
        self.listener(
            UnitEnded(
                job.call.name, job.crate, _unit(job), task.worker, seconds, word, job.memory, diagnostics=diagnostics
            )
        )

    def _check(self, tasks: Sequence[_Task]) -> None:
        def compare(position: int, outcome: CallOutcome) -> None:
            task = tasks[position]
            assert task.outcome is not None and task.outcome.result is not None
            kept = task.outcome.result
            error = (
                _fails_now(task.job, outcome.error)
                if outcome.error is not None
                else contradiction(task.job.label, kept, *_watched(outcome.value, task.job))
            )
            if error is not None:
                task.outcome = JobOutcome(None, False, error)
                self._report(task)

        self.run_calls([task.job for task in tasks], HowCalled(compare, watched=True))

    def _noted(self, task: _Task, elsewhere: Fields | None) -> JobOutcome[Any]:
        outcome = task.outcome
        assert outcome is not None
        if outcome.result is not None:
            observed = tuple((item.path, item.digest) for item in observed_files(outcome.result))
            if outcome.hit:
                self.history.reused(task.label, task.fields, observed)
            else:
                alternatives = task.found.alternatives
                kept = tuple((item.path, item.digest) for item in alternatives[0].observed) if alternatives else None
                causes = self.history.made(task.label, task.fields, observed, kept, elsewhere)
                words = tuple(describe(cause) for cause in causes)
                self.listener(UnitExplained(task.job.call.name, task.job.crate, _unit(task.job), words))
        return outcome


def _unit(job: Job[Any]) -> str:
    return job.unit or job.label


def _about(item: Diagnostic, job: Job[Any]) -> Diagnostic:
    """Return a diagnostic without a file as one about the compiled source, as after a crash or a timeout."""
    source = job.call.arguments[0]
    if item.file or not isinstance(source, UnitStencil):
        return item
    return replace(item, file=source.path, rendered=str(item))


def _diagnostics(outcome: JobOutcome[Any], job: Job[Any]) -> Iterable[Diagnostic]:
    if outcome.error is not None:
        # A unit is named after its source.
        module = job.unit if isinstance(job.call.arguments[0], (ModuleCodegen, ThinModule)) else ""
        return error_diagnostics(outcome.error.with_context(*happened_to(job.crate, module)))
    return outcome.result.diagnostics if isinstance(outcome.result, (CompiledUnit, LinkResult)) else ()


def _fails_now(job: Job[Any], error: CratewrightError) -> CacheError:
    return CacheError(
        f"{job.label}: the cache has a result, but a fresh compilation fails",
        context=(("failure", error),),
        hint="something outside the key affected the result",
    )


def _result(value: object) -> tuple[Result, CanonicalForm | None]:
    """Split a result into the result and the form it was made from."""
    assert isinstance(value, RESULT_KINDS)
    if isinstance(value, CompiledUnit) and value.form is not None:
        return replace(value, form=None), value.form
    return value, None


def _whole(result: Result, job: Job[Any]) -> Made:
    """Return a result completed from its request.

    Raises: ValueError if it belongs to another request.
    """
    return restore_thin_modules(result, job.call.arguments) if isinstance(result, IndexedThinModules) else result


def _restored(result: Result, job: Job[Any]) -> Made | None:
    """Return a stored result completed from its request, or None if it belongs to another."""
    try:
        return _whole(result, job)
    except ValueError:
        return None


def _watched(value: object, job: Job[Any]) -> tuple[Made, tuple[str, ...]]:
    assert isinstance(value, Watched)
    return _whole(_result(value.value)[0], job), value.opened
