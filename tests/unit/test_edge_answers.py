"""Checks of the values that a backend's methods return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cratewright.base.digest import Digest
from cratewright.base.errors import PluginError
from cratewright.contract.backend import CodegenBackend
from cratewright.contract.declared import find_class_fault
from cratewright.contract.edge import guard, open_backend
from cratewright.contract.promised import check_promised, could_return
from cratewright.values.call import BackendCall
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CompiledUnit, EntryPoint, Observed, Symbol
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import Options
from cratewright.values.request import Artifact, LinkPart, LinkResult, ThinModule
from tests.support.edge_backend import DIGEST, LINKED, MODULE, REQUEST, SESSION, STENCIL, UNIT, Upper, changed

Golden = Callable[[str, str], None]


def test_cached_unit_must_have_the_requested_files() -> None:
    kind = changed(
        {
            "OPTIONS": (OptionSpec(name="emit", kind=OptionKind.TEXTS, default=(), help=""),),
            "UNIT_OPTIONS": frozenset({"emit"}),
            "EMITTED": {"asm": ".s", "obj": ".o"},
        }
    )
    assert find_class_fault(kind) is None
    backend = open_backend(kind, SESSION)
    requested = replace(STENCIL, options=Options((("emit", ("obj", "asm")),)))
    for files, fits in (((".s", ".o"), True), ((".o", ".s"), False), ((".s",), False), ((), False)):
        unit = replace(UNIT, emitted=tuple((suffix, b"x") for suffix in files))
        assert could_return(backend, BackendCall(CodegenBackend.compile_codegen_unit, requested), unit) is fits
    nothing = replace(STENCIL, options=Options((("emit", ()),)))
    assert not could_return(
        backend,
        BackendCall(CodegenBackend.compile_codegen_unit, nothing),
        replace(UNIT, emitted=((".s", b"x"),)),
    )


class Name(str):
    """A subclass of `str`."""


class Unit(CompiledUnit):
    """A subclass of `CompiledUnit`."""


def _with_module(**words: Any) -> CompiledUnit:
    return CompiledUnit(modules=(replace(MODULE, **words),))


def _with_artifacts(*artifacts: Any) -> LinkResult:
    return LinkResult(artifacts=artifacts)


_BARE = object.__new__(CompiledUnit)
THIN = ThinModule(name="a", crate="app", data=b"")

ANSWERS: Mapping[str, tuple[str, tuple[Any, ...], Any]] = {
    "no unit": ("compile_codegen_unit", (STENCIL,), None),
    "a list of modules for a unit": ("compile_codegen_unit", (STENCIL,), [MODULE]),
    "a list of modules in a unit": ("compile_codegen_unit", (STENCIL,), CompiledUnit(modules=[MODULE])),  # type: ignore[arg-type]
    "no modules": ("compile_codegen_unit", (STENCIL,), CompiledUnit(modules=())),
    "text for bytes": ("compile_codegen_unit", (STENCIL,), _with_module(data="text")),
    "bytearray for bytes": ("compile_codegen_unit", (STENCIL,), _with_module(data=bytearray(b"x"))),
    "bytes for text": ("compile_codegen_unit", (STENCIL,), _with_module(name=b".o")),
    "text for a kind": ("compile_codegen_unit", (STENCIL,), _with_module(kind="regular")),
    "text for a symbol": ("compile_codegen_unit", (STENCIL,), _with_module(exports=("f",))),
    "a symbol with a wrong line": (
        "compile_codegen_unit",
        (STENCIL,),
        _with_module(exports=(Symbol("f", "f", "a", None),)),
    ),  # type: ignore[arg-type]
    "a pair for an entry point": ("compile_codegen_unit", (STENCIL,), _with_module(entry_points=(("comp", "main"),))),
    "attributes of three": ("compile_codegen_unit", (STENCIL,), _with_module(attributes=(("a", "b", "c"),))),
    "attributes a mapping": ("compile_codegen_unit", (STENCIL,), _with_module(attributes={"a": "b"})),
    "attributes in disorder": ("compile_codegen_unit", (STENCIL,), _with_module(attributes=(("b", ""), ("a", "")))),
    "a name that is more": ("compile_codegen_unit", (STENCIL,), _with_module(name=Name(".o"))),
    "a name with a line break": ("compile_codegen_unit", (STENCIL,), _with_module(name="a\nb")),
    "a unit that is more": ("compile_codegen_unit", (STENCIL,), Unit(modules=(MODULE,))),
    "a unit without fields": ("compile_codegen_unit", (STENCIL,), _BARE),
    "two modules of one name": ("compile_codegen_unit", (STENCIL,), CompiledUnit(modules=(MODULE, MODULE))),
    "a wrong digest": ("compile_codegen_unit", (STENCIL,), replace(UNIT, observed=(Observed("a.inc", "12"),))),
    "a path observed twice": (
        "compile_codegen_unit",
        (STENCIL,),
        replace(UNIT, observed=(Observed("a.inc", DIGEST),) * 2),
    ),
    "files that nobody asked for": ("compile_codegen_unit", (STENCIL,), replace(UNIT, emitted=((".s", b"x"),))),
    "diagnostics a string": ("compile_codegen_unit", (STENCIL,), replace(UNIT, diagnostics="a:1: warning: w")),
    "no form": ("canonical_form", (STENCIL,), b"key"),
    "no module of codegen": ("codegen", (MODULE, REQUEST.config), b"x"),
    "a shim of the wrong kind": ("codegen_allocator", (REQUEST.config, False), MODULE),
    "no fat module": ("run_fat_lto", (REQUEST,), (MODULE,)),
    "no thin modules": ("run_thin_lto", (REQUEST,), [THIN]),
    "two thin modules of one name": ("run_thin_lto", (REQUEST,), (THIN, THIN)),
    "memory negative": ("lto_memory", (REQUEST,), -1),
    "memory a float": ("lto_memory", (REQUEST,), 1.5),
    "perhaps": ("supports_lto", (MODULE,), None),
    "fingerprint none": ("fingerprint", (), None),
    "fingerprint of two lines": ("fingerprint", (), "one\ntwo"),
    "fingerprint empty": ("fingerprint", (), ""),
    "no names": ("output_names", ("app", CrateType.BIN, Options(())), ()),
    "one name": ("output_names", ("app", CrateType.BIN, Options(())), "app.out"),
    "a name outside": ("output_names", ("app", CrateType.BIN, Options(())), ("../app.out",)),
    "an absolute name": ("output_names", ("app", CrateType.BIN, Options(())), ("/tmp/app.out",)),
    "a directory first": ("output_names", ("app", CrateType.BIN, Options(())), ("app.d/", "app.json")),
    "a name twice": ("output_names", ("app", CrateType.BIN, Options(())), ("a", "a")),
    "a link outside": ("output_links", ("app", CrateType.BIN, Options(())), {"app": "../app.out"}),
    "a link that is a directory": ("output_links", ("app", CrateType.BIN, Options(())), {"app/": "app.out"}),
    "links in a ring": ("output_links", ("app", CrateType.BIN, Options(())), {"a": "b", "b": "c", "c": "b"}),
    "an artifact that is a link": ("link", (REQUEST,), _with_artifacts(Artifact("app.out", b"", link="x"))),
    "parts of strings": ("split_link", (REQUEST,), ("a",)),
    "a part with what is not there": ("split_link", (REQUEST,), (LinkPart("", (0,)),)),
    "two parts of one name": ("split_link", (REQUEST,), (LinkPart("a", ()), LinkPart("a", ()))),
    "no request": ("narrow_lto", (REQUEST,), None),
    "a request": ("link", (REQUEST,), REQUEST),
    "no link": ("link", (REQUEST,), None),
    "a pair for an artifact": ("link", (REQUEST,), _with_artifacts(("app.out", b"x"))),
    "an artifact of text": ("link", (REQUEST,), _with_artifacts(Artifact("app.out", "x"))),  # type: ignore[arg-type]
    "an artifact without a name": ("link", (REQUEST,), _with_artifacts(Artifact("", b"x"))),
    "an artifact outside": ("link", (REQUEST,), _with_artifacts(Artifact("../outside.out", b"x"))),
    "an artifact outside after all": ("link", (REQUEST,), _with_artifacts(Artifact("a/../../outside.out", b"x"))),
    "an artifact of a directory": ("link", (REQUEST,), _with_artifacts(Artifact("a/", b"x"))),
    "an absolute artifact": ("link", (REQUEST,), _with_artifacts(Artifact("/outside.out", b"x"))),
    "an artifact of Windows": ("link", (REQUEST,), _with_artifacts(Artifact("..\\outside.out", b"x"))),
    "an artifact twice": ("link", (REQUEST,), _with_artifacts(Artifact("app.out", b"x"), Artifact("app.out", b"y"))),
    "a report that is no JSON": ("link", (REQUEST,), replace(LINKED, report="{'a': 1}")),
    "a report of an object": ("link", (REQUEST,), replace(LINKED, report={"a": 1})),
    "timings of strings": ("print_pass_timings", (), {"pass": "1 s"}),
    "timings a list": ("print_pass_timings", (), [("pass", 1.0)]),
}


def _answering(method: str, answer: object) -> CodegenBackend:
    kind = changed({method: lambda self, *arguments: answer})
    return open_backend(kind, SESSION)


def test_invalid_results_are_rejected(golden: Golden) -> None:
    messages: list[str] = []
    for name, (method, arguments, answer) in ANSWERS.items():
        with pytest.raises(PluginError) as caught:
            getattr(_answering(method, answer), method)(*arguments)
        messages.append(f"# {name}\n{caught.value}\n")
    golden("errors/plugin_answers.txt", "\n".join(messages))


def test_valid_results_are_returned() -> None:
    entry = EntryPoint("comp", "main")
    module = replace(MODULE, entry_points=(entry,), exports=(Symbol("f", "f"),), attributes=(("a", "1"), ("b", "2")))
    unit = CompiledUnit(modules=(module,), observed=(Observed("a.inc", DIGEST), Observed("b.inc", None)))
    changed = replace(unit, observed=(Observed("a.inc", None), Observed("a.inc", DIGEST)))
    beside = replace(unit, observed=(Observed("a", Digest("directory")), Observed("b", Digest("unreadable"))))
    for method, arguments, answer in (
        ("compile_codegen_unit", (STENCIL,), unit),
        ("compile_codegen_unit", (STENCIL,), changed),
        ("compile_codegen_unit", (STENCIL,), beside),
        ("canonical_form", (STENCIL,), None),
        ("link", (REQUEST,), LinkResult(artifacts=(), report='{"a": 1}')),
        ("link", (REQUEST,), _with_artifacts(Artifact("/tmp/x", b"", dump=True), Artifact("a/b.out", b""))),
        ("run_thin_lto", (REQUEST,), (THIN, replace(THIN, crate="b"))),
        ("print_pass_timings", (), {"pass": 1, "other": 0.5}),
        ("output_names", ("a", CrateType.BIN, Options(())), ("a.json", "a.d/")),
    ):
        assert getattr(_answering(method, answer), method)(*arguments) is answer


def test_artifacts_must_match_output_names(golden: Golden) -> None:
    backend = guard(Upper())
    wide = _with_artifacts(Artifact("d/1", b""), Artifact("x", b"", dump=True), Artifact("b", b""), Artifact("a", b""))
    ordered = check_promised(backend, ("a", "b", "d/"), wide, "app")
    assert [item.path for item in ordered.artifacts] == ["a", "b", "d/1", "x"]
    messages = []
    for result in (
        _with_artifacts(),
        _with_artifacts(Artifact("app.other", b"")),
        _with_artifacts(*wide.artifacts[2:]),
    ):
        with pytest.raises(PluginError) as caught:
            check_promised(backend, ("a", "d/") if result.artifacts[1:] else ("app.out",), result, "app")
        messages.append(f"{caught.value}\n")
    golden("errors/plugin_promises.txt", "\n".join(messages).replace(f"{__name__.partition('.')[0]}, no", "upper, no"))
