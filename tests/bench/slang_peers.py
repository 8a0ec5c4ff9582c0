"""Slang: 60 entry points over 6 modules, with one process doing the work of slangc each, compared with our builds.

    python -m tests.bench slang-peers [--jobs N] [--entries N]

It runs `scons` and `ninja`, counts their CPU seconds, and validates the outputs of both. `one_slang.c` replaces slangc,
which no wheel has: the same library with slangc's arguments. The edit changes the body of a function in one module. It
is compared with one warm session in one process that has all modules as IR and generates code for the entry points that
use the edited one: without reading files, build or checks.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from cratewright.base.errors import CratewrightError, ValidationError
from cratewright_slang.libslang import Settings, SlangSession
from cratewright_slang.wheel import library, slang_library
from cratewright_spirv.reflection import reflect
from cratewright_spirv.spirv_tools.tools import ValidatorOptions, find_tools

from .measure import adopt_orphans, c_program, measure, scons, script

HERE = Path(__file__).resolve().parent
MODULES = 6
TARGET, PROFILE = "vulkan1.3", "spirv_1_6"

SCONSTRUCT = """\
import cratewright
DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="slang", CRATE_TARGET="vulkan1.3")
lib = env.Crate("lib", Glob("lib/*.slang"), include_dirs=["lib"])
Default(env.Crate("app", Glob("app/*.slang"), deps=[lib], include_dirs=["lib"], crate_type="cdylib", multimodule=True,
    lto="thin", opt_level=0, spirv_metadata="full"))
"""


def module(at: int) -> str:
    """Return a module that uses an interface, a generic and derivatives."""
    before = f"import m{at - 1};\n" if at % 3 else ""
    call = f"f{at - 1}(x)" if at % 3 else "x"
    more = "".join(
        f"public float g{at}_{n}(float x, float y) {{ float s = y; for (int i = 0; i < {n + 3}; i++) "
        f"s += sin(x * {n + 1}.5 + i) * cos(s); return s; }}\n"
        for n in range(40)
    )
    return f"""module m{at};
{before}public interface IShape{at} {{ float area(); float edge(float x); }}
public struct Box{at} : IShape{at} {{ public float side; public float area() {{ return side * side; }}
  public float edge(float x) {{ return abs(x) - side; }} }}
public struct Disc{at} : IShape{at} {{ public float r; public float area() {{ return 3.14159 * r * r; }}
  public float edge(float x) {{ return length(float2(x, r)); }} }}
public float sum{at}<T : IShape{at}, U : IShape{at}>(T a, U b, float x) {{ return a.area() + b.area() + a.edge(x); }}
[Differentiable] public float cost{at}(float x) {{ return x * x * x * {at + 1}.0 + exp(x); }}
{more}public float f{at}(float x) {{ Box{at} b; b.side = x; Disc{at} d; d.r = x + 1;
  var p = diffPair(x); bwd_diff(cost{at})(p, 1.0); return sum{at}(b, d, x) + p.d + g{at}_7(x, {call}); }}
"""


def entry(at: int) -> str:
    """Return a source with one entry point that uses one module and its imports."""
    return f"""import m{at % MODULES};
