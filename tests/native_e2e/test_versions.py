"""Versioned libraries in real builds: their names, links and sonames, and how they are installed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.native_e2e.native_scons import WITH_C, NativeProject
from tests.support.scons_project import available_forms

SOURCES = {
    "foo.c": "int foo(void) { return 7; }\n",
    "bar.c": "int foo(void);\nint bar(void) { return foo() + 1; }\n",
    "main.c": '#include <stdio.h>\nint bar(void);\nint main(void) { printf("%d\\n", bar()); return 0; }\n',
    "late.c": "int late(void) { return 9; }\n",
}
SCONSTRUCT = """\
words = dict(lto=ARGUMENTS.get("lto", "off"), prefer_dynamic=True)
foo = env.Crate("foo", ["foo.c"], crate_type="dylib", version=ARGUMENTS.get("version", "1.2.3"), **words)
bar = env.Crate("bar", ["bar.c"], crate_type=["dylib", "rlib"], version="2.0", soversion="5", deps=[foo], **words)
app = env.Crate("app", ["main.c"], deps=[bar], crate_type="bin", **words)
old = env.Clone(SHLIBVERSION="4.5.6").Crate("old", ["foo.c"], crate_type="cdylib", lto=words["lto"])
Default(env.Install("dist", [foo, bar, app]), env.InstallVersionedLib("lib", old), env.Install("one", foo.image))
Default(env.Program("plain", ["main.c", "bar.c"], LIBS=["old"], LIBPATH=["."], RPATH=[Literal("\\\\$$ORIGIN")]))
"""


def _links(directory: Path) -> dict[str, str]:
    return {path.name: os.readlink(path) for path in sorted(directory.iterdir()) if path.is_symlink()}


def _dynamic(file: Path, kind: str) -> list[str]:
    done = subprocess.run(["readelf", "-dW", file], capture_output=True, text=True, check=True)
    return [name for name in re.findall(rf"\({kind}\).*\[(.*)\]", done.stdout) if not name.startswith("libc.")]


def _output(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_versioned_libraries(tmp_path: Path) -> None:
    project = NativeProject(tmp_path / "project", "llvm", form=available_forms()[-1])
    project.header = WITH_C
    project.crates(SCONSTRUCT, SOURCES)
    project.scons("-j2")
    bar = {"libbar.so": "libbar.so.5", "libbar.so.5": "libbar.so.2.0"}
    foo = {"libfoo.so": "libfoo.so.1", "libfoo.so.1": "libfoo.so.1.2.3"}
    old = {"libold.so": "libold.so.4", "libold.so.4": "libold.so.4.5.6"}
    assert _links(project.path) == bar | foo | old
    # A link is installed as a link if its target is installed with it, and alone as a copy.
    assert _links(project.path / "dist") == bar | foo
    assert _links(project.path / "lib") == old
    assert _links(project.path / "one") == {}
    assert (project.path / "one/libfoo.so").read_bytes() == (project.path / "libfoo.so.1.2.3").read_bytes()
    assert _dynamic(project.path / "libbar.so", "SONAME") == ["libbar.so.5"]
    assert _dynamic(project.path / "libbar.so", "NEEDED") == ["libfoo.so.1"]
    assert "libbar.so.5" in _dynamic(project.path / "app", "NEEDED")
    assert _dynamic(project.path / "plain", "NEEDED") == ["libold.so.4"]
    assert [_output(project.path / name) for name in ("app", "dist/app", "plain")] == ["8\n"] * 3
    assert project.up_to_date()

    # A missing link is restored; a new version changes all links, installed ones too.
    (project.path / "libfoo.so.1").unlink()
    project.scons()
    assert _links(project.path)["libfoo.so.1"] == "libfoo.so.1.2.3"
    project.scons("version=1.3")
    assert _links(project.path)["libfoo.so.1"] == _links(project.path / "dist")["libfoo.so.1"] == "libfoo.so.1.3"
    assert not project.exists("libfoo.so.1.2.3")
    assert _output(project.path / "dist/app") == "8\n"
    for lto in ("thin", "fat"):
        project.scons("version=1.3", f"lto={lto}")
        assert (_output(project.path / "app"), _dynamic(project.path / "app", "NEEDED")[0]) == ("8\n", "libbar.so.5")
    for version, reason in (("1.0-beta", "version '1.0-beta'"), ("../x", "version '../x'"), ("1..2", "version '1..2'")):
        assert f"crate 'foo': {reason} cannot be part" in project.scons(f"version={version}", expect=2)
    # Without a version the library is a plain file; cleaning removes that and the links.
    project.scons("version=0.0.0")
    assert "libfoo.so" not in _links(project.path) and not project.exists("libfoo.so.1")
    project.scons("-c", "version=0.0.0")
    assert not [path.name for path in project.path.iterdir() if ".so" in path.name]


def test_late_version_is_refused(tmp_path: Path) -> None:
    project = NativeProject(tmp_path / "project", "llvm", form=available_forms()[-1])
    text = 'late = env.Crate("late", ["late.c"], crate_type="cdylib")\nenv["SHLIBVERSION"] = "2.0"\nDefault(late)\n'
    project.crates(text, SOURCES)
    assert "crate 'late' would not get the name that it was declared with" in project.scons(expect=2)
