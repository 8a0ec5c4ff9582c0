"""Units compiled remotely: the same bytes as here, from declared inputs alone.

The server is buildbox-casd, which runs each program in a sandbox.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import CompiledUnit, SourceError, ToolError, UnitStencil
from cratewright.remote import open_executor
from cratewright.remote.execution import Executor
from cratewright.system.elsewhere import Portable, set_runner
from cratewright_native.compile import unit as unit_module
from tests.native_e2e.native_scons import NativeProject
from tests.support.bounds import HANG
from tests.support.casd import serving_casd
from tests.support.native_project import Project, named


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server that executes programs, and return its URL."""
    with serving_casd(tmp_path_factory.mktemp("farm")) as url:
        yield url


@pytest.fixture(params=["llvm", pytest.param("gcc", marks=pytest.mark.exhaustive)])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Return a project, once per toolchain that supports remote execution."""
    return Project(tmp_path / "project", named(request.param))


@contextlib.contextmanager
def _remote(url: str) -> Iterator[Executor]:
    with contextlib.closing(open_executor(url, {}, jobs=2, timeout=HANG)) as executor:
        set_runner(executor.run)
        try:
            yield executor
        finally:
            set_runner(None)


def _both(project: Project, url: str, *stencils: UnitStencil) -> list[tuple[CompiledUnit, CompiledUnit, bool]]:
    """Compile units here and remotely; return both, and whether the remote one was really compiled remotely."""
    here = [project.backend.compile_codegen_unit(stencil) for stencil in stencils]
    found = []
    with _remote(url) as executor:
        for stencil, unit in zip(stencils, here, strict=True):
            before = executor.ran
            found.append((unit, project.backend.compile_codegen_unit(stencil), executor.ran > before))
    return found


SOURCES = {
    "src__a_c": '#include "../inc/h.h"\n#include <stdio.h>\n#include <sub.h>\n'
    '#if __has_include("../inc/z.h")\nint z;\n#endif\n'
    'int f(void) { int unused; printf("%s %d", __FILE__, __LINE__); return ONE + value; }\n',
    "src__b_cpp": "#include <vector>\n#include <string>\n"
    "std::vector<std::string> f() { return {__FILE__, __func__}; }\n",
    "inc__h_h": "#define ONE 1\nstatic inline int g(void) { return 1; }\n",
    "inc__z_h": "",
    "deep__inc__sub_h": "extern int value;\n",
}


def test_remote_units_equal_local_ones(project: Project, farm: str) -> None:
    project.write(**SOURCES)
    stencils = [
        replace(
            project.stencil(path, include_dirs=["deep/inc"], flags=["-Wall"], opt_level="2", debuginfo=debug),
            for_lto=lto,
        )
        for path, debug, lto in (
            ("src/a.c", "none", False),
            ("src/a.c", "full", False),
            ("src/b.cpp", "full", True),
        )
    ]
    for here, there, ran_there in _both(project, farm, *stencils):
        assert ran_there and there == here
        assert all("unused" in str(item) for item in here.diagnostics) and str(project.root) not in repr(there.modules)


def test_undeclared_file_is_missing_remotely(project: Project, farm: str) -> None:
    project.write(a_c='#include "secret.h"\nint x = SECRET;\n', secret_h="#define SECRET 1\n")
    digests = {path: hashlib.sha256((project.root / path).read_bytes()).hexdigest() for path in ("a.c", "secret.h")}
    argv = (*project.toolchain.cc(project.target), "-c", "a.c", "-o", "a.o")
    with _remote(farm) as executor:
        for names in (("a.c",), ("a.c", "secret.h")):
            ran = executor.run(
                Portable(
                    root=str(project.root),
                    argv=argv,
                    environ=(("PATH", "/usr/bin:/bin"),),
                    inputs={name: digests[name] for name in names},
                    directories=frozenset(),
                    system={},
                    outputs=("a.o",),
                    tools="",
                )
            )
            assert ran is not None
            if "secret.h" in names:
                assert ran.status == 0 and ran.outputs["a.o"]
            else:
                assert ran.status == 1 and b"secret.h" in ran.stderr and not ran.outputs


def test_remote_compile_error_is_not_retried_locally(
    project: Project, farm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(a_c="int f(void) { return nothing; }\n")
    stencil = project.stencil("a.c")
    with pytest.raises(SourceError) as here:
        project.backend.compile_codegen_unit(stencil)
    monkeypatch.setattr(unit_module, "_run", lambda *_: pytest.fail("compiled locally"))
    with _remote(farm) as executor, pytest.raises(SourceError) as there:
        project.backend.compile_codegen_unit(stencil)
    assert str(there.value) == str(here.value) and executor.ran == 1


def test_units_that_depend_on_this_machine_are_compiled_locally(project: Project, farm: str, tmp_path: Path) -> None:
    """`-march=native`, flags with undeclared outputs, assembly, headers outside the project."""
    (tmp_path / "beyond").mkdir()
    (tmp_path / "beyond" / "far.h").write_text("#define FAR 1\n")
    project.write(a_c="int f(void) { return 1; }\n", b_S=".globl x\nx: .long 1\n", words_txt="-DX\n")
    project.write(c_c='#include "../beyond/far.h"\nint f(void) { return FAR; }\n')
    given: list[tuple[str, dict[str, object]]] = [
        ("a.c", {"flags": ["-march=native"]}),
        ("a.c", {"flags": ["-ftime-trace"] if project.toolchain.kind == "llvm" else ["-fstack-usage"]}),
        ("a.c", {"flags": ["-save-temps=obj"]}),
        ("a.c", {"include_dirs": [str(tmp_path / "beyond")]}),
        ("b.S", {}),
        ("c.c", {}),
    ]
    with contextlib.suppress(ToolError):
        for here, there, ran_there in _both(project, farm, *(project.stencil(path, **words) for path, words in given)):
            assert not ran_there and there == here
    ((here, there, _),) = _both(project, farm, project.stencil("a.c", emit=["asm"]))
    assert there == here
    ((here, there, ran_there),) = _both(project, farm, project.stencil("a.c", flags=["-fno-builtin"]))
    assert ran_there and there == here


def _count(directory: Path) -> int:
    return sum(path.is_file() for path in directory.rglob("*"))


SCONSTRUCT = """\
lib = env.Crate("lib", ["lib.c", "more.c"], include_dirs=["inc"])
for lto in ARGUMENTS.get("lto", "off").split():
    Default(env.Crate(lto, ["main.c"], include_dirs=["inc"], deps=[lib], crate_type="bin", lto=lto))
