"""Code that must be linked though no compiler sees its use: named sections, symbols of assembly, constructors."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from cratewright import CrateType, FormatError, LtoMode
from cratewright_native.binary.elf import needed_libraries, with_retained_sections
from tests.support.native_link import compiled, finished, link, request_for
from tests.support.native_project import Project, skip_without_thin

SUM = """\
#include <stdio.h>
extern const int __start_table[] __attribute__((weak)), __stop_table[] __attribute__((weak));
int three(void), seven(void);
int main(void) {
    int sum = 0;
    for (const int *at = __start_table; at != __stop_table; at++) sum += *at;
    printf("%d %d\\n", sum, three() + seven());
}
"""
ENTRY = 'static const int entry __attribute__((used, section("table"))) = {};\n'
# One symbol that assembly alone defines, and one that only assembly uses.
SEVEN = '__asm__(".text\\n.globl seven\\n.type seven,@function\\nseven: jmp hidden@PLT\\n");\n'
CRATES = {
    "app": {"main.c": SUM},
    "base": {
        "three.c": ENTRY.format(1) + "int three(void) { return 3; }\n",
        "seven.c": ENTRY.format(10) + SEVEN + "__attribute__((used)) int hidden(void) { return 7; }\n",
        "spare.c": ENTRY.format(100) + "int gone(void);\nint spare(void) { return gone(); }\n",
    },
}


@pytest.mark.pairwise(project="gcc", lto=LtoMode.THIN)
@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT])
@pytest.mark.parametrize("opt_level", ["0", "2"])
def test_named_sections_and_assembly_symbols_stay(project: Project, lto: LtoMode, opt_level: str) -> None:
    """The unused module is not linked, as with archives: its undefined symbol is no error."""
    skip_without_thin(project, lto)
    program = finished(project, request_for(project, CRATES, lto=lto, opt_level=opt_level))
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "11 10\n"


def test_unreferenced_section_stays(project: Project) -> None:
    source = (
        'static const char note[] __attribute__((used, section(".mine"))) = "here";\nint main(void) { return 0; }\n'
    )
    program = link(project, request_for(project, {"app": {"main.c": source}}))
    shown = subprocess.run(["readelf", "-p", ".mine", program], capture_output=True, text=True, check=True).stdout
    assert "here" in shown


def test_staticlib_indexes_assembly_symbols(project: Project) -> None:
    """An archiver that uses gcc's plugin would not see them."""
    request = request_for(project, {"lib": CRATES["base"]}, CrateType.STATICLIB, exported=())
    library = link(project, request)
    main = project.root / "user.c"
    main.write_text("int seven(void);\nint main(void) { return seven() - 7; }\n", encoding="utf-8")
    subprocess.run([*project.toolchain.cc(project.target), main, library, "-o", project.root / "user"], check=True)
    subprocess.run([project.root / "user"], check=True)


def test_incomplete_objects(project: Project) -> None:
    (module,) = compiled(project, {"x.c": "int x;\n"})
    data = project.backend.codegen(module, project.config()).data
    assert with_retained_sections(b"text", name="it") == b"text" and needed_libraries(b"text") == ()
    assert with_retained_sections(data, name="it") == data and needed_libraries(data) == ()
    half = data[: len(data) // 2]
    with pytest.raises(FormatError, match="it: the object is damaged"):
        with_retained_sections(half, name="it")
    with pytest.raises(FormatError, match="the program is damaged"):
        needed_libraries(half)


REGISTERED = {
    "app": {"main.c": "int count(void);\nint main(void) { return count(); }\n"},
    "base": {"count.c": "int all;\nvoid add(void) { all++; }\nint count(void) { return all; }\n"},
    "plug": {"here.c": "void add(void);\nstatic __attribute__((constructor)) void here(void) { add(); }\n"},
}


@pytest.mark.exhaustive(project="zig")  # it links with lld, as LLVM does
@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT])
def test_whole_crate_links_self_registering_units(project: Project, lto: LtoMode) -> None:
    """Nothing refers to the unit, so it is linked only if its crate is linked whole."""
    skip_without_thin(project, lto)
    for whole, count in ((("plug",), 1), ((), 0)):
        request = replace(request_for(project, REGISTERED, lto=lto), whole=whole)
        assert subprocess.run([finished(project, request)], check=False).returncode == count


@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT])
@pytest.mark.parametrize("words", [{"sanitize": ["address"]}, {"sanitize": ["undefined"]}, {"coverage": True}])
def test_instrumented_library_links_and_runs(
    project_with: Callable[[str], Project], words: dict[str, object], lto: LtoMode
) -> None:
    project = project_with("llvm")
    crates = {
        "lib": {"lib.c": "int g[4] = {1, 2, 3, 4};\nint dep(int);\nint lib(int i) { return g[i & 3] + dep(i); }\n"},
        "base": {"dep.c": "int t[5] = {5, 4, 3, 2, 1};\nint dep(int i) { return t[i % 5]; }\n"},
    }
    library = finished(project, request_for(project, crates, CrateType.CDYLIB, exported=("g", "lib"), lto=lto, **words))
    main = project.root / "user.c"
    main.write_text("int lib(int);\nint main(void) { return lib(1) - 6; }\n", encoding="utf-8")
    flags = ["-fprofile-instr-generate"] if "coverage" in words else [f"-fsanitize={words['sanitize'][0]}"]  # type: ignore[index]
    command = [*project.toolchain.cc(project.target), *flags, main, library, f"-Wl,-rpath,{project.root}", "-o", "user"]
    subprocess.run(command, cwd=project.root, check=True)
    subprocess.run([project.root / "user"], cwd=project.root, env={"LLVM_PROFILE_FILE": "/dev/null"}, check=True)
    shown = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    assert {line.split()[-1] for line in shown.splitlines()} >= {"g", "lib"} and "asan_g" not in shown
    (module,) = compiled(project, {"more.c": "int more[9];\n"}, **words)
    assert [symbol.name for symbol in module.exports] == ["more"]
