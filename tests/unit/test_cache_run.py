"""Work through the cache: hits that are right, misses for everything else, and never an error."""

from __future__ import annotations

import os
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.base.errors import CacheError, ConfigurationError, PluginError, UnknownNameError
from cratewright.cache.entry import seal_entry
from cratewright.cache.key import key_of
from cratewright.cache.store import CacheKvStore, StoreReport
from cratewright.contract.backend import CodegenBackend
from cratewright.contract.hookspecs import hookimpl
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job, JobOutcome
from cratewright.plugins.registry import Registry
from cratewright.system.events import Event, UnitStarted
from cratewright.values.call import BackendCall
from cratewright.values.crate import CrateType
from cratewright.values.module import CanonicalForm, CompiledUnit, ModuleCodegen
from cratewright.values.native_library import parse_library
from cratewright.values.options import Options
from cratewright.values.request import LinkRequest, LinkResult
from cratewright.values.stencil import UnitStencil
from tests.support.engine_build import kept_history
from tests.support.program_backend import Portably, RunsPrograms, TakesTime, Works
from tests.support.reapi_server import require_grpc


class Recorded(testing.StubBackend):
    """The stub, counting what it compiles."""

    compiled: Sequence[str] = ()

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and take note."""
        Recorded.compiled = [*Recorded.compiled, stencil.path]
        return super().compile_codegen_unit(stencil)


UNUSED = ModuleCodegen(name="a", data=b"x")
OPTIONS = Options((("defines", ()), ("include_dirs", ("first", "second"))))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Give an engine over an empty project, whose backend runs in this process."""
    registry = Registry()
    registry.register(testing)
    monkeypatch.setattr(registry, "backend", lambda name: Recorded)
    Recorded.compiled = ()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    return Engine(str(tmp_path), registry, {}, workers=False)


def _compile(engine: Engine, source: bytes, path: str = "a.stub") -> JobOutcome[CompiledUnit]:
    return engine.run_cached("stub", "text", [Job(_unit(source, path), path)])[0]


def _stencil(source: bytes, path: str) -> UnitStencil:
    return UnitStencil(backend="stub", fingerprint="1", target="text", path=path, source=source, options=OPTIONS)


def _unit(source: bytes, path: str) -> BackendCall[CompiledUnit]:
    return BackendCall(CodegenBackend.compile_codegen_unit, _stencil(source, path))


def _data(outcome: JobOutcome[CompiledUnit]) -> bytes:
    assert outcome.result is not None, outcome.error
    return outcome.result.modules[0].data


def test_a_hit_compiles_nothing(engine: Engine) -> None:
    first = _compile(engine, b"export a\n")
    second = _compile(engine, b"export a\n")
    assert (first.hit, second.hit) == (False, True)
    assert first.result == second.result
    assert list(Recorded.compiled) == ["a.stub"]
    assert not _compile(engine, b"export b\n").hit


def test_a_failure_is_not_kept(engine: Engine) -> None:
    for _ in range(2):
        outcome = _compile(engine, b"error no\n")
        assert not outcome.hit and "a.stub:1: error: no" in str(outcome.error)
    assert len(Recorded.compiled) == 2


def test_a_file_that_changes_appears_and_goes(engine: Engine) -> None:
    root = Path(engine.root)
    source = b"include x.inc\n"
    (root / "second" / "x.inc").write_text("export second\n")
    assert _data(_compile(engine, source)) == b"export second\n"
    assert _compile(engine, source).hit
    (root / "second" / "x.inc").write_text("export again\n")
    changed = _compile(engine, source)
    assert not changed.hit and _data(changed) == b"export again\n"
    # A path that was missing is there now, and hides the other.
    (root / "first" / "x.inc").write_text("export first\n")
    shadowed = _compile(engine, source)
    assert not shadowed.hit and _data(shadowed) == b"export first\n"
    # What is behind it does not matter any more.
    (root / "second" / "x.inc").unlink()
    assert _compile(engine, source).hit
    (root / "first" / "x.inc").unlink()
    assert "cannot find 'x.inc'" in str(_compile(engine, source).error)
    (root / "second" / "x.inc").write_text("export second\n")
    back = _compile(engine, source)
    assert back.hit and _data(back) == b"export second\n"


