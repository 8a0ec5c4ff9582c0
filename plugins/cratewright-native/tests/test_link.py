"""Final links: programs and shared libraries, what they offer and what they load."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import (
    CrateType,
    LinkError,
    LinkLibrary,
    LinkModule,
    LinkRequest,
    LtoMode,
    ModuleKind,
    UnsupportedError,
    parse_library,
)
from cratewright_native.linking.embed import EMBEDDED
from tests.support.native_link import finished, link, request_for
from tests.support.native_project import Project, skip_without_thin

PROGRAM = {
    "app": {
        "main.c": '#include <stdio.h>\nint twice(int);\nint main(void) { printf("%d\\n", twice(21)); return 0; }\n'
    },
    "maths": {
        "twice.c": "int twice(int x) { return 2 * x; }\n",
        "bad.c": "int gone(void);\nint bad(void) { return gone(); }\n",
    },
}
LIBRARY = {
    "lib": {"lib.c": "int twice(int);\nint entry(int x) { return twice(x); }\nint other(void) { return 1; }\n"},
    "maths": {"twice.c": "int twice(int x) { return 2 * x; }\n", "offered.c": "int offered(void) { return 3; }\n"},
}

LTO = [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT]


def _printed(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def _offered(library: Path) -> list[str]:
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in done.stdout.splitlines()]


def _dynamic(file: Path) -> dict[str, list[str]]:
    done = subprocess.run(["readelf", "-dW", file], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = {}
    for kind, value in re.findall(r"\((\w+)\).*\[(.*)\]", done.stdout):
        found.setdefault(kind, []).append(value)
    return found


def test_a_program(project: Project) -> None:
    """The module nobody needs is left out: it would miss a symbol."""
    program = link(project, request_for(project, PROGRAM))
    assert _printed(program) == "42\n"
    assert _offered(program) == []


def test_a_program_that_offers_symbols(project: Project) -> None:
    request = request_for(project, PROGRAM, exported=("main", "twice"))
    assert _offered(link(project, request)) == ["twice"]


@pytest.mark.parametrize("kind", [CrateType.CDYLIB, CrateType.DYLIB])
def test_a_library_offers_what_it_should(project: Project, kind: CrateType) -> None:
    request = request_for(project, LIBRARY, kind, exported=("entry", "offered"))
    library = link(project, request)
    assert library.name == "liblib.so"
    assert _offered(library) == ["entry", "offered"]
    assert _dynamic(library)["SONAME"] == ["liblib.so"]
    loaded = ctypes.CDLL(str(library))
    assert (loaded.entry(21), loaded.offered()) == (42, 3)


def test_inline_functions_are_no_part_of_a_c_interface(project: Project) -> None:
    source = 'inline int helper(int x) { return x + 1; }\nextern "C" int entry(int x) { return (&helper)(x); }\n'
    exported = ("_Z6helperi", "entry")
    words = {"opt_level": "0", "strip": True}
    request = request_for(project, {"lib": {"lib.cpp": source}}, CrateType.CDYLIB, exported=exported, **words)
    assert _offered(link(project, request)) == ["entry"]
    asked = replace(request, options=request.options.override({"exports": exported}))
    assert _offered(link(project, asked)) == list(exported)
    assert _offered(link(project, replace(request, crate_type=CrateType.DYLIB))) == list(exported)


@pytest.mark.parametrize("lto", LTO)
def test_a_cdylib_offers_what_is_defined_once_whatever_else_is_weak(project: Project, lto: LtoMode) -> None:
    """Tentative definitions become one variable, and a strong definition replaces a weak one of the same name."""
    skip_without_thin(project, lto)
    sources = {
        "lib.c": "int shared;\n__attribute__((weak)) int f(void) { return 1; }\nint g(void) { return f() + shared; }\n",
        "f.c": "int shared;\nint f(void) { return shared + 2; }\n__attribute__((weak)) int weak(void) { return 3; }\n",
    }
    words = {"exported": ("f", "g", "shared", "weak"), "lto": lto, "flags": ["-fcommon"]}
    assert _offered(finished(project, request_for(project, {"lib": sources}, CrateType.CDYLIB, **words))) == [
        "f",
        "g",
        "shared",
    ]


def test_dylibs_are_found_where_they_are(project: Project) -> None:
    maths = request_for(project, {"maths": PROGRAM["maths"]}, CrateType.DYLIB, exported=("twice",))
    (project.root / "lib").mkdir()
    link(project, maths).rename(project.root / "lib" / "libmaths.so")
    request = request_for(project, {"app": PROGRAM["app"]})
    library = LinkLibrary("maths", "lib/libmaths.so", "digest", "lib")
    program = link(project, replace(request, libraries=(library,)))
    assert _dynamic(program)["RUNPATH"] == ["$ORIGIN/lib"]
    assert _dynamic(program)["NEEDED"][0] == "libmaths.so"
    assert _printed(program) == "42\n"
    moved = project.root.parent / "moved"
    project.root.rename(moved)
    assert _printed(moved / "app") == "42\n"


def test_c_plus_plus_brings_its_library(project: Project) -> None:
    source = "#include <iostream>\n#include <string>\nint main() { std::cout << std::string(3, 'x') << \"\\n\"; }\n"
    # Stripped, here and below: zig compiles its C++ library once for programs with symbols and once for those without.
    assert _printed(link(project, request_for(project, {"app": {"main.cpp": source}}, strip=True))) == "xxx\n"


def test_embedded_bytes_are_in_the_file_and_not_in_memory(project: Project) -> None:
    data = b"MAGIC" + bytes(range(256)) * 300
    request = request_for(project, LIBRARY, CrateType.DYLIB, exported=("entry",), strip=True)
    library = link(project, replace(request, embed=data))
    assert data in library.read_bytes()
    done = subprocess.run(["readelf", "-SW", library], capture_output=True, text=True, check=True)
    (row,) = (line for line in done.stdout.splitlines() if EMBEDDED in line)
    assert " A " not in row
    done = subprocess.run(["readelf", "-lW", library], capture_output=True, text=True, check=True)
    assert not re.search(r"GNU_STACK.*RWE", done.stdout)


def test_a_symbol_that_nobody_defines(project: Project) -> None:
    request = request_for(project, {"app": PROGRAM["app"]})
    with pytest.raises(LinkError, match="crate 'app' uses undefined symbols: twice") as caught:
        link(project, request)
    for place in (str(project.root), "/tmp/", "/dev/shm/"):
        assert place not in str(caught.value)


def test_a_failure_is_told_the_same_way_each_time(project_with: Callable[[str], Project]) -> None:
    """Of eight places lld names three, and its threads find them in any order; zig does not tell it their number."""
    project = project_with("llvm")
    names = [f"u{number}" for number in range(8)]
    app = {f"{name}.c": f"int nope(int);\nint {name}(int x) {{ return nope(x); }}\n" for name in names}
    declared = "".join(f"int {name}(int);\n" for name in names)
    app["main.c"] = f"{declared}int main(void) {{ return {' + '.join(f'{name}(1)' for name in names)}; }}\n"
    request = request_for(project, {"app": app})
    said = set()
    for _ in range(6):
        with pytest.raises(LinkError) as caught:
            link(project, request)
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.parametrize("lto", LTO, ids=str)
def test_a_failure_names_crates_and_sources(project: Project, lto: LtoMode) -> None:
    """Whatever files were made for the link: of a dependency, of a name with anything in it, of a linker's script."""
    skip_without_thin(project, lto)
    app = {"main.c": "int f(void);\nint main(void) {\n  return f();\n}\n"}
    util = {"ä (1).c": "int gone(void);\nint f(void) {\n  return gone();\n}\n"}
    with pytest.raises(LinkError, match="uses undefined symbols: gone") as caught:
        finished(project, request_for(project, {"app": app, "util": util}, lto=lto, debuginfo="line"))
    line = "" if project.toolchain.kind == "gcc" and lto is LtoMode.FAT else ":3"  # gcc's LTO forgets it
    assert [item.place for item in caught.value.diagnostics] == [f"ä (1).c{line}"]
    said = [str(caught.value)]
    with pytest.raises(LinkError, match="undefined symbols: gone") as caught:
        finished(project, request_for(project, {"app": app, "util": util}, lto=lto))
    if lto is not LtoMode.THIN:  # without debug information the source alone is known; another one may have inlined it
        assert [item.place for item in caught.value.diagnostics] == ["ä (1).c"]
    said.append(str(caught.value))
    (project.root / "v.map").write_text("{ global: f g\n")
    given = {"ldflags": ["-Wl,--version-script=v.map"]}
    lib = {"f.c": "int f(void) { return 1; }\n"}
    with pytest.raises(LinkError, match="crate 'lib' cannot be linked: ") as caught:
        finished(project, request_for(project, {"lib": lib}, CrateType.CDYLIB, exported=("f",), lto=lto, **given))
    assert [item.place for item in caught.value.diagnostics] == ["v.map:1"]
    said.append(str(caught.value))
    for text in said:
        assert not re.search(r"/tmp/|/dev/shm/|/proc/self|[0-9a-f]{24}|dependencies\.a|merged\.o|\b\d+\.o\b", text), (
            text
        )


