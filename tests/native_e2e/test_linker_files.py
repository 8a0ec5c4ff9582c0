"""Files named in `ldflags`: relative to the SConscript, tracked as inputs, declared as outputs."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject
from tests.support.scons_project import available_forms

SOURCE = "int one(void) { return 1; }\nint two(void) { return 2; }\n"
MAP = "V1 {{ global: {}; local: *; }};\n"
TOML = """\
[crate.there]
sources = ["lib.c"]
type = "cdylib"
lto = "thin"
ldflags = ["-Wl,--version-script=own.map", "-Wl,-Map=there.txt"]
deps = [{ name = "registers", whole-archive = true }]

[crate.registers]
sources = ["here.c"]
"""


@pytest.fixture
def project(tmp_path: Path) -> NativeProject:
    """Return a project with crates in subdirectories, one of them with a variant directory."""
    project = NativeProject(tmp_path / "project", "llvm", form=available_forms()[-1])
    project.crates(
        'Export("env")\nSConscript("lib/SConscript", variant_dir="out", duplicate=0)\nSConscript("toml/SConscript")\n',
        {
            "lib/SConscript": """\
Import("env")
made = env.Command("made.map", "names.txt", 'sed "s/.*/V1 { global: &; local: *; };/" $SOURCE > $TARGET')
words = ["-Wl,--version-script=own.map", "-Xlinker", "-Map", "-Xlinker", "sub/lib.txt"]
lib = env.Crate("lib", ["lib.c"], crate_type=["cdylib", "staticlib"], lto="thin", ldflags=words)
gen = env.Crate("gen", ["lib.c"], crate_type="cdylib", ldflags=["-Wl,--version-script,made.map"])
Default(lib, gen, env.Command("copy.txt", "sub/lib.txt", Copy("$TARGET", "$SOURCE")))
""",
            "lib/lib.c": SOURCE,
            "lib/own.map": MAP.format("one"),
            "lib/names.txt": "two\n",
            "toml/SConscript": 'Import("env")\nDefault(*env.CrateWorkspace("crates.toml").values())\n',
            "toml/crates.toml": TOML,
            "toml/lib.c": SOURCE,
            "toml/here.c": 'int putenv(char *);\nstatic __attribute__((constructor)) void h(void) { putenv("H=1"); }\n',
            "toml/own.map": MAP.format("two"),
        },
    )
    return project


def _exported(library: Path) -> set[str]:
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    return {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()} - {"V1"}


def test_inputs_and_outputs_in_ldflags(project: NativeProject) -> None:
    project.scons()
    assert _exported(project.path / "out/liblib.so") == {"one"}
    assert _exported(project.path / "out/libgen.so") == {"two"}
    assert _exported(project.path / "toml/libthere.so") == {"two"}
    assert ctypes.CDLL(str(project.path / "out/liblib.so")).one() == 1
    assert b"here.c" in (project.path / "toml/there.txt").read_bytes()
    maps = [project.path / name for name in ("out/sub/lib.txt", "out/copy.txt", "toml/there.txt")]
    for path in maps:
        assert str(project.path) not in path.read_text() and ".text" in path.read_text()
    project.scons()
    assert "Linking" not in project.output
    # An edited input is read again, a generated one is built first, and a removed output is written again.
    project.write({"lib/own.map": MAP.format("t*"), "lib/names.txt": "one\n"})
    maps[2].unlink()
    project.scons()
    assert _exported(project.path / "out/liblib.so") == {"two"}
    assert _exported(project.path / "out/libgen.so") == {"one"}
    assert maps[2].exists()
    project.scons("-c")
    assert not maps[0].exists()


def test_lto_reads_again_which_symbols_it_keeps(tmp_path: Path) -> None:
    """It comes before the link that exports them; the list may be made, and then first of all."""
    project = NativeProject(tmp_path / "project", "llvm", form=available_forms()[-1])
    project.crates(
        """
made = env.Command("made.list", "names.txt", 'sed "s/.*/{ &; };/" $SOURCE > $TARGET')
own = env.Crate("own", ["lib.c"])
for name in ("own", "made"):
    env.Crate("with_" + name, ["main.c"], deps=[cratewright.whole(own)], crate_type="bin", lto="thin",
              ldflags=[f"-Wl,--dynamic-list={name}.list"])
""",
        {"lib.c": SOURCE, "main.c": "int main(void) { return 0; }\n", "own.list": "{ one; };\n", "names.txt": "two\n"},
    )
    project.scons()
    assert (_exported(project.path / "with_own"), _exported(project.path / "with_made")) == ({"one"}, {"two"})
    project.write({"own.list": "{ one; two; };\n", "names.txt": "one; two\n"})
    project.scons()
    assert _exported(project.path / "with_own") == _exported(project.path / "with_made") == {"one", "two"}
    project.scons()
    assert "Optimizing" not in project.output


def test_refused_option_or_missing_file_is_named(project: NativeProject) -> None:
    project.write({"toml/crates.toml": TOML.replace("-Wl,-Map=", "-Wl,--reproduce=")})
    project.scons(expect=2)
    assert "'--reproduce=there.txt' cannot be among 'ldflags'" in project.output
    project.write({"toml/crates.toml": TOML.replace("own.map", "gone.map")})
    project.scons(expect=2)
    assert "toml/gone.map" in project.output and not (project.path / "toml/libthere.so").exists()
