"""Builds that are recognized as up to date although their calls of `env.Crate` are hard to record."""

from __future__ import annotations

from collections.abc import Callable

from tests.spirv_e2e.test_settled import BOTH, CRATES, FILES, pair, without, writing
from tests.support.project_pair import ProjectPair

__all__ = ["pair"]

LATER = """\
import os
sources = ["a.comp"]
lib = env.Crate("lib", ["lib.glsl"])
env["CRATE_OPT_LEVEL"] = "0"
env.Append(GLSLPATH=["inc"])
one = env.Crate("one", sources, deps=[lib], crate_type="cdylib", defines={"Q": 1})
sources.append("b.comp")
env["CRATE_OPT_LEVEL"] = "3"
env["CRATE_DEFINES"] = {"Q": 1}
os.environ["SOMETHING"] = "other"
ARGUMENTS["CRATE_DEBUGINFO"] = "full"
two = env.Crate("two", sources, deps=[lib], crate_type="cdylib")
env["CRATE_DEFINES"] = {"Q": True}
ARGUMENTS["CRATE_DEBUGINFO"] = "none"
six = env.Crate("six", [File("a.comp"), ("b.comp", {"defines": ["R"]})], deps=["lib"], crate_type="cdylib")
"""


def test_deferred_call_uses_values_of_its_time(pair: ProjectPair) -> None:
    """Lists and variables that have changed since the call, and the line in an error."""
    for more in (
        "print(one.rlink, env['CRATE_OPT_LEVEL'], os.environ['SOMETHING'], ARGUMENTS)\n",
        "env.Crate('one', 'a.comp')\n",
        "lib.rlink\nenv.Crate('one', 'a.comp')\n",
        "open('inc/x.inc', 'w').write('#define X 8.0\\n')\n",
    ):
        pair.settle(LATER)
        pair.sconstruct(LATER + more)
        pair.run()
        assert ('SConstruct", line' in pair.with_record.output) == ("'one'" in more)
        for project in pair:
            project.write({"inc/x.inc": "#define X 5.0 // another\n"})
        pair.run()
    for before, after in (
        ('{"Q": 1}', '{"Q": 1.0}'),
        ('"3"', "3"),
        ('["R"]', '("R",)'),
    ):
        pair.settle(LATER)
        pair.sconstruct(LATER.replace(before, after))
        pair.run()
        assert not pair.is_settled(), after


def test_targets_are_part_of_the_record(pair: ProjectPair) -> None:
    """A crate that was not built is not settled."""
    pair.settle(CRATES + "Default(wide)\n")
    pair.sconstruct(CRATES + "Default(wide, [one])\n")
    pair.run()
    assert "Linking one.spv.json" in pair.with_record.output
    pair.settle(CRATES)
    assert "`.' is up to date" in pair.with_record.output
    for _ in range(3):
        pair.run("one.spv")
    assert pair.is_settled()


GATHERED = (
    CRATES
    + """\
targets = []
targets += wide
targets.extend(one)
Default(targets)
more = [*lib]
more += one + lib
exec(open("say.txt").read())
"""
)


def test_nodes_in_lists_are_those_of_the_crates(pair: ProjectPair) -> None:
    """Adding nodes to a list declares no crate; they are the same objects before and after declaration."""
    for statement in (
        "print(len(targets), len(more), type(targets).__name__, bool(one))",
        "print([targets[place] is wide[place] for place in (0, 1)], *targets, more[-1].has_builder())",
        "all = Flatten([targets, [more]])\nprint(all == [*wide, *one, *lib, *one, *lib], more[0].rfile())",
        "targets[-1].attributes.mine = 1; print(one[-1].attributes.mine)",
        "one.pop(); del wide[0]; Default(more[:1])",
        "Depends(more, 'in.txt'); Default(env.Command('copy', targets[-1], Copy('$TARGET', '$SOURCE')))",
        "env['MORE'] = more; two = env.Crate('two', 'lib.glsl', deps=more[:1]); print(two)",
        "open('inc/x.inc', 'w').write('#define X 9.0\\n')",
    ):
        pair.write({"say.txt": ""})
        pair.settle(GATHERED)
        pair.write({"say.txt": statement})
        pair.run()
        assert pair.is_settled() == ("len(targets)" in statement), statement
        pair.run()


LIBRARIES = """\
base = env.Crate("base", ["lib.glsl"])
upper = env.Crate("upper", ["upper.glsl"], deps=[base])
Default(env.Crate("one", ["a.comp"], deps=[upper], crate_type="cdylib", include_dirs=["inc"]))
"""
UPPER = {"upper.glsl": "#version 460\nfloat f();\nfloat g() { return f() * 3.0; }\n"}


def test_library_that_depends_on_another(pair: ProjectPair) -> None:
    """A library reads the interfaces of its dependencies from their files."""
    edits: dict[str, Callable[[ProjectPair], list[str]]] = {
        "its body": writing({"lib.glsl": "#version 460\nfloat f() { return 5.0; }\n"}),
        "its interface": writing({"lib.glsl": "#version 460\nfloat f() { return 5.0; }\nfloat h() { return 1.0; }\n"}),
        "its rlink is gone": without("base.rlink"),
        "the library is gone": without("libupper.rlib"),
        "its rlink is damaged": writing({"base.rlink": "garbage"}),  # permanent, so it comes last
    }
    for what, change in edits.items():
        pair.write(UPPER)
        pair.settle(LIBRARIES)
        pair.run(*change(pair))
        assert not pair.is_settled(), what
        pair.run()


def test_no_build_is_settled_on_windows(pair: ProjectPair) -> None:
    """There, SCons looks up its nodes by names that are not paths."""
    for windows in (False, True):
        module = "cratewright.scons.last_build.call_recorder"
        system = f"import {module}\n{module}.WINDOWS = {windows}\n"
        pair.write(FILES)
        pair.sconstruct(system + BOTH)
        for _ in range(4):
            pair.run()
        assert pair.is_settled() != windows
