"""`libs` of a dependency reach every link that contains the dependency, however indirectly."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cratewright import cli
from tests.native_e2e.native_scons import NativeProject
from tests.native_e2e.test_link import lto_of, names, printed

FILES = {
    "main.c": '#include <stdio.h>\nint mid(int);\nint main(void) { printf("%d\\n", mid(4)); return 0; }\n',
    "entry.c": "int mid(int);\nint entry(int x) { return mid(x); }\n",
    "mid.c": "int z_add(int);\nint mid(int x) { return z_add(x) * 2; }\n",
    # The library calls back: LTO must keep what only an object outside LTO uses.
    "back.c": "int mid_scale(void) { return 10; }\n",
}
Z = "int mid_scale(void);\nint z_add(int x) { return x + mid_scale(); }\n"
# A library that is not bundled comes last on the command line, unseen by LTO, so it cannot call back.
ALONE = "int z_add(int x) { return x + 10; }\n"
LOUD = '#include <stdio.h>\n__attribute__((constructor)) static void hi(void) { puts("hi"); }\n'


def archive(project: NativeProject, text: str = Z, directory: str = "vendor") -> None:
    """Make `libzed.a`, of which one member is unused and could not be linked."""
    there = project.path / directory
    there.mkdir(parents=True, exist_ok=True)
    for name, source in (("z", text), ("bad", "int gone(void);\nint bad(void) { return gone(); }\n"), ("loud", LOUD)):
        (there / f"{name}.c").write_text(source)
        subprocess.run(["gcc", "-O1", "-fPIC", "-c", f"{name}.c"], cwd=there, check=True)
    (there / "libzed.a").unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", "libzed.a", "bad.o", "z.o", "loud.o"], cwd=there, check=True)


def declare(project: NativeProject, root: str, library: str = "static=zed") -> None:
    """Declare a chain of crates that ends in the library; `root` declares the crate that links them."""
    project.crates(
        f"""
mid = env.Crate("mid", ["mid.c", "back.c"], libs=["{library}"], lib_dirs=["vendor"])
over = env.Crate("over", ["over.c"], deps=[mid])
{root}
""",
        {**FILES, "over.c": "int over(void) { return 1; }\n"},
    )


@pytest.mark.parametrize("library", ["static=zed", "static:-bundle=zed"])
def test_library_of_an_indirect_dependency(native: NativeProject, library: str) -> None:
    declare(
        native,
        f"""
for lto in ("off", "{lto_of(native)}"):
    env.Crate("app_" + lto, ["main.c"], deps=[over], crate_type="bin", lto=lto)
    env.Crate("lib_" + lto, ["entry.c"], deps=[over], crate_type=["cdylib", "staticlib"], lto=lto)
""",
        library,
    )
    bundles = library == "static=zed"
    archive(native, Z if bundles else ALONE)
    native.scons()
    assert [name for name in native.modules("mid") if "libzed" in name] == (
        ["libzed.a/bad.o", "libzed.a/z.o", "libzed.a/loud.o"] if bundles else []
    )
    for lto in ("off", lto_of(native)):
        assert printed(native.path / f"app_{lto}") == "28\n"
        assert names(native.path / f"liblib_{lto}.so", "-D") == ["entry"]
        assert ("z_add" in names(native.path / f"liblib_{lto}.a")) == bundles
    assert native.up_to_date()


def test_edited_bundled_library_relinks(any_native: NativeProject) -> None:
    declare(any_native, 'env.Crate("app", ["main.c"], deps=[over], crate_type="bin")')
    archive(any_native)
    any_native.scons()
    assert printed(any_native.path / "app") == "28\n"
    archive(any_native, Z.replace("x +", "x + 1 +"))
    any_native.scons()
    assert printed(any_native.path / "app") == "30\n"
    assert any_native.up_to_date()
    (any_native.path / "vendor/libzed.a").unlink()
    output = any_native.scons(expect=2)
    assert "cannot find static library 'zed'" in output


def test_whole_archive(any_native: NativeProject) -> None:
    declare(any_native, 'env.Crate("app", ["main.c"], deps=[over], crate_type="bin")', "static:+whole-archive=zed")
    any_native.write({"main.c": FILES["main.c"] + "int gone(void) { return 0; }\n"})
    archive(any_native)
    any_native.scons()
    assert printed(any_native.path / "app") == "hi\n28\n"


@pytest.mark.parametrize("library", ["static=zed", "static:-bundle=zed"])
def test_cli_links_from_the_rlink(any_native: NativeProject, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(any_native, 'env.Crate("app", ["main.c"], deps=[over], crate_type="bin")', library)
    archive(any_native, Z if library == "static=zed" else ALONE)
    any_native.scons()
    monkeypatch.chdir(any_native.path)
    for name, value in any_native.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CRATE_CACHE", "off")
    if library == "static=zed":
        shutil.rmtree("vendor")  # the rlib contains it
    Path("app").unlink()
    assert cli.main(["link", "app.rlink", "-L", "."]) == 0
    assert printed(any_native.path / "app") == "28\n"


CALLS = "int base = 5;\nextern int shared;\nint called(void);\nint use(void) { return shared + BODY; }\n"


def _library(project: NativeProject, body: str) -> None:
    (project.path / "use.c").write_text(CALLS.replace("BODY", body))
    command = ["gcc", "-shared", "-fPIC", "-o", "libuse.so", "use.c"]
    subprocess.run(command, cwd=project.path, check=True)


def test_lto_keeps_what_a_dynamic_library_uses(native: NativeProject) -> None:
    """Its variables and functions are the program's, also once a library that nobody makes here uses more of them."""
    native.crates(
        f"""
env.Crate("app", ["main.c", "own.c"], libs=["use"], lib_dirs=["."], rpath=["$ORIGIN"], crate_type="bin",
          lto="{lto_of(native)}")
""",
        {
            "main.c": "#include <stdio.h>\nint shared, base = 7, use(void);\n"
            'int main(void) { shared = 1000; printf("%d %d\\n", use(), base); return 0; }\n',
            "own.c": "int called(void) { return 20; }\n",
        },
    )
    _library(native, "base")
    native.scons()
    assert printed(native.path / "app") == "1007 7\n"
    native.scons()
    assert "Optimizing" not in native.output
    _library(native, "base + called()")
    native.scons()
    assert printed(native.path / "app") == "1027 7\n"
    native.scons()
    assert "Optimizing" not in native.output and "Linking" not in native.output
