"""A directory, pipe or device in place of a file is reported by name, without hanging."""

from __future__ import annotations

import os

import pytest

from tests.support.scons_project import SconsProject

CRATE = 'env.Crate("a", ["a.stub"], crate_type=["rlib", "cdylib"])\n'


@pytest.mark.parametrize("name", ["a.stub", "a.rlink", "liba.rlib", "a.cdylib", "a.cdylib.json", ".a.rlink.state"])
def test_directory_in_place_of_file(scons_project: SconsProject, name: str) -> None:
    scons_project.sconstruct(CRATE)
    if name != "a.stub":
        scons_project.write({"a.stub": "entry a\n"})
    (scons_project.path / name).mkdir()
    scons_project.scons(expect=2)
    assert f"{name}" in scons_project.output.partition("scons: ***")[2] and "Traceback" not in scons_project.output


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_endless_source(scons_project: SconsProject, kind: str) -> None:
    scons_project.sconstruct(CRATE)
    path = scons_project.path / "a.stub"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    scons_project.timeout = 30
    scons_project.scons(expect=2)
    assert "a.stub: the source cannot be read" in scons_project.output


def test_pipe_in_place_of_rlib(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env.Crate("b", ["b.stub"])\n' + CRATE.replace("]", '], deps=["b"]', 1))
    scons_project.write({"a.stub": "entry a\n", "b.stub": "export s 1\n"})
    scons_project.timeout = 30
    scons_project.scons()
    (scons_project.path / "libb.rlib").unlink()
    os.mkfifo(scons_project.path / "libb.rlib")
    scons_project.scons(expect=2)
    assert "libb.rlib\n  reason: not a regular file" in scons_project.output


def test_cache_path_is_a_file(scons_project: SconsProject) -> None:
    scons_project.sconstruct(CRATE, a="entry a\n")
    scons_project.write({".crate-cache": ""})
    scons_project.scons()
    assert scons_project.exists("a.cdylib") and scons_project.read(".crate-cache") == ""
    scons_project.environ["CRATE_CACHE"] = ".crate-cache"
    scons_project.scons("-c")
    scons_project.scons()
    assert scons_project.exists("a.cdylib") and scons_project.read(".crate-cache") == ""
