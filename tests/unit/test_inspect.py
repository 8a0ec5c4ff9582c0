"""`cratewright inspect` shows crates, images and manifests, and rejects other files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cratewright
from cratewright import cli
from cratewright.formats.crate_metadata import PRODUCER, CrateMetadata, identified
from cratewright.formats.metadata import encode_dylib, encode_rlib, encode_rlink
from cratewright.formats.stage_record import StageRecord, encode_record
from cratewright.rules.dependency_format import Linkage
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import EntryPoint, ModuleCodegen, Symbol
from cratewright.values.native_library import parse_library
from cratewright.values.options import Options
from tests.support.command_line import run_cli, start_cli

RAW = CrateMetadata(
    name="noise",
    version="1.2.3",
    backend="stub",
    fingerprint="stub 1",
    target="text",
    crate_types=(CrateType.RLIB,),
    dependencies=(CrateReference("maths", "12ab", "ab" * 32), CrateReference("base", "34cd")),
    options=Options(()),
    modules=(
        ModuleCodegen(
            name="a.o",
            data=b"data",
            exports=(Symbol("f", "float f()", "a.stub", 3, "float (int)"), Symbol("h", "h")),
            imports=(Symbol("g", "g", "a.stub", 4, "void ()"),),
            entry_points=(EntryPoint("vertex", "main"),),
            attributes=(("key", "value"),),
        ),
    ),
    natives=(parse_library("static=z", where="here"), parse_library("m", where="here")),
    allocator="needs",
    metadata=("with", "words"),
)

CRATE = identified(RAW)


DETAILS = [
    "crate noise 1.2.3, metadata with words",
    f"  stable id:   {CRATE.stable_id}",
    f"  interface:   {CRATE.interface}",
    f"  content:     {CRATE.content}",
    "  backend:     stub, target text",
    f"  tools:       {PRODUCER}, stub 1",
    "  crate types: rlib",
    "  depends on:  maths 12ab, interface abababababab",
    "               base 34cd, interface not known",
    "  libraries:   static=z dylib=m",
    "  allocator:   needs",
]


@pytest.mark.parametrize(("encode", "name"), [(encode_rlib, "libnoise.rlib"), (encode_rlink, "noise.rlink")])
def test_inspect_an_rlib_and_an_rlink(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], encode: Callable[[CrateMetadata], bytes], name: str
) -> None:
    (tmp_path / name).write_bytes(encode(CRATE))
    assert cli.main(["inspect", str(tmp_path / name)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *DETAILS,
        "  module a.o: 4 bytes, 3a6eb0790f39",
        "    entry point main (vertex)",
        "    exports float f(): float (int) at a.stub:3",
        "    exports h",
        "    imports g: void ()",
        "    key: value",
    ]


def test_inspect_a_dylib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = ((CrateReference("maths", "12ab"), Linkage.DYNAMIC), (CrateReference("base", "34cd"), Linkage.STATIC))
    (tmp_path / "libnoise.so").write_bytes(b"\x7fELF" + encode_dylib(CRATE, inside) + b"more")
    assert cli.main(["inspect", str(tmp_path / "libnoise.so")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *DETAILS,
        "  linked with: dynamic maths 12ab",
        "               static base 34cd",
        "  module a.o",
        "    entry point main (vertex)",
        "    exports float f(): float (int) at a.stub:3",
        "    exports h",
    ]


REPORT = {
    "mode": "fat",
    "optimized": 1,
    "reused": 0,
    "offered": {"maths": 2},
    "bytes_before": 10,
    "bytes_after": 4,
    "seconds": 0.25,
}


def test_inspect_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The LTO report is read from the state beside the program."""
    (tmp_path / "app").write_bytes(b"\x7fELF")
    (tmp_path / ".app.state").write_bytes(encode_record(StageRecord(report=json.dumps(REPORT))))
    assert cli.main(["inspect", str(tmp_path / "app")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "link-time optimization of app",
        "  mode:        fat",
        "  modules:     1 optimized, 0 reused",
        "  offered:     2 of maths",
        "  bytes:       10 before, 4 after",
        "  seconds:     0.25",
    ]


@pytest.mark.parametrize("report", ["", "[]", "{", '{"mode": "fat"}', "3", "[" * 100_000])
def test_inspect_ignores_a_state_without_a_valid_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], report: str
) -> None:
    (tmp_path / ".a.spv.json.state").write_bytes(encode_record(StageRecord(report=report)))
    (tmp_path / "a.spv.json").write_text('{"module": "a.spv"}')
    assert cli.main(["inspect", str(tmp_path / "a.spv.json")]) == 0
    assert json.loads(capsys.readouterr().out) == {"module": "a.spv"}


def test_inspect_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.spv.json").write_text('{"module": "a.spv"}')
    assert cli.main(["inspect", str(tmp_path / "a.spv.json")]) == 0
    assert json.loads(capsys.readouterr().out) == {"module": "a.spv"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot read file"),
        (b"", "is neither an .rlib, an .rlink, a dylib of a crate, a manifest nor an image"),
        (b"\x7fELF", "is neither an .rlib, an .rlink, a dylib of a crate, a manifest nor an image"),
        (encode_rlib(CRATE)[:100], "is truncated or damaged"),
        (encode_rlink(CRATE)[:-1], "is truncated or damaged"),
        (b'{"a":' * 100_000, "is not a manifest"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": "\xff"}', "is not a manifest"),
    ],
)
def test_inspect_other_files(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "file"
    if data is not None:
        path.write_bytes(data)
    done = run_cli("inspect", str(path))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("cratewright: ") and message in done.stderr and "Traceback" not in done.stderr
    assert data is None or "hint:" in done.stderr


def test_inspect_a_directory(tmp_path: Path) -> None:
    done = start_cli("inspect", str(tmp_path))
    assert done.returncode == 2 and f"{tmp_path} is a directory\n  hint: " in done.stderr


def test_reader_that_closes_the_pipe_early(tmp_path: Path) -> None:
    big = CrateMetadata(
        **{
            **{name: getattr(CRATE, name) for name in CrateMetadata.__slots__},
            "modules": tuple(ModuleCodegen(name=f"{number}.o", data=b"") for number in range(20_000)),
        }
    )
    (tmp_path / "big.rlink").write_bytes(encode_rlink(big))
    site = str(Path(cratewright.__file__).parents[1])
    done = subprocess.run(
        f"'{sys.executable}' -m cratewright.cli inspect big.rlink | head -n 1",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": site},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("crate noise 1.2.3, metadata with words\n", "")
