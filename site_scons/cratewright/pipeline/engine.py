"""One build: its backends, its workers and its cache.

Stages ask it to call a backend's method many times, in parallel, reusing results.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any, TypeVar

from ..base.errors import ConfigurationError
from ..base.values import dataclass
from ..cache.history import StageHistory
from ..cache.key import CacheKey
from ..cache.prefetch import Prefetch
from ..cache.results import ResultCache
from ..cache.shared_history import SharedHistory
from ..cache.stack import StackedStore
from ..cache.store import CacheKvStore
from ..contract.backend import CodegenBackend
from ..contract.edge import open_backend, plugin_class
from ..contract.incremental_cache import results_code
from ..contract.session import Session
from ..plugins.registry import Registry
from ..system.child import limit_programs
from ..system.events import Event, Listener, ToolsFound
from ..system.fs import FileDigests
from ..values.call import BackendCall
from ..workers.process import CallOutcome
from . import cache_settings, in_worker, settings
from .cached_run import CachedRun
from .calls import CallRunner, HowCalled
from .job import Job, JobOutcome
from .once import AnswersOnce
from .timings import Timed, Timings

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class Engine:
    """What the stages of one build share.

    Shape: `root` absolute; `environ` holds the `CRATE_*` settings; `jobs` is the limit of concurrent calls;
    `digests` are of files below that root, `backends` those used so far, by name and target.
    Without `workers` all calls are made in this process: backends need not be importable, and a crash ends the build.
    `listeners` receive every event, in the thread where it happens. `answers` are those that several stages need.
    """

    root: str
    registry: Registry
    environ: Mapping[str, str]
    jobs: int = 1
    workers: bool = True
    listeners: list[Listener] = field(default_factory=list)
    digests: FileDigests = field(init=False)
    _store: CacheKvStore | None = None
    backends: dict[tuple[str, str], CodegenBackend] = field(default_factory=dict)
    _fingerprints: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stage: threading.local = field(default_factory=threading.local)
    answers: AnswersOnce = field(default_factory=AnswersOnce)
    _calls: CallRunner = field(init=False)

    def __post_init__(self) -> None:
        self.digests = FileDigests(self.root)
        self._calls = CallRunner(
            root=self.root,
            environ=self.environ,
            jobs=lambda: self.jobs,
            workers=self.workers,
            digests=self.digests,
            backends=self.backends,
            session=self.session,
            fingerprint=self.fingerprint,
            code_digest=self.code_digest,
        )

    def session(self, target: str) -> Session:
        """Return the session for a target."""
        environ = tuple(sorted((name, text) for name, text in self.environ.items() if name not in settings.SECRETS))
        try:
            cache, size = cache_settings.read_own_cache(self.environ, self.root)
        except ConfigurationError:  # raised by `store` when something is compiled: `scons -c` needs no cache
            cache, size = "", 0
        return Session(root=self.root, target=target, environ=environ, cache=cache, cache_size=size)

    def backend(self, name: str, target: str) -> CodegenBackend:
        """Return this process's backend object, with its answers checked.

        Raises: UnknownNameError for an unregistered name; PluginError for a class that workers cannot import or that
        cannot be instantiated; ConfigurationError for one that threads cannot call.
        """
        key = (name, target)
        if key not in self.backends:
            kind, session = self.registry.backend(name), self.session(target)
            if self.workers and not in_worker.backend_path(kind):
                raise in_worker.not_found(kind)
            limit_programs(session.timeout)
            # Timed here for calls in this process; workers time their own.
            timed = self._note if self.workers and settings.read_flag("CRATE_TIME_PASSES", self.environ) else None
            backend = open_backend(kind, session, timed)
            if self.workers and settings.read_workers(self.environ) == "threads" and not backend.runs_programs():
                raise in_worker.in_process(kind)
            self.backends[key] = backend
        return self.backends[key]

    def fingerprint(self, name: str, target: str) -> str:
        """Return the versions that a backend's results depend on; computed once.

        Raises: as `CodegenBackend.fingerprint`.
        """
        key = (name, target)
        if key not in self._fingerprints:
            self._fingerprints[key] = found = self.backend(name, target).fingerprint()
            self.tell(ToolsFound(name, target, found))
        return self._fingerprints[key]

    def code_digest(self, name: str, target: str) -> str:
        """Return the digest of the code that computes results: this package's and the backend's."""
        return results_code(plugin_class(self.backend(name, target)))

    @property
    def store(self) -> CacheKvStore:
        """The cache.

        Raises: as `cache_settings.read_store`.
        """
        with self._lock:
            if self._store is None:
                self._store = cache_settings.read_store(self.environ, self.root, self.registry)
            return self._store

    @property
    def prefetch(self) -> Prefetch | None:
        """Fetches from remote stores in advance; None without such a store."""
        return self.store.prefetch if isinstance(self.store, StackedStore) else None

    def path(self, path: str) -> str:
        """Return the absolute path of a root-relative one."""
        return os.path.join(self.root, path)

    @contextmanager
    def recording(self, history: StageHistory, crate: str = "") -> Iterator[None]:
        """Record what this thread makes for a stage, why, and how long that takes.

        Shape: `crate` is the stage's, by a name that is the same in every checkout.
        """
        self._stage.current = history
        self._stage.timings = Timings()
        self._stage.crate = crate
        try:
            yield
        finally:
            self._stage.current, self._stage.crate = None, ""

    def timing_lines(self) -> list[str]:
        """Return where this thread's stage spent its time; empty unless `CRATE_TIME_PASSES` is set."""
        timings = getattr(self._stage, "timings", None)
        return timings.lines() if timings is not None else []

    def run_cached(
        self, name: str, target: str, jobs: Sequence[Job[_Answer]], fingerprint: str = ""
    ) -> list[JobOutcome[_Answer]]:
        """Make the calls of some jobs, all of one method, in workers, reusing cached results.

        Shape: one outcome per job, in order; `fingerprint` if the arguments do not hold it. Each success is stored
        at once, so a build that fails or is interrupted loses little of its work.
        """
        if not jobs:
            return []
        backend = self.backend(name, target)

        def run(jobs: Sequence[Job[Any]], how: HowCalled) -> None:
            if not jobs:
                return
            if settings.read_flag("CRATE_TIME_PASSES", self.environ):
                how = replace(how, done=self._timed(jobs[0].call, how.done), timed=True)
            self._calls.run(backend, jobs, how)

        work = CachedRun(
            run_calls=run,
            backend=backend,
            cache=ResultCache(self.store, self.digests.digest, self._note_keys),
            shared_history=SharedHistory(self.store),
            history=getattr(self._stage, "current", None) or StageHistory(),
            verify=settings.read_flag("CRATE_CACHE_VERIFY", self.environ),
            code=self.code_digest(name, target),
            fingerprint=fingerprint,
            listener=self.tell,
        )
        try:
            return work.run(jobs)
        finally:
            self.store.flush()

    def tell(self, event: Event) -> None:
        """Pass an event to all listeners."""
        if getattr(self._stage, "unheard", False):
            return
        for listener in self.listeners:
            listener(event)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Neither report nor record what this thread does."""
        history = getattr(self._stage, "current", None)
        self._stage.unheard, self._stage.current = True, None
        try:
            yield
        finally:
            self._stage.unheard, self._stage.current = False, history

    @property
    def ran_elsewhere(self) -> int:
        """How many programs ran on other machines."""
        return self._calls.ran_elsewhere

    def close(self) -> None:
        """Stop the workers and close the cache."""
        self._calls.close()
        if self._store is not None:
            self._store.close()

    def _note_keys(self, keys: Sequence[CacheKey]) -> None:
        if self.prefetch is not None:
            self.prefetch.note(getattr(self._stage, "crate", ""), keys)

    def _note(self, method: str, seconds: float, passes: Mapping[str, float]) -> None:
        timings = getattr(self._stage, "timings", None)
        if timings is not None:
            timings.add(method, Timed(None, seconds, passes))

    def _timed(
        self, call: BackendCall[Any], done: Callable[[int, CallOutcome], None]
    ) -> Callable[[int, CallOutcome], None]:
        """Wrap `done` for outcomes that come with their times, which the stage records."""
        timings = getattr(self._stage, "timings", None) or Timings()

        def note(position: int, outcome: CallOutcome) -> None:
            if isinstance(outcome.value, Timed):
                timings.add(call.name, outcome.value)
                outcome = CallOutcome(outcome.value.value)
            done(position, outcome)

        return note
