"""Builds with nothing to do that are known as a whole: whatever is said or done, it comes to what it would without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import HEADER, ShaderProject, compute
from tests.support.bounds import until
from tests.support.project_pair import COPIED, YOUNG, begin_alike, run_alike

TELL = """
import atexit
atexit.register(lambda: print("DECLARED", "cratewright_builds" in env.fs.__dict__))
"""
CRATES = """\
lib = env.Crate("lib", ["lib.glsl"])
wide = env.Crate("wide", ["a.comp", "b.comp"], deps=[lib], crate_type="cdylib", multimodule=True, include_dirs=["inc"])
one = env.Crate("one", ["a.comp", "b.comp"], deps=["lib"], crate_type="cdylib", include_dirs=["inc"])
"""
BOTH = CRATES + "Default(wide, one)\n"
FILES = {
    "inc/x.inc": "#define X 1.0\n",
    "lib.glsl": "#version 460\nfloat f() { return 2.0; }\n",
    "in.txt": "x\n",
    "a.comp": compute("store.data[i] = X * f();", before='#include "x.inc"\nfloat f();\n'),
    "b.comp": compute("store.data[i] = X + f();", before='#include "x.inc"\nfloat f();\n'),
}


_BUILDS: dict[str, int] = {}
"""How many builds it took until nothing was to be done, by what SConstructs say."""


class Pair:
    """One project twice: in one of them nothing is ever known of the build before."""

    def __init__(self, kept: ShaderProject, asked: ShaderProject) -> None:
        self.kept, self.asked = kept, asked
        for project in self:
            project.environ["CRATE_CACHE"] = "off"
        self.begin = YOUNG + COPIED + HEADER

    def __iter__(self) -> Iterator[ShaderProject]:
        yield from (self.kept, self.asked)

    def sconstruct(self, text: str) -> None:
        for project in self:
            project.write({"SConstruct": self.begin + text + TELL})

    def run(self, *arguments: str) -> str:
        """Run both, and return what they came to; it is the same."""
        run_alike(self.kept, self.asked, arguments, own=r"DECLARED \w+\n")
        return self.kept.output

    def is_known(self) -> bool:
        """Say whether the last run asked no crate."""
        return "DECLARED False" in self.kept.output

    def settle(self, text: str) -> int:
        """Build, until it is known that there is nothing to do; return how many builds it took.

        The second time for the same text, put back the files of the first.
        """
        key = self.begin + text
        begin_alike([*self], key, lambda: self._settle(text))
        return _BUILDS[key]

    def _settle(self, text: str) -> None:
        for project in self:
            project.write(FILES)
        self.sconstruct(text)
        self.run()
        _BUILDS[self.begin + text] = self._builds_until_known()

    def _builds_until_known(self) -> int:
        for number in range(1, 6):
            if self.is_known():
                return number
            self.kept.scons(expect=None)
        raise AssertionError("it is not known that nothing is to be done")


@pytest.fixture
def pair(shader_pair: list[ShaderProject]) -> Pair:
    return Pair(*shader_pair)


def _saying(more: str, text: str = BOTH) -> Callable[[Pair], list[str]]:
    def change(pair: Pair) -> list[str]:
        pair.sconstruct(text.replace("Default", f"{more}\nDefault"))
        return []

    return change


def _with(files: dict[str, str]) -> Callable[[Pair], list[str]]:
    def change(pair: Pair) -> list[str]:
        for project in pair:
            project.write(files)
        return []

    return change


def _without(*names: str) -> Callable[[Pair], list[str]]:
    def change(pair: Pair) -> list[str]:
        for project in pair:
            for name in names:
                path = project.path / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return []

    return change


def _with_old_times(pair: Pair) -> list[str]:
    for project in pair:
        path = project.path / "inc/x.inc"
        before = path.stat()
        project.write({"inc/x.inc": "#define X 3.0\n"})
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return []


def _asking(*arguments: str) -> Callable[[Pair], list[str]]:
    return lambda pair: list(arguments)


EDITS = {
    "a header": _with({"inc/x.inc": "#define X 3.0\n"}),
    "a header found first": _with({"x.inc": "#define X 7.0\n"}),
    "a crate below": _with({"lib.glsl": "#version 460\nfloat f() { return 5.0; }\n"}),
    "a mistake": _with({"a.comp": "nonsense"}),
    "a source is gone": _without("a.comp"),
    "an image is gone": _without("one.spv"),
    "all images are gone": _without("wide.spvs"),
    "an rlib is gone": _without("liblib.rlib"),
    "what a stage remembers is gone": _without(".one.rlink.state"),
    "what SCons remembers is gone": _without(".sconsign.dblite"),
    "what SCons remembers is damaged": _with({".sconsign.dblite": "garbage"}),
    "a source of what is not asked for": _without("in.txt"),
}
SAID = {
    "an attribute": "print(one.rlink, one.image, sorted(wide.images), [str(node) for node in one])",
    "a copy": "import copy; other = copy.copy(one); print(len(other), other.name, other.rlink, one + lib, one == one)",
    "one node less": "one.pop(); print(list(map(str, one)))",
    "an attribute of a target's own": "one.note = 'mine'; print(one.rlink, one.note, vars(wide)['name'])",
    "what is asked for": "Default(lib)\nprint(len(DEFAULT_TARGETS), [str(node) for node in DEFAULT_TARGETS])",
    "nodes of what is asked for": (
        "Default(lib)\nprint(list(map(str, DEFAULT_TARGETS[0].sources)), list(map(str, BUILD_TARGETS)))"
    ),
    "paths of what is asked for": (
        "Default(lib)\nimport os; print(os.fspath(DEFAULT_TARGETS[0]), f'{DEFAULT_TARGETS[0]:>30}')"
    ),
    "more in what is asked for": (
        "Default(lib, one); lib.append(File('inc/h.h')); del one[0]; print(len(DEFAULT_TARGETS))"
    ),
    "less in what is asked for": "one.pop()\nDefault(one)",
    "what was asked for, at the end": "import atexit\natexit.register(lambda: print(list(map(str, BUILD_TARGETS))))",
    "a node by name": "node = File('one.spv'); print(node.has_builder(), [str(each) for each in node.sources])",
    "a pattern": "print([(str(node), node.has_builder()) for node in Glob('*.rlink')])",
    "sources": "print(sorted(map(str, FindSourceFiles())))",
    "children": "print(sorted(map(str, Dir('.').children())))",
    "an action": "AddPostAction(one, Action(lambda target, source, env: print('DONE'), None))",
    "a copy that SCons makes": "Default(env.Command('copy', one.image, Copy('$TARGET', '$SOURCE')))",
    "a copy by name": "Default(env.Command('copy', 'one.spv', Copy('$TARGET', '$SOURCE')))",
    "an installed file": "Default(Install('out', one))",
    "an alias": "Default(Alias('all', [one, lib]))",
    "aliases by keywords": "Default(Alias(target='all', source=[one, lib]))\nAlias(target='text', source='in.txt')",
    "a dependency": "Depends(one, 'in.txt')",
    "always": "AlwaysBuild(one)",
    "a value": "Default(env.Command(Value('v'), one, Action(lambda target, source, env: print('VALUE'), None)))",
    "a decider": "env.Decider('timestamp-newer')",
    "another database": "SConsignFile('other')",
    "a cache of SCons's": "CacheDir('cachedir')",
    "a repository": "Repository('inc')",
    "a variable that comes late": "env.Append(GLSLDEFINES=['Q=1'])",
    "a variable in vain": "env['CRATE_OPT_LEVEL'] = '3'",
    "a variable and a crate": "env['CRATE_OPT_LEVEL'] = '3'\nDefault(env.Crate('two', 'lib.glsl'))",
    "an argument": "ARGUMENTS['CRATE_OPT_LEVEL'] = '3'\nenv.Crate('two', 'lib.glsl')\nprint(one.rlink)",
    "a variable of the process": "import os; os.environ['CRATE_OPT_LEVEL'] = '3'",
    "a crate twice": "env.Crate('one', 'lib.glsl')",
    "a mistake": "env.Crate('two', 'lib.glsl', nonsense=1)",
    "a file that is written meanwhile": "open('inc/x.inc', 'w').write('#define X 9.0\\n')",
    "a plugin": "import cratewright.testing; cratewright.register(cratewright.testing); print(one.rlink)",
    "a profile": "env.CrateProfile('mine', opt_level=3)",
    "another stage": "env['BUILDERS']['CrateLink'] = Builder(action='mine'); print(one.rlink)",
    "an option": "SetOption('max_drift', 0)",
    "progress": "Progress('.')",
}
OPTIONS = (
    *("--tree=all", "--debug=explain", "-n", "-q", "-s", "-j3", "-k", "-u", "-U", "-D", "one.spv", ".", "in.txt"),
    *("CRATE_OPT_LEVEL=3", "nothing", "-c"),
)


def _each(pair: Pair, edits: dict[str, Callable[[Pair], list[str]]], *, twice: bool) -> None:
    for what, change in {"no edit": _with({}), **edits}.items():
        pair.settle(BOTH)
        try:
            pair.run(*change(pair))
            assert what != "no edit" or pair.is_known()
            if twice:
                pair.run()
        except AssertionError as error:
            raise AssertionError(what) from error


def test_what_is_edited_is_seen(pair: Pair) -> None:
    _each(pair, EDITS, twice=True)


def test_a_time_that_was_set_back_hides_no_edit(pair: Pair) -> None:
    pair.begin = YOUNG + HEADER
    pair.settle(BOTH)
    pair.run(*_with_old_times(pair))
    pair.run()


@pytest.mark.parametrize("half", [0, 1])
def test_what_an_sconstruct_says_is_heard(pair: Pair, half: int, thorough: bool) -> None:
    _each(pair, {what: _saying(more) for what, more in list(SAID.items())[half::2]}, twice=thorough)


def test_options_mean_what_they_mean(pair: Pair, thorough: bool) -> None:
    _each(pair, {what: _asking(what) for what in OPTIONS}, twice=thorough)


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


def test_a_call_is_made_later_as_it_was_made(pair: Pair) -> None:
    """Lists and variables that have changed since, and the line of a mistake."""
    for more in (
        "print(one.rlink, env['CRATE_OPT_LEVEL'], os.environ['SOMETHING'], ARGUMENTS)\n",
        "env.Crate('one', 'a.comp')\n",
        "lib.rlink\nenv.Crate('one', 'a.comp')\n",
        "open('inc/x.inc', 'w').write('#define X 8.0\\n')\n",
    ):
        pair.settle(LATER)
        pair.sconstruct(LATER + more)
        pair.run()
        assert ('SConstruct", line' in pair.kept.output) == ("'one'" in more)
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
        assert not pair.is_known(), after


def test_what_is_asked_for_is_part_of_it(pair: Pair) -> None:
    """What was not looked at is not known."""
    pair.settle(CRATES + "Default(wide)\n")
    pair.sconstruct(CRATES + "Default(wide, [one])\n")
    assert "Linking one.spv.json" in pair.run()
    pair.settle(CRATES)
    assert "`.' is up to date" in pair.kept.output
    for _ in range(3):
        pair.run("one.spv")
    assert pair.is_known()


GATHERED = (
    CRATES
    + """\
