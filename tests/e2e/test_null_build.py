"""Counts what a null build asks of SCons and of the disk; tests/bench measures its time."""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

COUNTING = """\
import atexit, os
counts = {"stat": 0, "visits": 0, "nodes": 0, "asked": 0}
from cratewright.scons.crates.build import Build
from cratewright.scons.crates.declared_crate import DeclaredCrate
from SCons.Node.FS import File
import cratewright.base.stamp
cratewright.base.stamp._FINE_NS = -1_000_000_000  # trust the stamp of even the newest file
def counted(owner, name, word):
    call = getattr(owner, name)
    def instead(*arguments, **words):
        counts[word] += word != "stat" or str(arguments[0]).endswith(".stub")
        return call(*arguments, **words)
    setattr(owner, name, instead)
counted(Build, "find", "visits")
counted(File, "__init__", "nodes")
counted(os, "stat", "stat")
class Instead:
    def __get__(self, crate, kind, slot=DeclaredCrate.instead):
        counts["asked"] += crate is not None
        return slot if crate is None else slot.__get__(crate, kind)
    def __set__(self, crate, value, slot=DeclaredCrate.instead):
        slot.__set__(crate, value)
DeclaredCrate.instead = Instead()
atexit.register(lambda: print("counts", *counts.values()))
"""

CRATES = """\
base = env.Crate("base", "base.stub")
for number in range({count}):
    sources = [f"c{{number}}/{{name}}.stub" for name in "abcd"]
    Default(env.Crate(f"c{{number}}", sources, deps=[base], crate_type="cdylib", multimodule=True))
"""


def _counts(project: SconsProject, count: int) -> list[int]:
    project.sconstruct(COUNTING + CRATES.format(count=count))
    project.write({"base.stub": "export base\n"})
    project.write({f"c{n}/{name}.stub": f"entry {name}\n" for n in range(count) for name in "abcd"})
    project.scons("-j2")
    line = next(line for line in project.scons().splitlines() if line.startswith("counts"))
    return [int(word) for word in line.split()[1:]]


def test_work_of_a_null_build_is_linear_in_crates(scons_project: SconsProject) -> None:
    few = _counts(scons_project, 5)
    many = _counts(scons_project, 20)
    # Four times the crates: linear work grows by 15/5 of the first count, work per pair of crates by fifteen times.
    assert all(after - before <= 15 * (before / 5 + 1) for before, after in zip(few, many, strict=True)), (few, many)


def test_state_files_are_not_nodes(scons_project: SconsProject) -> None:
    """SCons needs to know them only when it cleans and in variant directories."""
    names = "[name for node in Dir('.').get_all_rdirs() for name in node.entries if name.startswith('.base')]"
    text = CRATES.format(count=1) + f"import atexit\natexit.register(lambda: print('beside', sorted({names})))\n"
    scons_project.sconstruct(text)
    scons_project.write({f"c0/{name}.stub": f"entry {name}\n" for name in "abcd"} | {"base.stub": "export base\n"})
    assert "beside []" in scons_project.scons()
    # An SConscript may request a clean at any time.
    scons_project.sconstruct(text + "SetOption('clean', True)\n")
    assert "beside ['.base.rlink.state']" in scons_project.scons()
    assert not [path.name for path in scons_project.path.glob(".*.*.*")]
    scons_project.sconstruct("SConscript('SConscript', variant_dir='out', exports='env')\n")
    scons_project.write({"SConscript": "Import('env')\n" + CRATES.format(count=1)})
    scons_project.scons()
    assert "`out/c0.images' is up to date" in scons_project.scons()
    assert scons_project.exists("out/.base.rlink.state")


def test_states_and_images_are_not_tasks(scons_project: SconsProject) -> None:
    _counts(scons_project, 3)
    scons_project.scons("--taskmastertrace=trace.txt")
    trace = scons_project.read("trace.txt")
    assert "c0.cdylib.json" in trace
    assert "Considering node" in trace
    considered = {line.split("'")[1] for line in trace.splitlines() if "Considering node" in line}
    assert not [name for name in considered if name.startswith(("inputs of", "outputs of")) or ".images/" in name]


@pytest.mark.exhaustive(jobs="-j1")
@pytest.mark.parametrize("jobs", ["-j1", "-j4"])
def test_generated_include_is_built_before_it_is_checked(scons_project: SconsProject, jobs: str) -> None:
    scons_project.sconstruct(
        'env.Command("made.inc", "made.txt", "sleep 0.3; cp $SOURCE $TARGET")\n'
        'Default(env.Crate("app", ["a.stub"], crate_type="cdylib"))\n'
    )
    scons_project.write({"a.stub": "include made.inc\nentry a\n", "made.txt": "export one\n"})
    scons_project.scons(jobs)
    scons_project.write({"made.txt": "export two\n"})
    assert "Compiling crate app.rlink" in scons_project.scons(jobs)
    assert scons_project.up_to_date(jobs)
