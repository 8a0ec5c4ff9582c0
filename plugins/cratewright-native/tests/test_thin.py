"""ThinLTO step by step: which modules take part, what they import, and what each backend job depends on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import LinkError, LinkLibrary, LtoMode, ThinModule, ToolError
from cratewright_native.binary.bitcode import bitcode_major
from cratewright_native.linking.resolve import module_file
from cratewright_native.lto.thin import run_thin_link
from tests.support.native_link import optimized_thin, request_for, symbols
from tests.support.native_project import Project

MAIN = {"main.c": "int twice(int);\nint main(void) { return twice(21) - 42; }\n"}
MATHS = {
    "twice.c": "int twice(int x) { return 2 * x; }\n",
    "other.c": "int other(int x) { return x; }\n",
}
THIN = LtoMode.THIN


def test_function_of_another_crate_is_inlined(llvm_project: Project) -> None:
    done = optimized_thin(llvm_project, request_for(llvm_project, {"app": MAIN, "maths": MATHS}, lto=THIN))
    assert list(done) == ["main.c.bc", "twice.c.bc"], "other.c is not needed"
    thin, made = done["main.c.bc"]
    assert [item.name for item in thin.imports] == [module_file(done["twice.c.bc"][0].data)]
    assert symbols(made) == {"main": True}


def test_exported_symbol_brings_its_module(llvm_project: Project) -> None:
    request = request_for(llvm_project, {"app": MAIN, "maths": MATHS}, exported=("main", "other"), lto=THIN)
    done = optimized_thin(llvm_project, request)
    assert symbols(done["other.c.bc"][1]) == {"other": True}


def test_symbols_that_objects_use_stay(llvm_project: Project) -> None:
    """If objects took no part in symbol resolution, the only use would be missed."""
    main = {"main.c": "int main(void) { return 0; }\n", "start.S": ".globl start\nstart: jmp called\n"}
    maths = {"called.c": '__attribute__((visibility("hidden"))) int called(void) { return 1; }\n'}
    request = request_for(llvm_project, {"app": main, "maths": maths}, lto=THIN)
    assert [item.module.name for item in request.opaque] == ["start.S.o"]
    done = optimized_thin(llvm_project, request)
    assert symbols(done["called.c.bc"][1]) == {"called": True}
    alone = optimized_thin(llvm_project, replace(request, opaque=()))
    assert "called.c.bc" not in alone


def test_strong_definition_of_an_object_prevails(llvm_project: Project) -> None:
    main = {
        "main.c": "__attribute__((weak)) int answer(void) { return 1; }\nint main(void) { return answer(); }\n",
        "answer.S": ".globl answer\nanswer: ret\n",
    }
    done = optimized_thin(llvm_project, request_for(llvm_project, {"app": main}, lto=THIN))
    assert symbols(done["main.c.bc"][1])["answer"] is False


def test_symbols_that_other_bitcode_uses_stay(llvm_project: Project) -> None:
    """In thin-local LTO, a dependency's module is compiled separately and may call back."""
    request = request_for(
        llvm_project,
        {"app": {"main.c": "int main(void) { return 0; }\n", "back.c": "int back(void) { return 1; }\n"}},
        lto=THIN,
    )
    other = request_for(llvm_project, {"lib": {"lib.c": "int back(void);\nint lib(void) { return back(); }\n"}})
    assert "back" not in symbols(optimized_thin(llvm_project, request)["back.c.bc"][1])
    done = optimized_thin(llvm_project, replace(request, opaque=other.modules))
    assert symbols(done["back.c.bc"][1]) == {"back": True}


@pytest.mark.parametrize("name", ["malloc", "free", "_Znwm", "_ZdlPv"])
def test_replaced_library_function_stays(llvm_project: Project, name: str) -> None:
    """The C library calls the program's malloc, unseen by LTO."""
    sources = {"main.c": f"void *{name}(unsigned long n) {{ return 0; }}\nint main(void) {{ return 0; }}\n"}
    request = request_for(llvm_project, {"app": sources}, lto=THIN, cflags=["-fno-builtin"])
    assert symbols(optimized_thin(llvm_project, request)["main.c.bc"][1])[name] is True


