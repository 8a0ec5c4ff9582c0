"""Depfiles of real compilers are read as Make reads them."""

from __future__ import annotations

from tests.support.native_project import Project


def test_depfile_of_a_compiler(project: Project) -> None:
    project.root.joinpath("od d$ #x.h").write_text("int odd(void);\n")
    project.write(a_c='#include "od d$ #x.h"\n')
    assert "od d$ #x.h" in project.observed(project.compile("a.c"))
