"""A program is relinked when one of its libraries changes, or when the search would find another."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cratewright.formats.stage_record import StageRecord, decode_record
from tests.native_e2e.native_scons import WITH_C, NativeProject
from tests.native_e2e.test_link import printed

MAIN = '#include <stdio.h>\nint foo(void);\nint main(void) { printf("%d\\n", foo()); return 0; }\n'
LINK = "Linking app"
LINKED = "crate app: 1 image: 1 linked, 0 reused"
REUSED = "crate app: 1 image: 0 linked, 1 reused"
FORMS = {"libfoo.so": "foo", "libfoo.a": "static:-bundle=foo"}


def _library(project: NativeProject, directory: str, file: str, value: int) -> None:
    there = project.path / directory
    there.mkdir(exist_ok=True)
    (there / "foo.c").write_text(f"int foo(void) {{ return {value}; }}\n")
    subprocess.run(["gcc", "-fPIC", "-c", "foo.c"], cwd=there, check=True)
    make = ["gcc", "-shared", "-Wl,-soname,libfoo.so", "-o"] if file.endswith(".so") else ["ar", "rcsD"]
    (there / file).unlink(missing_ok=True)
    subprocess.run([*make, file, "foo.o"], cwd=there, check=True)


def _declare(project: NativeProject, file: str, value: int = 1) -> None:
    """Declare a program whose dependency links the library, and make that in the second of two directories."""
    project.crates(
        f'foo = env.Crate("foo", ["use.c"], libs=["{FORMS[file]}"], lib_dirs=["one", "two"])\n'
        'env.Crate("app", ["main.c"], deps=[foo], crate_type="bin", rpath=["$ORIGIN/one", "$ORIGIN/two"])\n',
        {"main.c": MAIN, "use.c": "int used;\n", "one/other": ""},
    )
    _library(project, "two", file, value)


def _relinks(project: NativeProject, value: int, reason: str) -> None:
    project.scons()
    assert (project.steps(), project.built()) == ([LINK], [LINKED])
    assert f"crate app: because {reason}" in project.output
    assert printed(project.path / "app") == f"{value}\n"
    assert project.up_to_date()


@pytest.mark.parametrize("file", FORMS)
def test_changed_or_shadowed_library_relinks(native: NativeProject, file: str) -> None:
    _declare(native, file)
    native.scons()
    assert printed(native.path / "app") == "1\n"
    assert native.up_to_date()
    _library(native, "two", file, 2)
    _relinks(native, 2, f"two/{file} changed: ")
    _library(native, "one", file, 3)
    _relinks(native, 3, f"one/{file} appeared (1 image)")
    _library(native, "two", file, 4)
    assert native.up_to_date()
    (native.path / "one" / file).unlink()
    _relinks(native, 4, f"one/{file} went away (1 image)")


@pytest.mark.parametrize("file", FORMS)
def test_checkout_reuses_the_link_if_libraries_are_equal(native: NativeProject, tmp_path: Path, file: str) -> None:
    _declare(native, file)
    native.scons()
    for name, value, built in (("same", 1, REUSED), ("other", 2, LINKED)):
        there = NativeProject(tmp_path / name, native.kind, form=native.form)
        there.environ["CRATE_CACHE"] = native.environ["CRATE_CACHE"]
        shutil.copytree(
            native.path, there.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "*.rl*", "app")
        )
        _library(there, "two", file, value)
        there.scons()
        assert built in there.built()
        assert printed(there.path / "app") == f"{value}\n"
        same = (there.path / "app").read_bytes() == (native.path / "app").read_bytes()
        assert same == (value == 1 or file == "libfoo.so")


def test_observed_paths_are_relative(native: NativeProject, tmp_path: Path) -> None:
    """What a link depends on does not tell where the project is."""
    _declare(native, "libfoo.a")
    native.scons()
    there = NativeProject(tmp_path / "a longer name", native.kind, form=native.form)
    _declare(there, "libfoo.a")
    there.scons()
    assert (there.path / "app").read_bytes() == (native.path / "app").read_bytes()
    first, second = ([(item.path, item.digest) for item in _state(project).observed] for project in (native, there))
    assert first == second
    assert str(tmp_path) not in repr(first)


def _state(project: NativeProject) -> StageRecord:
    found = decode_record((project.path / ".app.state").read_bytes())
    assert found is not None
    return found


def test_verified_link_is_a_hit(native: NativeProject) -> None:
    _declare(native, "libfoo.a")
    native.scons()
    native.environ["CRATE_CACHE_VERIFY"] = "1"
    (native.path / "app").unlink()
    native.scons()
    assert native.built() == [REUSED]


BUILDERS = {"foo": "SharedLibrary", "static:-bundle=foo": "StaticLibrary", "static=foo": "StaticLibrary"}


@pytest.mark.parametrize("word", BUILDERS)
def test_library_built_by_scons_is_built_first(any_native: NativeProject, word: str) -> None:
    any_native.header = WITH_C
    any_native.crates(
        f'foo = env.Crate("foo", ["use.c"], libs=["{word}"], lib_dirs=["sub"])\n'
        'env.Crate("app", ["main.c"], deps=[foo], crate_type="bin", rpath=["$ORIGIN/sub"])\n'
        f'env.{BUILDERS[word]}("sub/foo", "sub/foo.c", CCFLAGS=["-fPIC"])\n',
        {"main.c": MAIN, "use.c": "int used;\n", "sub/foo.c": "int foo(void) { return 1; }\n"},
    )
    any_native.scons("-j4")
    assert printed(any_native.path / "app") == "1\n"
    assert any_native.up_to_date()
    any_native.write({"sub/foo.c": "int foo(void) { return 2; }\n"})
    any_native.scons("app")
    assert printed(any_native.path / "app") == "2\n"
    assert LINK in any_native.steps()
    assert any_native.up_to_date()


def test_crate_named_like_its_library(any_native: NativeProject) -> None:
    any_native.crates(
        'env.Crate("m", ["use.c"], libs=["m"], lib_dirs=["."], crate_type=["staticlib", "cdylib"])\n',
        {"use.c": "int used;\n"},
    )
    any_native.scons()
    assert any_native.steps() == ["Compiling crate m.rlink", "Linking libm.a", "Linking libm.so"]
