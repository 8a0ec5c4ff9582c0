"""Crates linked by SCons, of every type: their files, what these export, and that they run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject
from tests.support.paths import ROOT
from tests.support.scons_project import available_forms

UTIL = "int util(int x) { return x * 3; }\nint unused(void) { return 1; }\n"
HEAP = """\
typedef __SIZE_TYPE__ size;
void *cratewright_alloc(size, size);
void cratewright_dealloc(void *, size, size);
int util(int);
int entry(int x) {
    int *block = cratewright_alloc(64, 32);
    *block = util(x);
    int result = *block + 1;
    cratewright_dealloc(block, 64, 32);
    return result;
}
"""
MAIN = '#include <stdio.h>\nint entry(int);\nint main(void) { printf("%d\\n", entry(14)); return 0; }\n'


def printed(program: Path, **environ: str) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True, env=environ).stdout


def names(file: Path, *words: str) -> list[str]:
    """Return the defined symbols that `nm` lists."""
    done = subprocess.run(["nm", "--defined-only", *words, file], capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in done.stdout.splitlines() if len(line.split()) == 3]


def lto_of(project: NativeProject) -> str:
    """Return the incremental LTO of a project's toolchain, or else fat LTO."""
    return "fat" if project.kind == "gcc" else "thin"


def test_lto_of_a_staticlib_and_a_dylib_of_one_crate(native: NativeProject) -> None:
    """rustc fails at this: LTO for two crate types whose dependencies are linked differently."""
    native.crates(
        f"""
util = env.Crate("util", ["util.c"], crate_type=["rlib", "dylib"])
both = env.Crate("both", ["both.c"], deps=[util], crate_type=["staticlib", "dylib"], prefer_dynamic=True,
    lto="{lto_of(native)}", allocator="needs")
Default(both)
""",
        {"util.c": UTIL, "both.c": HEAP},
    )
    native.scons()
    lines = [line for line in native.output.splitlines() if line.startswith("crate both") and "LTO" in line]
    assert len(lines) == 2 and not any("shared" in line for line in lines), "LTO runs once per dependency format"
    assert native.up_to_date()
    # The upstream dylib has no allocator that could serve here.
    archive, library = native.path / "libboth.a", native.path / "libboth.so"
    assert "cratewright_alloc" in names(archive) and "util" in names(archive)
    assert "cratewright_alloc" in names(library, "-D")


@pytest.mark.parametrize("form", ["libboth.a", "libboth.so"])
def test_c_program_links_staticlib_or_dylib(native: NativeProject, form: str) -> None:
    native.crates(
        f"""
util = env.Crate("util", ["util.c"], crate_type=["rlib", "dylib"])
both = env.Crate("both", ["both.c"], deps=[util], crate_type=["staticlib", "dylib"], prefer_dynamic=True,
    lto="{lto_of(native)}")
Default(both)
""",
        {"util.c": UTIL, "both.c": "int util(int);\nint entry(int x) { return util(x) + 1; }\n", "main.c": MAIN},
    )
    native.scons()
    words = ["gcc", "main.c", form, "-o", "main", "-Wl,-rpath,$ORIGIN", "-Wl,-rpath-link,."]
    subprocess.run(words, cwd=native.path, check=True)
    assert printed(native.path / "main") == "43\n"


def test_fat_lto_of_a_library_and_a_program(native: NativeProject) -> None:
    native.crates(
        """
util = env.Crate("util", ["util.c"])
keep = env.Crate("keep", ["keep.c"], deps=[util], crate_type=["rlib", "cdylib"], lto="fat", exports=["entry"])
prog = env.Crate("prog", ["main.c"], deps=[keep], crate_type="bin", lto="fat")
Default(keep, prog)
""",
        {
            "util.c": UTIL,
            "keep.c": "int util(int);\nint entry(int x) { return util(x) + 1; }\nint own(void) { return 2; }\n",
            "main.c": MAIN,
        },
    )
    native.scons()
    assert native.up_to_date()
    assert names(native.path / "libkeep.so", "-D") == ["entry"]
    assert names(native.path / "prog", "-D") == []
    assert printed(native.path / "prog") == "43\n"
    if native.kind != "gcc":  # gcc internalizes in programs only
        assert not {"util", "unused", "own"} & set(names(native.path / "prog"))


