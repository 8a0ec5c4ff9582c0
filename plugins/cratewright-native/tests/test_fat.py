"""Fat LTO step by step: merge, internalize, optimize."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from cratewright import LinkError, LinkRequest, LtoMode, ModuleCodegen
from cratewright_native.binary.bitcode import is_bitcode
from cratewright_native.binary.elf import elf_symbols, is_elf
from tests.support.native_link import finished, request_for, symbols
from tests.support.native_project import Project, skip_without_thin

MAIN = {"main.c": "int twice(int);\nint main(void) { return twice(21) - 42; }\n"}
MATHS = {
    "twice.c": "int twice(int x) { return 2 * x; }\nint unused(int x) { return x; }\n",
    "other.c": "int other(int x) { return x; }\n",
}


def _optimized(project: Project, request: LinkRequest) -> ModuleCodegen:
    merged = project.backend.run_fat_lto(request)
    return project.backend.codegen(project.backend.optimize_fat(merged, request.config), request.config)


def test_program_exports_main_alone(llvm_project: Project) -> None:
    made = _optimized(llvm_project, request_for(llvm_project, {"app": MAIN, "maths": MATHS}, lto=LtoMode.FAT))
    assert symbols(made) == {"main": True}


def test_exported_symbols_stay(llvm_project: Project) -> None:
    request = request_for(llvm_project, {"app": MAIN, "maths": MATHS}, exported=("main", "other"), lto=LtoMode.FAT)
    assert symbols(_optimized(llvm_project, request)) == {"main": True, "other": True}


def test_merging_optimizes_nothing(llvm_project: Project) -> None:
    request = request_for(llvm_project, {"app": MAIN, "maths": MATHS}, lto=LtoMode.FAT)
    merged = llvm_project.backend.run_fat_lto(request)
    assert is_bitcode(merged.data) and b"twice" in merged.data
    assert b"twice" not in llvm_project.backend.optimize_fat(merged, request.config).data


def test_symbols_that_objects_use_stay(llvm_project: Project) -> None:
    """Hidden ones too: optimizing must not internalize what merging has kept."""
    main = {"main.c": "int main(void) { return 0; }\n", "start.S": ".globl start\nstart: jmp called\n"}
    maths = {"called.c": '__attribute__((visibility("hidden"))) int called(void) { return 1; }\n'}
    request = request_for(llvm_project, {"app": main, "maths": maths}, lto=LtoMode.FAT)
    assert symbols(_optimized(llvm_project, request)) == {"main": True, "called": True}


def test_no_module_is_needed(project: Project) -> None:
    """The program is a single object; none of the modules is linked."""
    start = {"start.S": ".globl main\nmain: ret\n"}
    request = request_for(project, {"app": start, "maths": MATHS}, lto=LtoMode.FAT)
    made = _optimized(project, request)
    assert is_elf(made.data) and not any(symbols(made).values())
    assert _optimized(project, request).data == made.data


def test_result_is_an_object(project: Project) -> None:
    request = request_for(project, {"app": MAIN, "maths": MATHS}, lto=LtoMode.FAT)
    made = _optimized(project, request)
    assert is_elf(made.data)
    assert not project.backend.supports_lto(made), "the result still has LTO sections"
    defined = {symbol.name for symbol in elf_symbols(made.data, name="made") if symbol.defined}
    assert "main" in defined


@pytest.mark.exhaustive
def test_local_classes_in_many_functions(project_with: Callable[[str], Project]) -> None:
    """So many that gcc's LTO would by default partition the program."""
    project = project_with("gcc")
    text = "struct Base { virtual ~Base(); virtual int f(int) = 0; };\nint use(Base *);\n"
    for number in range(200):
        text += (
            f'extern "C" int a{number}(int c) {{\n'
            "    struct A : Base { int c; int f(int a) { return a * c; } };\n"
            "    A one; one.c = c; return use(&one); }\n"
            f'extern "C" int b{number}(int c) {{\n'
            "    struct B : Base { int c; ~B() {} int f(int a) { return a + c; } };\n"
            "    B *one = new B; one->c = c; return use(one); }\n"
        )
    main = {"main.cpp": f"{text}int main(int c, char **) {{ return a0(c) + b199(c); }}\n"}
    request = request_for(project, {"app": main}, lto=LtoMode.FAT, opt_level="1")
    assert is_elf(_optimized(project, request).data)


def test_fat_lto_is_deterministic(project: Project) -> None:
    request = request_for(project, {"app": MAIN, "maths": MATHS}, lto=LtoMode.FAT)
    assert _optimized(project, request) == _optimized(project, request)


def test_memory_estimate_grows_with_the_modules(llvm_project: Project) -> None:
    fat = request_for(llvm_project, {"app": MAIN, "maths": MATHS}, lto=LtoMode.FAT)
    sizes = [len(item.module.data) for item in fat.modules]
    memory = llvm_project.backend.lto_memory
    less = replace(fat, modules=fat.modules[:1])
    assert 100 << 20 < memory(less) < memory(fat)
    assert memory(fat) - memory(less) > 50 * (sum(sizes) - sizes[0]), "fat LTO holds all modules at once"
    thin = replace(fat, lto=LtoMode.THIN)
    assert memory(thin) < memory(fat), "a job of thin LTO optimizes one module"


@pytest.mark.parametrize("lto", [LtoMode.FAT, LtoMode.THIN], ids=str)
def test_duplicate_symbols_name_crates_and_sources(project: Project, lto: LtoMode) -> None:
    """Not the temporary files of the link."""
    skip_without_thin(project, lto)
    main = {"main.c": "int dup(void) { return 1; }\nint other(void);\nint main(void) { return dup() + other(); }\n"}
    maths = {"other.c": "int dup(void) { return 2; }\nint other(void) { return 3; }\n"}
    request = request_for(project, {"app": main, "maths": maths}, lto=lto)
    with pytest.raises(LinkError, match="symbols are defined more than once: dup\n") as caught:
        project.backend.run_fat_lto(request) if lto is LtoMode.FAT else project.backend.run_thin_lto(request)
    text = str(caught.value)
    assert "main.c of crate 'app', other.c of crate 'maths'" in text
    assert not re.search(r"[0-9a-f]{32}|\b\d\.o\b", text), text
    (found,) = caught.value.diagnostics
    assert found.file == "main.c" and [place.file for place in found.related] == ["main.c", "other.c"]


@pytest.mark.exhaustive(project="zig")  # it takes a minute to build its C++ library first
@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.FAT], ids=str)
def test_duplicate_cxx_functions_are_demangled(project: Project, lto: LtoMode) -> None:
    one = {"main.cpp": "namespace n { int dup(int x) { return x; } }\nint main() { return n::dup(0); }\n"}
    one["other.cpp"] = "namespace n { int dup(int x) { return x + 1; } int dup(char); }\n"
    with pytest.raises(LinkError, match=r"symbols are defined more than once: n::dup\(int\)\n"):
        finished(project, request_for(project, {"app": one}, lto=lto))
