"""Symbols read from modules: those that the object made of a module will have."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from cratewright import FormatError
from cratewright.testing import require_tool
from cratewright_native.binary.bitcode import bitcode_symbols, is_bitcode
from cratewright_native.binary.elf import elf_symbols
from tests.support.native_project import Project

SOURCE = """\
extern int elsewhere;
int tentative;
static int private_one(void) { return elsewhere; }
int plain(void) { return private_one(); }
__attribute__((weak)) int weak_one(void) { return 1; }
__attribute__((visibility("hidden"))) int hidden_one(void) { return 2; }
_Thread_local int per_thread = 3;
int another(void);
int main(void) { return another(); }
"""


def test_exports_and_imports(project: Project) -> None:
    project.write(a_c=SOURCE)
    (module,) = project.compile("a.c", opt_level="1").modules
    found = {symbol.name: symbol.signature for symbol in module.exports}
    assert found == {
        "hidden_one": "hidden",
        "main": "",
        "per_thread": "",
        "plain": "",
        "tentative": "",
        "weak_one": "weak",
    }
    imports = {symbol.name for symbol in module.imports} - {"_GLOBAL_OFFSET_TABLE_"}
    assert imports == {"another", "elsewhere"}
    assert [(entry.stage, entry.name) for entry in module.entry_points] == [("program", "main")]


def test_object_has_the_same_symbols(llvm_project: Project) -> None:
    llvm_project.write(a_cc="#include <vector>\nstruct S { virtual ~S(); int n; };\nS::~S() {}\n" + _VECTOR)
    (module,) = llvm_project.compile("a.cc").modules
    lowered = llvm_project.backend.codegen(module, llvm_project.config())
    objects = {item.name: item.weak for item in elf_symbols(lowered.data, name="a.o") if item.defined}
    # Code generation adds this reference.
    objects.pop("DW.ref.__gxx_personality_v0", None)
    assert {symbol.name: "weak" in symbol.signature.split() for symbol in module.exports} == objects
    assert any(symbol.signature == "weak" for symbol in module.exports)


_VECTOR = "int count(int n) { std::vector<int> v; v.push_back(n); return int(v.size()); }\n"


def test_assembly_symbols(project: Project) -> None:
    project.write(a_S=".globl visible\nvisible:\n.weak soft\nsoft:\nlocal:\n.quad other\n")
    (module,) = project.compile("a.S").modules
    assert {(symbol.name, symbol.signature) for symbol in module.exports} == {("visible", ""), ("soft", "weak")}
    assert [symbol.name for symbol in module.imports] == ["other"]
    assert not project.backend.supports_lto(module)


def test_exports_agree_with_llvm_nm(project_with: Callable[[str], Project]) -> None:
    project = project_with("llvm")
    nm = shutil.which(f"llvm-nm-{project.toolchain.llvm_major}") or ""
    require_tool(bool(nm), "llvm-nm")
    project.write(a_c=SOURCE)
    (module,) = project.compile("a.c").modules
    output = subprocess.run([nm, "-gjU", "-"], input=module.data, capture_output=True, check=True).stdout.decode()
    assert {symbol.name for symbol in module.exports} == set(output.split())


def test_damaged_bitcode(llvm_project: Project) -> None:
    llvm_project.write(a_c=SOURCE)
    (module,) = llvm_project.compile("a.c").modules
    assert is_bitcode(module.data)
    for size in range(0, len(module.data) - 8, 97):
        try:
            bitcode_symbols(module.data[:size], name="a.bc")
        except FormatError as error:
            assert error.message.startswith("a.bc: ")
        else:
            pytest.fail(f"{size} bytes of {len(module.data)} were accepted")


def test_damaged_object() -> None:
    with pytest.raises(FormatError, match=r"x\.o: the object is damaged"):
        elf_symbols(b"\x7fELF\x02\x01" + b"\1" * 100, name="x.o")
