"""Features that LTO and linkers tend to break, in one program that must print what a plain build prints."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from tests.native_e2e.native_scons import NativeProject
from tests.support.native_project import Project, named
from tests.support.scons_project import available_forms

# Without zig, which takes a minute to build its C++ library first.
DEFAULT_CASES = [("llvm", "thin", "0"), ("gcc", "fat", "2"), ("gcc", "off", "0")]
ALL_CASES = itertools.product(("llvm", "zig", "gcc"), ("off", "thin", "fat"), ("0", "2"))
CASES = [pytest.param(*case, marks=() if case in DEFAULT_CASES else pytest.mark.exhaustive) for case in ALL_CASES]
SOURCES = {
    "base_table.c": """\
static const int one __attribute__((used, section("table"))) = 1;
extern const int __start_table[] __attribute__((weak, visibility("hidden")));
extern const int __stop_table[] __attribute__((weak, visibility("hidden")));
int walk(void) {
    int sum = 0;
    for (const int *at = __start_table; at != __stop_table; at++) sum += *at;
    return sum;
}
int total, order;
void add(int x) { total += x; }
int all_added(void) { return total; }
int in_order(void) { return order; }
""",
    "base_more.c": """\
extern int order;
static const int ten __attribute__((used, section("table"))) = 10;
__attribute__((weak)) int choose(void) { return 1; }
static int target(void) { return 4; }
int named(void) { return target() + 1; }
int other_name(void) __attribute__((alias("named")));
static int chosen(void) { return 5; }
static int (*resolve(void))(void) { return chosen; }
int indirect(void) __attribute__((ifunc("resolve")));
_Thread_local int per_thread = 6;
int *my_own(void) { return &per_thread; }
static __attribute__((constructor(300))) void third(void) { order = order * 10 + 3; }
static __attribute__((constructor(200))) void second(void) { order = order * 10 + 2; }
static void first(void) { order += 1000; }
__attribute__((used, section(".init_array"))) static void (*listed)(void) = first;
int more(void) { return ten; }
""",
    "base_strong.c": "int choose(void) { return 2; }\nint strong(void) { return choose(); }\n",
    "base_asm.c": """\
__asm__(".text\\n.globl from_asm\\n.type from_asm,@function\\nfrom_asm: jmp for_asm@PLT\\n");
__attribute__((used)) int for_asm(void) { return 7; }
int asm_is_here(void) { return 0; }
""",
    "base_spare.c": "int nowhere(void);\nint spare(void) { return nowhere(); }\n",
    "shared.h": """\
#include <stdexcept>
template <class T> struct Counter { static int count; };
template <class T> int Counter<T>::count = 20;
inline int &shared_one() { static int value = 30; return value; }
struct Trouble : std::runtime_error { int code; Trouble(int c) : std::runtime_error("trouble"), code(c) {} };
""",
    "base_throw.cpp": """\
#include "shared.h"
int thrower(int x) { shared_one()++; Counter<int>::count++; if (x > 1) throw Trouble(x); return x; }
""",
    "plug_one.c": "void add(int);\nstatic __attribute__((constructor)) void here(void) { add(100); }\n",
    "plug_two.cpp": 'extern "C" void add(int);\nstatic struct Here { Here() { add(200); } } here;\n',
    "report.cpp": """\
