"""One build: its backends, its workers and its cache.

Knows nothing of the stages; they ask it to run a backend's method many times over, side by side, with reuse.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from .. import cache as cache_package
from ..backend import CodegenBackend, Session
from ..cache.entry import (
    RESULTS,
    RecompileError,
    Result,
    World,
    deserialize_entry,
    serialize_compiled,
    serialize_entry,
    try_finish_recompile,
)
from ..cache.key import code_digest, compute_cache_key
from ..cache.store import CacheKvStore, open_store
from ..errors import ConfigurationError, CratewrightError
from ..fs import digest_file
from ..module import CompiledUnit
from ..process import Call, Outcome, WorkerPool
from ..registry import Registry
from ..stencil import UnitStencil
from . import remote

__all__ = ["Engine", "Job", "JobOutcome"]

T = TypeVar("T")

_WORLDS = 4
"""How many results are kept for one key, each with the files it was made from."""

_ANSWERS = 8
"""How many shared answers are remembered."""

_LONGEST = 1_000_000
"""Seconds; what is longer, the system cannot wait for."""


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a backend's method, and the name it has in messages.

    Shape: `value` is the argument, or a tuple of them; all of it decides the result.
    Units: `memory` in bytes, what the call may need; 0 for what is not worth a thought.
    """

    value: object
    label: str
    memory: int = 0

    @property
    def arguments(self) -> tuple[object, ...]:
        """What the method is called with."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """A result, whether it came from the cache, or why there is none."""

    result: Result | None
    hit: bool
    error: CratewrightError | None = None

    def get(self, crate: str) -> Result:
        """Return the result.

        Raises: the error, with the crate it happened to.
        """
        if self.error is not None:
            raise self.error.with_context(("crate", crate))
        assert self.result is not None
        return self.result


@dataclass(slots=True)
class _Shared:
    """One answer that several stages ask for, and the lock of whoever works it out."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: object = None
    known: bool = False


