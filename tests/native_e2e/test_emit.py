"""`emit`: assembly, LLVM IR and objects of units, made and removed like any other output."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cratewright.testing import require_tool
from tests.native_e2e.native_scons import NativeProject
from tests.support.scons_project import available_forms

SCONSTRUCT = """\
asked = [word for word in ARGUMENTS.get("emit", "").split(",") if word]
lto = ARGUMENTS.get("lto", "off")
kept = ["obj"] if "obj" in asked else []
lib = env.Crate("lib", ["src/f.c", ("src/a.S", {"emit": kept})], crate_type=["rlib", "staticlib"], emit=asked, lto=lto)
app = env.Crate("app", ["src/main.cpp"], deps=[lib], crate_type="bin", lto=lto, emit=asked, debuginfo="full")
Default(lib, app, *(env.Install("listings", [app.emitted, lib.emitted]) if asked else []))
if "text" in ARGUMENTS:
    Default(env.Command("text", app.emitted[0], Copy("$TARGET", "$SOURCE")))
"""
FILES = {
    "src/f.c": "int a(void);\nint f(int x) {\n  return x * 3 + a();\n}\n",
    "src/a.S": '.globl a\n.text\na:\n  mov $4, %eax\n  ret\n.section .note.GNU-stack,"",@progbits\n',
    "src/main.cpp": 'extern "C" int f(int);\nint main(int n, char **) {\n  return f(n) - 7;\n}\n',
}
ALL = {"llvm": "asm,llvm-ir,obj", "zig": "asm,llvm-ir,obj", "gcc": "asm,obj"}
MODES = {"llvm": ("thin", "fat"), "zig": ("thin",), "gcc": ("fat",)}


def _project(path: Path, kind: str) -> NativeProject:
    project = NativeProject(path, kind, form=available_forms()[-1])
    project.crates(SCONSTRUCT, FILES)
    return project


def _emitted(project: NativeProject) -> dict[str, bytes]:
    places = [project.path / f"{name}.emit" for name in ("app", "lib")]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    return {path.relative_to(project.path).as_posix(): path.read_bytes() for path in files}


def _code(file: Path, section: str, out: Path) -> bytes:
    subprocess.run(["objcopy", "-O", "binary", f"--only-section={section}", str(file), str(out)], check=True)
    return out.read_bytes()


@pytest.mark.parametrize("kind", [pytest.param("llvm", marks=pytest.mark.exhaustive), "gcc", "zig"])
def test_emitted_files(tmp_path: Path, kind: str) -> None:
    for tool in ("objcopy", "as", "ar"):
        require_tool(bool(shutil.which(tool)), tool)
    project = _project(tmp_path / "project", kind)
    option = f"emit={ALL[kind]}"
    project.scons(option)
    first = _emitted(project)
    suffixes = [".s", ".o", *([".ll"] if kind != "gcc" else [])]
    names = {f"{stem}{suffix}" for stem in ("app.emit/src/main.cpp", "lib.emit/src/f.c") for suffix in suffixes}
    assert set(first) == names | {"lib.emit/src/a.S.o"}
    assert {path.name for path in (project.path / "listings").iterdir()} == {
        name.rpartition("/")[2] for name in names
    } | {"a.S.o"}
    # The emitted object is the one that was linked, and the emitted assembly assembles to the same code.
    members = subprocess.run(["ar", "p", str(project.path / "liblib.a")], check=True, capture_output=True).stdout
    assert first["lib.emit/src/f.c.o"] in members and first["lib.emit/src/a.S.o"] in members
    # GNU's assembler does not know LLVM's hint for linkers.
    (tmp_path / "f.s").write_bytes(first["lib.emit/src/f.c.s"].replace(b".addrsig\n", b"\n"))
    subprocess.run(["as", "-o", str(tmp_path / "again.o"), str(tmp_path / "f.s")], check=True)
    code = _code(tmp_path / "again.o", ".text.f", tmp_path / "code")
    assert code and code == _code(project.path / "lib.emit/src/f.c.o", ".text.f", tmp_path / "code")
    if kind != "gcc":
        assert b"define" in first["lib.emit/src/f.c.ll"] and b"@f(" in first["lib.emit/src/f.c.ll"]
    assert not any(b"gnu.lto" in data for data in first.values())
    assert not any(str(tmp_path).encode() in data for data in first.values())
    assert project.up_to_date(option)
    # Neither LTO nor another place changes these files.
    for lto in MODES[kind]:
        project.scons(option, f"lto={lto}")
        assert _emitted(project) == first and subprocess.run([str(project.path / "app")], check=False).returncode == 0
    other = _project(tmp_path / "other" / "place", kind)
    other.scons(option)
    assert _emitted(other) == first
    # A removed file is restored from the cache, and a recompilation agrees with it.
    (project.path / "app.emit/src/main.cpp.s").unlink()
    project.environ["CRATE_CACHE_VERIFY"] = "1"
    project.scons(option, f"lto={MODES[kind][-1]}")
    assert _emitted(project) == first
    project.scons("-c", option)
    assert not (project.path / "app.emit").exists() and not (project.path / "lib.emit").exists()


def test_emitted_files_follow_edits_and_options(tmp_path: Path) -> None:
    project = _project(tmp_path / "project", "gcc")
    project.scons("text=1", "emit=asm")
    assert (project.path / "text").read_bytes() == _emitted(project)["app.emit/src/main.cpp.s"]
    project.write({"src/main.cpp": FILES["src/main.cpp"].replace("7", "8")})
    project.scons("text=1", "emit=asm")
    assert (project.path / "text").read_bytes() == _emitted(project)["app.emit/src/main.cpp.s"]
    project.scons("emit=obj")
    assert set(_emitted(project)) == {"app.emit/src/main.cpp.o", "lib.emit/src/f.c.o", "lib.emit/src/a.S.o"}
    # A unit that fails leaves no emitted file behind.
    project.write({"src/main.cpp": "int main() { return }\n"})
    project.scons("emit=obj", expect=2)
    assert set(_emitted(project)) == {"lib.emit/src/f.c.o", "lib.emit/src/a.S.o"}
    project.write({"src/main.cpp": FILES["src/main.cpp"]})
    project.scons("emit=")
    assert not (project.path / "app.emit").exists() and not (project.path / "lib.emit").exists()
    for kinds, message in (("llvm-ir", "gcc has no LLVM IR"), ("assembly", "'assembly' cannot be among 'emit'")):
        assert message in project.scons(f"emit={kinds}", expect=2)
    project.write({"SConstruct": (project.path / "SConstruct").read_text().replace('{"emit": kept}', "{}")})
    assert """("src/a.S", {"emit": ["obj"]})""" in project.scons("emit=asm,obj", expect=2)
