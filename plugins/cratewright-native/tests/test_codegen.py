"""A module by itself becomes an object."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cratewright import ToolError
from cratewright_native.codegen import OPTIMISED
from cratewright_native.elf import elf_symbols, is_elf
from tests.support.native_link import symbols
from tests.support.native_project import Project

VIRTUAL = """\
struct Base { virtual int value() { return 1; } };
struct Derived : Base { int value() override { return 2; } };
Base *make(int n) { return n ? new Derived : new Base; }
"""
LOOP = """\
void add(float *restrict a, const float *restrict b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }
"""


def test_bitcode_becomes_an_object(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(int x) { return x; }\n")
    (module,) = llvm_project.compile("a.c", opt_level="2").modules
    made = llvm_project.backend.codegen(module, llvm_project.config(opt_level="2"))
    assert is_elf(made.data)
    assert [symbol.name for symbol in elf_symbols(made.data, name="a.o")] == ["f"]
    assert made.exports == module.exports and not llvm_project.backend.supports_lto(made)
    assert llvm_project.backend.codegen(made, llvm_project.config()) == made


def test_objects_lose_no_more_than_what_only_lto_reads(project_with: object) -> None:
    assert callable(project_with)
    project = project_with("gcc")
    project.write(a_c="int f(int x) { return x; }\n")
    (module,) = project.compile("a.c").modules
    assert project.backend.supports_lto(module)
    lowered = project.backend.codegen(module, project.config())
    # Archivers that see what LTO would read index nothing else.
    assert b".gnu.lto_" in module.data and b".gnu.lto_" not in lowered.data
    assert symbols(lowered) == symbols(module) == {"f": True}
    assert project.backend.codegen(lowered, project.config()) == lowered


def test_the_second_half_of_optimisation_is_run(llvm_project: Project) -> None:
    """What a module for ThinLTO lacks, such as vectorised loops, is done when there is no LTO after all."""
    llvm_project.write(a_c=LOOP)
    (module,) = llvm_project.compile("a.c", opt_level="3").modules
    whole = llvm_project.backend.codegen(module, llvm_project.config(opt_level="3"))
    half = llvm_project.backend.codegen(
        replace(module, attributes=(*module.attributes, OPTIMISED)), llvm_project.config(opt_level="3")
    )
    assert len(whole.data) > len(half.data)


def test_no_part_of_a_module_is_lost(llvm_project: Project) -> None:
    """clang would put tables of virtual functions into a second module of the file, which would make no object."""
    llvm_project.write(a_cc=VIRTUAL)
    (module,) = llvm_project.compile("a.cc", opt_level="2", cxxflags=["-fvisibility=hidden"]).modules
    made = llvm_project.backend.codegen(module, llvm_project.config(opt_level="2"))
    found = {symbol.name: symbol.defined for symbol in elf_symbols(made.data, name="a.o")}
    assert found["_ZTV7Derived"] and found["_ZTV4Base"]


def test_damaged_bitcode(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(int x) { return x; }\n")
    (module,) = llvm_project.compile("a.c").modules
    with pytest.raises(ToolError, match="code generation"):
        llvm_project.backend.codegen(replace(module, data=module.data[:200]), llvm_project.config())
