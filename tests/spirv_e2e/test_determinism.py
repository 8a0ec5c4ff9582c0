"""Outputs do not depend on the number of jobs, the directory, the time, or uninitialised memory."""

from __future__ import annotations

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.test_separate import BODY, LIBRARY, NARROW, PROTOTYPES
from tests.spirv_e2e.test_sources import HALF, HLSL_SEVERAL, STAGES

SCONSTRUCT = """\
env["CRATE_OPT_LEVEL"], env["CRATE_DEBUGINFO"] = ARGUMENTS["opt"], ARGUMENTS["debuginfo"]
lib = env.Crate("lib", Glob("lib/*"))
env.Crate("app", Glob("app/*"), deps=[lib], crate_type="cdylib", multimodule=ARGUMENTS["multimodule"], disassemble=True)
"""
FILES = {
    **LIBRARY,
    **HALF,
    **{f"app/s.{stage}": text for stage, text in STAGES.items()},
    "app/all.comp": compute(BODY, before=PROTOTYPES),
    "app/narrow.comp": NARROW,
    "app/several.hlsl": HLSL_SEVERAL,
}


@pytest.mark.parametrize(("opt", "debuginfo", "multimodule"), [("0", "full", "0"), ("3", "none", "1")])
def test_outputs_do_not_depend_on_jobs_directory_or_memory(
    shaders: ShaderProject, opt: str, debuginfo: str, multimodule: str
) -> None:
    arguments = (f"opt={opt}", f"debuginfo={debuginfo}", f"multimodule={multimodule}")
    other = ShaderProject(shaders.path.parent / "a longer path" / "elsewhere", form=shaders.form)
    for project, jobs, fill in ((shaders, "-j1", "0"), (other, "-j4", "170")):
        # glibc fills allocated memory with this byte, so uninitialised data would differ.
        project.environ["MALLOC_PERTURB_"] = fill
        project.crates(SCONSTRUCT, FILES)
        project.scons(jobs, *arguments)
    found = shaders.snapshot()
    assert found == other.snapshot()
    assert any(name.endswith(".spv") for name in found) and any(name.endswith(".spvasm") for name in found)
    # No output contains the path of the project.
    for name in found:
        assert str(shaders.path).encode() not in (shaders.path / name).read_bytes(), name


def test_installed_and_in_place_builds_have_equal_images(shaders: ShaderProject) -> None:
    """The compiled library and the executables give the same bytes, if both are available."""
    in_place = ShaderProject(shaders.path.parent / "in place")
    arguments = ("opt=3", "debuginfo=line", "multimodule=1")
    for project in (shaders, in_place):
        project.crates(SCONSTRUCT, FILES)
        project.scons(*arguments)
    images = {name: digest for name, digest in shaders.snapshot().items() if name.endswith((".spv", ".spvasm"))}
    assert len(images) > 2 * len(STAGES)
    assert images == {name: in_place.snapshot()[name] for name in images}
