"""What a pattern for files may not find while crates are not declared: outputs that are not on disk."""

from __future__ import annotations

from pathlib import Path

import SCons.Node.FS

from cratewright.scons.settled import SettledBuild
from cratewright.scons.watching import Watch


def _build(built: list[str], unmade: list[str]) -> SettledBuild:
    return SettledBuild(*[None] * len(SettledBuild._fields))._replace(built=built, unmade=unmade)


def test_names_of_outputs_that_were_removed_or_never_made(tmp_path: Path) -> None:
    built = [str(tmp_path / name) for name in ("a.spv", "b.spv", "c.spvs/", "d.spv")]
    (tmp_path / "b.spv").touch()
    changed = [str(tmp_path / name) for name in ("a.spv", "b.spv", "c.spvs", "source.comp")]

    assert _build(built, [built[3]]).unseen_names(changed) == {"a.spv", "c.spvs", "d.spv"}


def test_each_way_to_a_pattern_is_watched(tmp_path: Path) -> None:
    fs = SCons.Node.FS.FS(str(tmp_path))
    watch, asked = Watch(fs, lambda: None, lambda *words, **more: None, lambda: None), []
    watch.look_at_nodes(asked.append, {"gone.spv"}, ["gone.spv", "there.spv"])
    try:
        fs.Glob("*.spv")
        fs.Dir(".").glob("gone.*")
        fs.Glob("there.*", ondisk=False)
        fs.Glob("there.*")
        fs.Glob("*.comp")
    finally:
        watch.end()

    assert [name for name in asked if "/" not in name] == ["gone.spv", "gone.spv", "there.spv"]
