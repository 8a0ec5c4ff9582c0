"""Units are compiled straight to machine code unless some link of the graph takes them into LTO."""

from __future__ import annotations

import subprocess

import pytest

from cratewright_native.binary.bitcode import is_bitcode
from cratewright_native.binary.elf import embedded_bitcode, has_gcc_representation, is_elf
from tests.native_e2e.native_scons import NativeProject

SOURCES = {
    "common.c": "int common(void) { return 40; }\n",
    "left.c": "int common(void);\nint left(void) { return common() + 1; }\n",
    "right.cpp": 'extern "C" int common();\nextern "C" int right() { return common() + 2; }\n',
    "l.c": "int left(void);\nint main(void) { return left(); }\n",
    "r.c": "int right(void);\nint main(void) { return right(); }\n",
    "alone.c": "int alone(void) { return 1; }\n",
    "asm.c": '__asm__(".data\\n.globl blob\\nblob: .incbin \\"blob.txt\\"\\n");\nint main(void) { return 0; }\n',
    "blob.txt": "x",
    "twice/SConscript": """\
Import("env")
env.Crate("far", ["far.c"], deps=["../libcommon.rlib"], crate_type="bin", lto="fat")
""",
    "twice/far.c": "int common(void);\nint main(void) { return common(); }\n",
}
SCONSTRUCT = """\
lto = ARGUMENTS.get("lto", "off")
common = env.Crate("common", ["common.c"])
left = env.Crate("left", ["left.c"], deps=[common])
right = env.Crate("right", ["right.cpp"], deps=[common])
alone = env.Crate("alone", ["alone.c"])
l = env.Crate("l", ["l.c"], deps=[left], crate_type="bin")
r = env.Crate("r", ["r.c"], deps=[right], crate_type="bin", lto=lto)
Default(l, r, alone)
if "asm" in ARGUMENTS:
    Default(env.Crate("asm", ["asm.c"], crate_type="bin"))
"""


def _lto_ready(project: NativeProject) -> dict[str, bool]:
    """Return, for each crate, whether LTO can read its module."""
    found = {}
    for crate in ("common", "left", "right", "alone", "l", "r"):
        (module,) = project.linked_modules(crate).values()
        found[crate] = (
            is_bitcode(module.data) or has_gcc_representation(module.data) or bool(embedded_bitcode(module.data))
        )
    return found


def _has_code(project: NativeProject, crate: str) -> bool:
    """Return whether a crate's module holds machine code."""
    (module,) = project.linked_modules(crate).values()
    return is_elf(module.data)


def _status(project: NativeProject) -> list[int]:
    return [subprocess.run([project.path / name], check=False).returncode for name in ("l", "r")]


def test_links_decide_what_units_are_compiled_to(native: NativeProject) -> None:
    native.crates(SCONSTRUCT, SOURCES)
    native.scons("-j2")
    # A crate that no link here takes is compiled for LTO: a link elsewhere may want it.
    assert _lto_ready(native) == {
        "common": False,
        "left": False,
        "right": False,
        "l": False,
        "r": False,
        "alone": True,
    }
    assert _status(native) == [41, 42]
    assert native.up_to_date()
    # With LTO of one program, the crates that it links are recompiled for LTO, and only those.
    native.scons("lto=fat")
    assert _lto_ready(native) == {
        "common": True,
        "left": False,
        "right": True,
        "l": False,
        "r": True,
        "alone": True,
    }
    compiled = [line for line in native.built() if "unit: 1 compiled" in line]
    assert [line.split()[1] for line in compiled] == ["common:", "r:", "right:"]
    assert _status(native) == [41, 42]
    # A crate that is linked both ways gets both forms in one run; one that only LTO takes gets no code.
    assert _has_code(native, "common")
    assert _has_code(native, "r") == (native.kind == "gcc")
    # Both forms are cached.
    native.scons("lto=off")
    assert not [line for line in native.built() if "unit: 1 compiled" in line]
    assert _status(native) == [41, 42]
    # Files that inline assembly reads are detected without LTO, too.
    assert "inline assembly that reads a file" in native.scons("asm=1", expect=2)


@pytest.mark.parametrize("native", ["llvm"], indirect=True)
def test_lto_of_a_crate_compiled_without_is_refused(native: NativeProject) -> None:
    native.crates(SCONSTRUCT, SOURCES)
    native.scons()
    native.write(
        {
            "SConstruct": (native.path / "SConstruct").read_text().split("lto =")[0]
            + 'env.SConscript("twice/SConscript", "env")\n'
        }
    )
    output = native.scons(expect=2)
    assert "crate 'far' has lto='fat', but 'common' was compiled without" in output


LOCAL = """\
lib = env.Crate("lib", ["lib.c"])
sole = env.Crate("sole", ["sole.c"], crate_type="dylib", lto="fat")
Default(env.Crate("app", ["app.c"], deps=[lib, sole], crate_type="bin", lto=ARGUMENTS.get("lto", "thin-local")))
"""


@pytest.mark.parametrize("native", ["llvm"], indirect=True)
def test_local_lto_compiles_only_its_own_crate_for_lto(native: NativeProject) -> None:
    native.crates(
        LOCAL,
        {
            "lib.c": "int lib(void) { return 3; }\n",
            "sole.c": "int sole(void) { return 4; }\n",
            "app.c": "int lib(void); int sole(void);\nint main(void) { return lib() + sole(); }\n",
        },
    )
    native.scons()

    def kinds() -> list[str]:
        modules = (module for crate in ("lib", "sole", "app") for module in native.linked_modules(crate).values())
        return [module.attribute("representation") for module in modules]

    # Local LTO links other crates as code, and no link takes the modules of a dylib.
    assert kinds() == ["code", "llvm", "llvm"]
    assert subprocess.run([native.path / "app"], check=False).returncode == 7
    native.scons("lto=thin")
    assert kinds() == ["llvm", "llvm", "llvm"]
    assert subprocess.run([native.path / "app"], check=False).returncode == 7
    assert native.up_to_date("lto=thin")
