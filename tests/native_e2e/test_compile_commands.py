"""`compile_commands.json`, from which editors learn how sources are compiled."""

from __future__ import annotations

import json
import subprocess

from tests.native_e2e.native_scons import NativeProject

BOTH_FORMS = True

SCONSTRUCT = """\
env.CrateCompileCommands()
env.Crate("a", ["src/a.c", ("src/b.cc", {"defines": {"B": "2"}})], include_dirs=["inc"], std="c++17")
env.Crate("c", ["c.c"], flags=ARGUMENTS.get("flags", "-Wall"))
"""
FILES = {
    "src/a.c": "#include <k.h>\nint a = K;\n",
    "src/b.cc": "#include <k.h>\nstatic_assert(B == 2 && __cplusplus == 201703L);\n",
    "inc/k.h": "#define K 1\n",
    "c.c": "int c;\n",
}


def test_every_command_compiles(any_native: NativeProject) -> None:
    any_native.crates(SCONSTRUCT, FILES)
    any_native.scons("compile_commands.json")
    assert any_native.steps() == [], "compiled a crate"
    rows = json.loads(any_native.read("compile_commands.json"))
    assert [row["file"] for row in rows] == ["src/a.c", "src/b.cc", "c.c"]
    for row in rows:
        assert row["directory"] == str(any_native.path)
        subprocess.run([*row["arguments"], "-o", "x.o"], cwd=row["directory"], check=True)
        assert any_native.exists("x.o")
        any_native.remove("x.o")


def test_rewritten_only_when_commands_change(any_native: NativeProject) -> None:
    any_native.crates(SCONSTRUCT, FILES)
    any_native.scons()
    assert any_native.up_to_date()
    any_native.write({"src/a.c": "int another;\n"})
    any_native.scons()
    assert "Writing" not in any_native.output
    any_native.scons("flags=-Wextra")
    assert "Writing compile_commands.json" in any_native.output
    assert "-Wextra" in any_native.read("compile_commands.json")
    any_native.remove("compile_commands.json")
    any_native.scons("flags=-Wextra")
    assert any_native.exists("compile_commands.json")
