"""Warnings and errors of compilers: their places, as project paths, and their full text."""

from __future__ import annotations

import re
import subprocess

import pytest

from cratewright import SourceError
from cratewright_native.compile.diagnostics import messages
from tests.support.native_project import Project


def test_warnings_of_a_source_and_a_header(project: Project) -> None:
    project.write(src__a_c='#include "b.h"\nint f(void) { int unused; return 0; }\n', src__b_h="int h(void) { }\n")
    lines = list(map(str, project.compile("src/a.c", flags=["-Wall"]).diagnostics))
    heads = [re.sub(r":\d+: warning.*", ": warning", line.splitlines()[0]) for line in lines]
    assert sorted(heads) == ["src/a.c:2: warning", "src/b.h:1: warning"]
    # Each has the compiler's full text: the line, its mark, and what included the file.
    assert all("^" in line for line in lines)
    assert any("In file included from src/a.c:1:" in line and "int h(void) { }" in line for line in lines)
    assert project.compile("src/a.c", flags=["-w"]).diagnostics == ()


def test_errors_have_places_and_marks(project: Project) -> None:
    project.write(src__a_c="int f(void) { return here; }\nint g(void) { return there; }\n")
    with pytest.raises(SourceError) as caught:
        project.compile("src/a.c")
    text = caught.value.message
    first, second = (line for line in text.splitlines() if "error: " in line)
    assert text.startswith(first) and text.count("^") >= 2 and "COLLECT" not in text and "-cc1" not in text
    assert re.match(r"src/a\.c:1:2\d: error: ", first) and "here" in first
    assert re.match(r"src/a\.c:2:2\d: error: ", second) and "there" in second


def test_columns_count_characters(project: Project) -> None:
    """With tabs, wide and multi-byte characters, the column is the same for every compiler."""
    line = "\t/* \u00e4\u6f22e\u0301\U0001f600 */\treturn here; }"
    project.write(src__a_h=f"static int f(void) {{\n{line}\n", src__a_c='#include "a.h"\n')
    with pytest.raises(SourceError) as caught:
        project.compile("src/a.c")
    (found,) = (item for item in caught.value.diagnostics if "here" in item.text)
    assert (found.file, found.line, found.column) == ("src/a.h", 2, line.index("here") + 1)
    assert found.end_column in (0, found.column + len("here"))


def test_missing_include(project: Project) -> None:
    project.write(a_c="\n#include <no/such.h>\n")
    with pytest.raises(SourceError, match=r"a\.c:2:10: error: .*no/such\.h") as caught:
        project.compile("a.c")
    assert "include_dirs" in caught.value.hint


def test_unknown_flag(project: Project) -> None:
    project.write(a_c="int x;\n")
    with pytest.raises(SourceError, match=r"a\.c:1: error: .*-fnonsense"):
        project.compile("a.c", flags=["-fnonsense"])


def test_assembly(project: Project) -> None:
    project.write(a_S="good: nop\nbad: nonsense %rax\n")
    with pytest.raises(SourceError, match=r"a\.S:2:(\d+:)? error: "):
        project.compile("a.S")


def test_intermediate_representation(llvm_project: Project) -> None:
    llvm_project.write(a_ll="define i32 @f() {\n  ret i64 0\n}\n")
    with pytest.raises(SourceError, match=r"a\.ll:2:\d+: error: "):
        llvm_project.compile("a.ll")


def test_bitcode_of_a_newer_llvm_is_refused(project_with: object) -> None:
    """An older LLVM may misread it."""
    assert callable(project_with)
    newer, older = project_with("zig"), project_with("llvm")
    if newer.toolchain.llvm_major <= older.toolchain.llvm_major:
        pytest.skip("the system's LLVM is as new as zig's")
    newer.write(a_c="struct s { int a; };\nint f(struct s *p) { return p->a; }\n")
    (module,) = newer.compile("a.c", opt_level="2").modules
    older.write(a_bc=module.data)
    with pytest.raises(SourceError, match=r"a\.bc:1: error: .*Producer") as caught:
        older.compile("a.bc")
    assert "newer LLVM" in caught.value.hint


