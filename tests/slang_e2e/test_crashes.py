"""A crash of Slang fails only the entry point that causes it, even if others are compiled with it."""

from __future__ import annotations

from tests.spirv_e2e.shader_project import ShaderProject

BACKEND = """\
import os
from cratewright_slang.backend import SlangBackend
from cratewright import hookimpl

class Crashing(SlangBackend):
    NAME = "crashing"

    def _linked(self, request):
        if " +" in request.part or "worse" in request.part:
            os.abort()
        return super()._linked(request)

@hookimpl
def cratewright_register_backend():
    return Crashing
"""
SCONSTRUCT = """\
import sys
sys.path.insert(0, "site_scons")
import cratewright, crashing
cratewright.register(crashing)
env = Environment(tools=["default", cratewright.tool], CRATE_TARGET="vulkan1.3")
lib = {name: env.Crate(f"lib_{name}", ["m.slang"], backend=name) for name in ("slang", "crashing")}
for lto in ("off", "thin"):
    for name in lib:
        sources = ["a.slang", "b.slang"] + (["c.slang"] if "worse" in ARGUMENTS and name == "crashing" else [])
        Default(env.Crate(f"{name}_{lto}", sources, deps=[lib[name]], backend=name, lto=lto, crate_type="cdylib",
            multimodule=True))
"""
FUNCTIONS = "".join(f"public float f{n}(float x) {{ return sin(x * {n}.5) + {n}; }}\n" for n in range(60))


def entry(name: str, value: int) -> str:
    return (
        f'[shader("compute")] [numthreads(1, 1, 1)] void {name}(uint3 i : SV_DispatchThreadID) '
        f"{{ d[i.x] = f{value}(d[i.x]); }}\n"
    )


def test_entry_points_are_retried_alone_after_a_crash(slang: ShaderProject) -> None:
    head = "import m;\nRWStructuredBuffer<float> d;\n"
    slang.write(
        {
            "SConstruct": SCONSTRUCT,
            "site_scons/crashing.py": BACKEND,
            "m.slang": "module m;\n" + FUNCTIONS,
            "a.slang": head + entry("one", 1) + entry("two", 2),
            "b.slang": head + entry("three", 3),
            "c.slang": head + entry("worse", 4) + entry("four", 5),
        }
    )
    slang.scons()
    for lto in ("off", "thin"):
        plain, crashed = (
            {path.name: path.read_bytes() for path in (slang.path / f"{name}_{lto}.spvs").iterdir()}
            for name in ("slang", "crashing")
        )
        assert len(plain) == 3 and crashed == plain

    slang.scons("worse=1", "-k", expect=2)
    output = slang.output
    assert "worse" in output and "the compiler crashed" in output
    assert not any(f"{name}: the compiler crashed" in output for name in ("one", "two", "three", "four"))
