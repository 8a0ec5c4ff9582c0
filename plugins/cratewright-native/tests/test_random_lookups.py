"""After random edits of include files, a unit that counts as up to date equals a recompilation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cratewright import CompiledUnit, CratewrightError
from tests.support.native_project import Project, named
from tests.support.random_lookups import Lookups

# `CRATE_TEST_LOOKUPS=20` tries some hundred edits for each toolchain and language.
ROUNDS = int(os.environ.get("CRATE_TEST_LOOKUPS", "1"))
EDITS = 8


def _compiled(project: Project, lookups: Lookups) -> CompiledUnit | str:
    try:
        return project.compile(lookups.source, include_dirs=["one", "two"], flags=lookups.words)
    except CratewrightError as error:
        return str(error)


@pytest.mark.exhaustive(kind="zig")  # it is clang
@pytest.mark.parametrize("suffix", [".c", ".cpp", ".S"])
@pytest.mark.parametrize("kind", ["llvm", "gcc", "zig"])
def test_current_units_equal_recompilation(tmp_path: Path, kind: str, suffix: str) -> None:
    checked = current = 0
    for seed in range(ROUNDS):
        project = Project(tmp_path / f"p{seed}", named(kind))
        lookups = Lookups(project.root, seed, suffix)
        before = _compiled(project, lookups)
        edits: list[str] = []
        for _ in range(EDITS):
            edits.append(lookups.edit())
            after = _compiled(project, lookups)
            if isinstance(before, CompiledUnit):
                checked += 1
                holds = project.is_current(before)
                current += holds
                same = isinstance(after, CompiledUnit) and after.modules[0].data == before.modules[0].data
                source = (project.root / lookups.source).read_text()
                assert same or not holds, f"seed {seed}: {edits}, {lookups.words}\n{source}"
            before = after
        if isinstance(before, CompiledUnit):
            assert project.is_current(before)
    assert checked
    assert current or ROUNDS < 4
