"""Builds that declare only the crates concerned by a change give the same results as full builds."""

from __future__ import annotations

import os

import pytest

from tests.spirv_e2e.shader_project import HEADER, ShaderProject, compute
from tests.support.project_pair import ProjectPair

CRATES = """\
base = env.Crate("base", ["base.glsl"])
lib = env.Crate("lib", ["lib.glsl"], deps=[base])
a = env.Crate("a", ["a.comp", "a2.comp"], deps=[lib], crate_type="cdylib", multimodule=True, include_dirs=["inc"])
b = env.Crate("b", ["b.comp"], deps=[lib], crate_type="cdylib", include_dirs=["inc"], lto="thin")
c = env.Crate("c", Glob("c*.comp"), deps=["base"], crate_type="cdylib", include_dirs=["inc"], lto="fat")
d = env.Crate("d", ["d.comp"], crate_type="cdylib")
e = env.Crate("e", ["e.comp"], crate_type=["rlib", "cdylib"])
"""
ALL = CRATES + "Default(d, a, b)\nDefault(c, e)\n"
SHADER = compute("store.data[i] = X * f();", before='#include "x.inc"\nfloat f();\n')
FILES = {
    "inc/x.inc": "#define X 1.0\n",
    "base.glsl": "#version 460\nfloat f() { return 2.0; }\n",
    "lib.glsl": "#version 460\nfloat f();\nfloat g() { return f() * 3.0; }\n",
    **{f"{name}.comp": SHADER for name in ("a", "a2", "b", "c", "c2")},
    "d.comp": compute("store.data[i] = 4.0;"),
    "e.comp": compute("store.data[i] = 5.0;"),
}


def other(name: str, number: int) -> dict[str, str]:
    """Return a file with different content."""
    return {name: FILES[name].replace("{ uint i", f"{{ uint unused = {number}; uint i") + f"// {number}\n"}


@pytest.fixture
def pair(shader_pair: list[ShaderProject]) -> ProjectPair:
    return ProjectPair(*shader_pair, HEADER, {"say.txt": "", **FILES})


def test_edit_declares_only_concerned_crates(pair: ProjectPair) -> None:
    """The edited crate, its users, the dependencies of all these, and the crates rebuilt by the last build."""
    pair.settle(ALL)
    for edited, concerned in (
        ("d.comp", "d"),
        ("a.comp", "a base lib"),
        ("e.comp", "e"),
        ("c2.comp", "base c"),
        ("lib.glsl", "a b base lib"),
    ):
        pair.write(other(edited, 1))
        assert pair.build_until_settled() == {concerned}, edited
    pair.write(other("d.comp", 2))
    assert pair.run() == "d"
    pair.write(other("a.comp", 2))
    assert {*pair.run().split()} - {"d"} == {"a", "base", "lib"}
    pair.write(other("base.glsl", 1))
    assert pair.run() == "a b base c lib"
    pair.write({"inc/x.inc": "#define X 3.0\n"})
    assert pair.run() == "a b base c lib"
    assert pair.build_until_settled() == {"a b base c lib"}


def test_other_changes_declare_only_concerned_crates(pair: ProjectPair) -> None:
    pair.settle(ALL)
    for change, concerned in (
        (lambda path: (path / "d.spv").unlink(), "d"),
        (lambda path: (path / "a.spvs" / "a.comp.spv").unlink(), "a base lib"),
        (lambda path: (path / "libbase.rlib").unlink(), "a b base c lib"),
        (lambda path: (path / "b.cdylib.lto").unlink(), "b base lib"),
        (lambda path: (path / ".e.rlink.state").unlink(), "e"),
        (lambda path: os.utime(path / "d.comp", ns=(1, 1)), "d"),
        (lambda path: (path / "x.inc").write_text("#define X 7.0\n"), "a b base c lib"),
        (lambda path: (path / "x.inc").unlink(), "a b base c lib"),
        (lambda path: (path / "c3.comp").write_text(SHADER), "a b base c d e lib"),
        (lambda path: (path / "c3.comp").unlink(), "a b base c d e lib"),
    ):
        for project in pair:
            change(project.path)
        assert pair.run() == concerned
        for _ in range(4):
            if not pair.run():
                break
        else:
            raise AssertionError(concerned)


def test_failed_crates_are_checked_again(pair: ProjectPair) -> None:
    """Only crates that failed or were not reached are checked again."""
    pair.settle(ALL)
    pair.write({"a.comp": "nonsense", **other("d.comp", 1)})
    assert pair.run() == "a base d lib"
    assert pair.with_record.status == 2
    assert pair.run() == "a base d lib"
    pair.write(other("e.comp", 1))
    assert {*pair.run("-k").split()} - {"d"} == {"a", "base", "e", "lib"}
    pair.write(other("a.comp", 2))
    assert {*pair.run().split()} - {"d"} == {"a", "base", "e", "lib"}
    assert pair.with_record.status == 0
    assert "a base lib" in pair.build_until_settled()
    pair.write({"lib.glsl": "nonsense"})
    assert pair.run() == "a b base lib"
    pair.write({"lib.glsl": FILES["lib.glsl"]})
    assert pair.run() == "a b base lib"
    assert pair.build_until_settled() == {"a b base lib"}
    pair.write({"inc/x.inc": "nonsense\n"})  # SCons always stops at the first of three errors
    for _ in range(3):
        assert pair.run() == "a b base c lib"
    pair.write({"x.inc": "#define X 5.0\n"})
    assert pair.run() == "a b base c lib"
    assert pair.build_until_settled() == {"a b base c lib"}
    for project in pair:
        (project.path / "d.comp").unlink()
    assert pair.run() == "d"
    assert pair.with_record.status == 2