@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.FAT], ids=str)
def test_functions_of_c_plus_plus_that_nobody_defines(project: Project, lto: LtoMode) -> None:
    source = "namespace n { int f(int, char const *); template <class T> T twice(T); }\n"
    source += 'int main() { return n::f(1, "x") + n::twice<int>(2); }\n'
    with pytest.raises(LinkError) as caught:
        finished(project, request_for(project, {"app": {"main.cpp": source}}, lto=lto, strip=True))
    assert caught.value.message.endswith("undefined symbols: n::f(int, char const*); int n::twice<int>(int)")
    assert [item.place for item in caught.value.diagnostics] == ["main.cpp"]


def test_libraries_that_are_no_crates(project: Project) -> None:
    source = '#include <math.h>\n#include <stdio.h>\nint main(int n, char **v) { printf("%.1f\\n", cbrt(n * 27.0)); }\n'
    request = request_for(project, {"app": {"main.c": source}})
    assert _printed(link(project, replace(request, natives=(parse_library("m", where="test"),)))) == "3.0\n"


def _archive(project: Project, name: str, sources: dict[str, str]) -> None:
    request = request_for(project, {name: sources}, CrateType.STATICLIB, exported=())
    (project.root / "libs").mkdir(exist_ok=True)
    link(project, request).rename(project.root / "libs" / f"lib{name}.a")


