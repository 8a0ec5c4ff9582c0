"""What a pattern for files may not find while crates are not declared: outputs that are not on disk."""

from __future__ import annotations

import fnmatch
from functools import partial
from pathlib import Path

import SCons.Node.FS

from cratewright.scons.settled import SettledBuild
from cratewright.scons.watching import Watch


def _build(built: list[str], unmade: list[str]) -> SettledBuild:
    return SettledBuild(*[None] * len(SettledBuild._fields))._replace(built=built, unmade=unmade)


def test_names_of_outputs_that_were_removed_or_never_made(tmp_path: Path) -> None:
    built = [str(tmp_path / name) for name in ("a.spv", "b.spv", "c.spvs/", "d.spv")]
    (tmp_path / "b.spv").touch()
    unseen = _build(built, [str(tmp_path / "missing.h")]).unseen_names()

    assert unseen("*") == ["missing.h", "a.spv", "c.spvs", "d.spv"]
    assert unseen("[bc].*") == ["c.spvs"]
    (tmp_path / "b.spv").unlink()
    assert unseen("[bc].*") == ["b.spv", "c.spvs"]


def test_each_way_to_a_pattern_is_watched(tmp_path: Path) -> None:
    fs = SCons.Node.FS.FS(str(tmp_path))
    watch, asked = Watch(fs, lambda: None, lambda *words, **more: None, lambda: None), []
    watch.look_at_nodes(asked.append, partial(fnmatch.filter, ["gone.spv"]), ["gone.spv", "there.spv"])
    try:
        fs.Glob("*.spv")
        fs.Dir(".").glob("gone.*")
        fs.Glob("there.*", ondisk=False)
        fs.Glob("there.*")
        fs.Glob("*.comp")
    finally:
        watch.end()

    assert [name for name in asked if "/" not in name] == ["gone.spv", "gone.spv", "there.spv"]
