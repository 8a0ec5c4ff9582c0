"""CRATE_CACHE_VERIFY and `check_observations` detect unreported dependencies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.base.errors import CacheError
from cratewright.contract.backend import CodegenBackend
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job, JobOutcome
from cratewright.values.call import BackendCall
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CompiledUnit
from cratewright.values.native_library import parse_library
from cratewright.values.options import Options
from cratewright.values.request import LinkRequest, LinkResult
from cratewright.values.stencil import UnitStencil
from tests.support.cached_engine import Recorded, compile_source, data_of, stencil_of


class Sneaky(Recorded):
    """Reads a file that it does not report."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Return the content of the secret file."""
        unit = super().compile_codegen_unit(stencil)
        secret = Path(self.session.root, "secret.txt").read_bytes()
        return replace(unit, modules=(replace(unit.modules[0], data=secret),))


def test_unreported_read_of_a_compilation_is_detected(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine.registry, "backend", lambda name: Sneaky)
    (tmp_path / "secret.txt").write_text("one")
    assert not compile_source(engine, b"export a\n").hit
    (tmp_path / "secret.txt").write_text("two!")
    assert data_of(compile_source(engine, b"export a\n")) == b"one"
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    error = compile_source(engine, b"export a\n").error
    assert isinstance(error, CacheError)
    assert error.message == "a.stub: the cached result differs from a fresh compilation"
    assert error.context[0][1].startswith("modules[0].data: 3 bytes, ")
    assert error.context[1:] == (("opened, not reported", "secret.txt"),)
    with pytest.raises(CacheError, match=r"reads secret\.txt and does not report it"):
        testing.check_observations(engine.backend("stub", "text"), stencil_of(b"export a\n", "a.stub"))


class SneakyLink(testing.StubBackend):
    """Looks for libraries without reporting them."""

    def link(self, request: LinkRequest) -> LinkResult:
        """Link, and drop the observed files."""
        return replace(super().link(request), observed=())


def _link_request(crate: str) -> LinkRequest:
    options = Options((("lib_dirs", ("first", "second")), ("multimodule", False), ("shout", False)))
    natives = (parse_library("x", where="test"),)
    return LinkRequest(
        crate=crate, crate_type=CrateType.BIN, target="text", options=options, modules=(), natives=natives
    )


def test_unreported_read_of_a_link_is_detected(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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


def test_reported_reads_pass_verification(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "second" / "x.inc").write_text("export x\n")
    testing.check_observations(engine.backend("stub", "text"), stencil_of(b"include x.inc\n", "a.stub"))
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    assert not compile_source(engine, b"include x.inc\n").hit
    for _ in range(2):
        assert compile_source(engine, b"include x.inc\n").hit
    assert len(Recorded.compiled) == 1 + 1 + 2


class Changeable(Recorded):
    """A backend that appends `extra_source` to each source."""

    extra_source = ""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile the source with `extra_source` appended."""
        return super().compile_codegen_unit(replace(stencil, source=stencil.source + self.extra_source.encode()))


@pytest.mark.parametrize(
    ("extra_source", "message", "rows"),
    [
        ("error no", "a.stub: the cache has a result, but a fresh compilation fails", ["failure"]),
        ("include x.inc", "a.stub: the cached result differs", ["differs", "only now seen", "opened, not reported"]),
        ("warning w", "a.stub: the cached result differs", ["differs"]),
    ],
)
def test_difference_to_a_fresh_compilation_is_explained(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extra_source: str, message: str, rows: list[str]
) -> None:
    monkeypatch.setattr(engine.registry, "backend", lambda name: Changeable)
    (tmp_path / "first" / "x.inc").write_text("export x\n")
    compile_source(engine, b"export a\n")
    monkeypatch.setattr(Changeable, "extra_source", extra_source)
    engine.environ = {"CRATE_CACHE_VERIFY": "1"}
    error = compile_source(engine, b"export a\n").error
    assert isinstance(error, CacheError) and error.message.startswith(message)
    assert [label for label, _ in error.context] == [row for row in rows if row != "opened, not reported"]
    if "only now seen" in rows:
        assert dict(error.context)["only now seen"] == "x.inc\nfirst/x.inc"
