"""Warnings and errors say where, in paths of the project."""

from __future__ import annotations

import pytest

from cratewright.errors import SourceError
from cratewright_native.diagnostics import messages
from tests.support.native_project import Project


def test_a_warning(project: Project) -> None:
    project.write(src__a_c='#include "b.h"\nint f(void) { int unused; return 0; }\n', src__b_h="int h(void) { }\n")
    lines = project.compile("src/a.c", flags=["-Wall"]).diagnostics
    assert sorted(line[: line.index("warning:") + 8] for line in lines) == [
        "src/a.c:2: warning:",
        "src/b.h:1: warning:",
    ]
    assert project.compile("src/a.c", flags=["-w"]).diagnostics == ()


def test_an_error(project: Project) -> None:
    project.write(src__a_c="int f(void) { return here; }\nint g(void) { return there; }\n")
    with pytest.raises(SourceError) as caught:
        project.compile("src/a.c")
    first, second = caught.value.message.splitlines()
    assert first.startswith("src/a.c:1: error: ") and "here" in first
    assert second.startswith("src/a.c:2: error: ") and "there" in second


def test_a_missing_include(project: Project) -> None:
    project.write(a_c="\n#include <no/such.h>\n")
    with pytest.raises(SourceError, match=r"a\.c:2: error: .*no/such\.h") as caught:
        project.compile("a.c")
    assert "include_dirs" in caught.value.hint


def test_an_option_that_is_none(project: Project) -> None:
    project.write(a_c="int x;\n")
    with pytest.raises(SourceError, match=r"a\.c:1: error: .*-fnonsense"):
        project.compile("a.c", flags=["-fnonsense"])


def test_assembly(project: Project) -> None:
    project.write(a_S="good: nop\nbad: nonsense %rax\n")
    with pytest.raises(SourceError, match=r"a\.S:2: error: "):
        project.compile("a.S")


def test_intermediate_representation(llvm_project: Project) -> None:
    llvm_project.write(a_ll="define i32 @f() {\n  ret i64 0\n}\n")
    with pytest.raises(SourceError, match=r"a\.ll:2: error: "):
        llvm_project.compile("a.ll")


def test_bitcode_of_a_newer_llvm(project_with: object) -> None:
    """What it is made of may mean nothing, or something else, to an older one."""
    assert callable(project_with)
    newer, older = project_with("zig"), project_with("llvm")
    if newer.toolchain.llvm_major <= older.toolchain.llvm_major:
        pytest.skip("the system's LLVM is as new as zig's")
    newer.write(a_c="struct s { int a; };\nint f(struct s *p) { return p->a; }\n")
    (module,) = newer.compile("a.c", opt_level="2").modules
    older.write(a_bc=module.data)
    with pytest.raises(SourceError, match=r"a\.bc:1: error: .*Producer") as caught:
        older.compile("a.bc")
    assert "newer LLVM" in caught.value.hint


def test_what_is_read() -> None:
    said = (
        "In file included from a.c:1:\n./x/b.h:3:7: warning: hm [-Wx]\n  3 | y\n    | ^\n"
        "a.c:9: fatal error: no\na.c: In function 'f':\na.c:9:1: note: see\nclang-19: error: unknown argument\n"
        "error: unknown clang option\n./x/b.h:3:7: warning: hm [-Wx]\n2 warnings generated.\n"
    )
    assert [str(message) for message in messages(said, path="a.c")] == [
        "x/b.h:3: warning: hm [-Wx]",
        "a.c:9: error: no",
        "a.c: unknown argument",
        "a.c: unknown clang option",
    ]
