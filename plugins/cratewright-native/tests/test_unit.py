"""Compiling units: sources and options decide the module; the machine does not."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import CompiledUnit, SourceError, digest_file
from cratewright_native.arguments.compiler_flags import flag_lost_by_lto
from cratewright_native.binary.bitcode import is_bitcode
from cratewright_native.binary.elf import elf_symbols
from tests.support.native_project import Project


def _names(unit: CompiledUnit) -> list[str]:
    return sorted(symbol.name for symbol in unit.modules[0].exports)


def test_languages(project: Project) -> None:
    project.write(a_c="int f(void) { return sizeof('a') == 4; }\n")
    for suffix in ("cc", "cpp", "cxx", "C", "c++", "cp", "CPP"):
        project.write(**{f"a_{suffix}": "bool f() { return sizeof('a') == 1; }\n"})
        assert _names(project.compile(f"a.{suffix}")) == ["_Z1fv"]
    assert _names(project.compile("a.c")) == ["f"]


def test_objective_c(llvm_project: Project) -> None:
    llvm_project.write(a_m='#import "h.h"\n#import "h.h"\nint f(void) { return ONE; }\n', h_h="#define ONE 1\nint x;\n")
    llvm_project.write(a_mm="#ifndef __OBJC__\n#error no\n#endif\nbool f() { return true; }\n")
    unit = llvm_project.compile("a.m", std=["c11"], cflags=["-DX"])
    assert _names(unit) == ["f", "x"] and "h.h" in llvm_project.observed(unit)
    assert _names(llvm_project.compile("a.mm")) == ["_Z1fv"]


def test_llvm_ir_and_bitcode_sources(llvm_project: Project) -> None:
    llvm_project.write(a_ll="define i32 @f(i32 %x) {\n  ret i32 %x\n}\n")
    (module,) = llvm_project.compile("a.ll", opt_level="2").modules
    assert module.name == ".bc" and [symbol.name for symbol in module.exports] == ["f"]
    llvm_project.write(b_bc=module.data)
    (again,) = llvm_project.compile("b.bc", opt_level="2").modules
    assert is_bitcode(again.data) and [symbol.name for symbol in again.exports] == ["f"]
    assert llvm_project.backend.supports_lto(again)


def test_std_applies_to_its_language(project: Project) -> None:
    project.write(a_c="long c = __STDC_VERSION__;\nint auto_is_storage(void) { auto int x = 1; return x; }\n")
    project.write(a_cc='static_assert(__cplusplus == 202002L, "");\n')
    project.write(b_c='_Static_assert(__STDC_VERSION__ == 199901L, "");\n')
    for name in ("a.c", "a.cc", "b.c"):
        project.compile(name, std=["c99", "c++20"])
    with pytest.raises(SourceError):
        project.compile("b.c", std="c17")


def test_defines_and_flags(project: Project) -> None:
    project.write(a_c='int f(void) { return A + B + C; }\n#ifdef D\n#error "D"\n#endif\n')
    project.compile("a.c", defines={"A": None, "B": "2"}, flags=["-DC=3"], cxxflags=["-DD"], asmflags=["-DD"])
    project.compile("a.c", defines={"A": None, "B": "2"}, cflags=["-DC=3"])
    with pytest.raises(SourceError, match="D"):
        project.compile("a.c", defines={"A": None, "B": "2", "C": "3", "D": "1"})


def test_unknown_flag(project: Project) -> None:
    project.write(a_c="int x;\n")
    with pytest.raises(SourceError, match=r"a\.c:1: error: .*-fno-such-thing.*\n.*hint: .*cflags") as caught:
        project.compile("a.c", flags=["-fno-such-thing"])
    assert len(str(caught.value).splitlines()) == 2, "only the error and the hint"


def test_flags_lost_by_lto_are_refused(project: Project) -> None:
    """They affect code generation, which LTO does at the link, without these flags."""
    project.write(a_c="int x = 0;\n")
    lost = "-fno-zero-initialized-in-bss"
    with pytest.raises(SourceError, match=f"a.c:1: error: '{lost}' would lose its effect"):
        project.compile("a.c", flags=["-Wall", lost])
    alone = replace(project.stencil("a.c", flags=[lost]), for_lto=False)
    (code,) = project.backend.compile_codegen_unit(alone).modules
    assert b".data.x" in code.data
    assert flag_lost_by_lto(["-fno-gnu-unique"], "gcc") and not flag_lost_by_lto(["-fno-gnu-unique"], "llvm")
    for word in (
        "-fzero-call-used-regs=all",
        "-fstack-protector",
        "-fsplit-stack",
        "-fstack-limit-symbol=x",
        "-pg",
        "-p",
    ):
        assert flag_lost_by_lto([word], "gcc") and not flag_lost_by_lto([word], "llvm")
    assert not flag_lost_by_lto(
        ["-fstack-protector-strong", "-fprofile-partial-training", "-pipe", "-fstack-protector-all"], "gcc"
    )
    assert flag_lost_by_lto(["-mtls-dialect=gnu2"], "llvm") and not flag_lost_by_lto(["-mtls-dialect=gnu2"], "gcc")
    assert flag_lost_by_lto(["-fveclib=libmvec"], "llvm") and not flag_lost_by_lto(
        ["-mtls-dialect=gnu", "-fveclib=none"], "llvm"
    )
    assert flag_lost_by_lto(["-fsjlj-exceptions"], "llvm") and not flag_lost_by_lto(["-fexceptions"], "llvm")
    assert flag_lost_by_lto(["-mcmodel=large"], "llvm") and not flag_lost_by_lto(
        ["-mcmodel=small", "-fno-inline"], "llvm"
    )


def test_project_root_as_include_directory(project: Project) -> None:
    """Its path is empty, which must not swallow the next argument."""
    project.write(sub__a_c="#include <above.h>\n#include <below.h>\nint f(void) { return ABOVE + BELOW + C; }\n")
    project.write(above_h="#define ABOVE 1\n", below__below_h="#define BELOW 2\n")
    for directories in (["", "below"], ["below", ""]):
        unit = project.compile("sub/a.c", include_dirs=directories, defines={"C": "3"})
        assert {"above.h", "below/below.h"} <= set(project.observed(unit))


# zig is clang, and this takes seconds.
@pytest.mark.exhaustive(project="zig", many=True)
@pytest.mark.parametrize("many", [False, True])
def test_macros_too_long_for_a_command_line(project: Project, many: bool) -> None:
    # Linux accepts 2 MiB of arguments, and 128 KiB in one.
    big = {f"M{i}": '"' + "x" * 16000 + '"' for i in range(140)} if many else {"M139": '"' + "x\\\\y" * 35000 + '"'}
    project.write(inc__h_h="#define LESS 1\n")
    text = f'#include "h.h"\nchar ok[sizeof(M139) == {16001 if many else 105001} ? LESS : -1];\n'
    project.write(a_c=text)
    unit = project.compile("a.c", defines=big, include_dirs=["inc"], flags=["-ULESS", "-Wall"])
    assert unit.diagnostics == () and "inc/h.h" in project.observed(unit)
    if not many:
        again = project.compile("a.c", defines=big, include_dirs=["inc"], flags=["-ULESS", "-Wall"])
        assert again.modules == unit.modules
    if project.toolchain.kind != "zig" and not many:
        project.write(b_S='#ifdef M139\n.globl b\nb:\n#endif\n.section .note.GNU-stack,"",%progbits\n')
        assert _names(project.compile("b.S", defines=big)) == ["b"]


def test_no_implicit_ndebug(project: Project) -> None:
    """zig's driver would define it for optimized code."""
    project.write(a_c="#ifdef NDEBUG\n#error asserts are off\n#endif\n")
    project.compile("a.c", opt_level="3")
    with pytest.raises(SourceError, match="asserts are off"):
        project.compile("a.c", opt_level="3", defines=["NDEBUG"])


