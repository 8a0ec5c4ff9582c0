"""The cost of relinking after an edit of one library function, with thin and with fat LTO.

    python -m tests.bench lto-relink [--entries N] [--users K] [--rounds N] [--jobs N]

One crate has N compute shaders and depends on a library, a single source with many functions, one of which is used by
K of the shaders. CPU is user + system time of the whole process tree of `scons`. Linux only.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .measure import measure, scons

MODES = ("thin", "fat")
FUNCTIONS = 24
SCONSTRUCT = """\
import cratewright
DefaultEnvironment(tools=[])
env = Environment(
    tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3", CRATE_PROFILE="release",
    CRATE_LTO=ARGUMENTS["lto"])
library = env.Crate("library", ["library.glsl"])
Default(env.Crate("app", Glob("app/*.comp"), deps=[library], crate_type="cdylib", multimodule=True))
"""
NOISE = """
vec3 noise{index}(vec3 at) {{
    ivec3 cell = ivec3(floor(at));
    vec3 t = fract(at);
    t = t * t * (3.0 - 2.0 * t);
    vec3 sum = vec3(0.0);
    for (int corner = 0; corner < 8; ++corner) {{
        ivec3 offset = ivec3(corner, corner >> 1, corner >> 2) & 1;
        uvec3 key = uvec3(cell + offset) * {factor}u + 1013904223u;
        key.x += key.y * key.z;
        key.y += key.z * key.x;
        key.z += key.x * key.y;
        vec3 weight = mix(1.0 - t, t, vec3(offset));
        sum += weight.x * weight.y * weight.z * vec3(key >> 8u) / 16777216.0;
    }}
    return sum;
}}
"""
SHADER = """\
#version 460
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data {{ vec3 data[]; }};
{declarations}
void main() {{
    uint i = gl_GlobalInvocationID.x;
    vec3 at = data[i] + {index}.0;
    {calls}
    data[i] = at;
}}
"""


def library(rare: str) -> str:
    """Return the library's source, with the factor in the function that few shaders use."""
    functions = (NOISE.format(index=index, factor=1664525 + 2 * index) for index in range(FUNCTIONS))
    return f"#version 460\nvec3 rare(vec3 at) {{\n    return {rare} * at;\n}}\n" + "".join(functions)


def shader(index: int, *, user: bool) -> str:
    """Return a shader that calls four functions of the library, and the rare one too if it is one of its users."""
    names = [f"noise{(index * step + step) % FUNCTIONS}" for step in (1, 5, 7, 11)] + (["rare"] if user else [])
    return SHADER.format(
        index=index,
        declarations="\n".join(f"vec3 {name}(vec3 at);" for name in dict.fromkeys(names)),
        calls="\n    ".join(f"at += {name}(at);" for name in names),
    )


def project(directory: Path, entries: int, users: int) -> None:
    """Write the project."""
    (directory / "app").mkdir(parents=True)
    (directory / "SConstruct").write_text(SCONSTRUCT)
    (directory / "library.glsl").write_text(library("0.5"))
    for index in range(entries):
        (directory / "app" / f"s{index}.comp").write_text(shader(index, user=index < users))


def link_line(directory: Path) -> str:
    """Return the line of the last build about the link."""
    lines = (directory / "build.log").read_text().splitlines()
    return next((line for line in lines if " LTO: " in line), "nothing was linked")


def images(directory: Path) -> Mapping[str, bytes]:
    """Return the images by name."""
    return {path.name: path.read_bytes() for path in (directory / "app.spvs").rglob("*.spv")}


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU seconds of a link after an edit of one function")
    parser.add_argument("--entries", type=int, default=120)
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    best: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory(prefix="lto-relink-") as name:
        for mode in MODES:
            project(Path(name) / mode, chosen.entries, chosen.users)
        for number in range(chosen.rounds):
            edits = {
                "clean": "0.5",
                "edit": f"0.{number + 6}",
                "edit that adds a line": f"0.{number + 6}\n        * 1.1",
            }
            for what, rare in edits.items():
                for mode in MODES if number % 2 else reversed(MODES):
                    directory = Path(name) / mode
                    (directory / "library.glsl").write_text(library(rare))
                    before = images(directory) if what != "clean" or number else {}
                    environment = {**os.environ, "CRATE_CACHE": str(directory / ".crate-cache")}
                    cost = measure(scons(f"lto={mode}", jobs=chosen.jobs), directory, environment)
                    changed = sum(before.get(image) != data for image, data in images(directory).items())
                    print(f"{mode:<5} {what:<22} {cost.cpu:6.2f} s CPU, {changed:3} images changed")
                    print(f"      {link_line(directory)}")
                    if what != "clean" or not number:
                        key = (what, mode)
                        best[key] = min(best.get(key, cost.cpu), cost.cpu)
    for what in ("clean", "edit", "edit that adds a line"):
        thin, fat = best[what, "thin"], best[what, "fat"]
        print(f"{what}: thin {thin:.2f} s, fat {fat:.2f} s, fat/thin {fat / thin:.1f}")
    return 0