RWStructuredBuffer<float> d;
[shader("compute")] [numthreads(64, 1, 1)]
void main(uint3 i : SV_DispatchThreadID) {{ d[i.x] = f{at % MODULES}(d[i.x] + {at}.0); }}
"""


def reaching(entries: int, edited: int) -> list[int]:
    """Return the entry points that use an edited module; modules import each other in groups of three."""
    return [at for at in range(entries) if at % MODULES // 3 == edited // 3 and at % MODULES % 3 >= edited % 3]


def write(directory: Path, entries: int) -> None:
    """Write the project and its ninja file."""
    for folder in ("lib", "app", "ninja"):
        (directory / folder).mkdir()
    for at in range(MODULES):
        (directory / f"lib/m{at}.slang").write_text(module(at), encoding="utf-8")
    (directory / "SConstruct").write_text(SCONSTRUCT, encoding="utf-8")
    words = f"-target spirv -profile {PROFILE} -emit-spirv-directly -fvk-use-entrypoint-name -I lib -O0"
    lines = ["rule one", f"  command = {directory}/one_slang {slang_library()} $out {words} $in"]
    for at in range(entries):
        (directory / f"app/e{at}.slang").write_text(entry(at), encoding="utf-8")
        lines.append(f"build ninja/e{at}.spv: one app/e{at}.slang")
    (directory / "build.ninja").write_text("\n".join([*lines, ""]), encoding="utf-8")
    c_program(HERE / "one_slang.c", directory / "one_slang")


def warm_session(directory: Path, entries: list[int]) -> float:
    """Return the CPU seconds of generating code for some entry points in a session with all modules loaded."""
    library()
    settings = Settings(profile=PROFILE, paths=("lib",), options=((46, 0), (52, 1)))

    def read(path: str) -> bytes | None:
        place = directory / path
        return place.read_bytes() if place.is_file() else None

    session = SlangSession(settings, read)
    loaded = [session.load_source(f"e{at}", f"app/e{at}.slang", entry(at).encode())[0] for at in entries]
    before = time.process_time()
    for one in loaded:
        session.code(session.link([one.object, one.entry_point(0)]))
    return time.process_time() - before


def check(directory: Path, entries: int) -> None:
    """Validate the outputs of both builds, and compare their interfaces.

    Raises: ValidationError.
    """
    tools, wrong = find_tools(None), []
    for at in range(entries):
        (image,) = (directory / "app.spvs").rglob(f"e{at}.*.spv")
        mine, theirs = image.read_bytes(), (directory / f"ninja/e{at}.spv").read_bytes()
        for data in (mine, theirs):
            tools.validate(data, env=TARGET, options=ValidatorOptions())
        if reflect.interface(mine, name="x") != reflect.interface(theirs, name="x"):
            wrong.append((f"e{at}", "another interface"))
    if wrong:
        raise ValidationError(f"{len(wrong)} of {entries} images differ", context=wrong[:3])


def main(arguments: list[str]) -> int:
    """Measure once, and print the ratios."""
    parser = argparse.ArgumentParser(description="CPU seconds of one slangc per shader, and of cratewright")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--entries", type=int, default=60)
    chosen = parser.parse_args(arguments)
    try:
        adopt_orphans()
        with tempfile.TemporaryDirectory(prefix="slang-peers-") as scratch:
            directory = Path(scratch)
            write(directory, chosen.entries)
            environment = {**os.environ, "CRATE_CACHE": str(directory / "cache")}
            build = scons(jobs=chosen.jobs)
            ours = measure(build, directory, environment)
            theirs = measure([script("ninja"), f"-j{chosen.jobs}"], directory, environment)
            check(directory, chosen.entries)
            nothing = measure(build, directory, environment)
            print(
                f"{chosen.entries} entry points over {MODULES} modules, {chosen.jobs} jobs: all valid, interfaces equal"
            )
            print(f"a process each  {theirs.cpu:7.2f} CPU s")
            print(f"clean build     {ours.cpu:7.2f} CPU s   1/{theirs.cpu / ours.cpu:.1f}")
            print(f"nothing to do   {nothing.cpu:7.2f} CPU s")
            edits = [
                (f"lib/m{edited}.slang", ("side * side", "side * side + 0.5"), reaching(chosen.entries, edited))
                for edited in (2, 0)
            ]
            for name, words, reached in [*edits, ("app/e5.slang", ("5.0", "5.5"), [5])]:
                path = directory / name
                path.write_text(path.read_text(encoding="utf-8").replace(*words), encoding="utf-8")
                edit = measure(build, directory, environment)
                warm = warm_session(directory, reached)
                print(
                    f"edit of {name}, which {len(reached)} reach  {edit.cpu:7.2f} CPU s, a warm session "
                    f"{warm:.2f}: {edit.cpu / warm:.2f} x; without what a build with nothing to do takes "
                    f"{(edit.cpu - nothing.cpu) / warm:.2f} x"
                )
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
