"""After an edit, thin LTO redoes exactly the modules that miss lld's own ThinLTO cache."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.native_e2e.lld_cache import LIBRARY, PROGRAM, LldCache, redone
from tests.native_e2e.native_scons import NativeProject

INLINE = "inline int sum(int x) { static int all; all += x * 2; return all; }\n"
SCONSTRUCT = """\
base = env.Crate("base", Glob("base_*.c") + Glob("base_*.cc"))
middle = env.Crate("middle", Glob("middle_*.c"), deps=[base])
Default(env.Crate("app", ["main.c"], deps=[middle], crate_type="bin", lto="thin"))
"""
FILES = {
    "base_maths.c": "static int step(int x) { return x * 3; }\nint add(int x) { return step(x) + 1; }\n",
    "base_table.c": """\
extern const int table[4];
const int table[4] = {2, 3, 5, 7};
int lookup(int x) { return table[x & 3]; }
""",
    "base_level.c": "int level = 4;\nint get_level(void) { return level; }\n",
    "base_large.c": """\
int hash(const char *, int);
int hash(const char *s, int x) { int n = 0; for (; *s; s++) n = n * 31 + (*s ^ x) % 7; return n; }
__attribute__((noinline)) int large(const char *s, int x) { for (int i = 0; i < x; i++) x += hash(s, i); return x; }
""",
    "base_count.c": """\
static int count;
int bump(int x) { return count += x; }
__attribute__((noinline)) int beside(int x) { for (int i = 0; i < x; i++) x += (x ^ 9) % 5; return x; }
""",
    "base_left.cc": INLINE + 'extern "C" int left(int x) { return sum(x) + 1; }\n',
    "base_right.cc": INLINE + 'extern "C" int right(int x) { return sum(x) - 1; }\n',
    "base_spare.c": "int spare(int x) { return x; }\n",
    "middle_one.c": "int add(int), lookup(int), bump(int);\nint one(int x) { return add(x) + lookup(x) + bump(x); }\n",
    "middle_two.c": """\
int add(int);
int get_level(void);
int large(const char *, int);
int two(int x) { return large("two", x) + get_level(); }
""",
    "middle_three.c": "extern int level;\nint add(int);\nint three(int x) { return add(add(x)) - level; }\n",
    "main.c": """\
int one(int), two(int), three(int), beside(int), left(int), right(int), large(const char *, int);
int main(int n, char **words) { return one(n) + two(n) - three(n) + beside(n) + left(n) * right(n) > 99 + !words; }
""",
}
ALL = sorted(name for name in FILES if name != "base_spare.c")
ONE_USER_LESS = "one of two users drops the inline function"
# By name: the file, the old and the new text, and the modules that are optimized again.
EDITS = {
    "a leaf": ("main.c", "> 99", "> 98", ["main.c"]),
    "a body that is imported": (
        "base_maths.c",
        "+ 1",
        "+ 2",
        ["base_maths.c", "main.c", "middle_one.c", "middle_three.c"],
    ),
    "a body that is not imported": ("base_large.c", "x += hash", "x -= hash", ["base_large.c"]),
    "an internal function": (
        "base_maths.c",
        "x * 3",
        "x * 5",
        ["base_maths.c", "main.c", "middle_one.c", "middle_three.c"],
    ),
    "one more internal function": (
        "base_maths.c",
        "int add(int x) {",
        "static int more(int x) { return x ^ 5; }\nint add(int x) { x = more(x);",
        ["base_maths.c", "main.c", "middle_one.c", "middle_three.c"],
    ),
    "the name of an internal function": ("base_maths.c", "step", "stride", []),
    "a table of constants": ("base_table.c", "5, 7", "5, 11", ["base_table.c", "main.c", "middle_one.c"]),
    "a variable that nobody writes": (
        "base_level.c",
        "level = 4",
        "level = 5",
        ["base_level.c", "main.c", "middle_three.c", "middle_two.c"],
    ),
    "a variable that is written": (
        "base_level.c",
        "return level;",
        "return level++;",
        ["base_level.c", "main.c", "middle_three.c", "middle_two.c"],
    ),
    "a string": ("middle_two.c", '"two"', '"too"', ["main.c", "middle_two.c"]),
    "a comment": ("base_maths.c", "int add", "// a comment\nint add", []),
    "a signature": (
        "base_level.c",
        "int get_level(void)",
        "int get_level(int x)",
        ["base_level.c", "main.c", "middle_three.c", "middle_two.c"],
    ),
    "one call less": ("middle_three.c", "add(add(x))", "x", ["main.c", "middle_three.c"]),
    "one import more": ("middle_two.c", '"two", x)', '"two", x) + add(x)', ["main.c", "middle_two.c"]),
    "a module that loses its last importer": ("main.c", "+ two(n)", "", ["base_level.c", "main.c"]),
    "a call from another module": ("main.c", "two(n)", 'large("m", n)', ["main.c"]),
    "a body in the module of an imported one": (
        "base_count.c",
        "x ^ 9",
        "x ^ 8",
        ["base_count.c", "main.c", "middle_one.c"],
    ),
    "an inline function, in one of two modules": ("base_right.cc", "x * 2", "x * 3", ["base_right.cc", "main.c"]),
    ONE_USER_LESS: ("base_right.cc", "sum(x)", "x", ["base_right.cc", "main.c"]),
    "an unused module": ("base_spare.c", "return x", "return -x", []),
}
# One edit per fact that the key covers: imported body, table, variable, import added, import dropped,
# inline function, none. zig is tried with these alone: its LLVM generates other code.
FEW = (
    "a body that is imported",
    "a table of constants",
    "a variable that is written",
    "one import more",
    "a module that loses its last importer",
    ONE_USER_LESS,
    "an unused module",
)


@pytest.mark.parametrize(
    ("llvm_kind", "edits"),
    [
        pytest.param("llvm", FEW, id="llvm"),
        pytest.param("llvm", EDITS, marks=pytest.mark.exhaustive, id="llvm, all edits"),
        pytest.param("zig", FEW, marks=pytest.mark.exhaustive, id="zig"),
    ],
)
def test_same_modules_as_lld(tmp_path: Path, llvm_kind: str, edits: Iterable[str]) -> None:
    project = NativeProject(tmp_path / "project", llvm_kind)
    project.crates(SCONSTRUCT, FILES)
    project.scons()
    library, program = (LldCache(project, ["app", "middle", "base"], kind) for kind in (LIBRARY, PROGRAM))
    assert redone(project.path, project.output, "app") == library.fresh() == program.fresh() == ALL
    for what in edits:
        name, old, new, expected = EDITS[what]
        assert old in FILES[name]
        # Both caches hold the original files, so undoing the previous edit costs neither anything.
        project.write({**FILES, name: FILES[name].replace(old, new)})
        project.scons()
        ours = redone(project.path, project.output, "app")
        assert ours == library.fresh() == expected, what
        # In a program, lld also records that a variable with a single definition left cannot be interposed.
        of_program = sorted([*expected, "base_left.cc"]) if what == ONE_USER_LESS else expected
        assert program.fresh() == of_program, what
    project.write(FILES)
    project.scons()
    assert redone(project.path, project.output, "app") == library.fresh() == program.fresh() == []
    project.write({"base_early.c": "int early(int x) { return x; }\n"})
    project.scons()
    assert (
        "base.rlink" in project.output
        and redone(project.path, project.output, "app") == library.fresh() == program.fresh() == []
    )
