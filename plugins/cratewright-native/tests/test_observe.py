"""What a unit depends on: files that it read, and paths where the compiler looked for one in vain."""

from __future__ import annotations

import os

import pytest

from cratewright import CompiledUnit
from cratewright_native.lookups import inputs
from tests.support.native_project import Project

INCLUDING = '#include "near.h"\n#include "deep/far.h"\n#include <angled.h>\n#include <stdio.h>\nint x;\n'
FILES = {"src__near_h": "", "second__deep__far_h": "", "second__angled_h": ""}


_BUILT: dict[str, CompiledUnit] = {}


@pytest.fixture
def built(project: Project) -> tuple[Project, CompiledUnit]:
    """Return a unit with includes from several directories, compiled once per toolchain."""
    project.write(src__a_c=INCLUDING, first__other_h="", **FILES)
    kind = project.toolchain.kind
    if kind not in _BUILT:
        _BUILT[kind] = project.compile("src/a.c", include_dirs=["first", "absent/dir", "second"])
    assert project.is_current(_BUILT[kind])
    return project, _BUILT[kind]


def test_read_files_are_observed(built: tuple[Project, CompiledUnit]) -> None:
    project, unit = built
    read = {path for path, digest in project.observed(unit).items() if digest}
    assert read == {"src/near.h", "second/deep/far.h", "second/angled.h"}


@pytest.mark.parametrize(
    "path",
    [
        "src/deep/far.h",
        "first/deep/far.h",
        "first/angled.h",
        "first/stdio.h",
        "absent/dir/angled.h",
        "absent/dir/stdio.h",
    ],
)
def test_shadowing_header_makes_the_unit_dirty(built: tuple[Project, CompiledUnit], path: str) -> None:
    project, unit = built
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    assert not project.is_current(unit)


@pytest.mark.parametrize(
    "path",
    [
        "src/angled.h",
        "third/angled.h",
        "first/unrelated.h",
        "absent/unrelated.h",
        "absent/dir/unrelated.h",
        "src/sub/near.h",
        "x.h",
    ],
)
def test_unrelated_header_leaves_the_unit_up_to_date(built: tuple[Project, CompiledUnit], path: str) -> None:
    project, unit = built
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    assert project.is_current(unit)


@pytest.mark.parametrize("path", ["src/near.h", "second/deep/far.h", "second/angled.h"])
def test_edited_header_makes_the_unit_dirty(built: tuple[Project, CompiledUnit], path: str) -> None:
    project, unit = built
    (project.root / path).write_text("/* changed */\n")
    assert not project.is_current(unit)