def _damage(engine: Engine) -> None:
    engine.store.close()
    for file in sorted((Path(engine.root) / ".crate-cache").rglob("*")):
        file.write_bytes(b"damaged")


def test_a_damaged_cache_compiles_again(engine: Engine) -> None:
    _compile(engine, b"export a\n")
    _damage(engine)
    outcome = _compile(engine, b"export a\n")
    assert not outcome.hit and _data(outcome) == b"export a\n"
    assert _compile(engine, b"export a\n").hit


def test_an_entry_that_holds_no_result_compiles_again(engine: Engine) -> None:
    stencil = _stencil(b"export a\n", "a.stub")
    key = key_of("compile_codegen_unit", engine.code_digest("stub", "text"), stencil)
    _compile(engine, b"export a\n")
    whole = engine.store.get(key)
    assert whole is not None
    for entry in (b"", b"junk", whole[:-1], seal_entry(key, b"junk"), seal_entry(key[::-1], b"")):
        engine.store.insert(key, entry)
        outcome = _compile(engine, b"export a\n")
        assert not outcome.hit and _data(outcome) == b"export a\n"
    assert _compile(engine, b"export a\n").hit


def test_a_failure_keeps_what_others_came_to(engine: Engine) -> None:
    jobs = [Job(_unit(source, "a.stub"), "a.stub") for source in (b"export a\n", b"error no\n", b"export b\n")]
    outcomes = engine.run_cached("stub", "text", jobs)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    outcomes = engine.run_cached("stub", "text", jobs)
    assert [outcome.hit for outcome in outcomes] == [True, False, True]


def test_warnings_come_back_in_order(engine: Engine) -> None:
    source = b"".join(b"warning w%d\n" % number for number in (3, 1, 2, 1))
    first, second = _compile(engine, source), _compile(engine, source)
    assert second.hit and isinstance(second.result, CompiledUnit) and isinstance(first.result, CompiledUnit)
    assert [item.text for item in second.result.diagnostics] == ["w3", "w1", "w2", "w1"]
    assert first.result.diagnostics == second.result.diagnostics


class Sneaky(Recorded):
    """Reads a file that it does not report."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile, and let the secret decide."""
        unit = super().compile_codegen_unit(stencil)
        secret = Path(self.session.root, "secret.txt").read_bytes()
        return replace(unit, modules=(replace(unit.modules[0], data=secret),))


def test_a_backend_that_reads_behind_our_back_is_caught(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine.registry, "backend", lambda name: Sneaky)
    (tmp_path / "secret.txt").write_text("one")
    assert not _compile(engine, b"export a\n").hit
    (tmp_path / "secret.txt").write_text("two!")
    assert _data(_compile(engine, b"export a\n")) == b"one"
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    error = _compile(engine, b"export a\n").error
    assert isinstance(error, CacheError)
    assert error.message == "a.stub: the cached result differs from a fresh compilation"
    assert error.context[0][1].startswith("modules[0].data: 3 bytes, ")
    assert error.context[1:] == (("opened, not reported", "secret.txt"),)
    with pytest.raises(CacheError, match=r"reads secret\.txt and does not report it"):
        testing.check_observations(engine.backend("stub", "text"), _stencil(b"export a\n", "a.stub"))


class SneakyLink(testing.StubBackend):
    """Finds libraries, but does not report it."""

    def link(self, request: LinkRequest) -> LinkResult:
        """Link and keep quiet."""
        return replace(super().link(request), observed=())


def _link_request(crate: str) -> LinkRequest:
    options = Options((("lib_dirs", ("first", "second")), ("multimodule", False), ("shout", False)))
    natives = (parse_library("x", where="test"),)
    return LinkRequest(
        crate=crate, crate_type=CrateType.BIN, target="text", options=options, modules=(), natives=natives
    )


