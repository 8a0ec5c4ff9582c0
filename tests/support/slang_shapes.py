"""A project of Slang modules: shapes, and an application that uses them."""

from __future__ import annotations

import hashlib

from tests.spirv_e2e.shader_project import ShaderProject

__all__ = ["APP", "COMPUTE", "CRATES", "HEADER", "SHAPES", "digests", "write"]

HEADER = """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="slang", CRATE_TARGET="vulkan1.3")
"""


SHAPES = {
    "lib/shapes.slang": """\
module shapes;
__include "detail/sphere";
#include "scale.h"
public interface IShape { float area(); static float corners(); }
public struct Square : IShape {
    public float side;
    public float area() { return side * side * SCALE; }
    public static float corners() { return 4.0; }
}
public float both<T : IShape, U : IShape>(T a, U b) { return a.area() + b.area() + T.corners(); }
""",
    "lib/detail/sphere.slang": """\
implementing shapes;
public struct Sphere : IShape {
    public float radius;
    public float area() { return 4.0 * radius * radius; }
    public static float corners() { return 0.0; }
}
""",
    "lib/scale.h": "#define SCALE 1.0\n",
    "lib/cost.slang": """\
module cost;
import shapes;
[Differentiable] public float cost(float x) { return x * x * x + 2.0 * x; }
public float slope(float x) { return bwd(x); }
float bwd(float x) { var p = diffPair(x); bwd_diff(cost)(p, 1.0); return p.d; }
public float unit() { Square s; s.side = 1.0; return s.area(); }
""",
}


APP = {
    "app/main.slang": """\
import lib.shapes;
import lib.cost;
struct Params { float scale; float4x4 turn; };
ParameterBlock<Params> params;
RWStructuredBuffer<float> d;
[shader("compute")] [numthreads(64, 1, 1)]
void areas(uint3 i : SV_DispatchThreadID) {
    Square a; a.side = d[i.x]; Sphere b; b.radius = d[i.x];
    d[i.x] = both(a, b);
}
[shader("compute")] [numthreads(64, 1, 1)]
void slopes(uint3 i : SV_DispatchThreadID) { d[i.x] = slope(d[i.x]) + unit() - 1.0; }
[shader("compute")] [numthreads(64, 1, 1)]
void alone(uint3 i : SV_DispatchThreadID) { d[i.x] = d[i.x] + 1.0; }
[shader("compute")] [numthreads(64, 1, 1)]
void turned(uint3 i : SV_DispatchThreadID) { d[i.x] = mul(params.turn, float4(d[i.x])).x * params.scale; }
""",
}


CRATES = """\
lib = env.Crate("lib", Glob("lib/*.slang") + Glob("lib/detail/*.slang"), include_dirs=["unused"])
Default(env.Crate("app", Glob("app/*.slang"), deps=[lib], include_dirs=["."], crate_type="cdylib", **OPTIONS))
"""


def write(slang: ShaderProject, crates: str, files: dict[str, str], **options: object) -> None:
    slang.write({"SConstruct": HEADER + crates.replace("OPTIONS", repr(options)), **files})


def digests(slang: ShaderProject) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in slang.path.glob("app.spvs/**/*.spv")}


COMPUTE = 'RWStructuredBuffer<float> d;\n[shader("compute")] [numthreads(64, 1, 1)]'
