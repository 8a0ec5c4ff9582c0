"""`cratewright link` links an `.rlink` again, anywhere and repeatedly.

The CLI runs in this process, where the stub is registered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import cli, register, testing
from cratewright.formats.crate_metadata import CrateMetadata, identified
from cratewright.formats.metadata import decode_dylib, decode_rlib, decode_rlink, encode_rlib, encode_rlink
from tests.support.scons_project import SconsProject

Golden = Callable[[str, str], None]

SCONSTRUCT = """\
import cratewright
import cratewright.testing
DefaultEnvironment(tools=[]), cratewright.register(cratewright.testing)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="stub")
base = env.Crate("base", ["base.stub"], crate_type=["rlib", "dylib"])
lib = env.Crate("lib", ["lib.stub"], deps=[base])
env.Crate("app", ["app.stub"], deps=[lib], crate_type=["rlib", "cdylib"])
"""
FILES = {
    "SConstruct": SCONSTRUCT,
    "base.stub": "export ground\n",
    "lib.stub": "export floor @ground\nimport ground\n",
    "app.stub": "entry main @floor\nimport floor\n",
}
OUTPUTS = ("libapp.rlib", "app.cdylib", "app.cdylib.json")


@pytest.fixture
def project(scons_project: SconsProject, monkeypatch: pytest.MonkeyPatch) -> SconsProject:
    """Return a project whose crate `base` can be linked statically and dynamically."""
    scons_project.write(FILES)
    register(testing)
    monkeypatch.chdir(scons_project.path)
    monkeypatch.setenv("CRATE_CACHE", "off")
    return scons_project


@pytest.fixture
def built(project: SconsProject) -> Path:
    """Return the directory of the built project."""
    project.scons()
    return project.path


def _link(*words: str) -> int:
    return cli.main(["link", *words])


def _refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert _link(*words) == 2
    return capsys.readouterr().err


def test_relinking_gives_the_same_bytes_anywhere(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {name: (built / name).read_bytes() for name in OUTPUTS}
    for _ in range(2):
        out = tmp_path / "out"
        assert _link("app.rlink", "-o", str(out)) == 0
        assert {name: (out / name).read_bytes() for name in made} == made
    assert capsys.readouterr().out.splitlines()[:1] == [str(out / "libapp.rlib")]
    assert _link("app.rlink", "--crate-type", "bin", "-o", str(out)) == 0
    assert (out / "app.bin").read_bytes() == made["app.cdylib"]


def test_link_reads_new_rlibs(project: SconsProject, tmp_path: Path) -> None:
    project.write({"SConstruct": SCONSTRUCT.replace(', crate_type=["rlib", "dylib"]', "")})
    project.scons()
    before = (project.path / "app.cdylib").read_bytes()
    project.write({"base.stub": "export ground changed\n"})
    project.scons("libbase.rlib")
    assert _link("app.rlink", "-o", str(tmp_path / "out")) == 0
    after = (tmp_path / "out/app.cdylib").read_bytes()
    assert after != before and b"ground changed" in after


def test_dependency_formats_are_recalculated(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of rlib and dylib the existing one is used, or with both the one that the crate prefers."""
    out = tmp_path / "out"
    assert _link("app.rlink", "-o", str(out)) == 0
    assert b"dylib" not in (out / "app.cdylib").read_bytes()
    (built / "libbase.rlib").unlink()
    assert _link("app.rlink", "-o", str(out)) == 0
    text = (out / "app.cdylib").read_bytes()
    assert b"dylib base\n" in text and b"export floor" in text and b"export ground" not in text
    assert "cannot be linked together" in _refused(capsys, "app.rlink", "--crate-type", "staticlib", "-o", str(out))
    (built / "base.dylib").unlink()
    assert "cannot find crate 'base'" in _refused(capsys, "app.rlink", "-o", str(out))


@pytest.mark.parametrize(
    ("words", "shows"), [("prefer_dynamic=True", b"dylib base\n"), ('lto={"cdylib": "fat"}', b"optimized fat\n")]
)
def test_link_uses_the_options_of_the_rlink(project: SconsProject, tmp_path: Path, words: str, shows: bytes) -> None:
    text = SCONSTRUCT.replace('crate_type=["rlib", "cdylib"]', f'crate_type=["rlib", "cdylib"], {words}')
    project.write({"SConstruct": text})
    project.scons()
    made = (project.path / "app.cdylib").read_bytes()
    assert shows in made
    assert _link("app.rlink", "-o", str(tmp_path)) == 0
    assert (tmp_path / "app.cdylib").read_bytes() == made


