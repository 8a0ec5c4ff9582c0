"""`cratewright link`: an `.rlink` can be linked again, anywhere, as often as wanted.

Knows nothing of any real backend; the CLI runs in this process, where the stub is registered.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import cli, register, testing
from tests.support.scons_project import SconsProject

SCONSTRUCT = """\
import cratewright
import cratewright.testing
cratewright.register(cratewright.testing)
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="stub")
base = env.Crate("base", ["base.stub"])
lib = env.Crate("lib", ["lib.stub"], deps=[base])
env.Crate("app", ["app.stub"], deps=[lib], crate_type=["rlib", "cdylib"])
"""


@pytest.fixture
def built(scons_project: SconsProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the directory of a project that was built."""
    scons_project.write(
        {
            "SConstruct": SCONSTRUCT,
            "base.stub": "export ground\n",
            "lib.stub": "export floor @ground\nimport ground\n",
            "app.stub": "entry main @floor\nimport floor\n",
        }
    )
    scons_project.scons()
    register(testing)
    monkeypatch.chdir(scons_project.path)
    monkeypatch.setenv("CRATE_CACHE", "off")
    return scons_project.path


def _link(*words: str) -> int:
    return cli.main(["link", *words])


def test_again_and_elsewhere(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = {name: (built / name).read_bytes() for name in ("libapp.rlib", "app.cdylib", "app.cdylib.json")}
    for _ in range(2):
        out = tmp_path / "out"
        assert _link("app.rlink", "-o", str(out)) == 0
        assert {name: (out / name).read_bytes() for name in made} == made
    assert capsys.readouterr().out.splitlines()[:1] == [str(out / "libapp.rlib")]
    assert _link("app.rlink", "--crate-type", "bin", "-o", str(out)) == 0
    assert (out / "app.bin").read_bytes() == made["app.cdylib"]


def test_a_link_sees_new_rlibs(built: Path, tmp_path: Path, scons_project: SconsProject) -> None:
    before = (built / "app.cdylib").read_bytes()
    scons_project.write({"base.stub": "export ground changed\n"})
    scons_project.scons("libbase.rlib")
    assert _link("app.rlink", "-o", str(tmp_path / "out")) == 0
    after = (tmp_path / "out/app.cdylib").read_bytes()
    assert after != before and b"ground changed" in after


def test_rlibs_are_searched_for(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (built / "libbase.rlib").rename(elsewhere / "libbase.rlib")
    assert _link("app.rlink", "-o", str(tmp_path / "out")) == 2
    error = capsys.readouterr().err
    assert "cannot find crate 'base', which 'lib' depends on" in error and "-L DIR" in error
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("app.cdylib*"))
    assert _link("app.rlink", "-L", str(elsewhere), "-o", str(tmp_path / "out")) == 0
    other = tmp_path / "other"
    other.mkdir()
    data = (elsewhere / "libbase.rlib").read_bytes()
    (other / "libbase.rlib").write_bytes(data)
    assert _link("app.rlink", "-L", str(elsewhere), "-L", str(other)) == 0, "two copies of one rlib are one"
    (other / "libbase.rlib").write_bytes((built / "liblib.rlib").read_bytes())
    assert _link("app.rlink", "-L", str(elsewhere), "-L", str(other)) == 2
    assert "2 different rlibs of crate 'base'" in capsys.readouterr().err
    assert _link("app.rlink", "-L", str(other)) == 2
    assert "holds crate 'lib', not 'base'" in capsys.readouterr().err


@pytest.mark.parametrize("position", [0, 20, 60, -40, -1])
def test_what_is_damaged_is_refused(built: Path, position: int, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray((built / "app.rlink").read_bytes())
    data[position] ^= 0xFF
    (built / "bad.rlink").write_bytes(data)
    assert _link("bad.rlink") == 2
    assert "bad.rlink is" in capsys.readouterr().err
