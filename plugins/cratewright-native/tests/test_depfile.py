"""Depfiles are read as Make reads them."""

from __future__ import annotations

import pytest

from cratewright import FormatError
from cratewright_native.depfile import parse_depfile
from tests.support.native_project import Project


def test_words() -> None:
    text = "a.o: a.c dir/b\\ c.h \\\n  x\\#y.h d$$e.h \\\n /usr/x.h a.c\n\nb.h:\n"
    assert parse_depfile(text, name="a.c") == ("a.c", "dir/b c.h", "x#y.h", "d$e.h", "/usr/x.h")


def test_no_rule() -> None:
    with pytest.raises(FormatError, match=r"a\.c: the compiler wrote no list"):
        parse_depfile("", name="a.c")


def test_as_compilers_write_them(project: Project) -> None:
    project.root.joinpath("od d$ #x.h").write_text("int odd(void);\n")
    project.write(a_c='#include "od d$ #x.h"\n')
    assert "od d$ #x.h" in project.observed(project.compile("a.c"))
