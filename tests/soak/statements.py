"""Arguments of `env.Crate`, and statements before and between its calls, by kind.

`{c}` and `{d}` stand for crates with images, `{lib}` for one without, `{n}` for a number.
"""

# ruff: noqa: E501 - tables

from __future__ import annotations

__all__ = [
    "BEFORE", "DEPS", "FLAGS", "GATHERING", "INCLUDES", "LISTS", "MADE", "MATCHED", "MERGING", "OPTIONS", "SOURCES", "WHOLE",
]  # fmt: skip

_LEVELS = ('"0"', '"3"', '"s"', "0", "3", "1", "3", '"1"', "1", "True", "1.0")
_FLAGS = ("True", "1", "False", "0", '"1"', "None")

OPTIONS = (
    *(f"multimodule={flag}" for flag in ("True", "True", "False", "1", '"1"')),
    *(f"opt_level={level}" for level in _LEVELS),
    *(f"preserve_bindings={flag}" for flag in _FLAGS),
    *('lto="fat"', 'lto="off"', 'debuginfo="full"', 'debuginfo="none"', "disassemble=True", 'dump_post_link="dump"'),
    *('defines={"Q": "2"}', 'defines={"Q": 2}', 'defines=["Q=3"]', 'defines="Q=$Q"', "defines={'Q': VERSION}"),
    *('GLSLDEFINES=["Q=2"]', 'CRATE_OPT_LEVEL="3"', 'profile="release"', 'profile="mine"', 'profile="plug"'),
    *('version="1.2"', 'variants={"Q": [1, 2]}', 'variants={"Q": [True, 1, 2]}, when="Q != 2"', 'metadata="x"'),
    *('target=["vulkan1.2", "vulkan1.3"]', 'strip="split"', 'spirv_metadata="full"', "spirv_val=False"),
    *("preserve_bindings=Flag()", "defines={'Q': Text()}", "defines=dict(Q=Odd())"),
)

INCLUDES = ('["inc"]', '"inc"', '[Dir("inc")]', '["inc2", "inc"]', '["#inc"]', '["$INC"]', '("inc",)', "INCLUDES")

SOURCES = (
    *(
        '"s{a}.comp"',
        'File("s{a}.comp")',
        '("s{a}.comp", {{"opt_level": "3"}})',
        '("s{a}.comp", {{"defines": ["Q=2"]}})',
    ),
    *('"s{a}.comp"', '"s{a}.comp"', '"sub/s9.comp"', '"#s{a}.comp"', "TEXT", "Text('s{a}.comp')", '"$SOURCE0"'),
)

LISTS = ("[{}]", "[{}]", "[{}]", "({},)", "Flatten([[{}]])", "SCons.Util.CLVar([{}])", "SCons.Util.NodeList([{}])")

WHOLE = (
    'Glob("s*.comp")',
    'Glob("s[01].comp")',
    'env.Command("gen.comp", "s0.comp", Copy("$TARGET", "$SOURCE"))',
    '(s for s in ["s0.comp"])',
    "SOURCES",
    'Split("s0.comp s1.comp")',
    'sorted(Glob("s*.comp"), key=str)[:2]',
)

DEPS = ("lib0", "lib0", "lib0", '"lib0"', "lib0.rlib", "*lib0", '"liblib0.rlib"')

MADE = (
    'env.Command("gen/a.comp", "s0.comp", Copy("$TARGET", "$SOURCE"))',
    'env.Command("gen/b.comp", "s1.comp", Copy("$TARGET", "$SOURCE"))',
    'env.Command(["gen/c.comp", "gen/d.comp"], "s1.comp", "cat $SOURCE > gen/c.comp; cat $SOURCE > gen/d.comp")',
    'env.Command("o0.txt", "dep.txt", Copy("$TARGET", "$SOURCE"))',
    'env.Install("gen", Glob("s[01].comp"))',
)
"""Statements that generate files for globs."""

MATCHED = (
    *('Glob("gen/*.comp")', 'Glob("gen/*.comp") + ["s2.comp"]', '["s2.comp", *Glob("gen/[ab].comp")]'),
    *('Glob("gen/*.comp", ondisk=False) or ["s2.comp"]', 'Glob("gen/*.comp", exclude=["gen/a.comp"]) + ["s2.comp"]'),
)

GATHERING = (
    'env.Command("o1.txt", Glob("*.spv"), "cat $SOURCES dep.txt | wc -c > $TARGET")',
    'env.Command("o2.txt", [Glob("o[01].txt"), "dep.txt"], "cat $SOURCES > $TARGET")',
    'env.Command("o3.txt", sorted(Glob("gen/*"), key=str) + ["dep.txt"], "cat $SOURCES > $TARGET")',
    *('env.Install("inst", Glob("*.spv"))', 'env.Install("inst", Glob("gen/*.comp"))'),
    'env.Install("inst", Glob("*.rlib"))',
    *('print([str(node) for node in Glob("gen/*")])', 'print([str(node) for node in Glob("*.spv")])'),
)
"""Other uses of globs than crates."""

FLAGS = (
    *('parse_flags=read("flags.txt")', 'parse_flags=["-Iinc", read("flags.txt")]'),
    *('parse_flags="-Iinc -DQ=2"', 'parse_flags="-Iinc -D$MORE"', 'parse_flags={"GLSLDEFINES": ["Q=2"]}'),
    'include_dirs=["inc"], parse_flags=read("flags.txt")',
)

MERGING = (
    *('env.MergeFlags(read("flags.txt"))', 'env.MergeFlags("!cat flags.txt")', 'env.ParseConfig("cat flags.txt")'),
    *('env.MergeFlags({"GLSLDEFINES": ["Q=3"]})', 'env.MergeFlags({"GLSLPATH": ["inc2"], "GLSLDEFINES": "R"})'),
    *('env.MergeFlags(env.ParseFlags(read("flags.txt")))', 'env["MORE"] = read("flags.txt")[-3:].strip()'),
    'env = env.Clone(parse_flags=read("flags.txt"))',
    'env.Replace(GLSLDEFINES=env.ParseFlags(read("flags.txt"))["CPPDEFINES"])',
)
"""Statements that merge flags into an Environment."""

BEFORE = (
    'Q = 2', "INCLUDES = ['inc']", "SOURCES = ['s0.comp', 's1.comp']", 'VERSION = read("VERSION").strip().split(".")[0]',
    'TEXT = "s0.comp"',
    'class Text(str):\n    pass',
    'class Flag:\n    def __bool__(self):\n        return read("flag") == "1"\n    def __str__(self):\n        return "1"',
    'class Odd:\n    def __str__(self):\n        return read("VERSION").strip()[0]',
)  # fmt: skip
