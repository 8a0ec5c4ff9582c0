"""A unit depends on every file it read and on every place where it found nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from cratewright import CompiledUnit, SourceError, ToolError, digest_file
from cratewright_native.compile import unit as compile_unit
from cratewright_native.lookups.observe import FileMemory, Search, observe, read_facts
from cratewright_native.lookups.search_path import SearchPath, parse_search_path
from cratewright_native.lookups.world import World
from tests.support.native_project import Project


def _stale(project: Project, unit: CompiledUnit) -> bool:
    return any(digest_file(os.path.join(project.root, item.path)) != item.digest for item in unit.observed)


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
    assert not _stale(project, _BUILT[kind])
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
    assert _stale(project, unit)


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
    assert not _stale(project, unit)


@pytest.mark.parametrize("path", ["src/near.h", "second/deep/far.h", "second/angled.h"])
def test_an_edit_is_noticed(built: tuple[Project, CompiledUnit], path: str) -> None:
    project, unit = built
    (project.root / path).write_text("/* changed */\n")
    assert _stale(project, unit)


def test_a_header_that_is_asked_for(project: Project) -> None:
    project.write(a_c="#if __has_include(<maybe.h>)\nint yes;\n#else\nint no;\n#endif\n", inc__x_h="")
    unit = project.compile("a.c", include_dirs=["inc"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["no"]
    project.write(inc__maybe_h="")
    assert _stale(project, unit)
    unit = project.compile("a.c", include_dirs=["inc"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["yes"]
    (project.root / "inc/maybe.h").unlink()
    assert _stale(project, unit)


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
    assert not _stale(project, unit)
    (project.root / appears).parent.mkdir(parents=True, exist_ok=True)
    (project.root / appears).write_text("int appeared;\n")
    assert _stale(project, unit)


def test_other_words_for_a_question_take_no_preprocessor(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in widespread headers: two more processes for each unit would be a tenth of the time."""
    asked: list[object] = []
    monkeypatch.setattr(compile_unit, "ask_preprocessor", lambda *words: asked.append(words) or ((), False))
    word = "/* HAS(x) would be a function */\n#ifndef HAS\n#define HAS __has_include\n#endif\n"
    project.write(src__word_h=word, src__a_c='#include "word.h"\n#if HAS(<maybe.h>)\n#endif\n')
    unit = project.compile("src/a.c", include_dirs=["first"])
    assert not _stale(project, unit)
    project.write(first__maybe_h="")
    assert _stale(project, unit)
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
        assert not _stale(project, unit)
        (project.root / appears).parent.mkdir(exist_ok=True)
        (project.root / appears).write_text("2")
        assert _stale(project, unit)


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
    assert not _stale(project, unit)
    if kind == "directory":
        path.rmdir()
    elif kind == "dangling":
        path = path.with_name("nowhere.h")
    else:
        (project.root / "src/d").unlink()
        (project.root / "src/d").mkdir()
    path.write_text("int x;\n")
    assert _stale(project, unit)


def test_a_precompiled_header(project: Project) -> None:
    project.write(a_c="int x;\n", k_h="")
    unit = project.compile("a.c", flags=["-include", "k.h"])
    (project.root / "k.h.gch").write_text("")
    assert _stale(project, unit)


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


@pytest.mark.parametrize(
    "text",
    [
        '.incbin "data/blob.bin"',
        '.include "inner.inc"',
        '.INCBIN "data/blob.bin"',
        '.macro take file\n.incbin "\\file"\n.endm\ntake data/blob.bin',
        '.irp part,blob\n.incbin "data/\\part\\().bin"\n.endr',
        '#define TAKE .incbin\nTAKE "data/blob.bin"',
        '.incbin \\\n "data/blob.bin"',
        '.macro take how\n.\\how "data/blob.bin"\n.endm\ntake incbin',
        '.include "searched.inc"',
        '.incbin "ROOT/data/blob.bin"',
    ],
)
def test_files_that_assembly_reads(project: Project, text: str) -> None:
    text = text.replace("ROOT", str(project.root))
    project.write(a_S=f'.data\n.globl blob\nblob:\n{text}\n.section .note.GNU-stack,"",%progbits\n', data__blob_bin="1")
    project.write(inner_inc='.incbin "data/blob.bin"\n', two__searched_inc='.include "inner.inc"\n')
    unit = project.compile("a.S", include_dirs=["one", "two"])
    assert not _stale(project, unit)
    project.write(data__blob_bin="2")
    assert _stale(project, unit)
    if "searched" in text:
        project.write(data__blob_bin="1", one__searched_inc="")
        assert _stale(project, unit)


