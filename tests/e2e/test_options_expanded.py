"""`$` in options of crates means the same as in arguments of SCons's own builders.

Each line of the SConstruct declares a crate and prints the value of one option, or the error; nothing is built.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scons_project import STUB, SconsProject

_BACKEND = """\
import cratewright
import cratewright.testing
from cratewright import ConstructionVariable, OptionKind, OptionSpec

class Words(cratewright.testing.StubBackend):
    NAME = "words"
    OPTIONS = (
        OptionSpec(name="label", kind=OptionKind.TEXT, default="", help=""),
        OptionSpec(name="words", kind=OptionKind.TEXTS, default=(), help=""),
        OptionSpec(name="level", kind=OptionKind.INT, default=1, help=""),
        OptionSpec(name="fast", kind=OptionKind.FLAG, default=False, help=""),
        OptionSpec(name="dump", kind=OptionKind.DIRECTORY, default="", help=""),
    )
    VARIABLES = (
        ConstructionVariable(name="WORDPATH", option="include_dirs"),
        ConstructionVariable(name="WORDDEFINES", option="defines"),
        ConstructionVariable(name="CCFLAGS", option="words"),
    )
    UNIT_OPTIONS = frozenset({"label", "words", "level", "fast", "defines", "include_dirs", "opt_level"})
    LINK_OPTIONS = frozenset({"dump"})
    MODULE_OPTIONS = frozenset()
    LTO_OPTIONS = frozenset()

@cratewright.hookimpl
def cratewright_register_backend():
    return Words
"""

_HEAD = """
import os, sys
sys.path.insert(0, os.getcwd())
import expanding
cratewright.register(expanding)
from cratewright.scons.crates.build import build_of

def called(target, source, env, for_signature):
    return "called"

def of_source(target, source, env, for_signature):
    return str(source[0])

env.Replace(
    CRATE_BACKEND="words", V="v1", N="2", LIST=["p", "q"], TEXT="a b", CALLED=called, OF_SOURCE=of_source, YES=True
)

SEEN = ("defines", "include_dirs", "words")

def show(number, option, value, of_source=False, **more):
    try:
        words = {option: value, **more}
        source = ("a.stub", words) if of_source else "a.stub"
        env.Crate(f"c{number}", [source], **({} if of_source else words))
        crate = next(crate for crate in build_of(env).crates.values() if crate.name == f"c{number}").crate
        options = crate.sources[0].options
        print(repr([options[name] for name in SEEN] if option == "parse_flags" else options[option]))
    except Exception as error:
        print(str(error).splitlines()[0])