def test_template_error_names_its_instantiation(project: Project) -> None:
    project.write(a_cc="template <class T> int size(T t) {\n  return t.size();\n}\nint f() { return size(1); }\n")
    with pytest.raises(SourceError, match=r"^a\.cc:2:\d+: error: ") as caught:
        project.compile("a.cc")
    assert re.search(r"[Ii]n instantiation of", caught.value.message) and "a.cc:4:" in caught.value.message


def test_error_in_an_assembler_macro_names_its_use(project: Project) -> None:
    project.write(a_S=".macro bad\nnonsense %rax\n.endm\n\nbad\n")
    with pytest.raises(SourceError, match=r"^a\.S:[25]:(\d+:)? error: ") as caught:
        project.compile("a.S")
    assert "a.S:5" in caught.value.message


def test_time_macro_is_an_error_with_a_hint(project: Project) -> None:
    project.write(a_c="const char *when = __TIME__;\n")
    with pytest.raises(SourceError, match=r"a\.c:1:20: error: .*(date or time|__TIME__)") as caught:
        project.compile("a.c")
    assert "defines=" in caught.value.hint


def test_parsing_of_compiler_output() -> None:
    output = (
        'clang version 19\n "/usr/bin/clang" -cc1\n#include "..." search starts here:\n x\nEnd of search list.\n'
        "In file included from a.c:1:\n./x/b.h:3:7: warning: hm [-Wx]\n  3 | y\n    | ^\n"
        "a.c:9: error: no\na.c: In function 'f':\na.c:9:1: note: see\nclang-19: error: unknown argument\n"
        "error: unknown clang option\n./x/b.h:3:7: warning: hm [-Wx]\n2 warnings generated.\n"
        "COLLECT_GCC_OPTIONS='-c'\n as -v\nGNU assembler version 2\n"
    )
    assert [str(message) for message in messages(output, path="a.c")] == [
        "x/b.h:3:7: warning: hm [-Wx]\nIn file included from a.c:1:\n  3 | y\n    | ^",
        "a.c:9: error: no\na.c: In function 'f':\na.c:9:1: note: see",
        "a.c:1: error: unknown argument",
        "a.c:1: error: unknown clang option",
        "x/b.h:3:7: warning: hm [-Wx]\n2 warnings generated.",
    ]


BROKEN = {
    "three errors, two headers deep": {
        "a.cc": '#include "outer.h"\nvoid g(int, int);\nint f() {\n  g(1);\n  return twice(3) + nowhere;\n}\n',
        "outer.h": '#include "inner.h"\ntemplate <class T> int twice(T t) { return size(t) * 2; }\n',
        "inner.h": "template <class T> int size(T t) {\n  return t.size();\n}\n",
    },
    "warnings": {
        "sp ace/a (1) é.cc": '#include "w.h"\nint f(int a, unsigned b) {\n\tint z;\n\tif (a = 3) return a < b;\n'
        '\treturn ODD(z);\n}\n#pragma message("see: error: here")\n',
        "sp ace/w.h": "#define ODD(x) ((x) = 1, x == x)\nint noret(int a) { }\n",
    },
    "lines of another file, and ends of lines": {
        "a.c": '#line 100 "gen.y"\r\nint f(void) { int u; return nope; }\r\n'
        '#line 7 "a.c"\r\nint g(void) { return "ä" + no; }\r\n',
    },
    "macros": {
        "a.c": '#include "m.h"\nint f(void) {\n  return A(1) + A(2);\n}\n',
        "m.h": "#define A(x) B(x)\n#define B(x) C(x)\n#define C(x) x + undefined_thing\n",
    },
}
_HEADLINE = re.compile(r"\S.*?:\d+(?::\d+)?: (?:error|warning): ")
_BEFORE = re.compile(r"In file included from .*|\s+from .*|\S.*?: (?:In|At) .*|\S.*?:\d+(?::\d+)?:\s+required .*")
_TOTAL = re.compile(r"\d+ (?:warning|error)s?\b.* generated\.")


