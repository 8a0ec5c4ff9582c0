"""What LTO redoes after an edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native_e2e.lld_cache import redone
from tests.native_e2e.native_scons import NativeProject

SCONSTRUCT = """\
base = env.Crate("base", Glob("base*.c"))
middle = env.Crate("middle", Glob("middle*.c"), deps=[base])
Default(env.Crate("app", ["main.c"], deps=[middle], crate_type="bin", lto=ARGUMENTS.get("lto", "thin")))
"""
FILES = {
    "base1.c": "int base1(int x) { return x + 1; }\n",
    "base2.c": "int base1(int);\nint base2(int x) { return base1(x) * 2; }\n",
    "base3.c": "int base3(int x) { return x ^ 21; }\n",
    "base4.c": "int nobody(int x) { return x; }\n",
    "middle1.c": "int base2(int);\nint middle1(int x) { return base2(x) + base2(x + 1); }\n",
    "middle2.c": "int base3(int);\nint middle2(int x) { return base3(x) - 1; }\n",
    "main.c": "int middle1(int);\nint middle2(int);\nint main(int n) { return middle1(n) - middle2(n) > 99; }\n",
}


@pytest.fixture
def clang_built(tmp_path: Path) -> NativeProject:
    """Return the project after its first build with clang."""
    project = NativeProject(tmp_path / "project", "llvm")
    project.crates(SCONSTRUCT, FILES)
    project.scons()
    return project


def test_unused_function_changes_no_program(clang_built: NativeProject) -> None:
    before = (clang_built.path / "app").read_bytes()
    clang_built.write({"base4.c": "int nobody(int x) { return -x; }\n"})
    clang_built.scons()
    assert (clang_built.path / "app").read_bytes() == before
    assert "0 optimized, 6 reused" in clang_built.output


def test_reverted_edit_is_a_hit(clang_built: NativeProject) -> None:
    before = (clang_built.path / "app").read_bytes()
    clang_built.write({"base1.c": "int base1(int x) { return x + 7; }\n"})
    clang_built.scons()
    assert (clang_built.path / "app").read_bytes() != before
    clang_built.write({"base1.c": FILES["base1.c"]})
    clang_built.scons()
    assert (clang_built.path / "app").read_bytes() == before
    assert "1 compiled" not in clang_built.output and redone(clang_built.path, clang_built.output, "app") == []


def test_ldflags_relink_without_lto(clang_built: NativeProject) -> None:
    text = clang_built.read("SConstruct")
    clang_built.write({"SConstruct": text.replace("lto=ARG", 'ldflags=["-Wl,-z,now"], lto=ARG')})
    clang_built.scons()
    assert "0 optimized, 6 reused" in clang_built.output and "1 image: 1 linked" in clang_built.output