@dataclass(slots=True)
class Engine:
    """All that the stages of one build share.

    Shape: `root` absolute; `environ` holds the `CRATE_*` settings; `jobs` is the most that runs side by side.
    """

    root: str
    registry: Registry
    environ: Mapping[str, str]
    jobs: int = 1
    _store: CacheKvStore | None = None
    _pool: WorkerPool | None = None
    _backends: dict[tuple[str, str], CodegenBackend] = field(default_factory=dict)
    _fingerprints: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _shared: dict[str, _Shared] = field(default_factory=dict)

    def session(self, target: str) -> Session:
        """Return the session for a target."""
        return Session(root=self.root, target=target, environ=tuple(sorted(self.environ.items())))

    def backend(self, name: str, target: str) -> CodegenBackend:
        """Return the backend object of this process.

        Raises: UnknownNameError for a name nobody registers.
        """
        key = (name, target)
        if key not in self._backends:
            backend = self.registry.backend(name)()
            backend.init(self.session(target))
            self._backends[key] = backend
        return self._backends[key]

    def fingerprint(self, name: str, target: str) -> str:
        """Return the versions that a backend's results depend on; asked for once.

        Raises: as `CodegenBackend.fingerprint`.
        """
        key = (name, target)
        if key not in self._fingerprints:
            self._fingerprints[key] = self.backend(name, target).fingerprint()
        return self._fingerprints[key]

    def salt(self, name: str, target: str) -> str:
        """Return the digest of the code that makes results: this package's and the backend's."""
        own = str(Path(cache_package.__file__).parents[1])
        return code_digest(own, *_places(type(self.backend(name, target))))

    @property
    def store(self) -> CacheKvStore:
        """The cache."""
        if self._store is None:
            self._store = open_store(self.environ.get("CRATE_CACHE", ""), os.path.join(self.root, ".crate-cache"))
        return self._store

    def path(self, path: str) -> str:
        """Return where a root-relative path lies."""
        return os.path.join(self.root, path)

    def run_cached(
        self, name: str, target: str, method: str, jobs: Sequence[Job], fingerprint: str = ""
    ) -> list[JobOutcome]:
        """Run a backend's method on each job's value, in workers, reusing what the cache has.

        Shape: one outcome a job, in order; `fingerprint` if the values do not carry it themselves. Every success
        is kept at once, so that a build that fails or is interrupted has lost nothing it finished.
        """
        salt = self.salt(name, target)
        digests: dict[str, str | None] = {}
        keys = [compute_cache_key(method, salt + fingerprint, job.value) for job in jobs]
        outcomes: list[JobOutcome | None] = [self._find(key, digests) for key in keys]
        missing = [index for index, outcome in enumerate(outcomes) if outcome is None]

        def keep(position: int, outcome: Outcome) -> None:
            index = missing[position]
            if outcome.error is not None:
                outcomes[index] = JobOutcome(None, False, outcome.error)
                return
            result = outcome.value
            assert isinstance(result, RESULTS)
            self._keep(keys[index], result)
            outcomes[index] = JobOutcome(result, False)

        self._run(name, target, method, [jobs[index] for index in missing], keep)
        return [outcome for outcome in outcomes if outcome is not None]

    def once(self, question: str, answer: Callable[[], T]) -> tuple[T, bool]:
        """Return the answer to a question that stages side by side may ask, and whether it was worked out now.

        Shape: only the last few answers are remembered; they may be large.
        """
        with self._lock:
            shared = self._shared.pop(question, None) or _Shared()
            self._shared[question] = shared
            for oldest in list(self._shared)[:-_ANSWERS]:
                del self._shared[oldest]
        with shared.lock:
            fresh = not shared.known
            if fresh:
                shared.value = answer()
                shared.known = True
            return cast("T", shared.value), fresh

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.close()

    def _run(self, name: str, target: str, method: str, jobs: Sequence[Job], keep: object) -> None:
        if not jobs:
            return
        assert callable(keep)
        backend = self.backend(name, target)
        path = remote.backend_path(type(backend))
        if not path:
            for position, job in enumerate(jobs):
                keep(position, _run_here(backend, method, job))
            return
        session = self.session(target)
        calls = [
            Call("cratewright.pipeline.remote:run", (path, session, method, *job.arguments), job.label) for job in jobs
        ]
        stencils = [job.value for job in jobs if isinstance(job.value, UnitStencil)]
        first = Call("cratewright.pipeline.remote:warm", (path, session, stencils), f"backend '{name}'")
        self._workers(first).map(calls, keep)

    def _workers(self, first: Call) -> WorkerPool:
        """Return the workers; if there are none yet, those that `first` has prepared."""
        with self._lock:
            if self._pool is None:
                paths = [
                    str(Path(cache_package.__file__).parents[2]),
                    *(remote.import_directory(type(backend)) for backend in self._backends.values()),
                ]
                self._pool = WorkerPool(self.jobs, warm=[first], paths=paths, timeout=self._timeout())
            return self._pool

    def _timeout(self) -> float:
        text = self.environ.get("CRATE_TIMEOUT", "") or "300"
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < _LONGEST:
            raise ConfigurationError(
                f"CRATE_TIMEOUT takes a number of seconds, more than 0 and less than {_LONGEST}, not '{text}'"
            )
        return seconds

    def _find(self, key: str, digests: dict[str, str | None]) -> JobOutcome | None:
        for world in deserialize_entry(self.store.get(key)):
            if all(self._digest(item.path, digests) == item.digest for item in world.observed):
                try:
                    return JobOutcome(try_finish_recompile(world.result), True)
                except RecompileError:
                    continue
        return None

    def _keep(self, key: str, result: Result) -> None:
        observed = result.observed if isinstance(result, CompiledUnit) else ()
        new = World(observed, serialize_compiled(result))
        # Whoever writes at the same time may win: the loser's world is compiled again some day.
        others = [world for world in deserialize_entry(self.store.get(key)) if world.observed != observed]
        self.store.insert(key, serialize_entry([new, *others][:_WORLDS]))

    def _digest(self, path: str, digests: dict[str, str | None]) -> str | None:
        if path not in digests:
            digests[path] = digest_file(self.path(path))
        return digests[path]


def _places(backend: type[CodegenBackend]) -> tuple[str, ...]:
    """Return where the code of a backend and of the classes it is made from lies: whole packages, or else files."""
    places: list[str] = []
    for kind in (kind for kind in backend.__mro__ if kind not in CodegenBackend.__mro__):
        packages = getattr(sys.modules.get(kind.__module__.partition(".")[0]), "__path__", ())
        codes = [code for item in vars(kind).values() if (code := getattr(item, "__code__", None)) is not None]
        # A class made in an SConstruct says that it is SCons's; only its functions know where they are from.
        for file in sorted({code.co_filename for code in codes if os.path.isfile(code.co_filename)}):
            places.append(next((path for path in packages if file.startswith(os.path.join(path, ""))), file))
    return tuple(dict.fromkeys(places))


def _run_here(backend: CodegenBackend, method: str, job: Job) -> Outcome:
    try:
        return Outcome(getattr(backend, method)(*job.arguments))
    except CratewrightError as error:
        return Outcome(None, error)