targets = []
targets += wide
targets.extend(one)
Default(targets)
more = [*lib]
more += one + lib
exec(open("said.txt").read())
"""
)


def test_nodes_in_a_list_are_those_of_the_crates(pair: Pair) -> None:
    """To take them is no question; they are the same before and after anybody has asked one."""
    for said in (
        "print(len(targets), len(more), type(targets).__name__, bool(one))",
        "print([targets[place] is wide[place] for place in (0, 1)], *targets, more[-1].has_builder())",
        "all = Flatten([targets, [more]])\nprint(all == [*wide, *one, *lib, *one, *lib], more[0].rfile())",
        "targets[-1].attributes.mine = 1; print(one[-1].attributes.mine)",
        "one.pop(); del wide[0]; Default(more[:1])",
        "Depends(more, 'in.txt'); Default(env.Command('copy', targets[-1], Copy('$TARGET', '$SOURCE')))",
        "env['MORE'] = more; two = env.Crate('two', 'lib.glsl', deps=more[:1]); print(two)",
        "open('inc/x.inc', 'w').write('#define X 9.0\\n')",
    ):
        _with({"said.txt": ""})(pair)
        pair.settle(GATHERED)
        _with({"said.txt": said})(pair)
        pair.run()
        assert pair.is_known() == ("len(targets)" in said), said
        pair.run()


LIBRARIES = """\
base = env.Crate("base", ["lib.glsl"])
upper = env.Crate("upper", ["upper.glsl"], deps=[base])
Default(env.Crate("one", ["a.comp"], deps=[upper], crate_type="cdylib", include_dirs=["inc"]))
"""
UPPER = {"upper.glsl": "#version 460\nfloat f();\nfloat g() { return f() * 3.0; }\n"}


def test_a_library_may_depend_on_another(pair: Pair) -> None:
    """What a library knows of the interfaces below it stands in their files."""
    edits: dict[str, Callable[[Pair], list[str]]] = {
        "its body": _with({"lib.glsl": "#version 460\nfloat f() { return 5.0; }\n"}),
        "its interface": _with({"lib.glsl": "#version 460\nfloat f() { return 5.0; }\nfloat h() { return 1.0; }\n"}),
        "what tells it is gone": _without("base.rlink"),
        "the library is gone": _without("libupper.rlib"),
        "what tells it is damaged": _with({"base.rlink": "garbage"}),  # for good, so it comes last
    }
    for what, change in edits.items():
        _with(UPPER)(pair)
        assert pair.settle(LIBRARIES) <= 3, what
        pair.run(*change(pair))
        assert not pair.is_known(), what
        pair.run()


def test_nothing_is_known_on_windows(pair: Pair) -> None:
    """SCons keeps its nodes there by names that are no paths."""
    for windows in (False, True):
        module = "cratewright.scons.last_build.call_recorder"
        system = f"import {module}\n{module}.WINDOWS = {windows}\n"
        pair.sconstruct(BOTH)
        for project in pair:
            project.write({**FILES, "SConstruct": system + (project.path / "SConstruct").read_text()})
        for _ in range(4):
            pair.run()
        assert pair.is_known() != windows


def test_damage_is_as_if_nothing_were_known(pair: Pair) -> None:
    assert pair.settle(BOTH) == 3, "known from the second build with nothing to do on"
    path = pair.kept.path / ".sconsign.crates"
    text = path.read_text()
    first, _, second = text.partition("\n")
    for damage in ("[1, 2", "[" * 100_000, "[]", first[:-9], text.replace("last build", "other build"), "null"):
        path.write_text(damage)
        assert not (pair.run(), pair.is_known())[1]
    for damage in (second[:-9], "null", "[" * 100_000, "[]", "[[1, [], [], []]]", second.replace("[0", "[-1"), ""):
        pair.settle(BOTH)
        path.write_text(f"{path.read_text().splitlines()[0]}\n{damage}")
        _with({"lib.glsl": f"#version 460\nfloat f() {{ return {len(damage)}.0; }}\n"})(pair)
        pair.run()
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    pair.run()


def test_a_watched_project_is_looked_at_whole(pair: Pair) -> None:
    """Watch has to know all files that a build reads, those outside the project too."""
    pytest.importorskip("watchfiles")
    project = pair.kept
    outside = project.path.parent / "outside" / "x.inc"
    outside.parent.mkdir()
    outside.write_text("#define X 1.0\n")
    project.write({**FILES, "SConstruct": HEADER + BOTH.replace('include_dirs=["inc"]', 'include_dirs=["../outside"]')})
    environ = {**os.environ, **project.environ}
    for number in range(4):
        log = project.path.parent / f"log{number}"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "cratewright", "watch"]
            watch = subprocess.Popen(command, cwd=project.path, stdout=out, stderr=out, env=environ)
        try:
            _until(watch, log, "watching\n")
            if number == 3:
                assert (project.path / ".sconsign.crates").exists()
                outside.write_text("#define X 2.0\n")
                _until(watch, log, "made: one.spv\n")
        finally:
            watch.kill()
            watch.wait()


def _until(watch: subprocess.Popen[bytes], log: Path, text: str) -> None:
    until(lambda: text in log.read_text() or watch.poll() is not None)
    assert watch.poll() is None, log.read_text()
