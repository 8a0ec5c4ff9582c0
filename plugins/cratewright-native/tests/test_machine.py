"""Results do not depend on the machine: not on its processor, settings or caches."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cratewright_native
from cratewright import LtoMode, ModuleCodegen, scratch_directory
from cratewright_native.toolchains.choose import choose_toolchain
from tests.support.native_link import optimized_thin, request_for
from tests.support.native_project import Project, named

# Vectorized at the width that the processor has.
ADD = "void add(float *restrict a, const float *restrict b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }\n"
MAIN = "void add(float *, const float *, int);\nint main(int n, char **v) { add((void *)v, (void *)v, n); return 0; }\n"
CRATES = {"app": {"main.c": MAIN}, "maths": {"add.c": ADD}}
BASELINE = {"x86_64": {"x86-64"}, "aarch64": {"generic"}}


def _baseline(project: Project) -> set[str]:
    return BASELINE[project.target.partition("-")[0]]


def _processors(project: Project, data: bytes) -> set[str]:
    """Return the target processors of the functions in some bitcode."""
    toolchain = project.toolchain
    with scratch_directory() as directory:
        (directory / "m.bc").write_bytes(data)
        words = (*toolchain.clang_ir(project.target), "-Xclang", "-disable-llvm-passes", "-x", "ir", "m.bc")
        toolchain.run((*words, "-S", "-emit-llvm", "-o", "m.ll"), cwd=directory, what="m.bc", outputs=["m.ll"])
        text = (directory / "m.ll").read_text(encoding="utf-8")
    return set(re.findall(r'"target-cpu"="([^"]*)"', text))


def _wide_vectors(project: Project, module: ModuleCodegen) -> bool:
    """Return whether an x86-64 object uses registers that the x86-64 baseline lacks."""
    (project.root / "made.o").write_bytes(module.data)
    words = ["objdump", "-d", "--no-show-raw-insn", "made.o"]
    text = subprocess.run(words, cwd=project.root, capture_output=True, text=True, check=True).stdout
    assert "<add>" in text or "<main>" in text
    assert "ps " in text, "nothing was vectorized, so the test shows nothing"
    return bool(re.search(r"%[yz]mm", text))


@pytest.mark.parametrize("name", ["a.c", "a.cc"])
def test_modules_are_for_the_baseline_processor(llvm_project: Project, name: str) -> None:
    llvm_project.write(a_c=ADD, a_cc="int f(int x) { return x; }\n")
    (module,) = llvm_project.compile(name, opt_level="2").modules
    assert _processors(llvm_project, module.data) == _baseline(llvm_project)


def test_march_sets_the_processor(llvm_project: Project) -> None:
    if not llvm_project.target.startswith("x86_64"):
        return
    llvm_project.write(a_c=ADD)
    (module,) = llvm_project.compile("a.c", flags=["-march=haswell"]).modules
    assert _processors(llvm_project, module.data) == {"haswell"}


def test_merged_modules_are_for_the_baseline_processor(llvm_project: Project) -> None:
    request = request_for(llvm_project, CRATES, lto=LtoMode.FAT)
    merged = llvm_project.backend.run_fat_lto(request)
    assert _processors(llvm_project, merged.data) == _baseline(llvm_project)
    optimized = llvm_project.backend.optimize_fat(merged, request.config)
    assert _processors(llvm_project, optimized.data) == _baseline(llvm_project)


@pytest.mark.pairwise(project="gcc", lto=LtoMode.THIN)
@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT])
@pytest.mark.parametrize("march", [False, True])
def test_wide_vectors_only_with_march(project: Project, lto: LtoMode, march: bool) -> None:
    if not project.target.startswith("x86_64") or (lto is LtoMode.THIN and project.toolchain.kind == "gcc"):
        return
    backend = project.backend
    flags = ["-march=haswell"] if march else []
    request = request_for(project, CRATES, lto=lto, opt_level="3", flags=flags, exported=("main", "add"))
    if lto is LtoMode.THIN:
        made = optimized_thin(project, request)["add.c.bc"][1]
    elif lto is LtoMode.FAT:
        whole = backend.optimize_fat(backend.run_fat_lto(request), request.config)
        made = backend.codegen(whole, request.config)
    else:
        made = backend.codegen(request.modules[1].module, request.config)
    assert _wide_vectors(project, made) is march


def test_clang_configuration_files_are_ignored(tmp_path: Path) -> None:
    real = Path(shutil.which(named("llvm")) or "").resolve()
    (tmp_path / "bin").mkdir()
    (tmp_path / "clang.cfg").write_text("-DFROM_THE_MACHINE\n-march=haswell\n")
    (tmp_path / "bin/clang").write_text(f'#!/bin/sh\nexec {real} --config-user-dir={tmp_path} "$@"\n')
    (tmp_path / "bin/clang").chmod(0o755)
    for name in ("ld.lld", "llvm-ar"):
        (tmp_path / "bin" / name).symlink_to(real.with_name(name))
    project = Project(tmp_path / "project", str(tmp_path / "bin/clang"))
    project.write(a_c="#ifdef FROM_THE_MACHINE\n#error leaked\n#endif\nint f(void) { return 1; }\n")
    words = [str(tmp_path / "bin/clang"), "-c", "a.c", "-o", "a.o"]
    assert subprocess.run(words, cwd=project.root, capture_output=True, check=False).returncode, (
        "clang did not read the configuration file"
    )
    (module,) = project.compile("a.c").modules
    assert _processors(project, module.data) == _baseline(project)


def test_zig_writes_only_to_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default it writes into the home and the current directory."""
    compiler = named("zig")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    project = Project(tmp_path / "project", compiler)
    project.write(a_c="int f(void) { return 1; }\n")
    (module,) = project.compile("a.c").modules
    project.backend.codegen(module, project.config())
    assert [path.name for path in (tmp_path / "cache" / "cratewright").glob("zig-*")]
    assert os.listdir(project.root) == ["a.c"]
    assert sorted(os.listdir(tmp_path)) == ["cache", "project"]


def test_zig_is_run_without_its_python_wrapper(tmp_path: Path) -> None:
    """The wheel's command is a Python script, which takes ten times as long to start."""
    program = Path(choose_toolchain(str(tmp_path), compiler=named("zig")).lld("x86_64-linux-gnu")[0])
    with program.open("rb") as file:
        assert file.read(4) in (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def test_no_compiler_is_loaded_as_a_library() -> None:
    """LLVM aborts on errors, which would end the whole build; compilers run as processes of their own."""
    known = {*sys.stdlib_module_names, "cratewright"}
    for path in Path(*cratewright_native.__path__).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= known, path.name
