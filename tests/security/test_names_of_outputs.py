"""A link writes and removes files only below its crate's output directory.

Names come from plugins, from crate metadata and from the record of an earlier link.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError, FormatError, OutputError
from cratewright.formats.crate_metadata import CrateMetadata
from cratewright.formats.metadata import decode_rlib, decode_rlink, encode_rlib, encode_rlink
from cratewright.formats.stage_record import SeenFile, StageRecord, encode_record
from cratewright.pipeline.emit import assign_paths, discard, emit, leave
from cratewright.pipeline.plan import check_linkable
from cratewright.rules.output_place import check_output_path, check_output_paths
from cratewright.system import fs
from cratewright.system.output_area import OutputArea
from cratewright.testing import StubBackend
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import ModuleCodegen
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import Artifact

BAD_PATHS = [
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/..",
    "..",
    ".",
    "",
    "a//b",
    "a/",
    "./a",
    "a\0b",
    "a\nb",
    "a\x1b[2Jb",
    "a\udcffb",
    "a\\b",
    'a"b',
    "a" * 256,
    "\u00e4" * 128,
    "/".join(["a" * 200] * 20),
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_bad_output_path_is_refused(tmp_path: Path, path: str) -> None:
    area = OutputArea(str(tmp_path), "out")
    with pytest.raises(OutputError, match="crate 'a'") as caught:
        assign_paths([Artifact("a.json", b""), Artifact(path, b"x")], area, where="crate 'a'")
    assert "\x1b" not in str(caught.value) and "\udcff" not in str(caught.value)
    if path.startswith("/"):
        return
    with pytest.raises(OutputError):
        assign_paths(
            [Artifact(f"dumps/{path}", b"x", dump=True)], OutputArea(str(tmp_path), "out", "dumps"), where="crate 'a'"
        )


@pytest.mark.parametrize("path", ["a", "a/b.spv", "-o", "@x", "#x", "$x", "a b", "..a", "a..", "\u00e4", "a" * 255])
def test_good_output_path_is_accepted(path: str) -> None:
    assert check_output_path(path, where="") == path


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b/c", "a/b")])
def test_conflicting_output_paths_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(OutputError, match="would be"):
        check_output_paths(paths, where="crate 'a'")


@pytest.mark.parametrize("names", [("Main", "main"), ("\u00e4", "a\u0308"), ("stra\u00dfe", "STRASSE")])
def test_names_equal_on_case_insensitive_file_systems_are_refused(
    tmp_path: Path, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    area, artifacts = OutputArea(str(tmp_path), "out"), [Artifact(name, b"") for name in names]
    if not area.folds_case():
        assert len(assign_paths(artifacts, area, where="")[0]) == 2
    monkeypatch.setattr(OutputArea, "folds_case", lambda area: True)
    with pytest.raises(OutputError, match="case-insensitive"):
        assign_paths(artifacts, area, where="")


def test_dumps_stay_in_their_directories(tmp_path: Path) -> None:
    area = OutputArea(str(tmp_path), "out", "dumps/", "/elsewhere")
    artifacts = [Artifact("x", b""), Artifact("dumps//a", b"", dump=True), Artifact("/elsewhere/a", b"", dump=True)]
    assert assign_paths(artifacts, area, where="")[0].keys() == {"out/x", "dumps/a", "/elsewhere/a"}
    with pytest.raises(OutputError, match="names for dumps"):
        assign_paths([Artifact("dumpster/a", b"", dump=True)], area, where="")
    with pytest.raises(OutputError):
        leave([("dumps/../x", b"")], str(tmp_path), ["dumps"], where="")
    with pytest.raises(OutputError, match="names for dumps"):
        leave([("x", b"")], str(tmp_path), [], where="")


def test_symlink_out_of_the_output_directory_is_not_followed(tmp_path: Path) -> None:
    """The directory of images must not be a link to other files; the output directory itself may be a link."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.spv").write_text("precious")
    (tmp_path / "scratch").mkdir()
    (tmp_path / "out").symlink_to("scratch")
    (tmp_path / "out/a.spvs").symlink_to(tmp_path / "mine")
    area = OutputArea(str(tmp_path), "out")
    files, _ = assign_paths([Artifact("a.json", b"{}"), Artifact("a.spvs/a.spv", b"x")], area, where="")
    with pytest.raises(OutputError, match="outside"):
        emit(area, files, ())
    discard(area, files)
    emit(area, {"out/b": Artifact("b", b"x")}, ["out/a.spvs/a.spv"])
    fs.prune_directory(str(tmp_path / "out/a.spvs"))
    assert (tmp_path / "mine/a.spv").read_text() == "precious"
    assert (tmp_path / "scratch/b").read_bytes() == b"x"


def test_symlink_or_pipe_in_place_of_output_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "a").symlink_to("precious")
    os.mkfifo(tmp_path / "b")
    area = OutputArea(str(tmp_path), "")
    emit(area, {name: Artifact(name, b"precious") for name in "ab"}, ())
    assert all((tmp_path / name).is_file() and not (tmp_path / name).is_symlink() for name in "ab")


def test_artifacts_that_are_symlinks(tmp_path: Path) -> None:
    (tmp_path / "out/d").mkdir(parents=True)
    (tmp_path / "out/a").write_text("a file before")
    area = OutputArea(str(tmp_path), "out")
    links = [Artifact("a", b"", link="b"), Artifact("d/l", b"", link="c"), Artifact("b", b"", link="c")]
    files, _ = assign_paths([*links, Artifact("c", b"x")], area, where="crate 'a'")
    emit(area, files, ())
    emit(area, files, ())
    assert {path: os.readlink(tmp_path / "out" / path) for path in ("a", "b", "d/l")} == {
        "a": "b",
        "b": "c",
        "d/l": "../c",
    }
    assert (tmp_path / "out/a").read_text() == "x"
    with pytest.raises(OutputError, match="outside"):
        emit(area, {"out/a": Artifact("a", b"", link="../x")}, ())
    # A refused link must not remain and look like a result.
    assert not os.path.lexists(tmp_path / "out/a")
    emit(OutputArea(str(tmp_path), "out"), {}, ["out/b", "out/d/l"])
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["c", "d"]


