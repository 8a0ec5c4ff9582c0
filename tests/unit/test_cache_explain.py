"""Why a result was recomputed: explained from the recorded history, for each kind of change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.base.errors import CratewrightError
from cratewright.cache.explain import Change, changes_between, describe, group
from cratewright.cache.history import StageHistory, causes_of, decode_history
from cratewright.cache.key import Fields
from cratewright.contract.backend import CodegenBackend
from cratewright.pipeline.codegen import codegen_crate
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.job import Job
from cratewright.plugins.registry import Registry
from cratewright.values.call import BackendCall
from cratewright.values.crate import Crate, Source
from cratewright.values.crate_type import CrateType
from cratewright.values.options import Options
from cratewright.values.stencil import UnitStencil
from tests.support.engine_build import kept_history

OLD: Fields = (
    ("kind", "k"),
    ("code", "c"),
    ("path", "'a.stub'"),
    ("source", "sha256:" + "1" * 64),
    ("option x", "'1'"),
)
SEEN = (("one.inc", "a" * 64), ("two.inc", None), ("three.inc", "c" * 64))

_FIELDS = {"option_x": "option x", "define_Y": "define Y"}


def _with(**changes: str | None) -> Fields:
    fields = {**dict(OLD), **{_FIELDS.get(name, name): text for name, text in changes.items()}}
    return tuple((name, text) for name, text in fields.items() if text is not None)


@pytest.mark.parametrize(
    ("fields", "observed", "words"),
    [
        (_with(source="sha256:" + "2" * 64), SEEN, ["a.stub changed: 11111111 -> 22222222"]),
        (_with(option_x="'2'"), SEEN, ["option x changed: '1' -> '2'"]),
        (_with(option_x=None), SEEN, ["option x went away: '1'"]),
        (_with(define_Y="'3'"), SEEN, ["define Y appeared: '3'"]),
        (_with(for_lto="False"), SEEN, ["use by LTO appeared: False"]),
        (_with(lto="LtoMode.THIN_LOCAL"), SEEN, ["lto appeared: thin-local"]),
        (_with(code="d"), SEEN, ["the code of cratewright or of the backend changed"]),
        (_with(fingerprint="f 2"), SEEN, ["tools appeared: f 2"]),
        (OLD, (("one.inc", "b" * 64), *SEEN[1:]), ["one.inc changed: aaaaaaaa -> bbbbbbbb"]),
        (OLD, (SEEN[0], ("two.inc", "b" * 64)), ["two.inc appeared"]),
        (OLD, (SEEN[0], ("two.inc/x", "b" * 64)), ["two.inc appeared"]),
        (OLD, (SEEN[0], ("two.inc/x", None)), ["no longer in the cache"]),
        (OLD, (*SEEN[:2], ("three.inc", None)), ["three.inc went away"]),
        (OLD, SEEN, ["no longer in the cache"]),
        (_with(option_x="'2'"), (("one.inc", None),), ["option x changed: '1' -> '2'", "one.inc went away"]),
    ],
)
def test_each_change_is_described(
    fields: Fields, observed: tuple[tuple[str, str | None], ...], words: list[str]
) -> None:
    assert [describe(change) for change in changes_between((OLD, SEEN), fields, observed)] == words


def test_unit_without_history_is_new() -> None:
    assert [describe(change) for change in changes_between(None, OLD, SEEN)] == ["new"]


def test_changed_modules_of_a_link() -> None:
    old: Fields = (("module a::x.o", "sha256:" + "1" * 64), ("module a::y.o", "sha256:" + "2" * 64))
    new: Fields = (("module a::x.o", "sha256:" + "3" * 64), ("module b::z.o", "sha256:" + "2" * 64))
    assert [describe(change) for change in changes_between((old, ()), new, ())] == [
        "module a::x.o changed: 11111111 -> 33333333",
        "module a::y.o went away",
        "module b::z.o appeared",
    ]


def test_results_are_grouped_by_cause() -> None:
    one, other = Change("option x", "1", "2"), Change("file a", "1", "2")
    rows = group({"a": (one,), "b": (other,), "c": (one, other), "d": (other,)})
    assert rows == [(other, ("b", "c", "d")), (one, ("a", "c"))]


class RecordedRuns:
    """Consecutive runs of one stage, recorded as an engine does."""

    def __init__(self) -> None:
        self.kept = b""

    def run(self, failed: bool = False, **units: tuple[bool, str]) -> str:
        """Record a run, given `(hit, source)` of each unit; return the explanation."""
        history = StageHistory(lambda: self.kept)
        for label, (hit, source) in units.items():
            note = history.reused if hit else history.made
            note(f"compile: {label}", (("path", f"'{label}'"), ("source", f"sha256:{source * 64}")), ())
        self.kept = history.encode(failed=failed)
        return history.reason({"compile": "unit", "compile_codegen_unit": "unit"})


def test_explanation_of_a_run() -> None:
    runs = RecordedRuns()
    assert runs.run(a=(False, "1"), b=(False, "1")) == "", "all units are new: nothing to explain"
    assert runs.run(a=(True, "1"), b=(True, "1")) == ""
    assert (
        runs.run(a=(False, "2"), b=(True, "1"), c=(False, "1"))
        == "a changed: 11111111 -> 22222222 (1 unit); 1 unit new"
    )
    assert runs.run(a=(False, "2"), b=(False, "1")) == "no longer in the cache (2 units)"
    many = runs.run(**{name: (False, "9") for name in "ab"}, c=(False, "2"))
    assert many == ("a changed: 22222222 -> 99999999 (1 unit); b changed: 11111111 -> 99999999 (1 unit); 1 unit new")
    many = runs.run(**{name: (False, "8") for name in "abc"})
    assert many.endswith("b changed: 99999999 -> 88888888 (1 unit); 1 more cause")
    assert {label: list(map(describe, causes)) for label, causes in causes_of(runs.kept).items()} == {
        "compile: a": ["a changed: 99999999 -> 88888888"],
        "compile: b": ["b changed: 99999999 -> 88888888"],
        "compile: c": ["c changed: 22222222 -> 88888888"],
    }


def test_first_changed_step_explains_the_run() -> None:
    kept = b""
    for source in "12":
        history = StageHistory(lambda kept=kept: kept)
        for step in ("analyse", "link"):
            for label in "ab":
                history.made(f"{step}: {label}", ((f"{step} source", source),), ())
        kept = history.encode()
    assert history.reason({"link": "image"}) == "analyse source changed: 1 -> 2 (2 results)"


def test_failed_run_keeps_history() -> None:
    runs = RecordedRuns()
    runs.run(a=(False, "1"), b=(False, "1"))
    runs.run(failed=True, a=(False, "2"))
    assert runs.run(a=(True, "2"), b=(False, "2")) == "b changed: 11111111 -> 22222222 (1 unit)"
    runs.run(a=(True, "2"))
    assert runs.run(a=(True, "2"), b=(False, "2")) == "", "a unit that was absent from the last run is new"


@pytest.mark.parametrize("data", [b"", b"junk", b"\xb3another format here\0", b"\x93\x01\x02\x03"])
def test_unreadable_history_is_ignored(data: bytes) -> None:
    runs = RecordedRuns()
    runs.kept = data
    assert decode_history(data) == {}
    assert runs.run(a=(False, "1")) == ""


def test_engine_records_history(tmp_path: Path) -> None:
    registry = Registry()
    registry.register(testing)
    engine = Engine(str(tmp_path), registry, {})
    (tmp_path / "x.inc").write_text("export x\n")

    def build(defines: Mapping[str, str], *sources: bytes) -> str:
        options = Options((("defines", tuple(sorted(defines.items()))), ("include_dirs", ())))
        jobs = [
            Job(
                BackendCall(
                    CodegenBackend.compile_codegen_unit,
                    UnitStencil(
                        backend="stub", fingerprint="1", target="text", path=f"{n}.stub", source=source, options=options
                    ),
                ),
                f"{n}.stub",
            )
            for n, source in enumerate(sources)
        ]
        with kept_history(engine, tmp_path / "app.history") as history:
            outcomes = engine.run_cached("stub", "text", jobs)
            if any(outcome.error for outcome in outcomes):
                raise CratewrightError("failed")
        return history.reason({"compile": "unit", "compile_codegen_unit": "unit"})

    try:
        assert build({}, b"export a\n", b"include x.inc\n") == ""
        assert build({"X": "1"}, b"export a\n", b"include x.inc\n") == "define X appeared: '1' (2 units)"
        assert build({"X": "2"}, b"export a\n", b"include x.inc\n") == "define X changed: '1' -> '2' (2 units)"
        (tmp_path / "x.inc").write_text("export y\n")
        assert build({"X": "2"}, b"export a\n", b"include x.inc\n").startswith("x.inc changed: ")
        with pytest.raises(CratewrightError, match="failed"):
            build({"X": "2"}, b"error no\n", b"include x.inc\n")
        assert build({"X": "2"}, b"export b\n", b"include x.inc\n").startswith("0.stub changed: ")
        engine.environ, engine._store = {"CRATE_CACHE": "off"}, None
        assert build({"X": "2"}, b"export b\n", b"include x.inc\n") == "no longer in the cache (2 units)"
    finally:
        engine.close()


def test_variants_of_one_source_have_separate_histories(tmp_path: Path) -> None:
    (tmp_path / "a.stub").write_text("export a\n")
    registry = Registry()
    registry.register(testing)
    engine = Engine(str(tmp_path), registry, {"CRATE_CACHE": "off"}, workers=False)

    def build(**macros: str) -> str:
        options = testing.make_options(testing.StubBackend)
        variants = [
            Source(path="a.stub", name=name, options=options.override({"defines": (("X", value),)}))
            for name, value in macros.items()
        ]
        crate = Crate(
            name="app",
            version="0",
            backend="stub",
            target="text",
            profile="dev",
            crate_types=(CrateType.RLIB,),
            sources=tuple(variants),
            dependencies=(),
            options=options,
        )
        with kept_history(engine, tmp_path / "app.history") as history:
            codegen_crate(engine, crate)
        return history.reason({"compile_codegen_unit": "unit"})

    try:
        build(one="1", two="2")
        assert build(one="1", two="3") == "no longer in the cache (1 unit); define X changed: '2' -> '3' (1 unit)"
    finally:
        engine.close()
