"""Files that change, or appear, while a unit is compiled."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from cratewright import SourceError, ToolError
from cratewright_native.compile import unit as unit_module
from cratewright_native.lookups.observe import FileMemory
from tests.support.native_project import Project


def test_a_source_that_changes_meanwhile(project: Project) -> None:
    project.write(a_c="int x;\n")
    stencil = project.stencil("a.c")
    project.write(a_c="int y;\n")
    with pytest.raises(SourceError, match=r"a\.c:1: error: the source has changed"):
        project.backend.compile_codegen_unit(stencil)


@pytest.mark.parametrize("text", ["#include <k.h>\nint K;\n", "#if __has_include(<m.h>)\nint one;\n#endif\n"])
def test_a_header_that_appears_meanwhile(project: Project, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The compiler has searched there before, so its result would be that of a tree that is gone."""
    project.write(a_c=text, first__x_h="", second__k_h="#define K two\n")
    listed = unit_module.listed_files

    def appear(*words: Any) -> Any:
        found = listed(*words)
        if not (project.root / "first/k.h").exists():
            project.write(first__k_h="#define K one\n", first__m_h="")
        return found

    monkeypatch.setattr(unit_module, "listed_files", appear)
    unit = project.compile("a.c", include_dirs=["first", "second"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["one"]
    assert project.is_current(unit)


def test_a_header_of_the_future(project: Project) -> None:
    project.write(a_c='#include "b.h"\n', b_h="int x;\n")
    later = os.stat(project.root / "b.h").st_mtime_ns + 3600 * 10**9
    os.utime(project.root / "b.h", ns=(later, later))
    assert project.compile("a.c").modules


def test_a_header_that_keeps_changing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest could be that of another content than the compiler saw."""
    project.write(a_c='#include "b.h"\n', b_h="int x;\n")
    listed = unit_module.listed_files

    def change(*words: Any) -> Any:
        project.write(b_h="int x;\n")
        return listed(*words)

    monkeypatch.setattr(unit_module, "listed_files", change)
    with pytest.raises(ToolError, match=r"a\.c: files that it includes keep changing"):
        project.compile("a.c")


def test_memory_is_of_one_content(tmp_path: Path) -> None:
    memory = FileMemory(str(tmp_path))
    file = tmp_path / "a.h"
    file.write_text('#include "a.h"\n')
    assert memory.facts("a.h")[0].directives.quoted == ("a.h",)
    file.write_text('#include "b.h"\n')  # at once: neither size nor time need tell
    assert memory.facts("a.h")[0].directives.quoted == ("b.h",)
    time.sleep(0.02)
    first, _ = memory.facts("a.h")
    assert memory.facts("a.h")[0] is first
    file.write_text('#include "cc.h"\n')
    assert memory.facts("a.h")[0].directives.quoted == ("cc.h",)
