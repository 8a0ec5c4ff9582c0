"""`ldflags`: every linker option has its effect with and without LTO, or is refused by name."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from cratewright import CrateType, LinkError, LtoMode
from cratewright_native.arguments.ldflags import (
    flag_words,
    linker_flag_refusal,
    parse_ldflags,
    with_paths,
    written_files,
)
from cratewright_native.arguments.linker_options import LINKER_OPTIONS, Treatment
from cratewright_native.arguments.symbols import kept_by_flags, script_patterns
from cratewright_native.toolchains.zig import bundled_zig
from tests.support.native_link import finished, request_for
from tests.support.native_project import Project, skip_without_thin

MODES = [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT]


def _help_commands() -> list[list[str]]:
    lld = [shutil.which(f"ld.lld-{major}") or "" for major in range(40, 14, -1)]
    found = [[path, "--help"] for path in (*lld, shutil.which("ld")) if path]
    return [*found, *([[bundled_zig(), "ld.lld", "--help"]] if bundled_zig() else [])]


def test_every_linker_option_is_in_the_table() -> None:
    """New options of a linker must be added to `LINKER_OPTIONS`."""
    for command in _help_commands():
        text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        # GNU ld lists the options of other formats after those of ELF.
        text, _, _ = text.partition("\ni386pep:")
        for line in re.findall(r"(?m)^  (-\S.*)", text):
            for word in re.findall(r"(?:^|, )(--?[^\s,=<\[]+)", line.split("   ")[0]):
                name = word.lstrip("-")
                known = name in LINKER_OPTIONS or any(stem in name for stem in ("lto-O", "lto-CGO", "plugin-opt"))
                assert known or word == "-z", f"{command[0]}: {word}"


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["-Wl,--wrap=f"], "wrap", "f"),
        (["-Wl,--wrap,f"], "wrap", "f"),
        (["-Wl,-wrap", "-Wl,f"], "wrap", "f"),
        (["-Xlinker", "--wrap=f"], "wrap", "f"),
        (["-Xlinker", "-wrap", "-Xlinker", "f"], "wrap", "f"),
        (["-u", "f"], "u", "f"),
        (["-uf"], "u", "f"),
        (["-Wl,-uf"], "u", "f"),
        (["-Xlinker", "--defsym=a=b,c"], "defsym", "a=b,c"),
        (["-Wl,-export-dynamic"], "export-dynamic", None),
        (["-rdynamic"], "rdynamic", None),
        (["-Wl,-Tx.ld"], "T", "x.ld"),
        (["-Tx.ld"], "T", "x.ld"),
        (["-Wl,-znow"], "z", "now"),
        (["-Wl,--build-id=sha1"], "build-id", "sha1"),
        (["-Wl,--build-id"], "build-id", None),
        (["-Wl,--lto-O3"], "lto-O", None),
        (["-static-libgcc"], "static-libgcc", None),
        (["-fopenmp"], "", None),
        (["--sysroot=x"], "-sysroot", "x"),
        (["--sysroot", "x"], "-sysroot", "x"),
        (["libx.a"], "", "libx.a"),
    ],
)
def test_parsing_of_all_spellings(words: list[str], name: str, value: str | None) -> None:
    (flag,) = parse_ldflags(words)
    assert (flag.option.name, flag.value) == (name, value)
    assert parse_ldflags(flag_words(flag)) == (flag,)


def test_paths_in_flags_are_replaced() -> None:
    words = ["-Wl,--version-script=a.map", "-Wl,-T,a.ld", "-Lsub", "-Wl,-Map,out.map", "x.o", "-Wl,-u,f", "-lm"]
    placed = with_paths(words, lambda path, made: f"{'made' if made else 'src'}/{path},v")
    again = [(flag.option.name, flag.value) for flag in parse_ldflags(placed)]
    assert again[:3] == [("version-script", "src/a.map,v"), ("T", "src/a.ld,v"), ("L", "src/sub,v")]
    assert again[3:] == [("Map", "made/out.map,v"), ("", "src/x.o,v"), ("u", "f"), ("l", "m")]
    assert written_files(CrateType.BIN, placed) == ("made/out.map,v",)
    assert written_files(CrateType.STATICLIB, placed) == ()


@pytest.mark.parametrize(
    ("words", "lto", "why"),
    [
        (["-shared"], False, "crate type"),
        (["-Wl,-r"], False, "crate type"),
        (["-Wl,--thinlto-jobs=2"], False, "runs LTO itself"),
        (["-Wl,-plugin-opt=O3"], False, "runs LTO itself"),
        (["-Wl,--dependency-file=x"], False, "SCons"),
        (["-Wl,@words"], False, "no cache key includes"),
        (["-Wl,-u"], False, "value is missing"),
        (["-Wl,-z,start-stop-gc"], False, "cratewright keeps"),
        (["-Wl,--exclude-libs,ALL"], True, "with lto"),
        (["-Wl,--something-new"], True, "with lto, its effect on symbols is unknown"),
        (["x.o"], True, "with lto, its symbols"),
    ],
)
def test_refused_flags(words: list[str], lto: bool, why: str) -> None:
    found = linker_flag_refusal(words, lto=lto)
    assert found is not None and why in found.reason
    assert (linker_flag_refusal(words, lto=False) is None) is lto


def test_patterns_of_version_scripts() -> None:
    text = """
    V1 { global: foo; "b*r"; /* no: */ extern "C++" { ns::*; "ns::f(int)"; }; local: hidden; *; }; # end
    V2 { two; global : three; } V1;
    """
    assert script_patterns(text) == ["foo", "b*r", "_Z*", "_Z*", "two", "three"]
    assert script_patterns('{ one; extern "C" { two; }; };') == ["one", "two"]
    assert script_patterns("{ local: *; };") == []


def test_symbols_named_in_scripts_are_kept() -> None:
    defined = ["main", "vector", "other", "_start", "old@@V1"]
    texts = {"a.ld": "ENTRY(boot) SECTIONS { .x : { KEEP(*(.y)) } end = vector + 4; }", "b.ld": "vector = 3;"}
    kept = kept_by_flags(["-T", "a.ld"], defined, texts.__getitem__)
    assert kept == {"vector", "_start", "old@@V1"}
    with pytest.raises(LinkError, match=r"b\.ld gives a value to 'vector'"):
        kept_by_flags(["-Wl,-T,b.ld"], defined, texts.__getitem__)


FIND = """\
#include <stdio.h>
#include <dlfcn.h>
int find_me(void) { return 42; }
int main(void) {
    int (*found)(void) = (int (*)(void))dlsym(dlopen(0, RTLD_NOW), "find_me");
    printf("%d\\n", found ? found() : -1);
}
"""
LONELY = FIND.replace("int find_me(void) { return 42; }", "")
WRAP = """\
#include <stdio.h>
int f(void), __real_f(void);
int __wrap_f(void) { return __real_f() + 10; }
int main(void) { printf("%d\\n", f()); }
"""
ALIAS = '#include <stdio.h>\nint f(void), g(void);\nint main(void) { printf("%d\\n", f() + g()); }\n'
WEAK = """\
#include <stdio.h>
int f(void);
__attribute__((weak)) int chosen(void) { return 1; }
int other(void) { return 5; }
int main(void) { printf("%d\\n", chosen() + f()); }
"""
START = """\
#include <unistd.h>
int f(void);
void entry(void) { char text[] = {'0' + f(), '\\n'}; write(1, text, 2); _exit(0); }
"""
# Flags, the program's source, what it prints, and the toolchains that refuse the flags: with LTO or at all.
EFFECTS = {
    "wrap": (["-Wl,--wrap=f"], WRAP, "13\n"),
    "rdynamic": (["-rdynamic"], FIND, "42\n"),
    "export-dynamic": (["-Wl,-E"], FIND, "42\n"),
    "export-dynamic-symbol": (["-Xlinker", "--export-dynamic-symbol", "-Xlinker", "find_me"], FIND, "42\n"),
    "export-dynamic-symbol, a pattern": (["-Wl,--export-dynamic-symbol=fi*"], FIND, "42\n"),
    "dynamic-list": (["-Wl,--dynamic-list=list.txt"], FIND, "42\n"),
    "undefined": (["-rdynamic", "-u", "find_me"], LONELY, "43\n"),
    "defsym": (["-Wl,--defsym=g=f"], ALIAS, "6\n"),
    "defsym, over a weak symbol": (["-Wl,--defsym=chosen=other"], WEAK, "8\n"),
    "entry": (["-nostartfiles", "-Wl,-e,entry"], START, "3\n"),
    "no flag": ([], FIND, "-1\n"),
}
DEPENDENCY = {"f.c": "int f(void) { return 3; }\n", "find.c": "int find_me(void) { return 43; }\n"}


@pytest.mark.parametrize("lto", MODES)
@pytest.mark.parametrize("what", EFFECTS)
def test_flag_has_its_effect_or_is_refused(project_with: Callable[[str], Project], what: str, lto: LtoMode) -> None:
    words, source, expected = EFFECTS[what]
    project = project_with("llvm")
    (project.root / "list.txt").write_text("{ find_*; };\n", encoding="utf-8")
    crates = {"app": {"main.c": source}, "base": DEPENDENCY if source is not FIND else {"f.c": DEPENDENCY["f.c"]}}
    program = finished(project, request_for(project, crates, lto=lto, ldflags=words))
    assert subprocess.run([program], capture_output=True, text=True, check=False).stdout == expected


@pytest.mark.parametrize("lto", MODES)
@pytest.mark.parametrize("kind", ["llvm", "gcc"])
def test_symbol_versions(project_with: Callable[[str], Project], kind: str, lto: LtoMode) -> None:
    project = project_with(kind)
    skip_without_thin(project, lto)
    source = """\
