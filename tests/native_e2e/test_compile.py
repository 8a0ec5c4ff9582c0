"""Compiling C crates with SCons: what is built, and what an edit rebuilds."""

from __future__ import annotations

import re

import pytest

from tests.native_e2e.native_scons import NativeProject

SCONSTRUCT = """\
env["CRATE_INCLUDE_DIRS"] = ["first", "inc"]
maths = env.Crate("maths", Glob("maths/*.c"), ldflags=ARGUMENTS.get("ldflags", "-Wl,-O1").split())
text = env.Crate("text", ["text/a.cc", ("text/b.c", {"defines": {"SIZE": "3"}}), "text/c.S"], deps=[maths], std="c++17")
Default(maths, text)
"""
FILES = {
    "maths/half.c": "double half(double x) { return x / 2; }\n",
    "maths/twice.c": '#include "k.h"\nint twice(int x) { return K * x; }\n',
    "inc/k.h": "#define K 2\n",
    "first/other.h": "",
    "text/a.cc": "#include <string>\n#include <k.h>\nint length(std::string s) { return int(s.size()) * K; }\n",
    "text/b.c": "#warning careful\nint size = SIZE;\n",
    "text/c.S": ".globl answer\nanswer: .quad 42\n",
}
COMPILED = ["crate maths: 2 units: 2 compiled, 0 reused", "crate text: 3 units: 3 compiled, 0 reused"]


@pytest.fixture
def built(native: NativeProject) -> NativeProject:
    """Return the project after its first build."""

    def build() -> None:
        native.crates(SCONSTRUCT, FILES)
        native.scons()

    native.set_up_once(("compile", native.kind), build)
    assert native.built() == COMPILED
    return native


def test_modules_and_symbols_of_a_build(built: NativeProject) -> None:
    assert re.search(r"text/b\.c:1:\d+: warning: ", built.output)
    assert built.up_to_date()
    suffix = ".o" if built.kind == "gcc" else ".bc"
    maths, text = built.modules("maths"), built.modules("text")
    assert sorted(maths) == [f"maths/half.c{suffix}", f"maths/twice.c{suffix}"]
    assert sorted(text) == [f"text/a.cc{suffix}", f"text/b.c{suffix}", "text/c.S.o"]
    assert [symbol.name for symbol in maths[f"maths/half.c{suffix}"].exports] == ["half"]
    assert [symbol.name for symbol in text["text/c.S.o"].exports] == ["answer"]


def test_editing_a_source_compiles_it_alone(built: NativeProject) -> None:
    built.write({"maths/half.c": FILES["maths/half.c"].replace("2", "2.0 + 1")})
    built.scons()
    assert built.built() == ["crate maths: 2 units: 1 compiled, 1 reused"]
    assert built.steps() == ["Archiving libmaths.rlib", "Compiling crate maths.rlink"]
    assert built.up_to_date()


def test_editing_a_header_compiles_its_includers(built: NativeProject) -> None:
    built.write({"inc/k.h": "#define K 3\n"})
    built.scons()
    assert built.built() == [
        "crate maths: 2 units: 1 compiled, 1 reused",
        "crate text: 3 units: 1 compiled, 2 reused",
    ]
    assert built.up_to_date()


@pytest.mark.parametrize("path", ["first/k.h", "maths/k.h"])
def test_header_that_shadows_another_is_noticed(built: NativeProject, path: str) -> None:
    """No file that was read has changed: recorded misses of the include search must count."""
    before = {name: module.data for name, module in built.modules("maths").items()}
    built.write({path: "#define K 5\n"})
    built.scons()
    after = {name: module.data for name, module in built.modules("maths").items()}
    assert [name.partition(".")[0] for name in after if after[name] != before[name]] == ["maths/twice"]
    assert "crate maths: 2 units: 1 compiled, 1 reused" in built.built()
    built.remove(path)
    built.scons()
    assert {name: module.data for name, module in built.modules("maths").items()} == before


def test_unrelated_new_header_rebuilds_nothing(built: NativeProject) -> None:
    built.write({"first/unrelated.h": "", "maths/unrelated.h": ""})
    assert built.up_to_date()


def test_ldflags_recompile_nothing(built: NativeProject) -> None:
    built.scons("ldflags=-Wl,-O2")
    assert all("compiled" not in line or "0 compiled" in line for line in built.built())


