"""What LTO does again after an edit: as much as lld's own cache would, module by module.

Knows nothing of how either finds out.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from cratewright_native.exports import version_script
from tests.native_e2e.native_scons import NativeProject

SCONSTRUCT = """\
base = env.Crate("base", Glob("base*.c"))
middle = env.Crate("middle", Glob("middle*.c"), deps=[base])
Default(env.Crate("app", ["main.c"], deps=[middle], crate_type="bin", lto=ARGUMENTS.get("lto", "thin")))
"""
FILES = {
    "base1.c": "int base1(int x) { return x + 1; }\n",
    "base2.c": "int base1(int);\nint base2(int x) { return base1(x) * 2; }\n",
    "base3.c": "int base3(int x) { return x ^ 21; }\n",
    "base4.c": "int nobody(int x) { return x; }\n",
    "middle1.c": "int base2(int);\nint middle1(int x) { return base2(x) + base2(x + 1); }\n",
    "middle2.c": "int base3(int);\nint middle2(int x) { return base3(x) - 1; }\n",
    "main.c": "int middle1(int);\nint middle2(int);\nint main(int n) { return middle1(n) - middle2(n) > 99; }\n",
}
# What was inlined of what changed is done again, and nothing else.
EDITS = {
    "main.c": ("> 99", "> 98"),
    "base3.c": ("^ 21", "^ 22"),
    "base1.c": ("+ 1", "+ 3"),
    "base4.c": ("return x", "return x + 1"),
}


class LldCache:
    """lld's thin link of the same bitcode, with its own cache."""

    def __init__(self, project: NativeProject) -> None:
        self._project = project
        self._directory = project.path / ".lld"
        self._directory.mkdir()

    def fresh(self) -> int:
        """Link, and return how many entries the cache got."""
        before = self._entries()
        names: dict[str, list[str]] = {"main": [], "lazy": []}
        rlinks = {"app": "main", "middle": "lazy", "base": "lazy"}
        for crate, kind in rlinks.items():
            modules = self._project.linked_modules(crate)
            for name, module in modules.items():
                path = self._directory / f"{crate}-{name}"
                path.write_bytes(module.data)
                names[kind].append(str(path))
        script = self._directory / "map"
        script.write_bytes(version_script(["main"]))
        linker = self._project.environ["CRATE_CC"].replace("clang", "ld.lld")
        command = [linker, "-shared", "--lto=thin", "--lto-O3"]
        command += [f"--thinlto-cache-dir={self._directory}/cache", f"--version-script={script}", "-o", "/dev/null"]
        command += [*names["main"], "--start-lib", *names["lazy"], "--end-lib"]
        subprocess.run(command, check=True, cwd=self._directory)
        return len(self._entries() - before)

    def _entries(self) -> set[str]:
        return {path.name for path in Path(self._directory, "cache").glob("llvmcache-*")}


@pytest.fixture
def clang_built(tmp_path: Path) -> NativeProject:
    """Give the project after its first build with clang, whose lld can be asked beside it."""
    project = NativeProject(tmp_path / "project", "llvm")
    project.crates(SCONSTRUCT, FILES)
    project.scons()
    return project


def _redone(project: NativeProject) -> int:
    found = re.search(r"crate app: thin LTO: (\d+) optimised, (\d+) reused", project.output)
    return int(found[1]) if found else 0


def test_as_much_as_with_the_cache_of_lld(clang_built: NativeProject) -> None:
    cache = LldCache(clang_built)
    assert _redone(clang_built) == cache.fresh() == 6, "base4.c is no part of the program"
    counts = {}
    for name, (old, new) in EDITS.items():
        clang_built.write({name: FILES[name].replace(old, new)})
        clang_built.scons()
        counts[name] = _redone(clang_built)
        assert counts[name] == cache.fresh(), name
    assert counts["main.c"] == 1 and counts["base4.c"] == 0
    assert 1 < counts["base1.c"] < 6


def test_what_nobody_needs_changes_no_program(clang_built: NativeProject) -> None:
    before = (clang_built.path / "app").read_bytes()
    clang_built.write({"base4.c": "int nobody(int x) { return -x; }\n"})
    clang_built.scons()
    assert (clang_built.path / "app").read_bytes() == before
    assert "0 optimised, 6 reused" in clang_built.output


def test_back_to_what_was_before(clang_built: NativeProject) -> None:
    before = (clang_built.path / "app").read_bytes()
    clang_built.write({"base1.c": "int base1(int x) { return x + 7; }\n"})
    clang_built.scons()
    assert (clang_built.path / "app").read_bytes() != before
    clang_built.write({"base1.c": FILES["base1.c"]})
    clang_built.scons()
    assert (clang_built.path / "app").read_bytes() == before
    assert "1 compiled" not in clang_built.output and _redone(clang_built) == 0


def test_a_word_for_the_linker_redoes_no_module(clang_built: NativeProject) -> None:
    text = clang_built.read("SConstruct")
    clang_built.write({"SConstruct": text.replace("lto=ARG", 'ldflags=["-Wl,-z,now"], lto=ARG')})
    clang_built.scons()
    assert "0 optimised, 6 reused; 1 image: 1 linked" in re.sub(r", with .* s;", ";", clang_built.output)
