"""Files that change or appear while a unit is compiled."""

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


def test_changed_source_is_an_error(project: Project) -> None:
    project.write(a_c="int x;\n")
    stencil = project.stencil("a.c")
    project.write(a_c="int y;\n")
    with pytest.raises(SourceError, match=r"a\.c:1: error: the source changed while it was compiled"):
        project.backend.compile_codegen_unit(stencil)


@pytest.mark.parametrize("text", ["#include <k.h>\nint K;\n", "#if __has_include(<m.h>)\nint one;\n#endif\n"])
def test_header_that_appears_is_compiled_with(project: Project, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The compiler has already searched there, so its first result is out of date."""
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


def test_header_with_a_future_time_is_compiled(project: Project) -> None:
    project.write(a_c='#include "b.h"\n', b_h="int x;\n")
    later = os.stat(project.root / "b.h").st_mtime_ns + 3600 * 10**9
    os.utime(project.root / "b.h", ns=(later, later))
    assert project.compile("a.c").modules


def test_header_that_keeps_changing_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest might not be that of the text that the compiler read."""
    project.write(a_c='#include "b.h"\n', b_h="int x;\n")
    listed = unit_module.listed_files

    def change(*words: Any) -> Any:
        project.write(b_h="int x;\n")
        return listed(*words)

    monkeypatch.setattr(unit_module, "listed_files", change)
    with pytest.raises(ToolError, match=r"a\.c: files that it includes keep changing"):
        project.compile("a.c")


def test_file_memory_notices_rewrites(tmp_path: Path) -> None:
    memory = FileMemory(str(tmp_path))
    file = tmp_path / "a.h"
    file.write_text('#include "a.h"\n')
    assert memory.facts("a.h")[0].directives.quoted == ("a.h",)
    file.write_text('#include "b.h"\n')  # at once: size and time may be the same
    assert memory.facts("a.h")[0].directives.quoted == ("b.h",)
    time.sleep(0.02)
    first, _ = memory.facts("a.h")
    assert memory.facts("a.h")[0] is first
    file.write_text('#include "cc.h"\n')
    assert memory.facts("a.h")[0].directives.quoted == ("cc.h",)
