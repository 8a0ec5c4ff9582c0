"""Whatever appears, vanishes or is put before another: a result that counts as right is what would be made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cratewright import CompiledUnit, CratewrightError
from tests.support.native_project import Project, named
from tests.support.random_lookups import Lookups

# A dose; `CRATE_TEST_LOOKUPS=20` is some hundred edits for each toolchain and language.
ROUNDS = int(os.environ.get("CRATE_TEST_LOOKUPS", "1"))
EDITS = 8


def _compiled(project: Project, lookups: Lookups) -> CompiledUnit | str:
    try:
        return project.compile(lookups.source, include_dirs=["one", "two"], flags=lookups.words)
    except CratewrightError as error:
        return str(error)


@pytest.mark.exhaustive(kind="zig")  # which is clang
@pytest.mark.parametrize("suffix", [".c", ".cpp", ".S"])
@pytest.mark.parametrize("kind", ["llvm", "gcc", "zig"])
def test_what_holds_is_what_would_be_made(tmp_path: Path, kind: str, suffix: str) -> None:
    checked = kept = 0
    for seed in range(ROUNDS):
        project = Project(tmp_path / f"p{seed}", named(kind))
        lookups = Lookups(project.root, seed, suffix)
        before = _compiled(project, lookups)
        said: list[str] = []
        for _ in range(EDITS):
            said.append(lookups.edit())
            after = _compiled(project, lookups)
            if isinstance(before, CompiledUnit):
                checked += 1
                holds = project.is_current(before)
                kept += holds
                same = isinstance(after, CompiledUnit) and after.modules[0].data == before.modules[0].data
                source = (project.root / lookups.source).read_text()
                assert same or not holds, f"seed {seed}: {said}, {lookups.words}\n{source}"
            before = after
        if isinstance(before, CompiledUnit):
            assert project.is_current(before)
    assert checked
    assert kept or ROUNDS < 4
