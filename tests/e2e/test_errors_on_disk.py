"""Errors of the disk: damaged outputs, read-only directories, no space."""

from __future__ import annotations

import ctypes
import os
import random
import resource
from collections.abc import Callable, Iterator

import pytest

from tests.support.scons_project import SconsProject

Golden = Callable[[str, str], None]
OUT = """\
lib = env.Crate("lib", ["b.stub"])
SConscript("app/SConscript", "env lib", variant_dir="out", duplicate=False)
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a built project whose crate `app` is built in the directory `out`."""
    scons_project.sconstruct(OUT, b="export b\n")
    scons_project.write(
        {
            "app/SConscript": 'Import("env lib")\nenv.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib")\n',
            "app/a.stub": "entry a\nimport b\n",
        }
    )
    scons_project.scons()
    return scons_project


def _shown(project: SconsProject) -> str:
    return project.output.replace(str(project.path), "PROJECT")


@pytest.mark.parametrize("size", [0, 7, 8, 30, 100, 400])
def test_truncated_rlib(project: SconsProject, golden: Golden, size: int) -> None:
    """A truncated rlib is refused by name, and the image made from it is removed."""
    rlib = project.path / "liblib.rlib"
    rlib.write_bytes(rlib.read_bytes()[:size])
    project.write({"app/a.stub": "entry a 2\nimport b\n"})
    project.scons(expect=2)
    if size == 100:
        golden("errors/truncated_rlib.txt", _shown(project))
    assert "liblib.rlib" in project.output.partition("scons: ***")[2]
    assert not project.exists("out/app.cdylib") and not project.exists("out/app.cdylib.json")
    rlib.unlink()
    project.scons()
    assert project.up_to_date()


def test_damaged_rlink(project: SconsProject, golden: Golden) -> None:
    rlink = project.path / "out/app.rlink"
    data = rlink.read_bytes()
    rlink.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    project.remove("out/app.cdylib")
    project.scons(expect=2)
    golden("errors/damaged_rlink.txt", _shown(project))
    rlink.unlink()
    project.scons()
    assert project.up_to_date()


def _drop_privileges() -> None:
    """Make file modes apply to root, too."""
    if os.geteuid() == 0:
        prctl, drop_from_bounding_set = ctypes.CDLL(None, use_errno=True).prctl, 24
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if prctl(drop_from_bounding_set, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def locked(project: SconsProject) -> Iterator[SconsProject]:
    """Return the project with a read-only output directory."""
    (project.path / "out").chmod(0o555)
    yield project
    (project.path / "out").chmod(0o755)


def test_read_only_directory_of_codegen(locked: SconsProject, golden: Golden) -> None:
    locked.write({"app/a.stub": "entry a 2\nimport b\n"})
    locked.scons(expect=2, preexec=_drop_privileges)
    golden("errors/read_only_directory.txt", _shown(locked))
    (locked.path / "out").chmod(0o755)
    locked.scons(preexec=_drop_privileges)
    assert locked.read("out/app.cdylib") == "entry a 2\nimport b\nexport b\n"
    assert locked.up_to_date()


def test_read_only_directory_of_a_link(locked: SconsProject) -> None:
    locked.write({"b.stub": "export b 2\n"})
    locked.scons(expect=2, preexec=_drop_privileges)
    assert "cannot" in locked.output and "out/app.cdylib" in locked.output
    (locked.path / "out").chmod(0o755)
    locked.scons(preexec=_drop_privileges)
    assert locked.read("out/app.cdylib") == "entry a\nimport b\nexport b 2\n"
    assert locked.up_to_date()


def test_read_only_directory_after_clean(project: SconsProject) -> None:
    project.scons("-c")
    (project.path / "out").chmod(0o555)
    project.scons(expect=2, preexec=_drop_privileges)
    assert "cannot write" in project.output
    (project.path / "out").chmod(0o755)
    project.scons(preexec=_drop_privileges)
    assert project.up_to_date()


def test_read_only_cache_is_not_an_error(project: SconsProject) -> None:
    for path in [project.path / ".crate-cache", *(project.path / ".crate-cache").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    project.write({"app/a.stub": "entry a 2\nimport b\n"})
    project.scons(preexec=_drop_privileges)
    assert "crate app: 1 unit: 1 compiled, 0 reused" in project.built()
    for path in (project.path / ".crate-cache").rglob("*"):
        path.chmod(0o755)


def test_full_disk(project: SconsProject, golden: Golden) -> None:
    """Without space, no partial output is left; with space, the next run succeeds."""
    limit = 100_000
    noise = random.Random(1).randbytes(limit).hex()
    project.write({"app/a.stub": f"entry a {noise}\nimport b\n"})
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    project.scons(expect=2, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard)))
    golden("errors/full_disk.txt", _shown(project))
    assert not project.exists("out/app.rlink")
    assert not [path for path in project.path.rglob(".tmp-*")]
    project.scons()
    assert noise in project.read("out/app.cdylib")
    assert project.up_to_date()


def test_other_units_are_cached_when_some_fail(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env.Crate("lib", Glob("*.stub"))\n')
    scons_project.write({f"u{number}.stub": f"export u{number}\n" for number in range(6)})
    scons_project.write({"u3.stub": "crash\n", "u4.stub": "error no\n"})
    scons_project.scons(expect=2)
    assert "2 of 6 units" in scons_project.output
    scons_project.write({"u3.stub": "export u3\n", "u4.stub": "export u4\n"})
    scons_project.scons()
    assert scons_project.built() == ["crate lib: 6 units: 2 compiled, 4 reused"]


def test_source_that_is_a_dangling_link(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env.Crate("app", ["a.stub"])\n')
    (scons_project.path / "a.stub").symlink_to("moved.stub")
    output = scons_project.scons(expect=2)
    assert "a.stub: a dangling link" in output and "it leads to moved.stub" in output