#include "shared.h"
#include <cstdio>
extern "C" int walk(), all_added(), in_order(), choose(), named(), other_name(), indirect(), *my_own();
extern "C" int more(), strong(), from_asm(), asm_is_here(), wrapped();
int thrower(int);
extern "C" void report(void) {
    int caught = 0;
    try { thrower(1); thrower(9); } catch (const Trouble &trouble) { caught = trouble.code; }
    try { thrower(8); } catch (const std::exception &) { caught += 100; }
    std::printf("table %d added %d order %d\\n", walk(), all_added(), in_order());
    std::printf("weak %d %d alias %d %d ", choose(), strong(), named(), other_name());
    std::printf("ifunc %d tls %d\\n", indirect(), *my_own());
    std::printf("asm %d comdat %d %d caught %d more %d wrapped %d\\n",
        from_asm() + asm_is_here(), shared_one(), Counter<int>::count, caught, more(), wrapped());
    std::fflush(stdout);
}
""",
    "wrapped.c": "int wrapped(void) { return 3; }\n",
    "wrapper.c": "int __real_wrapped(void);\nint __wrap_wrapped(void) { return __real_wrapped() + 10; }\n",
    "main.c": "void report(void);\nint main(void) { report(); return 0; }\n",
    "entry.c": "void report(void);\nvoid entry(void) { report(); }\n",
    "nowhere.c": "int nowhere(void) { return 0; }\n",
    "user.c": "void entry(void);\nint main(void) { entry(); return 0; }\n",
}
SCONSTRUCT = """\
from cratewright import whole
common = dict(lto={lto!r}, opt_level={level!r})
both = dict(crate_type=["rlib", "dylib"], prefer_dynamic=True, **common)
base = env.Crate("base", Glob("base_*.c") + Glob("base_*.cpp"), **common)
wrap = env.Crate("wrap", ["wrapped.c"], **common)
plug = env.Crate("plug", Glob("plug_*"), deps=[base], **common)
rep = env.Crate("rep", ["report.cpp"], deps=[base, whole(plug), wrap], **common)
Default(env.Crate("app", ["main.c", *{wrapper!r}], deps=[rep], crate_type="bin", ldflags={words!r}, **common))
Default(env.Crate("shl", ["entry.c"], deps=[rep], crate_type=["cdylib", "staticlib"], exports=["entry"], **common))
base2 = env.Crate("base2", [name for name in Glob("base_*.c") if "spare" not in str(name)] + ["base_throw.cpp"], **both)
plug2 = env.Crate("plug2", Glob("plug_*"), deps=[base2], **both)
wrap2 = env.Crate("wrap2", ["wrapped.c"], **both)
Default(env.Crate("dyn", ["main.c", "report.cpp"], deps=[base2, whole(plug2), wrap2], crate_type="bin",
    prefer_dynamic=True, **common))
"""


def _output(*command: str | Path, cwd: Path, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def _compiled(project: NativeProject, name: str, *words: str) -> str:
    """Compile a source without cratewright, and return the name of the object."""
    toolchain = Project(project.path, named(project.kind)).toolchain
    cc = toolchain.cc("x86_64-linux-gnu", "c++" if name.endswith("cpp") else "c")
    words = (*words, "-fPIC", "-c", name, "-o", f"plain-{name}.o")
    _output(*cc, *words, cwd=project.path, environ=toolchain.environment())
    return f"plain-{name}.o"


def _linked(project: NativeProject, output: str, *words: str) -> str:
    """Link without cratewright, and return what the program prints."""
    toolchain = Project(project.path, named(project.kind)).toolchain
    # Stripped and with the environment that crates have: in each cache, zig builds its C++ library once for
    # programs with symbols and once for those without, a minute each.
    words = ("-s", *words, "-o", output)
    _output(*toolchain.cc("x86_64-linux-gnu", "c++"), *words, cwd=project.path, environ=toolchain.environment())
    return _output(f"./{output}", cwd=project.path)


@pytest.mark.parametrize(("kind", "lto", "level"), CASES)
def test_prints_what_a_plain_build_prints(kind: str, lto: str, level: str, tmp_path: Path) -> None:
    if (kind, lto) == ("gcc", "thin"):
        pytest.skip("does not apply: gcc has no thin LTO, which is refused")
    project = NativeProject(tmp_path / "project", kind, form=available_forms()[-1])
    # --wrap is refused with gcc's LTO, which ignores it.
    words = [] if (kind, lto) == ("gcc", "fat") else ["-Wl,--wrap=wrapped"]
    project.crates(
        SCONSTRUCT.format(lto=lto, level=level, words=words, wrapper=["wrapper.c"] if words else []), SOURCES
    )
    project.scons("-j2")
    names = [name for name in sorted(SOURCES) if name.startswith(("base_", "plug_")) and "spare" not in name]
    names += ["report.cpp", "wrapped.c", "main.c", *(["wrapper.c"] if words else [])]
    objects = [_compiled(project, name, f"-O{level}") for name in names]
    expected = _linked(project, "plain", *objects, *words)
    assert _output("./app", cwd=project.path) == expected
    unwrapped = expected.replace("wrapped 13", "wrapped 3")
    assert _output("./dyn", cwd=project.path) == unwrapped
    user = _compiled(project, "user.c")
    assert _linked(project, "user-so", user, "./libshl.so", f"-Wl,-rpath,{project.path}") == unwrapped
    whole = ("-Wl,--whole-archive", "libshl.a", "-Wl,--no-whole-archive")
    assert _linked(project, "user-a", user, _compiled(project, "nowhere.c"), *whole) == unwrapped
