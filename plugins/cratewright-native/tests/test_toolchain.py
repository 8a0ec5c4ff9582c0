"""Running compilers: every failure is noticed, and the caller's environment is not inherited."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import SourceError, ToolError, scratch_directory
from cratewright_native.toolchains.gcc import Gcc
from cratewright_native.toolchains.toolchain import Toolchain
from tests.support.native_project import Project


@pytest.fixture
def toolchain(tmp_path: Path) -> Toolchain:
    """Return a toolchain without probing its programs."""
    return Gcc(root=str(tmp_path), version="gcc 1", program="/nowhere/gcc")


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", code)


def test_success(toolchain: Toolchain, tmp_path: Path) -> None:
    code = f"import sys; print('given'); print({str(tmp_path)!r} + '/a.c:1: hm', file=sys.stderr)"
    done = toolchain.run(_python(code), cwd=tmp_path, what="it")
    assert done.stdout == b"given\n"
    assert done.stderr == "a.c:1: hm\n"


def test_failure(toolchain: Toolchain, tmp_path: Path) -> None:
    words = _python("import sys; print('no such symbol', file=sys.stderr); sys.exit(3)")
    with pytest.raises(ToolError, match=r"the link: .* failed") as caught:
        toolchain.run(words, cwd=tmp_path, what="the link")
    assert ("output", "no such symbol") in caught.value.context
    with pytest.raises(SourceError, match="x no such symbol"):
        toolchain.run(words, cwd=tmp_path, what="it", refused=lambda output: SourceError(f"x {output}"))


def test_crash_is_no_source_error(toolchain: Toolchain, tmp_path: Path) -> None:
    for code in (
        "import os; os.kill(os.getpid(), 11)",
        "import sys; print('PLEASE submit a bug report to', file=sys.stderr); sys.exit(139)",
        "import sys; print('LLVM ERROR: out of registers', file=sys.stderr); sys.exit(1)",
    ):
        with pytest.raises(ToolError, match=r"it: .* crashed"):
            toolchain.run(_python(code), cwd=tmp_path, what="it", refused=SourceError)


def test_hanging_program_is_killed(toolchain: Toolchain, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"it: python\S* did not answer within 0\.2 s and was killed") as caught:
        replace(toolchain, timeout=0.2).run(_python("import time; time.sleep(60)"), cwd=tmp_path, what="it")
    assert "CRATE_TIMEOUT" in caught.value.hint


def test_interrupted_program(toolchain: Toolchain, tmp_path: Path) -> None:
    code = "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)"
    with pytest.raises(ToolError, match=r"it: python\S* was interrupted"):
        toolchain.run(_python(code), cwd=tmp_path, what="it")


def test_missing_program(toolchain: Toolchain, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="it: gcc cannot be run"):
        toolchain.run(toolchain.cc("any"), cwd=tmp_path, what="it")


@pytest.mark.parametrize("code", ["pass", "open('out', 'w')"])
def test_success_without_output_is_an_error(toolchain: Toolchain, tmp_path: Path, code: str) -> None:
    with pytest.raises(ToolError, match="succeeded but wrote no output"):
        toolchain.run(_python(code), cwd=tmp_path, what="it", outputs=["out"])


def test_success_with_a_thinlto_error_is_a_failure(toolchain: Toolchain, tmp_path: Path) -> None:
    code = "import sys; open('out', 'w').write('x'); print('Error running ThinLTO backend: no', file=sys.stderr)"
    with pytest.raises(ToolError, match=r"it: .* failed") as caught:
        toolchain.run(_python(code), cwd=tmp_path, what="it", outputs=["out"])
    assert ("output", "Error running ThinLTO backend: no") in caught.value.context


def test_thinlto_backend_without_its_import(llvm_project: Project) -> None:
    """clang exits with status 0 here and writes an empty object."""
    llvm_project.write(a_c="int g(int);\nint f(int x) { return g(x); }\n", b_c="int g(int x) { return x + 1; }\n")
    toolchain, target = llvm_project.toolchain, llvm_project.target
    with scratch_directory() as directory:
        for name in ("a", "b"):
            (module,) = llvm_project.compile(f"{name}.c", opt_level="2").modules
            (directory / f"{name}.o").write_bytes(module.data)
        linker = (*toolchain.lld(target), "-shared", "--thinlto-index-only", "a.o", "b.o", "-o", "x")
        toolchain.run(linker, cwd=directory, what="thin link", outputs=["a.o.thinlto.bc"])
        lower = (*toolchain.clang_ir(target), "-O2", "-x", "ir", "a.o", "-fthinlto-index=a.o.thinlto.bc", "-c")
        toolchain.run((*lower, "-o", "1.o"), cwd=directory, what="backend", outputs=["1.o"])
        (directory / "b.o").unlink()
        with pytest.raises(ToolError):
            toolchain.run((*lower, "-o", "2.o"), cwd=directory, what="backend", outputs=["2.o"])
        assert (directory / "2.o").read_bytes() == b""
        # The printed error counts even if no output is checked.
        with pytest.raises(ToolError, match=r"backend: .* failed") as caught:
            toolchain.run((*lower, "-o", "3.o"), cwd=directory, what="backend")
        assert re.search(r"Error running ThinLTO backend|Error loading imported file", str(caught.value))


def test_environment_is_not_inherited(toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CPATH", "LIBRARY_PATH", "LD_PRELOAD_", "CCC_OVERRIDE_OPTIONS", "GCC_COMPARE_DEBUG", "ZIG_LIB_DIR"):
        monkeypatch.setenv(name, "leaked")
    code = "import os; print(sorted(os.environ))"
    assert b"leaked" not in toolchain.run(_python(code), cwd=tmp_path, what="it").stdout
    assert "leaked" not in toolchain.environment().values()


def test_archiver_indexes_lto_modules(project: Project) -> None:
    """An archive without this index would link nothing."""
    project.write(a_c="int in_the_index(void) { return 1; }\n")
    (module,) = project.compile("a.c").modules
    toolchain = project.toolchain
    with scratch_directory() as directory:
        (directory / "a.o").write_bytes(module.data)
        toolchain.run((*toolchain.ar(), "rcsD", "a.a", "a.o"), cwd=directory, what="archive", outputs=["a.a"])
        assert b"in_the_index" in (directory / "a.a").read_bytes()[:200]


def test_lld_version(llvm_project: Project) -> None:
    toolchain = llvm_project.toolchain
    done = toolchain.run((*toolchain.lld(llvm_project.target), "--version"), cwd=llvm_project.root, what="it")
    assert done.stdout.startswith((b"LLD", b"Debian LLD")) and str(toolchain.llvm_major).encode() in done.stdout