@pytest.mark.parametrize(
    ("text", "arguments", "declared"),
    [
        (CRATES, (), 20),
        (CRATES, ("d.spv", "c.spv"), 15),
        (CRATES + "Default(e, base, a, lib)\n", (), 12),
        (CRATES + "targets = []\nfor each in (a, b, c, d): targets += each\nDefault(targets)\n", (), 18),
        (CRATES + "targets = []\nfor each in (a, b, c, d): targets += each\n", (), 42),
        (ALL, ("-j3", "-s"), 20),
        (ALL, (".",), 20),
    ],
)
def test_selected_targets(
    pair: ProjectPair, text: str, arguments: tuple[str, ...], declared: int, thorough: bool
) -> None:
    """All crates are declared if SCons visits all nodes, of which some are in lists."""
    pair.settle(text, *arguments)
    count = 0
    for number, edited in enumerate(("d.comp", "a.comp", "c.comp", "e.comp", "b.comp", "d.comp")):
        if thorough or number < 3:
            pair.write(other(edited, number))
            count += len(pair.run(*arguments).split())
    for edited in ("base.glsl", "lib.glsl") if thorough else ("base.glsl",):
        pair.write(other(edited, 9))
        pair.run(*arguments)
        pair.run(*arguments)
    assert count <= declared + 4  # crates with too recent files are declared once more


def test_undeclared_users_decide_how_a_library_is_compiled(pair: ProjectPair) -> None:
    """If all links of a library need code, it is compiled to code, even if some of them are not declared."""
    text = CRATES.replace('lto="thin"', 'lto="off"').replace('lto="fat"', 'lto="off"')
    pair.settle(text)
    pair.write(other("b.comp", 1))
    assert pair.run() == "b base lib"
    assert "Compiling crate lib" not in pair.with_record.output
    pair.settle(CRATES)
    pair.write(other("c.comp", 1))
    assert pair.run() == "base c"


def test_crates_are_used_at_exit(pair: ProjectPair) -> None:
    """Crates used after the build give the same values as if all were declared."""
    for statement_at_exit in (
        "print(e.image, [str(node) for node in BUILD_TARGETS])",
        "print(a.rlink.get_state() > 2)",
    ):
        pair.settle(
            ALL + "import atexit\nsay = open('say.txt').read()\natexit.register(lambda: exec(say, globals()))\n"
        )
        pair.write({**other("d.comp", 1), "say.txt": statement_at_exit})
        pair.run()
        pair.write({**other("d.comp", 2), "say.txt": ""})
        pair.run()


ALIASES = """\
targets = [a, b]
targets += [e]
env.Alias("images", targets)
Alias("images", d)
more = []
more += c
env.Alias("c", more)
env.Alias("all", [[a], (b, [c, d]), *more])
exec(open("say.txt").read())
"""

ALIAS_STATEMENTS = (
    "env.Alias('images', 'd.comp')",
    "env.Alias('images', c)",
    "env.Alias('all', [], Action('@echo hello'))",
    "env.Alias('nothing'); env.Alias('all', env.Alias('images'))",
    "AlwaysBuild(env.Alias('all'))",
    "alias = env.Alias('c', d); print([*map(str, alias[0].sources)], [str(node) for node in alias], len(alias))",
    "Depends(env.Alias('c', d), 'd.comp')",
    "env.Alias('$NAME', d, NAME='c')",
    "Default(env.Alias('new', [d, e]))",
    "e.pop(); env.Alias('images', e)",
)


def test_aliases_of_crates(pair: ProjectPair) -> None:
    """An alias of settled crates is settled, and statements about it take effect."""
    for arguments in ((), ("images",), ("c", "all")):
        pair.settle(CRATES + ALIASES + "Default('all')\n" * (not arguments), *arguments)
        pair.write(other("d.comp", 1))
        pair.run_again(*arguments)
        assert not pair.run(*arguments)
    pair.settle(CRATES + ALIASES + "Default(d, a)\n")
    pair.write(other("d.comp", 2))
    assert pair.run() == "d"
    assert "Compiling crate d" in pair.with_record.output
    for number, statement in enumerate(ALIAS_STATEMENTS):
        pair.settle(CRATES + ALIASES + "Default('all')\n")
        pair.write({"say.txt": statement})
        for arguments in ((), (("images", "c"), ("-n", "all"))[number % 2]):
            pair.run(*arguments)