def test_a_link_that_reads_unseen_is_caught(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def link(crate: str) -> JobOutcome[CompiledUnit]:
        return engine.run_cached("stub", "text", [Job(BackendCall(CodegenBackend.link, _link_request(crate)), crate)])[
            0
        ]

    (tmp_path / "second/x.lib").write_text("one")
    testing.check_observations(engine.backend("stub", "text"), _link_request("honest"))
    assert not link("honest").hit and link("honest").hit
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    assert link("honest").hit
    monkeypatch.setattr(engine.registry, "backend", lambda name: SneakyLink)
    engine.backends.clear()
    engine.environ = {}
    assert not link("sneaky").hit
    (tmp_path / "second/x.lib").write_text("two!")
    assert link("sneaky").hit
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    error = link("sneaky").error
    assert isinstance(error, CacheError) and ("opened, not reported", "first/x.lib\nsecond/x.lib") in error.context
    with pytest.raises(CacheError, match=r"reads first/x\.lib, second/x\.lib and does not report it"):
        testing.check_observations(engine.backend("stub", "text"), _link_request("sneaky"))


def test_a_backend_that_reports_what_it_reads_is_not(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "second" / "x.inc").write_text("export x\n")
    testing.check_observations(engine.backend("stub", "text"), _stencil(b"include x.inc\n", "a.stub"))
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    assert not _compile(engine, b"include x.inc\n").hit
    for _ in range(2):
        assert _compile(engine, b"include x.inc\n").hit
    assert len(Recorded.compiled) == 1 + 1 + 2


class Moody(Recorded):
    """Fails, or looks at another file, as it likes."""

    mood = ""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile as today's mood is."""
        return super().compile_codegen_unit(replace(stencil, source=stencil.source + self.mood.encode()))


@pytest.mark.parametrize(
    ("mood", "message", "rows"),
    [
        ("error no", "a.stub: the cache has a result, but a fresh compilation fails", ["failure"]),
        ("include x.inc", "a.stub: the cached result differs", ["differs", "only now seen", "opened, not reported"]),
        ("warning w", "a.stub: the cached result differs", ["differs"]),
    ],
)
def test_what_a_fresh_compilation_contradicts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mood: str, message: str, rows: list[str]
) -> None:
    monkeypatch.setattr(engine.registry, "backend", lambda name: Moody)
    (tmp_path / "first" / "x.inc").write_text("export x\n")
    _compile(engine, b"export a\n")
    monkeypatch.setattr(Moody, "mood", mood)
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    error = _compile(engine, b"export a\n").error
    assert isinstance(error, CacheError) and error.message.startswith(message)
    assert [label for label, _ in error.context] == [row for row in rows if row != "opened, not reported"]
    if "only now seen" in rows:
        assert dict(error.context)["only now seen"] == "x.inc\nfirst/x.inc"


def test_a_setting_that_is_none(engine: Engine) -> None:
    for name, word in (("CRATE_CACHE_VERIFY", "perhaps"), ("CRATE_CACHE_SIZE", "much"), ("CRATE_CACHE_SIZE", "-1")):
        engine.environ, engine._store = {name: word}, None
        with pytest.raises(ConfigurationError, match=name):
            _compile(engine, b"export a\n")


