"""Codegen of single modules, without LTO."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from cratewright import ToolError
from cratewright_native.binary.elf import elf_symbols, embedded_bitcode, is_elf
from cratewright_native.compile.codegen import OPTIMIZED
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


def test_gcc_codegen_strips_lto_sections_only(project_with: object) -> None:
    assert callable(project_with)
    project = project_with("gcc")
    project.write(a_c="int f(int x) { return x; }\n")
    (module,) = project.compile("a.c").modules
    assert project.backend.supports_lto(module)
    lowered = project.backend.codegen(module, project.config())
    # Archivers that find LTO sections index no other symbols.
    assert b".gnu.lto_" in module.data and b".gnu.lto_" not in lowered.data
    assert symbols(lowered) == symbols(module) == {"f": True}
    assert project.backend.codegen(lowered, project.config()) == lowered


def test_thinlto_modules_are_fully_optimized(llvm_project: Project) -> None:
    """Passes that ThinLTO postpones, such as vectorization, run when there is no LTO after all."""
    llvm_project.write(a_c=LOOP)
    (module,) = llvm_project.compile("a.c", opt_level="3").modules
    whole = llvm_project.backend.codegen(module, llvm_project.config(opt_level="3"))
    half = llvm_project.backend.codegen(
        replace(module, attributes=(*module.attributes, OPTIMIZED)), llvm_project.config(opt_level="3")
    )
    assert len(whole.data) > len(half.data)


def test_vtables_stay_in_the_module(llvm_project: Project) -> None:
    """clang would put vtables into a second module of the file, which codegen would drop."""
    llvm_project.write(a_cc=VIRTUAL)
    (module,) = llvm_project.compile("a.cc", opt_level="2", cxxflags=["-fvisibility=hidden"]).modules
    made = llvm_project.backend.codegen(module, llvm_project.config(opt_level="2"))
    found = {symbol.name: symbol.defined for symbol in elf_symbols(made.data, name="a.o")}
    assert found["_ZTV7Derived"] and found["_ZTV4Base"]


def test_damaged_bitcode_is_an_error(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(int x) { return x; }\n")
    (module,) = llvm_project.compile("a.c").modules
    with pytest.raises(ToolError, match="code generation"):
        llvm_project.backend.codegen(replace(module, data=module.data[:200]), llvm_project.config())


@pytest.mark.pairwise
@pytest.mark.parametrize("level", ["0", "2", "z"])
@pytest.mark.parametrize("name", ["a.c", "v.cpp"])
def test_code_and_bitcode_of_one_run_equal_those_of_two(
    llvm_project: Project, name: str, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = llvm_project
    project.write(
        a_c='__attribute__((section("mine"))) int kept = 3;\nint f(int x) { return x + kept; }\n',
        v_cpp=VIRTUAL,
        main_c="int f(int); int main(void) { return f(4) - 7; }\n",
    )
    stencil = project.stencil(name, opt_level=level, debuginfo="line")
    (both,) = project.backend.compile_codegen_unit(replace(stencil, for_code=True)).modules
    (bitcode,) = project.backend.compile_codegen_unit(stencil).modules
    (code,) = project.backend.compile_codegen_unit(replace(stencil, for_lto=False)).modules
    assert both.attribute("representation") == "both"
    assert embedded_bitcode(both.data) == bitcode.data
    assert (both.exports, both.imports) == (bitcode.exports, bitcode.imports)
    assert project.backend.supports_lto(both) and not project.backend.is_lowered(both)
    # Codegen must not start a program.
    monkeypatch.setattr(subprocess, "Popen", None)
    made = project.backend.codegen(both, project.config(opt_level=level))
    monkeypatch.undo()
    assert project.backend.is_lowered(made) and not embedded_bitcode(made.data)
    assert len(code.data) <= len(made.data) < len(code.data) + 1024
    assert {symbol.name for symbol in elf_symbols(made.data, name=name)} == {
        symbol.name for symbol in elf_symbols(code.data, name=name)
    }
    if name == "a.c":
        (main,) = project.compile("main.c").modules
        objects = [made, project.backend.codegen(main, project.config())]
        for number, module in enumerate(objects):
            (project.root / f"{number}.o").write_bytes(module.data)
        linked = [*project.toolchain.cc(project.target), "0.o", "1.o", "-o", "app"]
        subprocess.run(linked, cwd=project.root, env=project.toolchain.environment(), check=True)
        assert subprocess.run([project.root / "app"], check=False).returncode == 0


def test_sanitized_units_get_no_combined_module(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(int *x) { return *x; }\n")
    for words in ({"sanitize": ["address"]}, {"flags": ["-fsanitize=address"]}):
        stencil = replace(llvm_project.stencil("a.c", **words), for_code=True)
        (module,) = llvm_project.backend.compile_codegen_unit(stencil).modules
        assert module.attribute("representation") == "llvm"


def test_user_object_with_embedded_bitcode_is_code(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(void) { return 1; }\n")
    stencil = replace(llvm_project.stencil("a.c"), for_code=True)
    (module,) = llvm_project.backend.compile_codegen_unit(stencil).modules
    llvm_project.write(b_o=module.data)
    (foreign,) = llvm_project.compile("b.o").modules
    assert foreign.data == module.data and not llvm_project.backend.supports_lto(foreign)