@pytest.mark.parametrize("name", BROKEN)
def test_compiler_output_is_kept_line_by_line(name: str, project: Project) -> None:
    """Only the order in a block differs: its headline comes first."""
    for path, text in BROKEN[name].items():
        (project.root / path).parent.mkdir(exist_ok=True)
        (project.root / path).write_bytes(text.encode())
    path, flags = next(iter(BROKEN[name])), ["-Wall", "-Wextra"]
    try:
        found, broken = project.compile(path, flags=flags, opt_level="0").diagnostics, False
    except SourceError as error:
        found, broken = error.diagnostics, True
    toolchain = project.toolchain
    language = "c++" if path.endswith(".cc") else "c"
    words = (*toolchain.cc(project.target, language), "-O0", *flags, "-c", path, "-o", "plain.o")
    with toolchain.run_environment(words) as environment:
        done = subprocess.run(words, cwd=toolchain.root, env=environment, capture_output=True, check=False)
    plain: list[str] = []
    before: list[str] = []
    for line in done.stderr.decode().splitlines():
        if _HEADLINE.match(line):
            plain += [line, *before]
        elif _BEFORE.fullmatch(line):
            before.append(line)
            continue
        elif broken or not _TOTAL.fullmatch(line):  # the total is left out
            plain += [*before, line]
        before = []
    assert len(plain) > 5
    output = "\n".join(map(str, found)).splitlines()
    assert [line.replace("./", "") for line in output] == [line.replace("./", "") for line in plain]
    assert all(item.file and item.line and item.column for item in found)
    marked = [item for item in found if str(item).isascii()]
    assert all(item.end_column > item.column for item in marked if f"    {item.line} | " in str(item)), found


def test_related_places_of_template_errors(project: Project) -> None:
    for path, text in BROKEN["three errors, two headers deep"].items():
        (project.root / path).write_text(text)
    with pytest.raises(SourceError) as caught:
        project.compile("a.cc")
    found = caught.value.diagnostics
    assert {(item.file, item.line) for item in found} == {("inner.h", 2), ("a.cc", 4), ("a.cc", 5)}
    assert all(item.column and str(item).startswith(f"{item.place}: error: ") for item in found)
    inner = next(item for item in found if item.file == "inner.h")
    assert (
        {("outer.h", 1), ("outer.h", 2), ("a.cc", 1), ("a.cc", 5)}
        >= {(at.file, at.line) for at in inner.related}
        >= {("outer.h", 2), ("a.cc", 5)}
    )
    assert any((at.file, at.line) == ("a.cc", 2) for item in found for at in item.related)


def test_messages_without_a_file() -> None:
    """Messages about inline assembly and command-line macros name the unit."""
    output = (
        "<inline asm>:1:2: error: bad\n<command-line>: warning: X redefined\n<built-in>:3:1: error: no\n"
        "<command-line>: error: 'tok' undeclared\nb:c.y: In function 'f':\nb:c.y:5:2: note: in expansion of macro 'M'\n"
    )
    assert list(map(str, messages(output, path="a.c"))) == [
        "a.c:1: error: bad\n<inline asm>:1:2: error: bad",
        "a.c:1: warning: X redefined\n<command-line>: warning: X redefined",
        "a.c:1: error: no\n<built-in>:3:1: error: no",
        "b:c.y:5:2: error: 'tok' undeclared\n<command-line>: error: 'tok' undeclared\nb:c.y: In function 'f':\n"
        "b:c.y:5:2: note: in expansion of macro 'M'",
    ]
