"""Random edits: after each, an incremental build equals a clean one, byte for byte.

`CRATE_SOAK=1000` makes that many edits in each language; a failure names the seed and the edits that led to it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from cratewright.cache.database import EmbeddedStore
from tests.support.engine_build import build_here
from tests.support.random_tree import RandomTree, outputs_of
from tests.support.scons_project import SconsProject

MORE = int(os.environ.get("CRATE_SOAK", "0"))


@pytest.mark.parametrize("verify", ["0", "1"])
def test_random_edits_through_the_engine(tmp_path: Path, verify: str) -> None:
    tree = RandomTree(int(verify), "stub")
    root, store = tmp_path / "tree", tmp_path / "store"
    environ = {"CRATE_CACHE": str(store), "CRATE_CACHE_VERIFY": verify}
    before: dict[str, str] = {}
    edits: list[str] = []
    for number in range(max(150, MORE)):
        before = tree.write(root, before)
        found = build_here(root, environ, before["SConstruct"])
        expected = build_here(root, {"CRATE_CACHE": "off"}, before["SConstruct"])
        assert found == expected, f"after {edits[-5:]}"
        assert isinstance(found, str) == tree.broken
        if number % 40 == 39:  # a damaged or small store must give the same results
            for file in store.iterdir():
                data = bytearray(file.read_bytes())
                data[number * 997 % len(data)] ^= 16
                file.write_bytes(data)
            EmbeddedStore(str(store), 60_000).collect()
        edits.append(tree.edit())
    assert len(set(edits)) >= 12, "every kind of edit was made"


@pytest.mark.parametrize(("language", "count"), [("stub", 10), ("glsl", 5)])
def test_random_edits_through_scons(tmp_path: Path, scons_form: str, language: str, count: int) -> None:
    """Most edits build on the previous state; some follow a clean, and some builds verify hits."""
    tree = RandomTree(7, language)
    project = SconsProject(tmp_path / "tree", form=scons_form)
    project.environ["CRATE_CACHE"] = str(tmp_path / "store")
    before: dict[str, str] = {}
    edits: list[str] = []
    for number in range(max(count, MORE)):
        if number % 5 == 4:  # before writing the edit: SCons cleans only what is declared now
            project.scons("-c")
        before = tree.write(project.path, before)
        project.environ["CRATE_CACHE_VERIFY"] = "1" if number % 7 == 3 else ""
        fresh = SconsProject(tmp_path / "fresh" / str(number), form=scons_form)
        fresh.environ["CRATE_CACHE"] = "off"
        fresh.write(before)
        status = 2 if tree.broken else 0
        project.scons("-j2", "--", expect=status)
        fresh.scons("-j2", "--", expect=status)
        if not tree.broken:
            assert outputs_of(project.path) == outputs_of(fresh.path), f"after {edits[-5:]}"
            assert outputs_of(project.path)
        shutil.rmtree(fresh.path)
        edits.append(tree.edit())
        if MORE and number % 50 == 49:
            print(f"{language}: {number + 1} edits", file=sys.stderr)
