"""A unit depends on every file it read and on every place where it found nothing."""

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
    """Give a unit whose includes lie in several places; what a toolchain made of one project holds for copies of it."""
    project.write(src__a_c=INCLUDING, first__other_h="", **FILES)
    kind = project.toolchain.kind
    if kind not in _BUILT:
        _BUILT[kind] = project.compile("src/a.c", include_dirs=["first", "absent/dir", "second"])
    assert project.is_current(_BUILT[kind])
    return project, _BUILT[kind]


def test_files_that_were_read(built: tuple[Project, CompiledUnit]) -> None:
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
def test_what_appears_earlier_is_noticed(built: tuple[Project, CompiledUnit], path: str) -> None:
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
def test_what_nobody_would_look_at_is_not(built: tuple[Project, CompiledUnit], path: str) -> None:
    project, unit = built
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    assert project.is_current(unit)


@pytest.mark.parametrize("path", ["src/near.h", "second/deep/far.h", "second/angled.h"])
def test_an_edit_is_noticed(built: tuple[Project, CompiledUnit], path: str) -> None:
    project, unit = built
    (project.root / path).write_text("/* changed */\n")
    assert not project.is_current(unit)


def test_a_header_that_is_asked_for(project: Project) -> None:
    project.write(a_c="#if __has_include(<maybe.h>)\nint yes;\n#else\nint no;\n#endif\n", inc__x_h="")
    unit = project.compile("a.c", include_dirs=["inc"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["no"]
    project.write(inc__maybe_h="")
    assert not project.is_current(unit)
    unit = project.compile("a.c", include_dirs=["inc"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["yes"]
    (project.root / "inc/maybe.h").unlink()
    assert not project.is_current(unit)


@pytest.mark.exhaustive(project="zig")  # which is clang
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
def test_whatever_way_a_file_is_named(project: Project, text: str, appears: str, words: list[str]) -> None:
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


def test_other_words_for_a_question_take_no_preprocessor(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in widespread headers: two more processes for each unit would be a tenth of the time."""
    asked: list[object] = []
    monkeypatch.setattr(inputs, "expanded_queries", lambda *words: asked.append(words) or ((), False))
    word = "/* HAS(x) would be a function */\n#ifndef HAS\n#define HAS __has_include\n#endif\n"
    project.write(src__word_h=word, src__a_c='#include "word.h"\n#if HAS(<maybe.h>)\n#endif\n')
    unit = project.compile("src/a.c", include_dirs=["first"])
    assert project.is_current(unit)
    project.write(first__maybe_h="")
    assert not project.is_current(unit)
    assert not asked
    project.write(src__b_c='#include "word.h"\n#define NAME <maybe.h>\n#if HAS(NAME)\n#endif\n')
    project.compile("src/b.c", include_dirs=["first"])
    assert asked


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


@pytest.mark.parametrize("kind", ["directory", "dangling", "file in its way"])
def test_what_stands_where_a_header_would(project: Project, kind: str) -> None:
    project.write(src__a_c='#include "d/k.h"\n', second__d__k_h="")
    (project.root / "src/d").write_text("") if kind == "file in its way" else (project.root / "src/d").mkdir()
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


def test_a_precompiled_header(project: Project) -> None:
    project.write(a_c="int x;\n", k_h="")
    unit = project.compile("a.c", flags=["-include", "k.h"])
    (project.root / "k.h.gch").write_text("")
    assert not project.is_current(unit)


def test_files_of_other_words(llvm_project: Project) -> None:
    llvm_project.write(a_c="int f(int x) { return x + 1; }\n", list_txt="fun:g\n")
    words = {"sanitize": ["undefined"], "flags": ["-fsanitize-ignorelist=list.txt"]}
    unit = llvm_project.compile("a.c", **words)
    assert "list.txt" in llvm_project.observed(unit)


def test_the_compilers_own_cache_is_not_asked(project: Project) -> None:
    """zig has one, which would not notice that a header has appeared earlier; here its key is all that matters."""
    project.write(a_c="#include <k.h>\nint K;\n", first__x_h="", second__k_h="#define K old\n")
    words = (*project.toolchain.cc(project.target), "-c", "a.c", "-Ifirst", "-Isecond", "-o", "a.o")
    project.toolchain.run(words, cwd=project.root, what="a.c", outputs=["a.o"])
    old = (project.root / "a.o").read_bytes()
    project.write(first__k_h="#define K new\n")
    project.toolchain.run(words, cwd=project.root, what="a.c", outputs=["a.o"])
    assert (project.root / "a.o").read_bytes() != old


def test_system_headers(project: Project) -> None:
    """Those of a wheel change with its version; those of the machine may change at any time."""
    project.write(a_c="#include <stdio.h>\n")
    outside = [item.path for item in project.compile("a.c").observed if os.path.isabs(item.path)]
    if project.toolchain.kind == "zig":
        assert outside == []
    else:
        assert "/usr/include/stdio.h" in outside


def test_a_missing_directory_that_is_reported(project: Project) -> None:
    project.write(a_c="int x;\n")
    unit = project.compile("a.c", include_dirs=["absent"], flags=["-Wmissing-include-dirs"])
    (project.root / "absent").mkdir()
    assert not project.is_current(unit)
