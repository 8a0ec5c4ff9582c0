"""Timings of the plugin's steps with CRATE_TIME_PASSES."""

from __future__ import annotations

import re

from cratewright_spirv.base.stopwatch import Stopwatch
from tests.spirv_e2e.shader_project import ShaderProject, compute

CRATES = 'env.Crate("app", Glob("*.comp"), crate_type="cdylib", multimodule=True, lto="thin", opt_level="3")\n'


def _steps(shaders: ShaderProject) -> set[str]:
    return set(re.findall(r"^crate app: \d+\.\d{3} s in (?:pass |\d+ calls? of )?(.*)$", shaders.output, re.MULTILINE))


def test_steps_are_timed_without_changing_images(shaders: ShaderProject) -> None:
    body = "store.data[i] = " + " + ".join(f"sin({n}.5 * store.data[i + {n}])" for n in range(400)) + ";"
    shaders.crates(CRATES, {f"{name}.comp": compute(body.replace("sin", name)) for name in ("sin", "cos")})
    shaders.environ["CRATE_CACHE"] = "off"
    shaders.scons()
    assert not _steps(shaders)
    images = {path.name: path.read_bytes() for path in (shaders.path / "app.spvs").iterdir()}
    shaders.scons("-c")
    shaders.environ["CRATE_TIME_PASSES"] = "1"
    shaders.scons("-j2")
    assert {path.name: path.read_bytes() for path in (shaders.path / "app.spvs").iterdir()} == images
    assert _steps(shaders) >= {
        *("compile_codegen_unit", "run_thin_lto", "optimize_thin", "link"),
        *("glslang: compile", "canonical form", "SPIRV-Tools: optimize", "SPIRV-Tools: validate"),
    }


def test_nested_step_is_counted_once() -> None:
    watch = Stopwatch(running=True)
    inner = watch.time("outer", lambda: watch.time("inner", lambda: sum(range(200_000))))
    assert inner == sum(range(200_000))
    seconds = watch.take()
    assert 0 < seconds["outer"] < seconds["inner"]
    assert not watch.take()