def test_no_implicit_sanitizers(project: Project) -> None:
    """zig's driver would add traps for undefined behaviour and a stack protector to unoptimized code."""
    project.write(a_c="void g(char *);\nint f(int x) { char b[100]; g(b); return x + 1 + b[x]; }\n")
    (module,) = project.compile("a.c", opt_level="0").modules
    lowered = project.backend.codegen(module, project.config(opt_level="0"))
    undefined = {symbol.name for symbol in elf_symbols(lowered.data, name="a.o") if not symbol.defined}
    assert undefined - {"_GLOBAL_OFFSET_TABLE_"} == {"g"}


def test_sanitizer(project: Project) -> None:
    project.write(a_c="int f(int x) { return x + 1; }\n")
    (module,) = project.compile("a.c", sanitize=["undefined"]).modules
    assert any("ubsan" in symbol.name for symbol in module.imports), module.imports


def test_coverage(project: Project) -> None:
    if project.toolchain.kind == "zig":  # refused while planning
        return
    project.write(a_c="int f(int x) { return x ? 1 : 2; }\n")
    (module,) = project.compile("a.c", coverage=True).modules
    lowered = project.backend.codegen(module, project.config(coverage=True))
    assert any(word in lowered.data for word in (b"__llvm_prf_cnts", b"__gcov"))


def test_date_macro_is_refused(project: Project) -> None:
    project.write(a_c="const char *when = __DATE__;\n")
    with pytest.raises(SourceError, match=r"a\.c:1:20: error: .*date"):
        project.compile("a.c")