def test_equal_modules_in_one_link(llvm_project: Project) -> None:
    static = "static int count;\n__attribute__((constructor)) static void start(void) { count++; }\n"
    request = request_for(llvm_project, {"app": {**MAIN, "a.c": static}, "maths": MATHS}, lto=THIN)
    twin = replace(request.modules[1], module=replace(request.modules[1].module, name="b.c.bc"))
    done = optimized_thin(llvm_project, replace(request, modules=(*request.modules[:2], twin, *request.modules[2:])))
    assert {"a.c.bc", "b.c.bc"} <= set(done)
    assert done["a.c.bc"][1].data == done["b.c.bc"][1].data


def test_thin_link_does_not_depend_on_the_directory(llvm_project: Project, tmp_path: Path) -> None:
    there = Project(tmp_path / "another place", llvm_project.toolchain.kind.replace("llvm", _clang(llvm_project)))
    crates = {"app": MAIN, "maths": MATHS}
    here = llvm_project.backend.run_thin_lto(request_for(llvm_project, crates, lto=THIN))
    assert here == there.backend.run_thin_lto(request_for(there, crates, lto=THIN))


def _clang(project: Project) -> str:
    return str(project.backend.session.setting("CRATE_CC"))


def test_unreachable_module_changes_no_other_index(llvm_project: Project) -> None:
    def analysed(far: str) -> dict[str, ThinModule]:
        request = request_for(llvm_project, {"app": {**MAIN, "far.c": far}, "maths": MATHS}, lto=THIN)
        return {item.name: item for item in llvm_project.backend.run_thin_lto(request)}

    before = analysed("int far(void) { return 1; }\n")
    after = analysed("int far(void) { return 2; }\n")
    assert [name for name in after if after[name] != before[name]] == ["far.c.bc"]


def test_missing_import_is_an_error(llvm_project: Project) -> None:
    """clang reports it, but exits with status 0 and an empty object."""
    request = request_for(llvm_project, {"app": MAIN, "maths": MATHS}, lto=THIN)
    main = llvm_project.backend.run_thin_lto(request)[0]
    assert main.imports
    with pytest.raises(ToolError, match="thin LTO of a module"):
        llvm_project.backend.optimize_thin(replace(main, imports=()), request.config)


def test_archive_members_are_refused(llvm_project: Project) -> None:
    """No backend job could read one, and clang would write an empty object for each importer."""
    request = request_for(llvm_project, {"app": MAIN, "maths": MATHS}, lto=THIN)
    toolchain = llvm_project.toolchain
    (llvm_project.root / "twice.o").write_bytes(request.modules[1].module.data)
    words = (*toolchain.ar(), "rcsD", "libtwice.a", "twice.o")
    toolchain.run(words, cwd=llvm_project.root, what="archive", outputs=["libtwice.a"])
    # An archive could come in as a shared library.
    library = LinkLibrary(crate="maths", path="libtwice.a", digest="")
    with pytest.raises(ToolError, match=r"names unknown modules: .*libtwice\.a\(twice\.o at \d+\)"):
        llvm_project.backend.run_thin_lto(replace(request, modules=request.modules[:1], libraries=(library,)))


def test_duplicate_symbols(llvm_project: Project) -> None:
    main = {**MAIN, "twice.c": "int twice(int x) { return x; }\n", "again.c": "int twice(int x) { return x; }\n"}
    with pytest.raises(LinkError, match="crate 'app': symbols are defined more than once: twice") as caught:
        llvm_project.backend.run_thin_lto(request_for(llvm_project, {"app": main}, lto=THIN))
    assert "duplicate symbol: twice" in str(caught.value)


def test_bitcode_of_a_newer_llvm_is_refused(llvm_project: Project) -> None:
    request = request_for(llvm_project, {"app": {"a.c": "int main(void) { return 0; }\n"}}, lto=THIN)
    major = llvm_project.toolchain.llvm_major
    assert bitcode_major(request.modules[0].module.data) == major
    with pytest.raises(LinkError, match=r"'a\.c\.bc' of crate 'app' was made by a newer LLVM"):
        run_thin_link(request, replace(llvm_project.toolchain, llvm_major=major - 1))
    assert run_thin_link(request, replace(llvm_project.toolchain, llvm_major=major + 1))