def _with_library(project: Project, crates: dict[str, dict[str, str]], kind: CrateType, library: str) -> LinkRequest:
    request = request_for(project, crates, kind, lib_dirs=["libs"])
    return replace(request, natives=(parse_library(library, where="test"),))


def test_a_static_library(project: Project) -> None:
    _archive(project, "maths", PROGRAM["maths"])
    request = _with_library(project, {"app": PROGRAM["app"]}, CrateType.BIN, "static=maths")
    assert _printed(link(project, request)) == "42\n"
    with pytest.raises(LinkError, match="cannot find static library 'nowhere'"):
        link(project, _with_library(project, {"app": PROGRAM["app"]}, CrateType.BIN, "static=nowhere"))


def test_a_whole_static_library(project: Project) -> None:
    said = '#include <stdio.h>\n__attribute__((constructor)) static void hi(void) { puts("hi"); }\n'
    _archive(project, "said", {"said.c": said})
    app = {"app": {"main.c": "int main(void) { return 0; }\n"}}
    assert _printed(link(project, _with_library(project, app, CrateType.BIN, "static=said"))) == ""
    assert _printed(link(project, _with_library(project, app, CrateType.BIN, "static:+whole-archive=said"))) == "hi\n"


def test_a_framework(project: Project) -> None:
    with pytest.raises(UnsupportedError, match="no frameworks"):
        link(project, _with_library(project, PROGRAM, CrateType.BIN, "framework=Cocoa"))


def _members(archive: Path) -> list[str]:
    return subprocess.run(["ar", "t", archive], capture_output=True, text=True, check=True).stdout.split()


def test_a_staticlib_is_flat(project: Project) -> None:
    _archive(project, "extra", {"extra.c": "int extra(void) { return 4; }\n"})
    lib = {"lib.c": "int twice(int);\nint extra(void);\nint entry(int x) { return twice(x) + extra(); }\n"}
    crates = {"lib": lib, "maths": LIBRARY["maths"]}
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


