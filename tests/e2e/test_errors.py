"""User errors: what is printed, what is left behind, and that the next build recovers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.support.scons_project import SconsProject

GOOD = 'env.Crate("app", ["a.stub"], crate_type="cdylib")\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Changes that break a good project."""

    sconstruct: str = GOOD
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


def _crate(arguments: str) -> str:
    return f"env.Crate({arguments})\n"


PLANNING = {
    "no_arguments": Mistake(sconstruct="env.Crate()\n"),
    "plugin_of_the_sconstruct": Mistake(
        sconstruct="class Own(cratewright.CodegenBackend):\n    pass\n"
        "class Plugin:\n    @cratewright.hookimpl\n    def cratewright_register_backend(self):\n        return Own\n"
        "cratewright.register(Plugin())\n"
    ),
    "too_many_arguments": Mistake(sconstruct=_crate('"app", ["a.stub"], [], "cdylib", "fat"')),
    "missing_source": Mistake(sconstruct=_crate('"app", ["bb.stub"], crate_type="cdylib"')),
    "missing_source_like_a_hidden_file": Mistake(
        sconstruct=_crate('"app", ["quite_other.stub"], crate_type="cdylib"'), files={".quite_other.stub": ""}
    ),
    "missing_directory": Mistake(sconstruct=_crate('"app", ["src/b.stub"], crate_type="cdylib"')),
    "unknown_backend": Mistake(sconstruct=_crate('"app", ["a.stub"], backend="stubb"')),
    "no_backend": Mistake(sconstruct='env["CRATE_BACKEND"] = ""\n' + GOOD),
    "unknown_target": Mistake(sconstruct=_crate('"app", ["a.stub"], target="txt"')),
    "unknown_crate_type": Mistake(sconstruct=_crate('"app", ["a.stub"], crate_type="rlb"')),
    "mixed_bin": Mistake(sconstruct=_crate('"app", ["a.stub"], crate_type=["bin", "rlib"]')),
    "unknown_option": Mistake(sconstruct=_crate('"app", ["a.stub"], opt_levl=3')),
    "unknown_option_of_source": Mistake(sconstruct=_crate('"app", [("a.stub", {"define": ["X"]})]')),
    "bad_option_value": Mistake(sconstruct=_crate('"app", ["a.stub"], lto="thinn"')),
    "bad_option_type": Mistake(sconstruct=_crate('"app", ["a.stub"], multimodule="perhaps"')),
    "bad_macro": Mistake(sconstruct=_crate('"app", ["a.stub"], defines=["1X"]')),
    "bad_variable": Mistake(sconstruct='env["CRATE_OPT_LEVEL"] = "5"\n' + GOOD),
    "unknown_profile": Mistake(sconstruct=_crate('"app", ["a.stub"], profile="relase"')),
    "profile_inherits_itself": Mistake(
        sconstruct='env.CrateProfile("a", inherits="dev")\nenv.CrateProfile("dev", inherits="a")\n'
    ),
    "bad_crate_name": Mistake(sconstruct=_crate('"2app", ["a.stub"]')),
    "no_sources": Mistake(sconstruct=_crate('"app", Glob("*.nothing")')),
    "wrong_suffix": Mistake(sconstruct=_crate('"app", ["a.stb"]')),
    "source_is_a_directory": Mistake(sconstruct=_crate('"app", ["d"]'), files={"d/x.stub": ""}),
    "source_of_no_kind": Mistake(sconstruct=_crate('"app", [3]')),
    "include_directory_is_a_file": Mistake(sconstruct=_crate('"app", ["a.stub"], include_dirs=["b.stub"]')),
    "bad_unit_name": Mistake(sconstruct=_crate('"app", [("a.stub", {"name": "../x"})]')),
    "source_twice": Mistake(sconstruct=_crate('"app", ["a.stub", "./a.stub"]')),
    "unit_twice": Mistake(sconstruct=_crate('"app", [("a.stub", {"name": "x"}), ("b.stub", {"name": "x"})]')),
    "crate_as_all_sources": Mistake(sconstruct='lib = env.Crate("lib", ["b.stub"])\nenv.Crate("app", lib)\n'),
    "flags_of_no_kind": Mistake(sconstruct=_crate('"app", ["a.stub"], parse_flags=3')),
    "crate_as_source": Mistake(sconstruct='lib = env.Crate("lib", ["b.stub"])\nenv.Crate("app", [lib])\n'),
    "two_crates_of_one_name": Mistake(sconstruct=GOOD + GOOD),
    "made_by_another_builder": Mistake(sconstruct='env.Command("app.rlink", "a.stub", Copy)\n' + GOOD),
    "commands_in_a_directory": Mistake(sconstruct='env.CrateCompileCommands("d")\n', files={"d/x.stub": ""}),
    "mistake_of_an_emitter": Mistake(
        sconstruct="import SCons.Errors\ndef emit(target, source, env):\n    raise SCons.Errors.UserError('not here')\n"
        "env['CRATECODEGENEMITTER'] = emit\n" + GOOD
    ),
    "unknown_dependency": Mistake(sconstruct=_crate('"app", ["a.stub"], deps=["lb"], crate_type="cdylib"')),
    "dependency_of_no_kind": Mistake(sconstruct=_crate('"app", ["a.stub"], deps=[3]')),
    "dependency_without_rlib": Mistake(
        sconstruct='lib = env.Crate("lib", ["b.stub"], crate_type="cdylib")\n'
        'env.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib")\n'
    ),
    "cycle": Mistake(
        sconstruct='env.Crate("one", ["a.stub"], deps=["two"])\n'
        'env.Crate("two", ["a.stub"], deps=["three"])\nenv.Crate("three", ["a.stub"], deps=["one"])\n'
    ),
}