"""
FILES = {
    "inc/lib.h": "int lib(int);\nint more(int);\n",
    "lib.c": '#include "lib.h"\nint lib(int x) { return more(x) + 1; }\n',
    "more.c": '#include "lib.h"\nint more(int x) { return x * 2; }\n',
    "main.c": '#include "lib.h"\nint main(int count, char **words) { (void)words; return lib(count + 19); }\n',
}
# How many programs run remotely: one per unit; with thin LTO one more each; with fat LTO one or two for the program.
REMOTE_RUNS = {
    ("llvm", "off"): 3,
    ("llvm", "thin"): 3 + 3,
    ("llvm", "fat"): 3 + 2,
    ("gcc", "off"): 3,
    ("gcc", "fat"): 3 + 1,
}


def _last_event(project: NativeProject) -> dict[str, object]:
    ended: dict[str, object] = json.loads(project.read("e.jsonl").splitlines()[-1])
    return ended


@pytest.mark.exhaustive(kind="gcc")
@pytest.mark.parametrize("kind", ["llvm", "gcc"])
def test_local_and_remote_builds_are_equal(farm: str, tmp_path: Path, kind: str) -> None:
    results = Path(farm.removeprefix("grpc+unix://")).parent / "data" / "actioncache"
    for lto in (lto for known, lto in REMOTE_RUNS if known == kind):
        made: list[bytes] = []
        for name, environ in (("here", {}), ("there", {"CRATE_REMOTE": farm, "CRATE_REMOTE_JOBS": "3"})):
            before = _count(results)
            project = NativeProject(tmp_path / name / lto, kind)
            project.environ |= {**environ, "CRATE_EVENTS": "e.jsonl"}
            project.crates(SCONSTRUCT, FILES)
            assert "2 units: 2 compiled" in project.scons("-j2", f"lto={lto}")
            expected = REMOTE_RUNS[kind, lto] if environ else 0
            assert _last_event(project)["elsewhere"] == expected <= _count(results) - before + 3, (
                "more programs ran remotely than the server has results of"
            )
            assert subprocess.run([project.path / lto], check=False).returncode == 41
            made.append((project.path / lto).read_bytes() + (project.path / "liblib.rlib").read_bytes())
        assert made[0] == made[1]


def test_build_without_the_server_falls_back(tmp_path: Path) -> None:
    project = NativeProject(tmp_path, "llvm")
    project.environ |= {"CRATE_REMOTE": f"grpc+unix://{tmp_path}/nobody", "CRATE_EVENTS": "e.jsonl"}
    project.crates(SCONSTRUCT, FILES)
    project.scons("-j2", "lto=thin")
    assert _last_event(project)["elsewhere"] == 0 and project.errors.count("continuing without grpc+unix://") == 1
    assert subprocess.run([project.path / "thin"], check=False).returncode == 41