def test_has_include_is_observed(project: Project) -> None:
    project.write(a_c="#if __has_include(<maybe.h>)\nint yes;\n#else\nint no;\n#endif\n", inc__x_h="")
    unit = project.compile("a.c", include_dirs=["inc"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["no"]
    project.write(inc__maybe_h="")
    assert not project.is_current(unit)
    unit = project.compile("a.c", include_dirs=["inc"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["yes"]
    (project.root / "inc/maybe.h").unlink()
    assert not project.is_current(unit)


@pytest.mark.exhaustive(project="zig")  # it is clang
@pytest.mark.parametrize(
    ("text", "appears", "words"),
    [
        ('#define H "k.h"\n#include H\n', "src/k.h", []),
        ("#include NAME\n", "src/k.h", ['-DNAME="k.h"']),
        ("#include NAME\n", "first/k.h", ["-DNAME=<k.h>"]),
        ('#include \\\n  "k.h"\n', "src/k.h", []),
        ('#/* c\n*/include/**/"k.h" /* d */\n', "src/k.h", []),
        ('%:include "k.h"\n', "src/k.h", []),
        ('#in\\\nclude "./k.h"\n', "src/k.h", []),
        ("int x;\n", "k.h", ["-include", "k.h"]),
        ("int x;\n", "first/k.h", ["-imacros", "k.h"]),
        ('#import "k.h"\n', "src/k.h", []),
        ("#include <k.h>\n", "quoted/k.h", ["-isystem", "quoted"]),
        ('#include "k.h"\n', "quoted/k.h", ["-iquote", "quoted"]),
        ('#define H "maybe.h"\n#if __has_include(H)\nint y;\n#endif\n#undef H\n', "src/maybe.h", []),
        ("#define HAS(x) __has_include(x)\n#if HAS(<maybe.h>)\n#endif\n", "second/maybe.h", []),
        (
            "#define S(x) #x\n#define T(x) S(x)\n#if __has_include(T(may)T(be.h)) || __has_include(T(m.h))\n#endif\n",
            "m.h",
            [],
        ),
        ("#if ASKS\n#endif\n", "first/maybe.h", ['-DASKS=__has_include("maybe.h")']),
        ('#if __has_include \\\n ( /* c */ "maybe.h" )\n#endif\n', "src/maybe.h", []),
        ('#ifdef __has_include\n#if __has_include("../up/maybe.h")\n#endif\n#endif\n', "up/maybe.h", []),
        ("#include <again.h>\n", "second/next.h", []),
        ('#include "word.h"\n#if defined(ASKS) && ASKS("maybe.h")\n#endif\n', "src/maybe.h", []),
        ('#include "word.h"\n#if ASKS /* c */ (<maybe.h>)\n#endif\n', "second/maybe.h", []),
        ('#include "word.h"\n#define M <maybe.h>\n#if ASKS(M)\n#endif\n', "second/maybe.h", []),
        ('#include "word.h"\n#if MAYBE\n#endif\n', "src/maybe.h", []),
    ],
)
def test_every_way_to_name_a_header_is_observed(project: Project, text: str, appears: str, words: list[str]) -> None:
    if "T(may)" in text:
        text = text.replace("__has_include(T(may)T(be.h)) || ", "")
        words = ["-iquote", "."]
    project.write(src__a_c=text, second__k_h="", first__again_h="#if __has_include_next(<next.h>)\n#endif\n")
    word = "#ifdef __has_include\n#define ASKS __has_include\n#else\n#define ASKS(x) 0\n#endif\n"
    project.write(src__word_h=word + '#define MAYBE ASKS("maybe.h")\n' * ("MAYBE" in text))
    unit = project.compile("src/a.c", include_dirs=["first", "second"], flags=words)
    assert project.is_current(unit)
    (project.root / appears).parent.mkdir(parents=True, exist_ok=True)
    (project.root / appears).write_text("int appeared;\n")
    assert not project.is_current(unit)


def test_aliases_of_has_include_need_no_preprocessor(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Widespread headers have such aliases, and two more processes per unit would take a tenth of the time."""
    expanded: list[object] = []
    monkeypatch.setattr(inputs, "expanded_queries", lambda *words: expanded.append(words) or ((), False))
    word = "/* HAS(x) would be a function */\n#ifndef HAS\n#define HAS __has_include\n#endif\n"
    project.write(src__word_h=word, src__a_c='#include "word.h"\n#if HAS(<maybe.h>)\n#endif\n')
    unit = project.compile("src/a.c", include_dirs=["first"])
    assert project.is_current(unit)
    project.write(first__maybe_h="")
    assert not project.is_current(unit)
    assert not expanded
    project.write(src__b_c='#include "word.h"\n#define NAME <maybe.h>\n#if HAS(NAME)\n#endif\n')
    project.compile("src/b.c", include_dirs=["first"])
    assert expanded


def test_embedded_files(project: Project) -> None:
    if project.toolchain.llvm_major < 19:
        return
    text = "const char a[] = {\n#embed NAME\n};\n#if __has_embed(<other.bin>)\nint y;\n#endif\n"
    for appears in ("one/e.bin", "src/e.bin", "two/other.bin"):
        project.write(src__a_c=text, two__e_bin="1")
        words = ["-std=c23", "--embed-dir=one", "--embed-dir=two", '-DNAME="e.bin"']
        unit = project.compile("src/a.c", flags=words)
        assert project.is_current(unit)
        (project.root / appears).parent.mkdir(exist_ok=True)
        (project.root / appears).write_text("2")
        assert not project.is_current(unit)


@pytest.mark.parametrize("kind", ["directory", "dangling", "file as parent"])
def test_obstacle_in_place_of_a_header(project: Project, kind: str) -> None:
    project.write(src__a_c='#include "d/k.h"\n', second__d__k_h="")
    (project.root / "src/d").write_text("") if kind == "file as parent" else (project.root / "src/d").mkdir()
    path = project.root / "src/d/k.h"
    if kind == "directory":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("nowhere.h")
    unit = project.compile("src/a.c", include_dirs=["second"])
    assert project.is_current(unit)
    if kind == "directory":
        path.rmdir()
    elif kind == "dangling":
        path = path.with_name("nowhere.h")
    else:
        (project.root / "src/d").unlink()
        (project.root / "src/d").mkdir()
    path.write_text("int x;\n")
    assert not project.is_current(unit)


def test_precompiled_header_that_appears(project: Project) -> None:
    project.write(a_c="int x;\n", k_h="")
    unit = project.compile("a.c", flags=["-include", "k.h"])
    (project.root / "k.h.gch").write_text("")
    assert not project.is_current(unit)


def test_files_named_in_flags_are_observed(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(int x) { return x + 1; }\n", list_txt="fun:g\n")
    words = {"sanitize": ["undefined"], "flags": ["-fsanitize-ignorelist=list.txt"]}
    unit = llvm_project.compile("a.c", **words)
    assert "list.txt" in llvm_project.observed(unit)


def test_compilers_own_cache_is_disabled(project: Project) -> None:
    """zig's own cache would miss that a header has appeared earlier on the search path."""
    project.write(a_c="#include <k.h>\nint K;\n", first__x_h="", second__k_h="#define K old\n")
    words = (*project.toolchain.cc(project.target), "-c", "a.c", "-Ifirst", "-Isecond", "-o", "a.o")
    project.toolchain.run(words, cwd=project.root, what="a.c", outputs=["a.o"])
    old = (project.root / "a.o").read_bytes()
    project.write(first__k_h="#define K new\n")
    project.toolchain.run(words, cwd=project.root, what="a.c", outputs=["a.o"])
    assert (project.root / "a.o").read_bytes() != old


def test_system_headers_are_observed_but_not_zigs(project: Project) -> None:
    """zig's headers change only with its version; the system's may change at any time."""
    project.write(a_c="#include <stdio.h>\n")
    outside = [item.path for item in project.compile("a.c").observed if os.path.isabs(item.path)]
    if project.toolchain.kind == "zig":
        assert outside == []
    else:
        assert "/usr/include/stdio.h" in outside


def test_missing_directory_that_is_warned_about_is_observed(project: Project) -> None:
    project.write(a_c="int x;\n")
    unit = project.compile("a.c", include_dirs=["absent"], flags=["-Wmissing-include-dirs"])
    (project.root / "absent").mkdir()
    assert not project.is_current(unit)
