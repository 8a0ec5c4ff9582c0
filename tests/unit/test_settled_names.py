"""Outputs that are not on disk, which patterns would miss while crates are not declared."""

from __future__ import annotations

from pathlib import Path

import SCons.Node.FS

from cratewright.scons.last_build.record import LastBuild
from cratewright.scons.last_build.watching import Watch


def _build(outputs: list[str], absent: list[str]) -> LastBuild:
    return LastBuild(*[None] * len(LastBuild._fields))._replace(outputs=outputs, absent=absent)


def test_missing_outputs_of_a_directory(tmp_path: Path) -> None:
    outputs = [str(tmp_path / name) for name in ("a.spv", "b.spv", "c.spvs/", "d.spv")]
    (tmp_path / "b.spv").touch()
    missing = _build(outputs, [str(tmp_path / "src" / "missing.h"), str(tmp_path / "e.comp")]).missing_names()

    assert missing(str(tmp_path)) == ["a.spv", "c.spvs", "d.spv", "e.comp"]
    assert missing(str(tmp_path / "src")) == ["missing.h"]
    (tmp_path / "b.spv").unlink()
    (tmp_path / "e.comp").touch()
    assert missing(str(tmp_path)) == ["a.spv", "b.spv", "c.spvs", "d.spv"]


def test_all_forms_of_glob_are_watched(tmp_path: Path) -> None:
    fs = SCons.Node.FS.FS(str(tmp_path))
    watch, notified = Watch(fs, lambda: None, lambda *words, **more: None, lambda: None), []
    watch.watch_nodes(notified.append, lambda directory: ["gone.spv"])
    try:
        fs.Glob("*.spv")
        fs.Dir(".").glob("gone.*")
        fs.Glob("there.*")
        fs.Glob("there.*", ondisk=False)
        fs.Glob("*.comp")
    finally:
        watch.end()

    assert [name for name in notified if "/" not in name] == ["gone.spv", "gone.spv", "there.*"]
