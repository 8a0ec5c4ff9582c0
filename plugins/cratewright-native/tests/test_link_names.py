"""Flags, symbols and module names cannot make a link run programs or write elsewhere."""

from __future__ import annotations

import pytest

from cratewright import LinkError
from cratewright_native.arguments.ldflags import linker_flag_refusal
from cratewright_native.linking.exports import check_symbols, version_script
from cratewright_native.linking.staticlib import object_name

REFUSED = [
    *("--ld-path=evil", "-fuse-ld=evil", "-wrapper", "-Bx", "-B", "-specs=x", "--config=x", "@x", "-fplugin=x"),
    *("-Wl,-o,x", "-Wl,--output=x", "-Wl,-plugin,x", "-Wl,--plugin=x", "-Wl,-z,now,--plugin,x", "-Wl,@x"),
    *("-Wl,--load-pass-plugin=x", "-Wl,--dependency-file=x", "-Wl,--reproduce=x", "-Wl,--time-trace=x"),
    *("-Wl,--thinlto-cache-dir=x", "-Wl,-plugin-opt=x", "-Wl,-mllvm,-load=x", "-Wl,--save-temps", "-save-temps"),
    *(
        "-B/x",
        "-B/x/",
        "--prefix=/x",
        "--prefix /x",
        "-fplugin-arg-x-y",
        "-fpass-plugin=x",
        "--specs=x",
        "-resource-dir=x",
    ),
    *("-Xlinker --plugin=x", "-Xlinker -o", "-Xclang", "-Xclang -load", "-o", "-ox"),
    *("--wrapper=x", "-ccc-install-dir x", "--gcc-toolchain=/x", "--gcc-install-dir=/x", "--driver-mode=g++", "-x c"),
    *("-include x", "-Wp,-MD,x", "-Wa,-a=x", "-Xassembler -o", "-Xpreprocessor x", "-mllvm x", "-print-prog-name=ld"),
    *("--version", "--help", "-dumpversion", "-v", "-###", "-S", "-E", "-c", "-fsyntax-only", "-target x", "-m32"),
    *("-fsanitize=address", "--coverage", "-fprofile-use=x", "-fprofile-list=/x", "-fopenmp=/x", "-nonsense", "--no"),
    *("-isysroot /x", "-save-temps=obj", "-ftime-trace=x", "-dumpbase x", "-fmodule-mapper=|x", "-fmodule-file=x"),
]


@pytest.mark.parametrize("words", REFUSED)
def test_flags_that_write_or_run_are_refused(words: str) -> None:
    flags = ["-Wl,-O1", *words.split()]
    assert linker_flag_refusal(flags, lto=False) is not None


@pytest.mark.parametrize("lto", [False, True])
def test_accepted_driver_flags(lto: bool) -> None:
    words = "-g -Wall -std=c++20 -DX=1 -Ia -pthread -static-libgcc -static-libstdc++ -fopenmp -fopenmp=libomp -m64x"
    words += " -stdlib=libc++ --rtlib=compiler-rt --unwindlib=libunwind -fprofile-generate -pg -march=haswell -nostdlib"
    words += " --sysroot=x --sysroot x -fno-exceptions -fPIC -pipe -w -s -rdynamic -Wno-unused --param x=1 -fuse-cxa"
    assert linker_flag_refusal(words.split(), lto=lto) is None
    found = linker_flag_refusal(["-O2"], lto=lto)
    assert (found is not None) is lto


@pytest.mark.parametrize(
    "name", ["f,--plugin=x", 'f";}; INPUT(x)', "f\ng", "f\\", "f\udcff", "f\0", "f@@V;}; INPUT(x)"]
)
def test_symbols_that_could_be_options_or_scripts_are_refused(name: str) -> None:
    with pytest.raises(LinkError, match="under its name"):
        version_script([name])
    with pytest.raises(LinkError):
        check_symbols(["main", name])


def test_odd_but_valid_symbols() -> None:
    names = ("_ZN1aC2Ev", "a.b$c", "f@@V1", "-[Foo bar:]", "\u00e4")
    assert check_symbols(names) == names


@pytest.mark.parametrize(
    ("crate", "module"),
    [
        ("a 1/../../../x", "m.o"),
        ("a 1\n", "m.o"),
        ("a", "x/../../y.o"),
        ("a", "m" * 400 + ".o"),
        ("a\udcff", "\u00e4" * 200),
    ],
)
def test_object_names_stay_in_their_directory(crate: str, module: str) -> None:
    name = object_name(crate, module)
    assert "/" not in name and name.isprintable() and len(name.encode()) <= 255
    assert name != object_name(crate, module.replace("m", "n", 1).replace("\u00e4", "o", 1)) or "/" in module