def test_dylib_lists_the_crates_it_includes(
    project: SconsProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a dylib made by a build does."""
    project.write({"SConstruct": SCONSTRUCT.replace('crate_type=["rlib", "dylib"]', 'crate_type="rlib"')})
    project.scons()
    assert _link("lib.rlink", "--crate-type", "dylib", "-o", str(project.path)) == 0
    crate, inside = decode_dylib((project.path / "lib.dylib").read_bytes(), path="lib.dylib")
    base = decode_rlib((project.path / "libbase.rlib").read_bytes(), path="libbase.rlib")
    assert [(item, linkage.value) for item, linkage in inside] == [(base.reference, "static")]
    assert crate.dependencies == (base.reference,)
    (project.path / "liblib.rlib").unlink()
    assert _link("app.rlink", "-o", str(tmp_path)) == 0
    text = (tmp_path / "app.cdylib").read_bytes()
    assert b"dylib lib\n" in text and b"export ground" not in text, "base is inside the dylib of lib"
    capsys.readouterr()
    assert cli.main(["inspect", "lib.dylib"]) == 0
    shown = capsys.readouterr().out
    assert f"linked with: static base {base.stable_id}\n" in shown and "    exports floor at lib.stub:1\n" in shown


def test_rlibs_are_searched_in_directories(
    project: SconsProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"SConstruct": SCONSTRUCT.replace(', crate_type=["rlib", "dylib"]', "")})
    project.scons()
    out, rlib = str(tmp_path / "out"), project.path / "libbase.rlib"
    elsewhere, other = tmp_path / "elsewhere", tmp_path / "other"
    elsewhere.mkdir()
    other.mkdir()
    data = rlib.read_bytes()
    rlib.rename(elsewhere / "libbase.rlib")
    error = _refused(capsys, "app.rlink", "-o", out)
    assert "cannot find crate 'base', which 'lib' depends on" in error and "-L DIR" in error
    assert not Path(out).exists()
    assert _link("app.rlink", "-L", str(elsewhere), "-o", out) == 0
    (other / "libbase.rlib").write_bytes(data)
    assert _link("app.rlink", "-L", str(elsewhere), "-L", str(other)) == 0, "equal copies of an rlib count as one"
    (other / "libbase.rlib").write_bytes((project.path / "liblib.rlib").read_bytes())
    assert _link("app.rlink", "-L", str(elsewhere), "-L", str(other)) == 0, "an rlib of another crate is skipped"
    assert "holds crate 'lib', not 'base'" in _refused(capsys, "app.rlink", "-L", str(other))


def _change(path: Path, change: Callable[[CrateMetadata], CrateMetadata]) -> None:
    path.write_bytes(encode_rlib(identified(change(decode_rlib(path.read_bytes(), path="x")))))


def _body(crate: CrateMetadata) -> CrateMetadata:
    return replace(crate, modules=(replace(crate.modules[0], data=b"export ground other\n"),))


WRONG: dict[str, Callable[[CrateMetadata], CrateMetadata]] = {
    "wrong_target": lambda crate: replace(crate, target="text2"),
    "wrong_backend": lambda crate: replace(crate, backend="native"),
    "incompatible_version": lambda crate: replace(crate, fingerprint="stub 0"),
    "incompatible_producer": lambda crate: replace(crate, producer="cratewright 0.0.1"),
    "stale": lambda crate: replace(crate, modules=(replace(crate.modules[0], exports=()),)),
    "not_found": lambda crate: replace(crate, version="9.0.0"),
    "two_builds": _body,
}


@pytest.mark.parametrize("name", WRONG)
def test_incompatible_rlib_is_refused(
    built: Path, golden: Golden, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name != "two_builds":
        (built / "base.dylib").unlink()
    _change(built / "libbase.rlib", WRONG[name])
    golden(f"errors/link_{name}.txt", _refused(capsys, "app.rlink", "-o", "out"))
    assert not (built / "out").exists()


def test_edited_body_does_not_make_rlibs_stale(built: Path, tmp_path: Path) -> None:
    (built / "base.dylib").unlink()
    _change(built / "libbase.rlib", _body)
    assert _link("app.rlink", "-o", str(tmp_path)) == 0
    assert b"ground other" in (tmp_path / "app.cdylib").read_bytes()


def test_crate_that_depends_on_its_own_identity_is_refused(
    built: Path, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    crate = decode_rlink((built / "app.rlink").read_bytes(), path="app.rlink")
    (built / "bad.rlink").write_bytes(encode_rlink(replace(crate, dependencies=(crate.reference,))))
    golden("errors/link_collision.txt", _refused(capsys, "bad.rlink"))


def _rlinks(data: bytes) -> dict[str, bytes]:
    magic = data.index(b"\n") + 1
    whole = decode_rlink(data, path="x")
    return {
        "foreign": b"\x7fELF" + data,
        "no_version": data[: magic + 2],
        "encoding": data[:magic] + b"\0\0\0\x09" + data[magic + 4 :],
        "truncated": data[:-1],
        "flipped": data[:-1] + bytes([data[-1] ^ 1]),
        "producer": encode_rlink(replace(whole, producer="cratewright 0.0.1")),
        "tools": encode_rlink(replace(whole, fingerprint="stub 0")),
    }


@pytest.mark.parametrize(
    "name", ["missing", "foreign", "no_version", "encoding", "truncated", "flipped", "producer", "tools"]
)
def test_unusable_rlink_is_refused(built: Path, golden: Golden, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name != "missing":
        (built / "bad.rlink").write_bytes(_rlinks((built / "app.rlink").read_bytes())[name])
    golden(f"errors/rlink_{name}.txt", _refused(capsys, "bad.rlink"))


def test_inspect_shows_what_lto_did(project: SconsProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"SConstruct": SCONSTRUCT.replace('"cdylib"]', '"cdylib"], lto={"cdylib": "thin"}')})
    project.scons()
    capsys.readouterr()
    assert cli.main(["inspect", "app.cdylib.json"]) == 0
    shown = capsys.readouterr().out
    document, _, report = shown.partition("link-time optimization of app.cdylib.json\n")
    assert json.loads(document) == {"images": ["app.cdylib"]}
    assert "  mode:        thin\n  modules:     3 optimized, 0 reused\n" in report
    assert "  offered:     1 of lib 1 of base\n" in report