"""

_SHOWN = (
    ('"label", "$V"', "'v1'"),
    ('"label", "a-${V}-b"', "'a-v1-b'"),
    ('"label", "a$$b"', "'a$b'"),
    ('"label", "$LIST"', "'p q'"),
    ('"label", "$UNSET"', "''"),
    ('"label", "$CALLED"', "'called'"),
    ('"label", Literal("$V")', "'$V'"),
    ('"label", "$ORIGIN/x"', "'$ORIGIN/x'"),
    ('"label", "$V", True', "'v1'"),
    ('"label", "$TARGET"', "option 'label' cannot be '$TARGET'"),
    ('"label", "${SOURCE.name}"', "option 'label' cannot be '${SOURCE.name}'"),
    ('"label", "$OF_SOURCE"', "option 'label' cannot be '$OF_SOURCE'"),
    ('"label", "${1/0}"', "option 'label' cannot be '${1/0}'"),
    ('"words", ["$V", "x y"]', "('v1', 'x y')"),
    ('"words", "x $LIST"', "('x', 'p', 'q')"),
    ('"words", Split("$V y")', "('v1', 'y')"),
    ('"words", ["x", ["$TEXT"]]', "('x', 'a', 'b')"),
    ('"words", ["$UNSET", Literal("$V"), "\\\\$ORIGIN"]', "('$V', '$ORIGIN')"),
    ('"words", called', "option 'words' takes a list of strings, not <function called"),
    ('"level", "$N"', "2"),
    ('"fast", "$YES"', "True"),
    ('"dump", Dir("d")', "'d'"),
    ('"opt_level", "$N"', "'2'"),
    ('"defines", {"A": "$V", "B": 3, "C": None}', "(('A', 'v1'), ('B', '3'), ('C', None))"),
    ('"defines", "A=1 $V"', "(('A', '1'), ('v1', None))"),
    ('"defines", ["A=$TEXT", ("B", "$V"), {"C": "$$V"}]', "(('A', 'a b'), ('B', 'v1'), ('C', '$V'))"),
    ('"defines", ("A", "$V")', "(('A', 'v1'),)"),
    ('"defines", ["$LIST"], True', "(('p', None), ('q', None))"),
    ('"defines", {"A": File("a.stub")}', "(('A', 'a.stub'),)"),
    ('"defines", {"A": called}', "option 'defines' takes one value for A, not <function called"),
    ('"defines", {"A": ["x"]}', "option 'defines' takes one value for A, not ['x']"),
    ('"defines", {"A": "$SOURCE"}', "option 'defines' cannot be '$SOURCE'"),
    ('"defines", ("A", "B", "C")', "option 'defines' takes NAME, NAME=VALUE or (NAME, VALUE)"),
    ('"parse_flags", "-DA=1 -Ii -O2"', "[(('A', '1'),), ('i',), ('-O2',)]"),
    ('"parse_flags", ["-DA", "$V"], WORDDEFINES=["B"]', "parse_flags has $V, which backend 'words' does not use"),
    ('"label", "x", CCFLAGS="-DB=$SOURCE"', "CCFLAGS cannot be '-DB=$SOURCE'"),
    ('"label", "x", WORDDEFINES={"B": "$OF_SOURCE"}', "WORDDEFINES cannot be {'B': '$OF_SOURCE'}"),
    ('"label", "x", WORDPATH=["${TARGET.dir}"]', "WORDPATH cannot be ['${TARGET.dir}']"),
    ('"parse_flags", "-lm"', "parse_flags has m, which backend 'words' does not use"),
    ('"parse_flags", {"CPPDEFINES": ["A"]}, WORDDEFINES=["B"]', "[(('A', None), ('B', None)), (), ()]"),
    ('"parse_flags", "", WORDPATH="j"', "[(), ('j',), ()]"),
    ('"parse_flags", "!echo -DA"', "parse_flags cannot run a command"),
    ('"include_dirs", "i:j"', "('i', 'j')"),
    ('"include_dirs", ["$SOURCE"]', "option 'include_dirs' cannot be '$SOURCE'"),
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    project = SconsProject(tmp_path_factory.mktemp("expanded"))
    calls = [f"show({number}, {words})\n" for number, (words, _) in enumerate(_SHOWN)]
    project.write(
        {"SConstruct": STUB + _HEAD + "".join(calls) + "Exit(0)\n", "expanding.py": _BACKEND, "a.stub": "export a 1\n"}
    )
    project.scons(expect=None)
    return project.output.splitlines()


@pytest.mark.parametrize("number", range(len(_SHOWN)), ids=[words for words, _ in _SHOWN])
def test_option_is_expanded_once_or_refused(shown: list[str], number: int) -> None:
    assert len(shown) == len(_SHOWN), shown
    assert shown[number].startswith(_SHOWN[number][1])


def test_variable_changed_after_the_declaration_is_refused(tmp_path: Path) -> None:
    project = SconsProject(tmp_path)
    crate = 'env.Crate("c", ["a.stub"], defines={"A": "$V"})\n'
    project.write({"SConstruct": STUB + 'env["V"] = "1"\n' + crate + 'env["V"] = "2"\n', "a.stub": "export a 1\n"})

    project.scons(expect=2)

    assert "option 'defines' has changed since the crate was declared" in project.output


def test_backend_profile_target_and_metadata_are_expanded(tmp_path: Path) -> None:
    project = SconsProject(tmp_path)
    crate = 'env.Crate("c", ["a.stub"], backend="$B", profile="$P", target="$T", metadata=["$V"])\n'
    variables = 'env.Replace(B="stub", P="release", T="text", V="1")\n'
    same = 'env.Crate("c", ["a.stub"], backend="stub", profile="release", target="text", metadata=["1"])\n'
    made = []
    for line in (crate, same):
        project.write({"SConstruct": STUB + variables + line, "a.stub": "export a 1\n"})
        project.scons()
        made.append((tmp_path / "libc.rlib").read_bytes())

    assert made[0] == made[1]


def test_workspace_values_are_not_expanded(tmp_path: Path) -> None:
    project = SconsProject(tmp_path)
    written = '[crate.c]\nsources = ["a.stub"]\nmetadata = ["$V"]\ndefines = ["A=$V"]\n'
    made = {}
    for value in ("1", "2"):
        script = STUB + f'env["V"] = "{value}"\nenv.CrateWorkspace("crates.toml")\n'
        project.write({"SConstruct": script, "crates.toml": written, "a.stub": "export A 1\n"})
        project.scons()
        made[value] = (tmp_path / "libc.rlib").read_bytes()

    assert made["1"] == made["2"]
    assert b"$V" in made["1"]