def test_environment_adds_no_include_directories(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.write(a_c="#include <outside.h>\n")
    (tmp_path / "outside.h").write_text("")
    monkeypatch.setenv("CPATH", str(tmp_path))
    monkeypatch.setenv("C_INCLUDE_PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"outside\.h"):
        project.compile("a.c")


SOURCE = """\
#include <assert.h>
#include <inner.h>
#include "near.h"
static int counter;
const char *where(void) { return __FILE__ OUTER; }
int f(int x) { assert(x > 1); return x + counter++; }
"""


@pytest.mark.pairwise
@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
@pytest.mark.parametrize("level", ["0", "2"])
def test_same_bytes_in_another_directory(project: Project, tmp_path: Path, debuginfo: str, level: str) -> None:
    other = Project(tmp_path / "quite" / "another place", dict(project.backend.session.environ)["CRATE_CC"])
    modules = []
    for place in (project, other):
        place.write(src__a_c=SOURCE, src__near_h="", inc__inner_h="#define OUTER __FILE__\n")
        made = place.compile("src/a.c", include_dirs=["inc"], debuginfo=debuginfo, opt_level=level).modules[0]
        again = place.compile("src/a.c", include_dirs=["inc"], debuginfo=debuginfo, opt_level=level).modules[0]
        assert made.data == again.data
        lowered = place.backend.codegen(made, place.config(debuginfo=debuginfo, opt_level=level))
        modules.append((made.data, lowered.data))
    assert modules[0] == modules[1]
    for data in modules[0]:
        assert str(tmp_path).encode() not in data


def test_include_directory_outside_the_project(project: Project, tmp_path: Path) -> None:
    data = []
    for place in ("one", "two"):
        (tmp_path / place / "shared").mkdir(parents=True)
        (tmp_path / place / "shared" / "h.h").write_text("static const char *here(void) { return __FILE__; }\n")
        project.write(a_c="#include <h.h>\nconst char *f(void) { return here(); }\n")
        unit = project.compile("a.c", include_dirs=[str(tmp_path / place / "shared")], debuginfo="full")
        assert str(tmp_path / place / "shared/h.h") in {item.path for item in unit.observed}
        data.append(unit.modules[0].data)
    if project.toolchain.kind != "gcc":  # gcc cannot leave the path out
        assert data[0] == data[1]


def test_code_is_for_the_baseline_processor(project: Project) -> None:
    project.write(
        a_c="#if defined(__AVX__) || defined(__SSE4_2__) || defined(__ARM_FEATURE_SVE)\n#error host\n#endif\n"
    )
    project.compile("a.c")


def test_bitcode_has_a_thinlto_summary(llvm_project: Project, tmp_path: Path) -> None:
    """Without one, the thin link would silently ignore the module."""
    llvm_project.write(a_c="int f(int x) { return x; }\n", b_ll="define i32 @g() {\n  ret i32 1\n}\n")
    for name in ("a.c", "b.ll"):
        (module,) = llvm_project.compile(name).modules
        (tmp_path / "m.bc").write_bytes(module.data)
        linker = [*llvm_project.toolchain.lld(llvm_project.target), "--thinlto-index-only=list", "-shared", "m.bc"]
        subprocess.run([*linker, "-o", "x"], cwd=tmp_path, check=True)
        assert (tmp_path / "list").read_text() == "m.bc\n"
        (tmp_path / "list").unlink()


def test_pic_option(project: Project) -> None:
    project.write(a_c="#ifndef __pic__\n#error no pic\n#endif\n")
    project.compile("a.c")
    if project.toolchain.kind != "zig":  # refused while planning
        with pytest.raises(SourceError, match="no pic"):
            project.compile("a.c", pic=False)


def test_odd_source_path(project: Project) -> None:
    file = project.root / "in dir" / "grün.c"
    file.parent.mkdir()
    file.write_text('#include "k.h"\nint f(void) { int unused; return K; }\n')
    (project.root / "in dir" / "k.h").write_text("#define K 1\n")
    unit = project.compile("in dir/grün.c", flags=["-Wall"])
    assert "in dir/k.h" in project.observed(unit)
    assert re.match(r"in dir/grün\.c:2:\d+: warning: ", str(unit.diagnostics[0]))


@pytest.mark.parametrize("target", ["aarch64-linux-gnu", "aarch64-linux-musl", "x86_64-linux-musl"])
def test_other_targets(tmp_path: Path, target: str, project_with: object) -> None:
    assert callable(project_with)
    project_with("zig")
    project = Project(tmp_path / "cross", "zig", target)
    project.write(a_c='#include <stdio.h>\nint main(void) { return puts("hi"); }\n')
    unit = project.compile("a.c", opt_level="2")
    lowered = project.backend.codegen(unit.modules[0], project.config(opt_level="2"))
    assert lowered.data[18] == (183 if target.startswith("aarch64") else 62)  # e_machine


@pytest.mark.parametrize("target", ["x86_64-windows-gnu", "aarch64-macos", "wasm32-wasi"])
def test_targets_that_are_not_elf(tmp_path: Path, target: str, project_with: object) -> None:
    assert callable(project_with)
    project_with("zig")
    project = Project(tmp_path / "cross", "zig", target)
    project.write(a_c='#include <stdio.h>\nint f(void) { return puts("hi"); }\nint main(void) { return f(); }\n')
    project.write(b_h="")
    unit = project.compile("a.c", opt_level="2", flags=["-include", "b.h"])
    assert len(unit.modules[0].entry_points) == 1
    seen = project.observed(unit)
    assert seen.pop("b.h") == digest_file(str(project.root / "b.h"))
    assert set(seen.values()) == {None}, "besides b.h, only absent precompiled headers"
    lowered = project.backend.codegen(unit.modules[0], project.config(opt_level="2"))
    assert not is_bitcode(lowered.data)
