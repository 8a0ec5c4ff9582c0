"""Forked workers, spawned workers and threads give the same outputs, messages and failures.

A project is built with each; then a source is edited, one is broken, and one crashes its compiler.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cratewright.testing import require_tool
from tests.spirv_e2e.test_sdk import sdk, use_sdk
from tests.support.scons_project import STUB, SconsProject, available_forms

__all__ = ["sdk"]

ENV = """\
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="{backend}")
"""
CRATES = """\
lib = env.Crate("lib", {lib})
app = env.Crate("app", {app}, deps=[lib], crate_type="cdylib"{options})
"""
C = {"lib/one.c": "int one(void) { return 1; }\n", "lib/two.c": "int two(void) { return 2; }\n"}
CRASHES = """\
#!/bin/sh
for word; do case $word in *crashing*) kill -SEGV $$ ;; esac; done
exec {program} "$@"
"""


@dataclass(frozen=True)
class Case:
    """A small project of a backend, an edit of it, and final errors."""

    modes: tuple[str, ...]
    files: Mapping[str, str]
    edit: Mapping[str, str]
    wrong: Mapping[str, str]
    backend: str = ""
    options: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


def shader(body: str, before: str = "") -> str:
    """Return a compute shader with a body."""
    head = "#version 450\nlayout(local_size_x = 8) in;\nlayout(binding = 0, std430) buffer B { float data[]; } b;\n"
    return f"{head}{before}void main() {{ {body} }}\n"


CASES = {
    "stub": Case(
        modes=("fork", "spawn"),
        files={
            "lib/one.stub": "export one\n",
            "lib/two.stub": "export two\n",
            "app/app.stub": "entry app\nimport one\n",
        },
        edit={"lib/two.stub": "export two\nexport three\n"},
        wrong={"lib/one.stub": "entri a\n", "lib/two.stub": "crash\n", "lib/more.stub": "export more\n"},
    ),
    "spirv": Case(
        modes=("fork", "spawn"),
        files={
            "lib/half.glsl": "float half_of(float x) { return x * 0.5; }\n",
            "lib/third.glsl": "float third_of(float x) { return x / 3.0; }\n",
            "app/app.comp": shader("b.data[0] = half_of(1.0);", "float half_of(float x);\n"),
        },
        edit={"lib/third.glsl": "float third_of(float x) { return x / 3.0 + 1.0; }\n"},
        wrong={"lib/half.glsl": "float half_of(float x) { return y; }\n", "lib/third.glsl": "float third_of(\n"},
        options=", multimodule=True",
    ),
    "native": Case(
        modes=("fork", "spawn", "threads"),
        files={**C, "app/app.c": "int one(void);\nint app(void) { return one(); }\n"},
        edit={"lib/two.c": "int two(void) { return 3; }\n"},
        wrong={"lib/one.c": "int one(void) { return x; }\n", "lib/crashing.c": "int c;\n", "lib/more.c": "int more;\n"},
        options=", exports=['app']",
        environ={"CRATE_CC": "bin/gcc"},
    ),
    "wasm": Case(
        modes=("fork", "spawn", "threads"),
        files={**C, "app/app.c": "int one(void);\nint app(void) { return one(); }\n"},
        edit={"lib/two.c": "int two(void) { return 3; }\n"},
        wrong={"lib/one.c": "int one(void) { return x; }\n", "lib/two.c": "int two(void) { return ; y }\n"},
        options=", exports=['app']",
        environ={"CRATE_WASM_CLANG": "zig"},
    ),
}
# No function library: with an SDK it would be compiled for several shader stages, by programs each time.
CASES["spirv with an SDK"] = Case(
    modes=("fork", "threads"),
    files={"lib/other.comp": shader("b.data[1] = 2.0;"), "app/app.comp": shader("b.data[0] = 1.0;")},
    edit={"lib/other.comp": shader("b.data[1] = 3.0;")},
    wrong={"lib/other.comp": shader("b.data[1] = y;")},
    backend="spirv",
    options=", multimodule=True",
)


def _project(case: Case, name: str, path: Path, mode: str) -> SconsProject:
    project = SconsProject(path / mode, form=available_forms()[-1])
    head = STUB if name == "stub" else ENV.format(backend=case.backend or name)
    lib, app = (f'Glob("{place}/*")' for place in ("lib", "app"))
    project.write({"SConstruct": head + CRATES.format(lib=lib, app=app, options=case.options), **case.files})
    project.write({"bin/gcc": CRASHES.format(program=shutil.which("gcc") or "gcc")})
    (project.path / "bin/gcc").chmod(0o755)
    for tool in ("gcc-ar", "gcc-nm", "gcc-ranlib"):
        (project.path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    project.environ |= {"CRATE_WORKERS": mode, "CRATE_CACHE": "off", **case.environ}
    return project


def _normalized_output(project: SconsProject) -> list[str]:
    """Return the lines of the output, sorted and without times."""
    text = re.sub(r"\d+\.\d s|; slowest: .*|\d+\.\d\d s", "TIME", project.output.replace(str(project.path), "PROJECT"))
    return sorted(text.splitlines())


@pytest.mark.exhaustive(name="spirv with an SDK")
@pytest.mark.parametrize("name", CASES)
def test_all_workers_give_the_same_result(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    case = CASES[name]
    if name in ("native", "wasm"):
        tool = "gcc" if name == "native" else "ziglang"
        require_tool(_is_available(tool), tool)
    seen: dict[str, list[object]] = {}
    for mode in case.modes:
        project = _project(case, name, tmp_path, mode)
        if "SDK" in name:
            use_sdk(project, request.getfixturevalue("sdk"))  # type: ignore[arg-type]
        found = seen[mode] = []
        for files, expect in (({}, 0), (case.edit, 0), (case.wrong, 2)):
            project.write(files)
            project.scons("-j2", "-k", expect=expect)
            found += [_normalized_output(project), project.snapshot()]
    first = seen[case.modes[0]]
    assert first[1] != first[3] and len(str(first[4])) > 100
    for mode, found in seen.items():
        for number, (ours, theirs) in enumerate(zip(found, first, strict=True)):
            assert ours == theirs, (mode, number)


def _is_available(tool: str) -> bool:
    return shutil.which(tool) is not None or importlib.util.find_spec(tool) is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stub", "CRATE_WORKERS is 'threads', and backend 'stub' computes in the process that calls it"),
        ("spirv", "CRATE_WORKERS is 'threads', and backend 'spirv' computes in the process that calls it"),
        ("wasm", "crate 'lib': CRATE_WORKERS is 'threads', and WAT is read in the process that calls it"),
    ],
)
def test_threads_are_refused_for_backends_that_compute_in_process(name: str, message: str, tmp_path: Path) -> None:
    project = _project(CASES[name], name, tmp_path, "threads")
    if name == "wasm":
        project.write({"lib/text.wat": "(module)\n"})
    output = project.scons(expect=2)
    assert message in output and 'SConstruct", line' in output
    assert "fork or spawn" in output and not project.exists("lib.rlink")


def test_threads_with_timing_and_verification(tmp_path: Path) -> None:
    require_tool(_is_available("gcc"), "gcc")
    project = _project(CASES["native"], "native", tmp_path, "threads")
    project.environ |= {"CRATE_TIME_PASSES": "1", "CRATE_CACHE": str(project.path / "cache")}
    assert "in 2 calls of compile_codegen_unit" in project.scons("-j2")
    (project.path / "lib.rlink").unlink()
    project.environ |= {"CRATE_TIME_PASSES": "0", "CRATE_CACHE_VERIFY": "1"}
    assert "2 units: 0 compiled, 2 reused" in project.scons("-j2")