class Canonical(Recorded):
    """Knows that a comment cannot matter, and puts the line numbers back."""

    asked: Sequence[str] = ()

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm:
        """Return the source without its comments."""
        Canonical.asked = [*Canonical.asked, stencil.path]
        return self._form(stencil, super().compile_codegen_unit(stencil))

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile, and say of what."""
        unit = super().compile_codegen_unit(stencil)
        return replace(unit, form=self._form(stencil, unit))

    def _form(self, stencil: UnitStencil, unit: CompiledUnit) -> CanonicalForm:
        lines = stencil.source.decode().splitlines()
        code = [line for line in lines if not line.startswith("#")]
        at = next((str(n) for n, line in enumerate(lines, 1) if line.startswith("warning")), "")
        return CanonicalForm(key="\n".join(code).encode(), observed=unit.observed, parameters=(("line", at),))

    def relative_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit | None:
        """Take the line out, unless there are two warnings."""
        return None if len(unit.diagnostics) > 1 else _lined(unit, 0)

    def place_unit(self, unit: CompiledUnit, form: CanonicalForm) -> CompiledUnit:
        """Put the line of the warning in."""
        return _lined(unit, int(dict(form.parameters)["line"] or 0))


def _lined(unit: CompiledUnit, line: int) -> CompiledUnit:
    return replace(unit, diagnostics=tuple(replace(item, line=line) for item in unit.diagnostics))


@pytest.fixture
def canonical(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., JobOutcome]:
    """Give a function that compiles a source with a backend that has canonical forms, as a stage would."""
    monkeypatch.setattr(engine.registry, "backend", lambda name: Canonical)
    monkeypatch.setattr(Canonical, "asked", ())
    for name in ("first", "second"):
        (tmp_path / name / "x.inc").write_text("export x\n")

    def compiled(source: bytes, path: str = "a.stub") -> JobOutcome[CompiledUnit]:
        with kept_history(engine, tmp_path / "target.history"):
            job = Job(_unit(source, path), path, has_form=True)
            return engine.run_cached("stub", "text", [job])[0]

    return compiled


def test_a_canonical_form_finds_what_the_value_itself_does_not(
    canonical: Callable[..., JobOutcome], tmp_path: Path
) -> None:
    source = b"include x.inc\nexport a\nwarning w\n"
    first = canonical(source)
    assert not first.hit and not Canonical.asked  # what was never made is not asked for its form
    moved = canonical(b"# a comment\n" + source)
    assert moved.hit and isinstance(moved.result, CompiledUnit) and _data(moved) == _data(first)
    assert [item.line for item in moved.result.diagnostics] == [4] and moved.result.form is None
    # An include that is found elsewhere serves as well; what was read now is what the unit depends on.
    (tmp_path / "first" / "x.inc").unlink()
    other = canonical(source)
    assert other.hit and isinstance(other.result, CompiledUnit)
    assert [item.path for item in other.result.observed] == ["x.inc", "first/x.inc", "second/x.inc"]
    asked = len(Canonical.asked)
    # Now it is kept under its own key too, so the form is not asked for again.
    assert canonical(source).hit and len(Canonical.asked) == asked
    (tmp_path / "second" / "x.inc").write_text("export y\n")
    assert _data(canonical(source + b"export z\n")) == b"export y\nexport a\nexport z\n"


def test_what_must_not_serve_others_is_not_kept_by_its_form(canonical: Callable[..., JobOutcome]) -> None:
    source = b"export a\nwarning v\nwarning w\n"
    assert not canonical(source).hit
    assert not canonical(b"# a comment\n" + source).hit
    assert canonical(source).hit


def test_without_a_cache_no_form_is_asked_for(canonical: Callable[..., JobOutcome], engine: Engine) -> None:
    canonical(b"export a\n")
    canonical(b"# a comment\nexport a\n")
    assert len(Canonical.asked) == 1
    engine.environ, engine._store = {"CRATE_CACHE": "off"}, None
    assert not canonical(b"# another comment\nexport a\n").hit and len(Canonical.asked) == 1


def test_a_form_that_cannot_be_found_is_no_error_of_its_own(canonical: Callable[..., JobOutcome]) -> None:
    canonical(b"export a\n")
    assert str(canonical(b"error no\n").error) == "a.stub:1: error: no"


class Shelf(CacheKvStore):
    """A store in memory, as a plugin might bring one; what was put appears after a flush."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.waiting: dict[str, bytes] = {}
        self.calls: list[int] = []
        self.broken = False

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return what is kept."""
        self.calls.append(len(keys))
        if self.broken:
            raise OSError("the network is down")
        return {key: self.kept[key] for key in keys if key in self.kept}

    def put_many(self, items: Mapping[str, bytes]) -> None:
        """Remember for later."""
        self.waiting.update(items)

    def flush(self) -> None:
        """Keep it now."""
        self.kept.update(self.waiting)


@pytest.fixture
def shelf(engine: Engine) -> Shelf:
    """Give the store that a plugin opens for `shelf://`."""
    store = Shelf()
    plugin = types.ModuleType("shelves")

    @hookimpl
    def cratewright_open_store(url: str) -> CacheKvStore | None:
        return store if url == "shelf://one" else None

    plugin.cratewright_open_store = cratewright_open_store  # type: ignore[attr-defined]
    engine.registry.register(plugin)
    engine.environ = {"CRATE_CACHE": "shelf://one"}
    return store


def test_a_plugin_brings_a_store(engine: Engine, shelf: Shelf) -> None:
    jobs = [Job(_unit(b"export a%d\n" % number, "a.stub"), "a.stub") for number in range(9)]
    for hit in (False, True):
        outcomes = engine.run_cached("stub", "text", jobs)
        assert [outcome.hit for outcome in outcomes] == [hit] * 9
    assert shelf.calls == [9, 9] and len(shelf.kept) == 9
    assert not (Path(engine.root) / ".crate-cache").exists()
    # Bytes that come back wrong are not believed.
    shelf.kept = dict.fromkeys(shelf.kept, b"junk")
    assert not _compile(engine, b"export a1\n").hit


def test_a_store_that_fails_is_done_without(engine: Engine, shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.broken = True
    for _ in range(2):
        assert _data(_compile(engine, b"export a\n")) == b"export a\n"
    assert shelf.calls == [1]
    assert capsys.readouterr().err == (
        "cratewright: continuing without the cache shelf://one: OSError('the network is down')\n"
    )


def test_a_store_of_a_plugin_is_looked_after_as_far_as_it_can_be(
    engine: Engine, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    store = engine.store
    store.remove([])
    assert store.report() == StoreReport() and store.collect().rows == (("size", "left to the server"),)
    assert list(store.entries()) == []
    store.close()
    shelf.waiting = {"key": b"value"}
    shelf.flush = lambda: 1 // 0  # type: ignore[assignment, method-assign]
    store.flush()
    assert "continuing without the cache shelf://one: ZeroDivisionError" in capsys.readouterr().err
    store.close()


def test_a_url_that_nobody_knows(engine: Engine, shelf: Shelf) -> None:
    engine.environ = {"CRATE_CACHE": "shelf://two"}
    with pytest.raises(UnknownNameError, match="no plugin opens the cache 'shelf://two'"):
        _compile(engine, b"export a\n")
    for wrong, message in ((lambda url: 3, "is not a CacheKvStore"), (lambda url: 1 // 0, "cannot be opened")):
        registry, plugin = Registry(), types.ModuleType("wrong")
        registry.register(testing)

        def cratewright_open_store(url: str, wrong: object = wrong) -> object:
            return wrong(url)  # type: ignore[operator]

        plugin.cratewright_open_store = hookimpl(cratewright_open_store)  # type: ignore[attr-defined]
        registry.register(plugin)
        with pytest.raises(PluginError) as caught:
            registry.open_store("wrong://")
        assert message in str(caught.value)


CONFIG = LinkRequest(crate="c", crate_type=CrateType.BIN, target="text", options=OPTIONS, modules=()).config


def _engine_for(backend: type[testing.StubBackend], root: Path, **environ: str) -> Engine:
    """Return an engine for which every name is that of one backend, which workers can import."""
    registry = Registry()
    registry.register(testing)
    registry.backend = lambda name: backend  # type: ignore[method-assign]
    return Engine(str(root), registry, environ)


@pytest.mark.parametrize(
    ("backend", "count", "environ", "here"),
    [
        (RunsPrograms, 1, {}, True),
        (RunsPrograms, 2, {}, False),
        (Works, 1, {}, False),
        (RunsPrograms, 1, {"CRATE_TIME_PASSES": "1"}, False),
    ],
)
def test_a_call_that_is_alone_is_made_here_if_programs_do_the_work(
    tmp_path: Path, backend: type[Works], count: int, environ: Mapping[str, str], here: bool
) -> None:
    engine = _engine_for(backend, tmp_path, CRATE_CACHE="off", **environ)
    jobs = [
        Job(BackendCall(CodegenBackend.codegen, ModuleCodegen(name=str(number), data=b"x"), CONFIG), "x")
        for number in range(count)
    ]
    try:
        for outcome in engine.run_cached("stub", "text", jobs):
            assert isinstance(outcome.result, ModuleCodegen)
            process, thread = outcome.result.data.split()
            assert (int(process) == os.getpid()) == here
            assert not here or int(thread) == threading.get_ident()
    finally:
        engine.close()


def test_threads_make_calls_side_by_side_in_this_process(tmp_path: Path) -> None:
    engine = _engine_for(RunsPrograms, tmp_path, CRATE_CACHE="off", CRATE_WORKERS="threads")
    engine.jobs, heard = 2, list[Event]()
    engine.listeners.append(heard.append)
    jobs = [
        Job(BackendCall(CodegenBackend.codegen, ModuleCodegen(name=str(number), data=b"x"), CONFIG), "x")
        for number in range(5)
    ]
    results = [outcome.result for outcome in engine.run_cached("stub", "text", jobs)]
    engine.close()
    places = [result.data.split() for result in results if isinstance(result, ModuleCodegen)]
    assert {int(process) for process, _ in places} == {os.getpid()}
    assert len(places) == 5 and threading.get_ident() not in {int(thread) for _, thread in places}
    assert {event.worker for event in heard if isinstance(event, UnitStarted)} <= {1, 2}
    with pytest.raises(ConfigurationError, match="backend 'stub' computes in the process that calls it"):
        _engine_for(Works, tmp_path, CRATE_WORKERS="threads").backend("stub", "text")


@pytest.mark.parametrize("environ", [{}, {"CRATE_WORKERS": "threads"}])
@pytest.mark.parametrize(("jobs", "memory"), [(1, 0), (4, 60 << 20)])
def test_calls_made_here_are_no_more_than_workers_would_be(
    tmp_path: Path, jobs: int, memory: int, environ: Mapping[str, str]
) -> None:
    engine = _engine_for(TakesTime, tmp_path, CRATE_CACHE="off", CRATE_MEMORY="100M", **environ)
    engine.jobs = jobs

    def span(_: int) -> list[float]:
        (outcome,) = engine.run_cached(
            "stub", "text", [Job(BackendCall(CodegenBackend.codegen, UNUSED, CONFIG), "x", memory=memory)]
        )
        assert isinstance(outcome.result, ModuleCodegen)
        return [float(word) for word in outcome.result.data.split()]

    with ThreadPoolExecutor(3) as threads:
        spans = sorted(threads.map(span, range(3)))
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    engine.close()


def test_nothing_is_prepared_for_a_server_that_was_given_up(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_grpc()
    monkeypatch.setattr(Portably, "asked", [])
    environ = {"CRATE_REMOTE": "grpc://127.0.0.1:1", "CRATE_REMOTE_JOBS": "1"}
    engine = _engine_for(Portably, tmp_path, CRATE_CACHE="off", **environ)
    jobs = [Job(_unit(b"export a\n", f"{number}.stub"), str(number)) for number in range(3)]
    for some in (jobs, jobs[:1]):
        assert all(outcome.result for outcome in engine.run_cached("stub", "text", some))
    assert (
        engine._calls._machines is not None
        and engine._calls._machine_pool() is None
        and Portably.asked == [True, *[False] * 3]
    )
    engine.close()
    assert capfd.readouterr().err.count("all programs run here") == 1


def test_what_is_compared_with_the_cache_is_made_by_a_worker(tmp_path: Path) -> None:
    """There, the files that are opened meanwhile are those of one call."""
    for environ in ({}, {"CRATE_CACHE_VERIFY": "1"}):
        engine = _engine_for(RunsPrograms, tmp_path, **environ)
        (outcome,) = engine.run_cached("stub", "text", [Job(BackendCall(CodegenBackend.codegen, UNUSED, CONFIG), "x")])
        engine.close()
    assert isinstance(outcome.error, CacheError) and str(os.getpid()) not in str(outcome.error.context[0])


def test_an_error_of_a_call_made_here_is_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise CacheError("no")

    monkeypatch.setattr(RunsPrograms, "codegen", fail)
    engine = _engine_for(RunsPrograms, tmp_path, CRATE_CACHE="off")
    for _ in range(3):
        (outcome,) = engine.run_cached("stub", "text", [Job(BackendCall(CodegenBackend.codegen, UNUSED, CONFIG), "x")])
        assert "no" in str(outcome.error)
    engine.close()
