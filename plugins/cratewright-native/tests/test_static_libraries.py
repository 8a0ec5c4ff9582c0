"""Links with libraries that are not crates, and crates of type staticlib."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import (
    CrateType,
    LinkError,
    LinkModule,
    LinkRequest,
    UnsupportedError,
    parse_library,
)
from tests.support.native_link import PROGRAM, link, printed, request_for
from tests.support.native_project import Project

MATHS = {"twice.c": "int twice(int x) { return 2 * x; }\n", "offered.c": "int offered(void) { return 3; }\n"}


def test_system_library(project: Project) -> None:
    source = '#include <math.h>\n#include <stdio.h>\nint main(int n, char **v) { printf("%.1f\\n", cbrt(n * 27.0)); }\n'
    request = request_for(project, {"app": {"main.c": source}})
    assert printed(link(project, replace(request, natives=(parse_library("m", where="test"),)))) == "3.0\n"


def _archive(project: Project, name: str, sources: dict[str, str]) -> None:
    request = request_for(project, {name: sources}, CrateType.STATICLIB, exported=())
    (project.root / "libs").mkdir(exist_ok=True)
    link(project, request).rename(project.root / "libs" / f"lib{name}.a")


def _with_library(project: Project, crates: dict[str, dict[str, str]], kind: CrateType, library: str) -> LinkRequest:
    request = request_for(project, crates, kind, lib_dirs=["libs"])
    return replace(request, natives=(parse_library(library, where="test"),))


def test_static_library(project: Project) -> None:
    _archive(project, "maths", PROGRAM["maths"])
    request = _with_library(project, {"app": PROGRAM["app"]}, CrateType.BIN, "static=maths")
    assert printed(link(project, request)) == "42\n"
    with pytest.raises(LinkError, match="cannot find static library 'nowhere'"):
        link(project, _with_library(project, {"app": PROGRAM["app"]}, CrateType.BIN, "static=nowhere"))


def test_whole_archive(project: Project) -> None:
    said = '#include <stdio.h>\n__attribute__((constructor)) static void hi(void) { puts("hi"); }\n'
    _archive(project, "said", {"said.c": said})
    app = {"app": {"main.c": "int main(void) { return 0; }\n"}}
    assert printed(link(project, _with_library(project, app, CrateType.BIN, "static=said"))) == ""
    assert printed(link(project, _with_library(project, app, CrateType.BIN, "static:+whole-archive=said"))) == "hi\n"


def test_framework_is_refused(project: Project) -> None:
    with pytest.raises(UnsupportedError, match="no frameworks"):
        link(project, _with_library(project, PROGRAM, CrateType.BIN, "framework=Cocoa"))


def _members(archive: Path) -> list[str]:
    return subprocess.run(["ar", "t", archive], capture_output=True, text=True, check=True).stdout.split()


def test_staticlib_contains_all_modules(project: Project) -> None:
    _archive(project, "extra", {"extra.c": "int extra(void) { return 4; }\n"})
    lib = {"lib.c": "int twice(int);\nint extra(void);\nint entry(int x) { return twice(x) + extra(); }\n"}
    crates = {"lib": lib, "maths": MATHS}
    request = request_for(project, crates, CrateType.STATICLIB)
    unit = project.backend.bundle_library(parse_library("static=extra", where="test"), ["none", "libs"])
    assert unit is not None
    assert [(item.path, item.digest is None) for item in unit.observed] == [
        ("none/libextra.a", True),
        ("libs/libextra.a", False),
    ]
    bundled = tuple(LinkModule("maths", module) for module in unit.modules)
    archive = link(project, replace(request, modules=(*request.modules, *bundled)))
    assert archive.name == "liblib.a"
    own = ["lib.lib.c.o", "maths.twice.c.o", "maths.offered.c.o"]
    assert _members(archive) == [*own, "maths.libextra.a_extra.extra.c.o"]
    (project.root / "main.c").write_text("int entry(int);\nint main(void) { return entry(19) - 42; }\n")
    words = [*project.toolchain.cc(project.target), "main.c", archive.name, "-o", "main"]
    project.toolchain.run(words, cwd=project.root, what="main.c")
    subprocess.run([project.root / "main"], check=True)


def test_unbundlable_library_is_an_error(project: Project) -> None:
    (project.root / "libscript.a").write_text("GROUP ( libc.a )\n")
    with pytest.raises(LinkError, match="static library 'script' cannot become part") as caught:
        project.backend.bundle_library(parse_library("static=script", where="test"), [""])
    assert "static:-bundle=script" in str(caught.value)
    with pytest.raises(LinkError, match="cannot find static library 'nowhere'"):
        project.backend.bundle_library(parse_library("static=nowhere", where="test"), [""])


def test_equal_module_names_become_different_members(project: Project) -> None:
    request = request_for(project, {"lib": {"a.c": "int a;\n", "b.c": "int b;\n"}}, CrateType.STATICLIB)
    same = tuple(replace(item, module=replace(item.module, name="x.c.bc")) for item in request.modules)
    assert _members(link(project, replace(request, modules=same))) == ["lib.x.c.o", "lib.x.c-2.o"]