int f(void);
__asm__(".symver old, foo@V1\\n.symver new, foo@@V2");
int old(void) { return f(); }
int new(void) { return f() + 1; }
int init_was_called;
void at_start(void) { init_was_called = 1; }
"""
    (project.root / "ver.map").write_text("V1 { global: f*; init*; local: *; };\nV2 { } V1;\n", encoding="utf-8")
    crates = {"lib": {"lib.c": source}, "base": {"f.c": DEPENDENCY["f.c"]}}
    words = ["-Wl,--version-script,ver.map", "-Wl,-init,at_start", "-Wl,-Map=it.map"]
    request = request_for(project, crates, CrateType.CDYLIB, exported=("old", "new"), lto=lto, ldflags=words)
    library = finished(project, request)
    shown = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    offered = {line.split()[-1] for line in shown.splitlines() if " A " not in line}
    assert {"foo@V1", "foo@@V2", "init_was_called@@V1"} <= offered
    assert not {"old", "new", "at_start"} & {name.partition("@")[0] for name in offered}
    main = """\
#include <stdio.h>
int foo(void);
extern int init_was_called;
int main(void) { printf("%d %d\\n", foo(), init_was_called); }
"""
    (project.root / "user.c").write_text(main, encoding="utf-8")
    command = ["gcc", "user.c", library, f"-Wl,-rpath,{project.root}", "-o", "user"]
    subprocess.run(command, cwd=project.root, check=True)
    done = subprocess.run([project.root / "user"], capture_output=True, text=True, check=True)
    assert done.stdout == "4 1\n"
    assert (
        "foo" in (project.root / "it.map").read_text()
        and str(project.root) not in (project.root / "it.map").read_text()
    )


def test_refused_options_have_reasons() -> None:
    for option in LINKER_OPTIONS.values():
        assert bool(option.reason) is (option.treatment in (Treatment.REFUSED, Treatment.NOT_WITH_LTO)), option.name