def test_same_bytes_elsewhere_with_jobs(built: NativeProject, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = NativeProject(tmp_path_factory.mktemp("other") / "a place", built.kind, form=built.form)
    other.crates(SCONSTRUCT, FILES)
    other.scons("-j4")
    for name in ("libmaths.rlib", "libtext.rlib"):
        assert (other.path / name).read_bytes() == (built.path / name).read_bytes()


def test_cached_warnings_equal_the_compilers(native: NativeProject) -> None:
    """A hit prints the compiler's warnings line for line, coloured only if this run wants colour."""
    sources = [f"{name}.c" for name in "abc"]
    native.crates(
        f'c = env.Crate("c", {sources}, flags=["-Wall"])\nDefault(c)\n',
        {name: '#include "h.h"\nint f(void) {\n\tint é, unused; return h(1.5); }\n' for name in sources}
        | {"h.h": "static int g(void) { return 1; }\nstatic inline int h(int x) { }\n"},
    )
    native.environ["CLICOLOR_FORCE"] = "1"
    native.scons("-j2")
    cold = native.errors
    assert "\x1b[1;35mwarning:" in cold and "^" in cold and "In file included from" in cold
    for colour in ("1", "0"):
        native.environ["CLICOLOR_FORCE"] = colour
        native.scons("-c")
        native.scons("-j2")
        assert native.built() == ["crate c: 3 units: 0 compiled, 3 reused"]
        expected = cold if colour == "1" else re.sub(r"\x1b\[[\d;]*m", "", cold)
        assert sorted(native.errors.splitlines()) == sorted(expected.splitlines())


def test_compile_error_then_fix(native: NativeProject) -> None:
    native.crates('env.Crate("a", Glob("*.c"))\n', {"bad.c": "int x = y;\n", "good.c": "int g;\n"})
    output = native.scons(expect=2)
    assert "bad.c:1:9: error: " in output and "crate: a" in output
    assert not native.exists("a.rlink")
    native.write({"bad.c": "int x;\n"})
    native.scons()
    assert native.built() == ["crate a: 2 units: 1 compiled, 1 reused"]


def test_refused_flag_is_named(any_native: NativeProject) -> None:
    any_native.crates('env.Crate("a", Glob("*.c"), flags="-march=native")\n', {"a.c": "int x;\n"})
    output = any_native.scons(expect=2)
    assert "'-march=native' cannot be among 'flags'" in output


def test_generated_header(any_native: NativeProject) -> None:
    any_native.crates(
        'h = env.Command("gen.h", "gen.in", Copy("$TARGET", "$SOURCE"))\n'
        'a = env.Crate("a", ["a.c"])\nenv.Depends(a.rlink, h)\n',
        {"gen.in": "#define G 1\n", "a.c": '#include "gen.h"\nint g = G;\n'},
    )
    any_native.scons()
    before = any_native.modules("a")
    any_native.write({"gen.in": "#define G 2\n"})
    any_native.scons()
    assert any_native.modules("a") != before
    assert any_native.up_to_date()


def test_variant_directory(any_native: NativeProject) -> None:
    any_native.crates(
        'env["CRATE_INCLUDE_DIRS"] = ["#inc"]\nSConscript("src/SConscript", variant_dir="out", exports="env")\n',
        {
            "src/SConscript": 'Import("env")\nenv.Crate("a", Glob("*.c"))\n',
            "src/a.c": '#include "near.h"\n#include <far.h>\nint a = NEAR + FAR;\n',
            "src/near.h": "#define NEAR 1\n",
            "inc/far.h": "#define FAR 1\n",
        },
    )
    any_native.scons()
    assert any_native.exists("out/liba.rlib")
    assert any_native.up_to_date()
    any_native.write({"src/near.h": "#define NEAR 2\n"})
    any_native.scons()
    assert any_native.built() == ["crate a: 1 unit: 1 compiled, 0 reused"]


def test_hits_equal_recompilation(built: NativeProject) -> None:
    built.environ["CRATE_CACHE_VERIFY"] = "1"
    built.scons("-c")
    output = built.scons()
    assert built.built() == [
        line.replace("2 compiled, 0", "0 compiled, 2").replace("3 compiled, 0", "0 compiled, 3") for line in COMPILED
    ]
    assert re.search(r"text/b\.c:1:\d+: warning: ", output)


def test_repository_path_leaves_no_trace(native: NativeProject) -> None:
    """Linked files and messages are the same wherever the repository is; modules keep their sources' names."""
    outputs = []
    for place in ("one", "another/place"):
        there = NativeProject(native.path / place / "repository", native.kind, form=native.form)
        there.write(
            {
                "src/f.c": '#include "near.h"\n#include "far.h"\nconst char *f(void) { return near(); }\n'
                "const char *g(void) { return __FILE__; }\n",
                "src/near.h": "static inline const char *near(void) { return __FILE__; }\n",
                "inc/far.h": "#warning look here\n",
            }
        )
        here = NativeProject(native.path / place / "here", native.kind, form=native.form)
        here.crates('env.Crate("lib", ["src/f.c"], include_dirs=["inc"], crate_type="cdylib", strip=True)\n', {})
        here.write({"SConstruct": f"Repository({str(there.path)!r})\n" + here.read("SConstruct")})
        output = here.scons()
        assert re.search(r"\ninc/far\.h:1:2: warning: ", output)
        outputs.append((here.path / "liblib.so").read_bytes())
        assert b"src/near.h" in outputs[-1] and str(native.path).encode() not in outputs[-1]
        assert here.up_to_date()
    assert outputs[0] == outputs[1]


def test_program_named_like_a_directory_is_refused(any_native: NativeProject) -> None:
    """Also if SCons knows the directory only as that of the sources."""
    for source in ("app/main.c", "main.c"):
        any_native.crates(
            f'env.Crate("app", ["{source}"], crate_type="bin")\n', {source: "int main(void) { return 0; }\n"}
        )
        (any_native.path / "app").mkdir(exist_ok=True)
        output = any_native.scons(expect=2)
        assert "crate 'app' makes the file 'app', and there is a directory of that name" in output
        assert "rename the crate or the directory" in output and "Traceback" not in output