@pytest.mark.parametrize("path", ["precious", "../precious", "{}/precious", "out/../precious", "out/link/precious"])
def test_old_outputs_are_removed_only_below_the_output_directory(tmp_path: Path, path: str) -> None:
    root = tmp_path / "project"
    (root / "out").mkdir(parents=True)
    (root / "out/link").symlink_to(root)
    for precious in (root / "precious", tmp_path / "precious", root / "out/old"):
        precious.write_text("")
    emit(OutputArea(str(root), "out"), {"out/a": Artifact("a", b"x")}, [path.format(root), "out/old"])
    assert (root / "precious").exists() and (tmp_path / "precious").exists() and not (root / "out/old").exists()


def _crate(name: str = "a", module: str = "m.up", **changes: object) -> CrateMetadata:
    values = {spec.name: spec.default for spec in (*CORE_OPTIONS, *StubBackend.OPTIONS)}
    crate = CrateMetadata(
        name=name,
        version="1",
        backend="stub",
        fingerprint="stub 1",
        target="text",
        crate_types=(CrateType.CDYLIB,),
        dependencies=(),
        options=Options(tuple(sorted(values.items()))),
        modules=(ModuleCodegen(name=module, data=b"entry a\n"),),
    )
    return replace(crate, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "..", "/tmp/x", "../x", "-o", "a\0", "a\n", "a b", "1", "a" * 201, "\u00e4"])
def test_bad_crate_name_in_metadata_is_refused(name: str) -> None:
    for crate in (_crate(name), _crate(dependencies=(CrateReference(name, "0" * 16),))):
        for encode, decode in ((encode_rlib, decode_rlib), (encode_rlink, decode_rlink)):
            with pytest.raises(FormatError, match="f: the crate metadata is damaged"):
                decode(encode(crate), path="f")


@pytest.mark.parametrize("name", ["..", "/tmp/x", "../x", "a/../../x", "a\0", "a\x1b", "a" * 256])
def test_bad_module_name_in_metadata_is_refused(name: str) -> None:
    with pytest.raises(FormatError, match="f: the crate metadata is damaged"):
        decode_rlink(encode_rlink(_crate(module=name)), path="f")


@pytest.mark.parametrize(
    "options",
    [
        {"opt_level": "9"},
        {"lto": "everything"},
        {"lto": (("cdylib", "everything"),)},
        {"lto": (("cdylib", "thin"), ("nowhere", "thin"))},
        {"shout": "yes"},
        {"shout": 1},
        {"lib_dirs": "x"},
        {"lib_dirs": ("a\0b",)},
        {"exports": (("a", "b"),)},
        {"unheard_of": True},
        {"exports": None},
        {"libs": ("static:+evil=z",)},
    ],
)
def test_bad_option_in_metadata_is_refused(options: dict[str, object]) -> None:
    crate = _crate()
    values = {**dict(crate.options.values), **options}
    crate = replace(crate, options=Options(tuple(sorted(values.items()))))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="crate 'a'"):
        check_linkable(crate, StubBackend(), CrateType.CDYLIB)


def test_missing_option_in_metadata_is_refused() -> None:
    for lost in sorted(StubBackend.LINK_OPTIONS | {"prefer_dynamic"}):
        crate = _crate()
        crate = replace(crate, options=Options(tuple(pair for pair in crate.options.values if pair[0] != lost)))
        with pytest.raises(ConfigurationError, match=lost):
            check_linkable(crate, StubBackend(), CrateType.CDYLIB)
    with pytest.raises(ConfigurationError, match="target"):
        check_linkable(_crate(target="-o"), StubBackend(), CrateType.CDYLIB)
    check_linkable(decode_rlink(encode_rlink(_crate()), path=""), StubBackend(), CrateType.CDYLIB)
    typed = replace(_crate(), options=_crate().options.override({"lto": (("cdylib", "thin"),)}))
    check_linkable(decode_rlink(encode_rlink(typed), path=""), StubBackend(), CrateType.CDYLIB)


def test_damaged_state_file_is_ignored(tmp_path: Path) -> None:
    from cratewright.scons.nodes.state import StageState

    def state() -> StageState:
        return StageState("s", digests=fs.FileDigests(str(tmp_path)), target=str(tmp_path / "a"), request=lambda: "")

    seen = StageRecord((SeenFile("a", "b"),), ("a",))
    whole = encode_record(seen)
    for data in (
        encode_record(replace(seen, outputs=("a\0",))),
        encode_record(replace(seen, outputs=("",))),
        encode_record(replace(seen, observed=(SeenFile("a\0", None),))),
        whole[:-1],
        whole[1:],
        b"\xff" + whole[1:],
        whole[:1] + b"\xff" + whole[2:],
        whole.replace(b"stage 3", b"stage 9"),
        b"\x91" * 100_000,
        b"{}",
        b"",
    ):
        (tmp_path / ".a.state").write_bytes(data)
        assert state().outputs() == () and state()._remembered() == ((), ("(never built)",)), data[:99]
    (tmp_path / ".a.state").write_bytes(encode_record(seen, b"history"))
    assert state().outputs() == ("a",) and state().history() == b"history"
