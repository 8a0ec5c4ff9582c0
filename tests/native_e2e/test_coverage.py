"""gcov and llvm-cov find the counts of a program, whatever directory it ran in."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

from cratewright.testing import require_tool
from tests.native_e2e.native_scons import NativeProject
from tests.support.native_project import named
from tests.support.scons_project import available_forms

SCONSTRUCT = """\
env["CRATE_COVERAGE"], env["CRATE_OPT_LEVEL"] = True, "0"
lib = env.Crate("lib", ["src/f.c"])
Default(env.Crate("app", ["src/main.c"], deps=[lib], crate_type="bin", lto=ARGUMENTS.get("lto", "off")))
Default(env.Crate("shared", ["src/g.c"], crate_type="cdylib"))
"""
FILES = {
    "src/f.c": "int f(int x) {\n  if (x > 5)\n    return 1;\n  return 2;\n}\n",
    "src/g.c": "int g(int x) {\n  return x + 1;\n}\n",
    "src/main.c": "int f(int);\nint main(int n, char **words) {\n  return f(n) - 2;\n}\n",
}


def _project(path: Path, kind: str) -> NativeProject:
    project = NativeProject(path, kind, form=available_forms()[-1])
    project.crates(SCONSTRUCT, FILES)
    return project


def _outputs(project: NativeProject) -> dict[str, bytes]:
    files = [path for path in project.path.rglob("*") if path.is_file() and path.parent.name != ".cratewright"]
    kinds = (".gcno", ".rlib", ".so")
    return {str(path.relative_to(project.path)): path.read_bytes() for path in files if path.suffix in kinds}


def test_gcov(tmp_path: Path) -> None:
    named("gcc")
    require_tool(bool(shutil.which("gcov")), "gcov")
    project = _project(tmp_path / "project", "gcc")
    project.scons()
    before = _outputs(project)
    assert {"app.gcno/src/f.c.gcno", "app.gcno/src/main.c.gcno", "libshared.so.gcno/src/g.c.gcno"} <= set(before)
    for place in (tmp_path, project.path):
        subprocess.run([str(project.path / "app")], cwd=place, check=True)
    assert ctypes.CDLL(str(project.path / "libshared.so")).g(1) == 2
    counters = "app.gcno/src/f.c.gcda"
    words = ["gcov", "-t", "-o", os.path.dirname(counters), counters]
    report = subprocess.run(words, cwd=project.path, check=True, capture_output=True, text=True).stdout
    lines = [[part.strip() for part in line.split(":", 2)] for line in report.splitlines() if line.count(":") >= 2]
    assert ["2", "4", "return 2;"] in lines and ["#####", "3", "return 1;"] in lines
    assert [path for path in tmp_path.rglob("*.gcda") if "app.gcno" not in str(path)] == []
    assert project.up_to_date()
    # The cache holds the notes files, a recompilation agrees with it, and another place gives the same bytes.
    shutil.rmtree(project.path / "app.gcno")
    project.environ["CRATE_CACHE_VERIFY"] = "1"
    project.scons("-c")
    project.scons()
    assert _outputs(project) == before
    other = _project(tmp_path / "another" / "place", "gcc")
    other.scons()
    assert _outputs(other) == before
    assert "coverage and lto='fat'" in other.scons("lto=fat", expect=2)


def test_llvm_cov(tmp_path: Path) -> None:
    suffix = named("llvm").removeprefix("clang")
    for tool in (f"llvm-profdata{suffix}", f"llvm-cov{suffix}"):
        require_tool(bool(shutil.which(tool)), tool)
    project = _project(tmp_path / "project", "llvm")
    for lto in ("off", "thin", "fat"):
        project.scons(f"lto={lto}")
        environ = {**os.environ, "LLVM_PROFILE_FILE": str(tmp_path / f"{lto}.profraw")}
        subprocess.run([str(project.path / "app")], cwd=tmp_path, env=environ, check=True)
        merged = str(tmp_path / f"{lto}.profdata")
        subprocess.run([f"llvm-profdata{suffix}", "merge", environ["LLVM_PROFILE_FILE"], "-o", merged], check=True)
        words = [f"llvm-cov{suffix}", "report", "app", f"-instr-profile={merged}", "src/f.c"]
        report = subprocess.run(words, cwd=project.path, check=True, capture_output=True, text=True).stdout
        assert "f.c" in report and "75.00%" in report, report
        assert project.up_to_date(f"lto={lto}")