LIB = 'lib = env.Crate("lib", ["b.stub"])\nenv.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib")\n'

BUILDING = {
    "syntax_error": Mistake(files={"a.stub": "# first\nentri a\n"}),
    "user_error": Mistake(files={"a.stub": "error this is not done yet\n"}),
    "two_units_fail": Mistake(
        sconstruct=_crate('"app", ["a.stub", "b.stub"], crate_type="cdylib"'),
        files={"a.stub": "error one\n", "b.stub": "error two\n"},
    ),
    "include_not_found": Mistake(
        sconstruct=_crate('"app", ["a.stub"], crate_type="cdylib", include_dirs=["inc", "more"]'),
        files={"a.stub": "include nowhere.inc\n"},
    ),
    "unresolved_symbol": Mistake(sconstruct=LIB, files={"a.stub": "entry a\nimport nothing\n"}),
    "duplicate_symbol": Mistake(sconstruct=LIB, files={"a.stub": "entry a\nexport b\n"}),
    "crash": Mistake(files={"a.stub": "crash\n"}),
    "hang": Mistake(files={"a.stub": "hang\n"}, environ={"CRATE_TIMEOUT": "4"}),
    "bad_timeout": Mistake(environ={"CRATE_TIMEOUT": "soon"}),
}

Golden = Callable[[str, str], None]


def _shown(project: SconsProject) -> str:
    # Which backends there are depends on what is installed.
    return re.sub(r"known: [\w, ]*\bstub\b[\w, ]*", "known: stub", project.output.replace(str(project.path), "PROJECT"))


def _write_good(project: SconsProject) -> None:
    project.sconstruct(GOOD, a="entry a\n", b="export b\n")


def _repair(project: SconsProject) -> None:
    project.environ.pop("CRATE_TIMEOUT", None)
    _write_good(project)
    project.scons()
    assert project.read("app.cdylib") == "entry a\n"


def _files(project: SconsProject) -> dict[str, bytes]:
    """Return the files of a project, including hidden ones."""
    found = {str(path.relative_to(project.path)): path for path in project.path.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items()}


@pytest.mark.parametrize("name", PLANNING)
def test_planning(scons_project: SconsProject, golden: Golden, name: str) -> None:
    _write_good(scons_project)
    scons_project.sconstruct(PLANNING[name].sconstruct)
    scons_project.write(PLANNING[name].files)
    before = _files(scons_project)
    scons_project.scons(expect=2)
    golden(f"errors/{name}.txt", _shown(scons_project))
    after = _files(scons_project)
    assert {**before, **after} == after and set(after) - set(before) <= {".sconsign.dblite"}
    if after != before:  # otherwise the next run finds the same files as this one
        _repair(scons_project)


@pytest.mark.parametrize("name", BUILDING)
def test_building(scons_project: SconsProject, golden: Golden, name: str) -> None:
    mistake = BUILDING[name]
    _write_good(scons_project)
    scons_project.sconstruct(mistake.sconstruct)
    scons_project.write(mistake.files)
    scons_project.environ.update(mistake.environ)
    scons_project.scons(expect=2)
    golden(f"errors/{name}.txt", _shown(scons_project))
    assert not scons_project.exists("app.cdylib") and not scons_project.exists("app.cdylib.json")
    # Failures are not cached: the next run fails with the same message.
    first = scons_project.output
    assert scons_project.scons(expect=2).splitlines()[-1] == first.splitlines()[-1]
    _repair(scons_project)
