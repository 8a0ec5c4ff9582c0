"""A forged cache entry does no more harm than a wrong result; one that could do more is a miss."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity
from cratewright.base.errors import ToolError
from cratewright.cache.database import EmbeddedStore
from cratewright.cache.entry import (
    ObservedResult,
    decode_alternatives,
    encode_alternatives,
    open_entry,
    result_bytes,
    result_of,
    seal_entry,
)
from cratewright.contract.backend import CodegenBackend
from cratewright.contract.edge import open_backend
from cratewright.contract.promised import could_return
from cratewright.contract.session import Session
from cratewright.testing import StubBackend
from cratewright.values.call import BackendCall
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CompiledUnit, EntryPoint, ModuleCodegen, Observed
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import Artifact, LinkRequest, LinkResult, ModuleConfig, ThinBuffer, ThinModule
from cratewright.values.stencil import UnitStencil
from tests.soak.rounds import soak
from tests.support.engine_build import build_here
from tests.support.random_tree import RandomTree

OPTIONS = Options(tuple(sorted((spec.name, spec.default) for spec in (*CORE_OPTIONS, *StubBackend.OPTIONS))))


def _request(kind: CrateType = CrateType.CDYLIB, options: Options = OPTIONS) -> LinkRequest:
    return LinkRequest(crate="app", crate_type=kind, target="text", options=options, modules=())


def _stub() -> Any:
    return open_backend(StubBackend, Session(root="/", target="text"))


def _linked(*artifacts: Artifact, **changes: Any) -> LinkResult:
    return LinkResult(artifacts=artifacts, **changes)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/home/somebody/.bashrc",
            "../app.cdylib",
            "a/../../b",
            "SConstruct",
            ".git/hooks/post-checkout",
            "app.cdylib/x",
        ),
        *("", ".", "app.cdylib\0", "app.images/../SConstruct", "app.json", "app.cdylib.json.state", ".app.rlink.state"),
    ],
)
def test_only_declared_link_outputs_are_accepted(path: str) -> None:
    backend, link = _stub(), BackendCall(CodegenBackend.link, _request())
    assert could_return(backend, link, _linked(Artifact("app.cdylib", b"")))
    for executable in (False, True):
        assert not could_return(backend, link, _linked(Artifact(path, b"", executable=executable)))
        both = _linked(Artifact("app.cdylib", b""), Artifact(path, b"", executable=executable))
        assert not could_return(backend, link, both)


def test_only_declared_image_directories_are_accepted() -> None:
    several = OPTIONS.override({"multimodule": True})
    for path, fits in (("app.images/main", True), ("app.imagesmain", False), ("app.images/../x", False)):
        link = BackendCall(CodegenBackend.link, _request(options=several))
        assert could_return(_stub(), link, _linked(Artifact(path, b""))) is fits


def test_only_bin_and_cdylib_may_be_executable() -> None:
    for kind in (CrateType.BIN, CrateType.CDYLIB, CrateType.STATICLIB):
        made = _linked(Artifact(f"app.{kind.value}", b"", executable=True))
        assert could_return(_stub(), BackendCall(CodegenBackend.link, _request(kind)), made) is (
            kind is not CrateType.STATICLIB
        )


def _warning(text: str, **words: Any) -> Diagnostic:
    return Diagnostic(Severity.WARNING, text, "a.c", 1, **words)


UNIT = CompiledUnit(modules=(ModuleCodegen(name="", data=b""),))


@pytest.mark.parametrize(
    ("method", "value"),
    [
        (CodegenBackend.compile_codegen_unit, _linked()),
        (CodegenBackend.compile_codegen_unit, UNIT.modules[0]),
        (CodegenBackend.compile_codegen_unit, CompiledUnit(modules=())),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, modules=UNIT.modules * 2)),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, modules=(replace(UNIT.modules[0], name="a\nb"),))),
        (
            CodegenBackend.compile_codegen_unit,
            replace(UNIT, modules=(replace(UNIT.modules[0], attributes=(("b", ""), ("a", ""))),)),
        ),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, observed=(Observed("a\0b", None),))),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, observed=(Observed("a", "no digest"),))),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, observed=(Observed("a", None),) * 2)),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, diagnostics=(_warning("a\x1b]0;evil\x07"),))),
        (CodegenBackend.compile_codegen_unit, replace(UNIT, diagnostics=(_warning("", rendered="a\udcff"),))),
        (CodegenBackend.link, _linked(diagnostics=(_warning("", related=(RelatedPlace("", "a\x9b2J"),)),))),
        (CodegenBackend.link, UNIT),
        (CodegenBackend.link, _linked(report="[[[[")),
        (CodegenBackend.link, _linked(report="[" * 100_000)),
        (CodegenBackend.run_thin_lto, UNIT),
        (CodegenBackend.run_thin_lto, (UNIT,)),
        (CodegenBackend.optimize_thin, ()),
        (CodegenBackend.codegen, UNIT),
    ],
)
def test_impossible_result_is_a_miss(method: Callable[..., object], value: object) -> None:
    assert not could_return(_stub(), BackendCall(method, _request()), value)


def test_exception_in_could_return_is_a_miss() -> None:
    class Careless(StubBackend):
        def could_return(self, call: BackendCall[Any], value: object) -> bool:
            raise KeyError(call.name)

    backend: Any = open_backend(Careless, Session(root="/", target="text"))
    stencil = UnitStencil(backend="stub", fingerprint="", target="text", path="a", source=b"", options=OPTIONS)
    assert not could_return(backend, BackendCall(CodegenBackend.compile_codegen_unit, stencil), UNIT)


def _plant(store: Path, change: Callable[[Any], Any]) -> int:
    """Apply `change` to every result in a store, drop the conditions of each changed one, and count those."""
    opened_store, count = EmbeddedStore(str(store)), 0
    for key, data in list(opened_store.entries()):
        (alternative, *_) = decode_alternatives(open_entry(key, data))
        before = result_of(alternative.result)
        after = change(before)
        if after != before:
            opened_store.insert(key, seal_entry(key, encode_alternatives([ObservedResult((), result_bytes(after))])))
            count += 1
    opened_store.close()
    return count


@pytest.mark.parametrize(
    "artifact",
    [Artifact("../outside", b""), Artifact("SConstruct", b"evil", executable=True), Artifact("/tmp/x", b"", dump=True)],
    ids=["above", "a source", "a dump"],
)
def test_planted_link_result_is_remade_or_harmless(tmp_path: Path, artifact: Artifact) -> None:
    tree = RandomTree(1, "stub")
    before = tree.write(tmp_path / "tree", {})
    environ = {"CRATE_CACHE": str(tmp_path / "store")}
    expected = build_here(tmp_path / "tree", environ, before["SConstruct"])
    assert isinstance(expected, dict)

    def change(result: Any) -> Any:
        return replace(result, artifacts=(*result.artifacts, artifact)) if isinstance(result, LinkResult) else result

    assert _plant(tmp_path / "store", change)
    found = build_here(tmp_path / "tree", environ, before["SConstruct"])
    assert found == expected or artifact.dump
    assert (
        not (tmp_path / "outside").exists() and (tmp_path / "tree" / "SConstruct").read_text() == before["SConstruct"]
    )


def _native() -> Any:
    native = pytest.importorskip("cratewright_native.backend")
    return native.NativeBackend()


def test_thin_lto_index_names_only_its_own_files() -> None:
    from cratewright_native.linking.resolve import module_file
    from cratewright_native.lto.thin import names_own_files, run_thin_backend

    data, other = b"BC\xc0\xdeone", b"BC\xc0\xdetwo"
    whole = ThinModule(
        name="a",
        crate="c",
        data=data,
        index=f"{module_file(data)}\n".encode() + b"index",
        imports=(ThinBuffer(module_file(other, 3), other),),
    )
    assert names_own_files(whole) and _native().could_return(
        BackendCall(CodegenBackend.run_thin_lto, _request()), (whole,)
    )
    for name in (
        "../x.bc",
        "/tmp/x.bc",
        "-fplugin=x",
        "@x",
        "a\0.bc",
        "",
        "index",
        module_file(other),
        "0" * 32 + ".bc",
    ):
        for wrong in (
            replace(whole, index=f"{name}\nindex".encode()),
            replace(whole, imports=(ThinBuffer(name, b"data"),)),
        ):
            assert not names_own_files(wrong) and not _native().could_return(
                BackendCall(CodegenBackend.run_thin_lto, _request()), (wrong,)
            )
            config = ModuleConfig(target="t", options=OPTIONS)
            with pytest.raises(ToolError, match="names files that are not its own"):
                run_thin_backend(wrong, config, None)  # type: ignore[arg-type]


def _row(**changes: object) -> str:
    row = {"path": "app.spv", "entries": [], "spec_constants": [], "imported": {}, "crates": [], **changes}
    return json.dumps([{key: value for key, value in row.items() if value is not ...}])


def test_malformed_spirv_attributes_are_a_miss() -> None:
    kept = pytest.importorskip("cratewright_spirv.crate.cached_results")
    image = _linked(Artifact("app.spv", b""), report=_row())
    assert kept.is_readable(image) and kept.is_readable(UNIT) and kept.is_readable(())
    for report in (_row(path="other"), _row(path=3), _row(entries=...), _row(entries=[{}]), _row(entries=3), "3", "{}"):
        assert not kept.is_readable(replace(image, report=report))
    module = UNIT.modules[0]
    for words in (
        {"entries": "[[1]]"},
        {"entries": "[3]"},
        {"entries": "[[[["},
        {"entries": '[["no stage", "a", "b", "c", "d"]]'},
        {"facts": "[[1]]"},
        {"facts": '["a"]'},
        {"facts": "[" * 100_000},
        {"parts": "1 -2"},
        {"parts": "x"},
    ):
        wrong = replace(module, attributes=tuple(words.items()))
        thin = ThinModule(name="", crate="", data=b"", attributes=tuple(words.items()))
        assert (
            not kept.is_readable(wrong)
            and not kept.is_readable((thin,))
            and not kept.is_readable(replace(UNIT, modules=(wrong,)))
        )
    assert not kept.is_readable(replace(module, entry_points=(EntryPoint("no stage", "main"),)))


def test_short_soak() -> None:
    """`python -m tests.soak --minutes 30` runs more."""
    tried, wrong = soak(0, 1)
    del tried["of them known"]  # covered by tests/spirv_e2e/test_twins.py
    assert all(tried.values()) and not any(wrong.values()), wrong