def test_assembly_that_is_not_preprocessed(project: Project) -> None:
    project.write(a_s='# not a comment of C\'s\n.data\n.globl blob\nblob: .incbin "b.bin"\n', b_bin="1")
    unit = project.compile("a.s", defines=["X"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["blob"] and unit.diagnostics == ()
    project.write(b_bin="2")
    assert _stale(project, unit)


def test_an_absolute_name_that_assembly_makes_up(llvm_project: Project) -> None:
    place = llvm_project.root
    llvm_project.write(a_S=f'.macro take file\n.incbin "{place}/\\file"\n.endm\ntake b.bin\n', b_bin="1")
    with pytest.raises(SourceError, match=r"a\.S:1: error: assembly builds the absolute path"):
        llvm_project.compile("a.S")


@pytest.mark.parametrize(
    "text",
    [
        '__asm__(".incbin \\"blob.bin\\"");',
        'void f(void) { asm volatile(".inc" "bin \\"blob.bin\\""); }',
        '#define ASM(x) __asm__(#x)\nASM(.INCBIN "blob.bin");',
        '__asm__(".macro take how\\n.\\\\how \\"blob.bin\\"\\n.endm\\ntake incbin");',
    ],
)
def test_inline_assembly_may_not_read_files(project: Project, text: str) -> None:
    project.write(a_c='#include "b.h"\n', b_h=f'// a comment: ".incbin"\n{text}\n', blob_bin="1")
    with pytest.raises(SourceError, match=r"b\.h:1: error: inline assembly that reads a file"):
        project.compile("a.c")
    project.write(b_h='// a comment: ".incbin"\nint x; __asm__("nop");\n')
    project.compile("a.c")


def test_system_headers(project: Project) -> None:
    """Those of a wheel change with its version; those of the machine may change at any time."""
    project.write(a_c="#include <stdio.h>\n")
    outside = [item.path for item in project.compile("a.c").observed if os.path.isabs(item.path)]
    if project.toolchain.kind == "zig":
        assert outside == []
    else:
        assert "/usr/include/stdio.h" in outside


def test_a_source_that_changes_meanwhile(project: Project) -> None:
    project.write(a_c="int x;\n")
    stencil = project.stencil("a.c")
    project.write(a_c="int y;\n")
    with pytest.raises(SourceError, match=r"a\.c:1: error: the source has changed"):
        project.backend.compile_codegen_unit(stencil)


@pytest.mark.parametrize("text", ["#include <k.h>\nint K;\n", "#if __has_include(<m.h>)\nint one;\n#endif\n"])
def test_a_header_that_appears_meanwhile(project: Project, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The compiler has searched there before, so its result would be that of a tree that is gone."""
    project.write(a_c=text, first__x_h="", second__k_h="#define K two\n")
    listed = compile_unit._listed

    def appear(*words: Any) -> Any:
        found = listed(*words)
        if not (project.root / "first/k.h").exists():
            project.write(first__k_h="#define K one\n", first__m_h="")
        return found

    monkeypatch.setattr(compile_unit, "_listed", appear)
    unit = project.compile("a.c", include_dirs=["first", "second"])
    assert [symbol.name for symbol in unit.modules[0].exports] == ["one"]
    assert not _stale(project, unit)


def test_a_missing_directory_that_is_reported(project: Project) -> None:
    project.write(a_c="int x;\n")
    unit = project.compile("a.c", include_dirs=["absent"], flags=["-Wmissing-include-dirs"])
    (project.root / "absent").mkdir()
    assert _stale(project, unit)


def test_a_header_of_the_future(project: Project) -> None:
    project.write(a_c='#include "b.h"\n', b_h="int x;\n")
    later = os.stat(project.root / "b.h").st_mtime_ns + 3600 * 10**9
    os.utime(project.root / "b.h", ns=(later, later))
    assert project.compile("a.c").modules


def test_a_header_that_keeps_changing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest could be that of another content than the compiler saw."""
    project.write(a_c='#include "b.h"\n', b_h="int x;\n")
    listed = compile_unit._listed

    def change(*words: Any) -> Any:
        project.write(b_h="int x;\n")
        return listed(*words)

    monkeypatch.setattr(compile_unit, "_listed", change)
    with pytest.raises(ToolError, match=r"a\.c: files that it includes keep changing"):
        project.compile("a.c")


def test_memory_is_of_one_content(tmp_path: Path) -> None:
    memory = FileMemory(str(tmp_path))
    file = tmp_path / "a.h"
    file.write_text('#include "a.h"\n')
    assert memory.facts("a.h")[0].directives.quoted == ("a.h",)
    file.write_text('#include "b.h"\n')  # at once: neither size nor time need tell
    assert memory.facts("a.h")[0].directives.quoted == ("b.h",)
    time.sleep(0.02)
    first, _ = memory.facts("a.h")
    assert memory.facts("a.h")[0] is first
    file.write_text('#include "cc.h"\n')
    assert memory.facts("a.h")[0].directives.quoted == ("cc.h",)


def test_nothing_below_the_bundle_is_observed(tmp_path: Path) -> None:
    bundle = str(tmp_path / "bundle") + "/"
    search = Search(path=SearchPath(angled=("inc", bundle + "one", bundle + "two")))
    (tmp_path / "inc").mkdir()
    files = {"a.c": read_facts(b""), bundle + "two/x.h": None}
    found, _ = observe("a.c", files, search, root=str(tmp_path), bundled=bundle)
    assert [(item.path, item.digest) for item in found] == [("inc/x.h", None)]


def test_search_path() -> None:
    said = (
        'ignoring nonexistent directory "no/where"\n#include "..." search starts here:\n ./q\n'
        "#include <...> search starts here:\n .\n inc\n /usr/include\n /L (framework directory)\n"
        "End of search list.\nx.c:1:1: warning: w\n"
    )
    assert parse_search_path(said) == SearchPath(("q",), ("", "inc", "/usr/include", "/L"), ("no/where",))
    assert parse_search_path("") == SearchPath()


@pytest.mark.parametrize(
    ("text", "computed"),
    [
        (b"#include NAME\n", True),
        (b"  /* c */ # include NAME\n", True),
        (b"/* c\n */ #include NAME\n", True),
        (b"%:include NAME\n", True),
        (b"// You should #include this.\n", False),
        (b" * a \\#include is meant\n", False),
        (b'#include "a.h"\n#include <b.h>\n', False),
    ],
)
def test_prose_about_includes_is_none(text: bytes, computed: bool) -> None:
    assert read_facts(text).directives.computed is computed


def test_many_misses_are_those_of_each(tmp_path: Path) -> None:
    (tmp_path / "here" / "sub").mkdir(parents=True)
    (tmp_path / "here" / "file.h").write_text("")
    (tmp_path / "here" / "to_nothing.h").symlink_to("gone")
    paths = ["x.h", "here/x.h", "here/sub", "here/file.h", "here/file.h/y.h", "here/to_nothing.h", "here/.", "here/.."]
    paths += ["gone/a.h", "gone/deep/b.h", "here/sub/c.h", "/x.h", "/usr/gone.h", "/gone/d.h", "here", str(tmp_path)]
    one, all_at_once = World(str(tmp_path)), World(str(tmp_path))
    for path in paths:
        one.miss(path)
    all_at_once.miss_all(paths)
    assert all_at_once.found == one.found
    assert one.found["gone"] is None
    assert "here/file.h" not in one.found
