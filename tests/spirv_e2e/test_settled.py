"""Builds that are recognized as up to date as a whole: any edit or statement has the same effect as without the record.

A `ProjectPair` compares each build with one that has no record of the build before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spirv_e2e.shader_project import HEADER, ShaderProject, compute
from tests.support.bounds import until
from tests.support.project_pair import ProjectPair

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


@pytest.fixture
def pair(shader_pair: list[ShaderProject]) -> ProjectPair:
    return _pair(shader_pair)


def _pair(projects: list[ShaderProject], *, copied: bool = True) -> ProjectPair:
    for project in projects:
        project.environ["CRATE_CACHE"] = "off"
    return ProjectPair(*projects, HEADER, FILES, copied=copied)


def _inserting(more: str, text: str = BOTH) -> Callable[[ProjectPair], list[str]]:
    def change(pair: ProjectPair) -> list[str]:
        pair.sconstruct(text.replace("Default", f"{more}\nDefault"))
        return []

    return change


def writing(files: dict[str, str]) -> Callable[[ProjectPair], list[str]]:
    def change(pair: ProjectPair) -> list[str]:
        pair.write(files)
        return []

    return change


def without(*names: str) -> Callable[[ProjectPair], list[str]]:
    def change(pair: ProjectPair) -> list[str]:
        for project in pair:
            for name in names:
                path = project.path / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return []

    return change


def _with_old_times(pair: ProjectPair) -> list[str]:
    for project in pair:
        path = project.path / "inc/x.inc"
        before = path.stat()
        project.write({"inc/x.inc": "#define X 3.0\n"})
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return []


def _with_arguments(*arguments: str) -> Callable[[ProjectPair], list[str]]:
    return lambda pair: list(arguments)


EDITS = {
    "a header": writing({"inc/x.inc": "#define X 3.0\n"}),
    "a header found first": writing({"x.inc": "#define X 7.0\n"}),
    "a crate below": writing({"lib.glsl": "#version 460\nfloat f() { return 5.0; }\n"}),
    "a mistake": writing({"a.comp": "nonsense"}),
    "a source is gone": without("a.comp"),
    "an image is gone": without("one.spv"),
    "all images are gone": without("wide.spvs"),
    "an rlib is gone": without("liblib.rlib"),
    "what a stage remembers is gone": without(".one.rlink.state"),
    "what SCons remembers is gone": without(".sconsign.dblite"),
    "what SCons remembers is damaged": writing({".sconsign.dblite": "garbage"}),
    "a source of what is not asked for": without("in.txt"),
}
STATEMENTS = {
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


def _each(pair: ProjectPair, edits: dict[str, Callable[[ProjectPair], list[str]]], *, twice: bool) -> None:
    for what, change in {"no edit": writing({}), **edits}.items():
        pair.settle(BOTH)
        try:
            pair.run(*change(pair))
            assert what != "no edit" or pair.is_settled()
            if twice:
                pair.run()
        except AssertionError as error:
            raise AssertionError(what) from error


def test_edits_are_detected(pair: ProjectPair) -> None:
    _each(pair, EDITS, twice=True)


def test_edit_with_an_old_timestamp_is_detected(shader_pair: list[ShaderProject]) -> None:
    pair = _pair(shader_pair, copied=False)
    pair.settle(BOTH)
    pair.run(*_with_old_times(pair))
    pair.run()


@pytest.mark.parametrize("half", [0, 1])
def test_new_statements_take_effect(pair: ProjectPair, half: int, thorough: bool) -> None:
    _each(pair, {what: _inserting(more) for what, more in list(STATEMENTS.items())[half::2]}, twice=thorough)


def test_command_line_options_take_effect(pair: ProjectPair, thorough: bool) -> None:
    _each(pair, {what: _with_arguments(what) for what in OPTIONS}, twice=thorough)


def test_damaged_record_is_ignored(pair: ProjectPair) -> None:
    pair.settle(BOTH)
    path = pair.with_record.path / ".sconsign.crates"
    text = path.read_text()
    first, _, second = text.partition("\n")
    for damage in ("[1, 2", "[" * 100_000, "[]", first[:-9], text.replace("last build", "other build"), "null"):
        path.write_text(damage)
        assert pair.run()
    for damage in (second[:-9], "null", "[" * 100_000, "[]", "[[1, [], [], []]]", second.replace("[0", "[-1"), ""):
        pair.settle(BOTH)
        path.write_text(f"{path.read_text().splitlines()[0]}\n{damage}")
        pair.write({"lib.glsl": f"#version 460\nfloat f() {{ return {len(damage)}.0; }}\n"})
        pair.run()
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    pair.run()


def test_watch_observes_all_files_of_a_settled_build(pair: ProjectPair) -> None:
    """It must observe all files that a build reads, also those outside the project."""
    pytest.importorskip("watchfiles")
    project = pair.with_record
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
