"""What a pattern for files may not find while crates are not declared: outputs that are not on disk."""

from __future__ import annotations

from pathlib import Path

import SCons.Node.FS

from cratewright.scons.last_build.record import LastBuild
from cratewright.scons.last_build.watching import Watch


def _build(outputs: list[str], absent: list[str]) -> LastBuild:
    return LastBuild(*[None] * len(LastBuild._fields))._replace(outputs=outputs, absent=absent)


def test_names_of_outputs_that_were_removed_or_never_made(tmp_path: Path) -> None:
    outputs = [str(tmp_path / name) for name in ("a.spv", "b.spv", "c.spvs/", "d.spv")]
    (tmp_path / "b.spv").touch()
    missing = _build(outputs, [str(tmp_path / "src" / "missing.h"), str(tmp_path / "e.comp")]).missing_names()

    assert missing(str(tmp_path)) == ["a.spv", "c.spvs", "d.spv", "e.comp"]
    assert missing(str(tmp_path / "src")) == ["missing.h"]
    (tmp_path / "b.spv").unlink()
    (tmp_path / "e.comp").touch()
    assert missing(str(tmp_path)) == ["a.spv", "b.spv", "c.spvs", "d.spv"]


def test_each_way_to_a_pattern_is_watched(tmp_path: Path) -> None:
    fs = SCons.Node.FS.FS(str(tmp_path))
    watch, asked = Watch(fs, lambda: None, lambda *words, **more: None, lambda: None), []
    watch.watch_nodes(asked.append, lambda directory: ["gone.spv"])
    try:
        fs.Glob("*.spv")
        fs.Dir(".").glob("gone.*")
        fs.Glob("there.*")
        fs.Glob("there.*", ondisk=False)
        fs.Glob("*.comp")
    finally:
        watch.end()

    assert [name for name in asked if "/" not in name] == ["gone.spv", "gone.spv", "there.*"]
