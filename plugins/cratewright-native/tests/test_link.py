"""Final links of programs and shared libraries: what they export and what they load."""

from __future__ import annotations

import ctypes
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import (
    CrateType,
    LinkLibrary,
    LtoMode,
)
from cratewright_native.linking.embed import EMBEDDED
from tests.support.native_link import PROGRAM, finished, link, printed, request_for
from tests.support.native_project import Project, skip_without_thin

LIBRARY = {
    "lib": {"lib.c": "int twice(int);\nint entry(int x) { return twice(x); }\nint other(void) { return 1; }\n"},
    "maths": {"twice.c": "int twice(int x) { return 2 * x; }\n", "offered.c": "int offered(void) { return 3; }\n"},
}

LTO = [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT]


def _exported(library: Path) -> list[str]:
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in done.stdout.splitlines()]


def _dynamic(file: Path) -> dict[str, list[str]]:
    done = subprocess.run(["readelf", "-dW", file], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = {}
    for kind, value in re.findall(r"\((\w+)\).*\[(.*)\]", done.stdout):
        found.setdefault(kind, []).append(value)
    return found


def test_program_links_only_needed_modules(project: Project) -> None:
    """The unused module is not linked: it has an undefined symbol."""
    program = link(project, request_for(project, PROGRAM))
    assert printed(program) == "42\n"
    assert _exported(program) == []


def test_program_with_exports(project: Project) -> None:
    request = request_for(project, PROGRAM, exported=("main", "twice"))
    assert _exported(link(project, request)) == ["twice"]


@pytest.mark.parametrize("kind", [CrateType.CDYLIB, CrateType.DYLIB])
def test_library_exports_the_listed_symbols(project: Project, kind: CrateType) -> None:
    request = request_for(project, LIBRARY, kind, exported=("entry", "offered"))
    library = link(project, request)
    assert library.name == "liblib.so"
    assert _exported(library) == ["entry", "offered"]
    assert _dynamic(library)["SONAME"] == ["liblib.so"]
    loaded = ctypes.CDLL(str(library))
    assert (loaded.entry(21), loaded.offered()) == (42, 3)


def test_cdylib_exports_inline_functions_only_if_listed(project: Project) -> None:
    source = 'inline int helper(int x) { return x + 1; }\nextern "C" int entry(int x) { return (&helper)(x); }\n'
    exported = ("_Z6helperi", "entry")
    words = {"opt_level": "0", "strip": True}
    request = request_for(project, {"lib": {"lib.cpp": source}}, CrateType.CDYLIB, exported=exported, **words)
    assert _exported(link(project, request)) == ["entry"]
    listed = replace(request, options=request.options.override({"exports": exported}))
    assert _exported(link(project, listed)) == list(exported)
    assert _exported(link(project, replace(request, crate_type=CrateType.DYLIB))) == list(exported)


@pytest.mark.exhaustive(project="zig")  # which builds its C++ library first, for a minute
@pytest.mark.parametrize("lto", LTO)
def test_cdylib_exports_variables_of_classes_and_inline_functions(project: Project, lto: LtoMode) -> None:
    """Users of the library must share them: type information of classes, and static variables."""
    skip_without_thin(project, lto)
    source = (
        "struct Base { virtual ~Base(); virtual int f(); };\nBase::~Base() {}\nint Base::f() { return 1; }\n"
        "inline int &count() { static int one; return one; }\ninline int shared = 2;\n"
        "int entry() { return count() += shared; }\n"
    )
    words = {"lto": lto, "std": "c++17", "cxxflags": ["-fno-exceptions"]}
    request = request_for(project, {"lib": {"lib.cpp": source}}, CrateType.CDYLIB, exported=(), **words)
    exported = tuple(sorted(symbol.name for item in request.modules for symbol in item.module.exports))
    exports = _exported(finished(project, replace(request, exported=exported)))
    assert {"_ZTV4Base", "_ZTI4Base", "_ZTS4Base", "_ZZ5countvE3one", "shared", "_Z5entryv"} <= set(exports)
    assert "_Z5countv" not in exports


@pytest.mark.parametrize("lto", LTO)
def test_cdylib_exports_common_and_strong_symbols(project: Project, lto: LtoMode) -> None:
    """Tentative definitions become one variable, and a strong definition replaces a weak one."""
    skip_without_thin(project, lto)
    sources = {
        "lib.c": "int shared;\n__attribute__((weak)) int f(void) { return 1; }\nint g(void) { return f() + shared; }\n",
        "f.c": "int shared;\nint f(void) { return shared + 2; }\n__attribute__((weak)) int weak(void) { return 3; }\n",
    }
    words = {"exported": ("f", "g", "shared", "weak"), "lto": lto, "flags": ["-fcommon"]}
    assert _exported(finished(project, request_for(project, {"lib": sources}, CrateType.CDYLIB, **words))) == [
        "f",
        "g",
        "shared",
    ]


def test_runpath_leads_to_dylibs(project: Project) -> None:
    maths = request_for(project, {"maths": PROGRAM["maths"]}, CrateType.DYLIB, exported=("twice",))
    (project.root / "lib").mkdir()
    link(project, maths).rename(project.root / "lib" / "libmaths.so")
    request = request_for(project, {"app": PROGRAM["app"]})
    library = LinkLibrary("maths", "lib/libmaths.so", "digest", "lib")
    program = link(project, replace(request, libraries=(library,)))
    assert _dynamic(program)["RUNPATH"] == ["$ORIGIN/lib"]
    assert _dynamic(program)["NEEDED"][0] == "libmaths.so"
    assert printed(program) == "42\n"
    moved = project.root.parent / "moved"
    project.root.rename(moved)
    assert printed(moved / "app") == "42\n"


@pytest.mark.exhaustive(project="zig")  # it takes a minute to build its C++ library first
def test_cxx_program_links_its_library(project: Project) -> None:
    source = "#include <iostream>\n#include <string>\nint main() { std::cout << std::string(3, 'x') << \"\\n\"; }\n"
    # Stripped, here and below: zig compiles its C++ library once for programs with symbols and once for those without.
    assert printed(link(project, request_for(project, {"app": {"main.cpp": source}}, strip=True))) == "xxx\n"


def test_embedded_bytes_are_not_loaded(project: Project) -> None:
    data = b"MAGIC" + bytes(range(256)) * 300
    request = request_for(project, LIBRARY, CrateType.DYLIB, exported=("entry",), strip=True)
    library = link(project, replace(request, embed=data))
    assert data in library.read_bytes()
    done = subprocess.run(["readelf", "-SW", library], capture_output=True, text=True, check=True)
    (row,) = (line for line in done.stdout.splitlines() if EMBEDDED in line)
    assert " A " not in row
    done = subprocess.run(["readelf", "-lW", library], capture_output=True, text=True, check=True)
    assert not re.search(r"GNU_STACK.*RWE", done.stdout)


@pytest.mark.parametrize("kind", [CrateType.BIN, CrateType.DYLIB, CrateType.STATICLIB])
def test_same_bytes_in_another_directory(project: Project, tmp_path: Path, kind: CrateType) -> None:
    here = link(project, request_for(project, PROGRAM, kind)).read_bytes()
    there = Project(tmp_path / "somewhere else", project.backend.session.setting("CRATE_CC"))
    assert link(there, request_for(there, PROGRAM, kind)).read_bytes() == here
    assert str(tmp_path).encode() not in here
