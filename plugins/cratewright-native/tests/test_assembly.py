"""Files that assembly reads, in sources and inline."""

from __future__ import annotations

import pytest

from cratewright import SourceError
from tests.support.native_project import Project


@pytest.mark.exhaustive(project="zig")  # which is clang
@pytest.mark.parametrize(
    "text",
    [
        '.incbin "data/blob.bin"',
        '.include "inner.inc"',
        '.INCBIN "data/blob.bin"',
        '.macro take file\n.incbin "\\file"\n.endm\ntake data/blob.bin',
        '.irp part,blob\n.incbin "data/\\part\\().bin"\n.endr',
        '#define TAKE .incbin\nTAKE "data/blob.bin"',
        '.incbin \\\n "data/blob.bin"',
        '.macro take how\n.\\how "data/blob.bin"\n.endm\ntake incbin',
        '.include "searched.inc"',
        '.incbin "ROOT/data/blob.bin"',
    ],
)
def test_files_read_by_assembly_are_observed(project: Project, text: str) -> None:
    text = text.replace("ROOT", str(project.root))
    project.write(a_S=f'.data\n.globl blob\nblob:\n{text}\n.section .note.GNU-stack,"",%progbits\n', data__blob_bin="1")
    project.write(inner_inc='.incbin "data/blob.bin"\n', two__searched_inc='.include "inner.inc"\n')
    unit = project.compile("a.S", include_dirs=["one", "two"])
    assert project.is_current(unit)
    project.write(data__blob_bin="2")
    assert not project.is_current(unit)
    if "searched" in text:
        project.write(data__blob_bin="1", one__searched_inc="")
        assert not project.is_current(unit)


def test_assembly_without_preprocessing(project: Project) -> None:
    project.write(a_s='# not a comment of C\'s\n.data\n.globl blob\nblob: .incbin "b.bin"\n', b_bin="1")
    unit = project.compile("a.s", defines=["X"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["blob"] and unit.diagnostics == ()
    project.write(b_bin="2")
    assert not project.is_current(unit)


def test_computed_absolute_path_is_refused(llvm_project: Project) -> None:
    place = llvm_project.root
    llvm_project.write(a_S=f'.macro take file\n.incbin "{place}/\\file"\n.endm\ntake b.bin\n', b_bin="1")
    with pytest.raises(SourceError, match=r"a\.S:1: error: assembly builds the absolute path"):
        llvm_project.compile("a.S")


@pytest.mark.exhaustive(project="zig")  # which is clang
@pytest.mark.parametrize(
    "text",
    [
        '__asm__(".incbin \\"blob.bin\\"");',
        'void f(void) { asm volatile(".inc" "bin \\"blob.bin\\""); }',
        '#define ASM(x) __asm__(#x)\nASM(.INCBIN "blob.bin");',
        '__asm__(".macro take how\\n.\\\\how \\"blob.bin\\"\\n.endm\\ntake incbin");',
    ],
)
def test_inline_assembly_that_reads_a_file_is_refused(project: Project, text: str) -> None:
    project.write(a_c='#include "b.h"\n', b_h=f'// a comment: ".incbin"\n{text}\n', blob_bin="1")
    with pytest.raises(SourceError, match=r"b\.h:1: error: inline assembly that reads a file"):
        project.compile("a.c")
    project.write(b_h='// a comment: ".incbin"\nint x; __asm__("nop");\n')
    project.compile("a.c")
