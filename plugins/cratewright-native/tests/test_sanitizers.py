"""Sanitizers, coverage and profiles: they work in every LTO mode, or are refused while planning."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import Crate, CrateType, LinkError, LinkLibrary, LtoMode, Source, UnsupportedError, content_digest
from tests.support.native_link import finished, link, request_for
from tests.support.native_project import Project, named, options

BASE = """\
#include <stdlib.h>
#include <pthread.h>
static volatile int shared;
/* Often, since a race of two single accesses that meet at the same time may go unseen. */
static void *count(void *x) { for (int turn = 0; turn < 1000; turn++) shared++; return x; }
int base(int what) {
    volatile int big = 0x7fffffff;
    volatile char *block = malloc(4);
    volatile int at = what == 1 ? 4 : 0;
    block[at] = 3;
    if (what == 2) big = big + what;
    if (what == 3) {
        pthread_t one;
        pthread_create(&one, 0, count, 0);
        count(0);
        pthread_join(one, 0);
    }
    free((void *)block);
    return 7;
}
"""
ENTRY = "int base(int);\nint entry(int what) { return base(what); }\n"
MAIN = (
    "#include <stdio.h>\nint entry(int);\n"
    'int main(int count, char **words) { (void)words; printf("%d\\n", entry(count - 1)); return 0; }\n'
)
INSTRUMENTED = {
    "address": ({"sanitize": ["address"]}, 1, "heap-buffer-overflow"),
    "undefined": ({"sanitize": ["undefined"]}, 2, "signed integer overflow"),
    "thread": ({"sanitize": ["thread"]}, 3, "data race"),
    "both": ({"sanitize": ["address,undefined"]}, 1, "heap-buffer-overflow"),
    "coverage": ({"coverage": True}, 0, ""),
    "profile": ({"flags": ["-fprofile-generate"], "ldflags": ["-fprofile-generate"]}, 0, ""),
}
# zig builds these libraries on first use, which takes minutes.
SLOW = {("zig", "undefined"), ("zig", "thread")}


def _words(kind: str, given: dict[str, object]) -> list[str]:
    sanitizers = given.get("sanitize")
    words = [f"-fsanitize={name}" for name in sanitizers] if isinstance(sanitizers, list) else []
    counted = ["--coverage" if kind == "gcc" else "-fprofile-instr-generate"] if "coverage" in given else []
    return [*words, *counted, *(["-fprofile-generate"] if "flags" in given else [])]


def _output(program: Path, what: int) -> tuple[str, str]:
    environ = {
        **os.environ,
        "ASAN_OPTIONS": "detect_leaks=0",
        "LLVM_PROFILE_FILE": str(program.parent / "found.profraw"),
    }
    environ["LD_LIBRARY_PATH"] = str(program.parent)
    # The thread sanitizer needs fixed addresses, which address randomization may have taken.
    command = ["setarch", "-R", program, *["x"] * what]
    done = subprocess.run(command, env=environ, cwd=program.parent, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def _program(project: Project, given: dict[str, object], kind: CrateType, lto: LtoMode) -> Path:
    """Return a program of crates, or a library of crates linked into a plain C program."""
    own = {"main.c": MAIN, "entry.c": ENTRY} if kind is CrateType.BIN else {"entry.c": ENTRY}
    exported = ("main",) if kind is CrateType.BIN else ("entry",)
    crates = {"app": own, "base": {"base.c": BASE}}
    request = request_for(
        project,
        crates,
        kind,
        exported=exported,
        lto=lto,
        opt_level="1",
        **{name: value for name, value in given.items() if name != "opt_level"},
    )
    made = finished(project, request)
    if kind is CrateType.BIN:
        return made
    (project.root / "user.c").write_text(MAIN)
    command = (*project.toolchain.cc(project.target), *_words(project.toolchain.kind, given), "user.c", made.name)
    project.toolchain.run((*command, "-pthread", "-o", "user"), cwd=project.root, what="user.c")
    return project.root / "user"


@pytest.mark.pairwise(project="gcc", lto=LtoMode.THIN)
@pytest.mark.pairwise(project="zig", name=("undefined", "thread"))
@pytest.mark.parametrize("lto", [LtoMode.OFF, LtoMode.THIN, LtoMode.FAT])
@pytest.mark.parametrize("name", INSTRUMENTED)
def test_instrumentation_works_or_is_refused(project: Project, name: str, lto: LtoMode) -> None:
    given, what, expected = INSTRUMENTED[name]
    if (project.toolchain.kind, name) in SLOW and not os.environ.get("CRATE_TORTURE"):
        pytest.skip("does not apply: zig would build a library for minutes; CRATE_TORTURE=1 asks for it")
    for kind in (CrateType.BIN, CrateType.CDYLIB):
        values = options(lto=lto.value, **given)
        crate = Crate(
            name="app",
            version="",
            backend="native",
            target=project.target,
            profile="dev",
            crate_types=(kind,),
            sources=(Source(path="entry.c", name="entry.c", options=values),),
            dependencies=(),
            options=values,
        )
        try:
            project.backend.check_crate(crate)
        except UnsupportedError as error:
            reasons = ("gcc cannot do", "gcc does not do together", "zig has no library", "gcc's counters")
            assert any(reason in str(error) for reason in reasons), error
            continue
        program = _program(project, given, kind, lto)
        assert _output(program, 0)[0] == "7\n", _output(program, 0)
        assert expected in _output(program, what)[1]
        if name in ("coverage", "profile"):
            assert [*program.parent.glob("*.prof*"), *program.parent.rglob("*.gcda")], "no counters were written"


def test_gcc_lto_refuses_modules_with_other_sanitizers(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "gcc")
    crates = {"app": {"main.c": MAIN, "entry.c": ENTRY}, "base": {"base.c": BASE}}
    for linked, compiled in ((["address"], []), ([], ["thread"])):
        request = request_for(project, crates, lto=LtoMode.FAT, sanitize=compiled)
        request = replace(request, options=request.options.override({"sanitize": tuple(linked)}))
        with pytest.raises(LinkError, match=r"crate 'app' is compiled with(out)? -fsanitize=(address|thread)"):
            project.backend.run_fat_lto(request)


def test_c_program_links_the_sanitizer_of_its_cxx_dylib(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", named("llvm"))
    text = "struct B { virtual ~B() {} virtual int f() { return 7; } };\n"
    text += 'extern "C" int entry(int x) { B *one = new B; int found = one->f(); delete one; return found + x; }\n'
    words = {"sanitize": ["undefined"], "opt_level": "0"}
    made = link(project, request_for(project, {"base": {"b.cpp": text}}, CrateType.DYLIB, exported=("entry",), **words))
    library = LinkLibrary("base", made.name, content_digest(made.read_bytes()))
    request = replace(request_for(project, {"app": {"main.c": MAIN}}, **words), libraries=(library,))
    assert _output(link(project, request), 0)[0] == "7\n"