def test_what_cannot_be_bundled(project: Project) -> None:
    (project.root / "libscript.a").write_text("GROUP ( libc.a )\n")
    with pytest.raises(LinkError, match="static library 'script' cannot become part") as caught:
        project.backend.bundle_library(parse_library("static=script", where="test"), [""])
    assert "static:-bundle=script" in str(caught.value)
    with pytest.raises(LinkError, match="cannot find static library 'nowhere'"):
        project.backend.bundle_library(parse_library("static=nowhere", where="test"), [""])


def test_members_of_one_name(project: Project) -> None:
    request = request_for(project, {"lib": {"a.c": "int a;\n", "b.c": "int b;\n"}}, CrateType.STATICLIB)
    same = tuple(replace(item, module=replace(item.module, name="x.c.bc")) for item in request.modules)
    assert _members(link(project, replace(request, modules=same))) == ["lib.x.c.o", "lib.x.c-2.o"]


@pytest.mark.parametrize("kind", [CrateType.BIN, CrateType.DYLIB, CrateType.STATICLIB])
def test_the_same_bytes_anywhere(project: Project, tmp_path: Path, kind: CrateType) -> None:
    here = link(project, request_for(project, PROGRAM, kind)).read_bytes()
    there = Project(tmp_path / "somewhere else", project.backend.session.setting("CRATE_CC"))
    assert link(there, request_for(there, PROGRAM, kind)).read_bytes() == here
    assert str(tmp_path).encode() not in here


USER = """\
typedef __SIZE_TYPE__ size;
void *cratewright_alloc(size, size);
void *cratewright_alloc_zeroed(size, size);
void *cratewright_realloc(void *, size, size, size);
void cratewright_dealloc(void *, size, size);
int main(void) {
    static const size aligns[] = {1, 16, 64, 4096};
    for (int i = 0; i < 4; i++) {
        unsigned char *block = cratewright_alloc_zeroed(100, aligns[i]);
        if (!block || (size)block % aligns[i] || block[99]) return 1;
        block[0] = 7;
        block = cratewright_realloc(block, 100, aligns[i], 100000);
        if (!block || (size)block % aligns[i] || block[0] != 7) return 2;
        cratewright_dealloc(block, 100000, aligns[i]);
        block = cratewright_alloc(1, aligns[i]);
        if (!block || (size)block % aligns[i]) return 3;
        cratewright_dealloc(block, 1, aligns[i]);
    }
    return calls();
}
"""
PROVIDER = """\
typedef __SIZE_TYPE__ size;
static char memory[1 << 20] __attribute__((aligned(4096)));
static size used;
static int count;
int calls(void) { return count == 16 ? 42 : count; }
void *cratewright_global_alloc(size bytes, size align) {
    count++;
    used = (used + align - 1) & ~(align - 1);
    used += bytes;
    return memory + used - bytes;
}
void *cratewright_global_alloc_zeroed(size bytes, size align) { return cratewright_global_alloc(bytes, align); }
void *cratewright_global_realloc(void *block, size bytes, size align, size wanted) {
    char *moved = cratewright_global_alloc(wanted, align);
    for (size i = 0; i < bytes && i < wanted; i++) moved[i] = ((char *)block)[i];
    return moved;
}
void cratewright_global_dealloc(void *block, size bytes, size align) { (void)block, (void)bytes, (void)align; }
"""


@pytest.mark.parametrize("provided", [False, True])
def test_the_allocator_shim(project: Project, provided: bool) -> None:
    user = USER.replace("calls()", "calls()" if provided else "42").replace("int main", "int calls(void);\nint main", 1)
    crates = {"app": {"main.c": user}, **({"heap": {"heap.c": PROVIDER}} if provided else {})}
    request = request_for(project, crates)
    shim = project.backend.codegen_allocator(request.config, provided)
    assert shim.kind is ModuleKind.ALLOCATOR
    assert [symbol.name for symbol in shim.exports] == [
        f"cratewright_{name}" for name in ("alloc", "dealloc", "realloc", "alloc_zeroed")
    ]
    program = link(project, replace(request, modules=(*request.modules, LinkModule("app", shim))))
    status = subprocess.run([program], check=False).returncode
    # Three blocks for each of four alignments; what frees is not counted.
    assert status == (12 if provided else 42)