def test_crate_types_of_one_format_share_lto(native: NativeProject) -> None:
    native.crates(
        f"""
util = env.Crate("util", ["util.c"])
Default(env.Crate("lib", ["lib.c"], deps=[util], crate_type=["staticlib", "cdylib"], lto="{lto_of(native)}"))
""",
        {"util.c": UTIL, "lib.c": "int util(int);\nint entry(int x) { return util(x) + 1; }\n"},
    )
    native.scons()
    lines = [line for line in native.output.splitlines() if line.startswith("crate lib") and "LTO" in line]
    assert sum("shared with another crate type" in line for line in lines) == 1 and len(lines) == 2


def test_dylib_exports_its_allocator(native: NativeProject) -> None:
    main = MAIN.replace("printf", "if (!cratewright_alloc(8, 8)) return 1;\n    printf")
    native.crates(
        """
heap = env.Crate("heap", ["heap.c", "util.c"], crate_type=["dylib"], allocator="needs")
Default(env.Crate("prog", ["main.c"], deps=[heap], crate_type="bin", allocator="needs"))
""",
        {"heap.c": HEAP, "util.c": UTIL, "main.c": f"void *cratewright_alloc(long, long);\n{main}"},
    )
    native.scons()
    assert "cratewright_alloc" in names(native.path / "libheap.so", "-D")
    assert printed(native.path / "prog") == "43\n"


def test_moved_program_finds_its_dylib(any_native: NativeProject) -> None:
    any_native.crates(
        """
sub = SConscript("libs/SConscript", exports="env", variant_dir="out/libs", duplicate=False)
prog = env.Crate("prog", ["main.c"], deps=[sub], crate_type="bin", prefer_dynamic=True)
Default(prog)
""",
        {
            "libs/SConscript": 'Import("env")\nlib = env.Crate("lib", ["lib.c"], crate_type="dylib")\nReturn("lib")\n',
            "libs/lib.c": "int entry(int x) { return x; }\n",
            "main.c": MAIN,
        },
    )
    any_native.scons()
    moved = any_native.path.rename(any_native.path.parent / "moved")
    assert printed(moved / "prog") == "14\n"


def test_undefined_symbol_then_fix(native: NativeProject) -> None:
    native.crates('env.Crate("prog", ["main.c"], crate_type="bin")\n', {"main.c": MAIN})
    output = native.scons(expect=2)
    assert "crate 'prog' uses undefined symbols: entry" in output
    assert not native.exists("prog")
    native.write({"main.c": MAIN.replace("int entry(int);", "static int entry(int x) { return x; }")})
    native.scons()
    assert printed(native.path / "prog") == "14\n"


@pytest.mark.parametrize("with_lto", [False, True])
def test_same_bytes_elsewhere_with_jobs(native: NativeProject, tmp_path: Path, with_lto: bool) -> None:
    lto = lto_of(native) if with_lto else "off"
    files = {"util.c": UTIL, "both.c": HEAP, "main.c": MAIN}
    text = f"""
util = env.Crate("util", ["util.c"], crate_type=["rlib", "dylib"])
types = {{"staticlib": "{lto}", "cdylib": "{lto}"}}
both = env.Crate("both", ["both.c"], deps=[util], crate_type=["rlib", *types], lto=types, allocator="needs")
Default(util, both, env.Crate("prog", ["main.c"], deps=[both], crate_type="bin", lto="{lto}"))
"""
    native.crates(text, files)
    native.scons("-j1")
    other = NativeProject(tmp_path / "somewhere else" / "deeper", native.kind, form=native.form)
    other.crates(text, files)
    other.scons("-j4")
    made = native.snapshot()
    assert {"libutil.so", "libboth.a", "prog", "libboth.rlib"} <= set(made)
    assert made == other.snapshot()


@pytest.mark.parametrize("kind", ["llvm", pytest.param("zig", marks=pytest.mark.exhaustive)])
def test_example(kind: str, tmp_path: Path) -> None:
    native = NativeProject(tmp_path / "project", kind, form=available_forms()[-1])
    shutil.copytree(ROOT / "examples" / "native-hello", native.path, dirs_exist_ok=True)
    for lto in ("off", "thin", "fat"):
        native.scons(f"lto={lto}")
        assert printed(native.path / "hello") == printed(native.path / "hello-shared") == "HELLO, WORLD!\n"
        assert names(native.path / "libgreet.so", "-D") == ["greet"]
    assert native.up_to_date("lto=fat")
