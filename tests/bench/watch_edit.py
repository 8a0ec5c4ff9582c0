"""The time of an edit of one shader under `cratewright watch`, compared with the compiler's own.

    python -m tests.bench watch-edit [--rounds N] [--units N]

Wall-clock seconds from saving a file to the written image, and, in turn with it, of `glslangValidator` and then
`spirv-val` for the same shader; the median of each, and their ratio.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

SCONSTRUCT = """\
import cratewright
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3")
Default(env.Crate("c", Glob("*.comp"), crate_type="cdylib", multimodule=True))
"""
SHADER = """\
#version 460
layout(local_size_x = 64) in;
layout(binding = 0) buffer B { float x[]; };
void main() { for (int i = 0; i < %d; i++) x[gl_GlobalInvocationID.x] += sin(x[i] * %d.5); }
"""
PATIENCE = 60


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--units", type=int, default=20)
    return parser.parse_args(given)


def _tool(name: str) -> str:
    # The wheels' scripts in bin would start Python first.
    wheels = os.path.join(sysconfig.get_path("purelib"), "cmeel.prefix", "bin")
    found = shutil.which(name, path=os.pathsep.join((wheels, os.environ["PATH"])))
    if found is None:
        sys.exit(f"{name} is missing")
    return found


def _edit(shader: Path, image: Path, round_: int) -> float:
    before, start = image.stat().st_mtime_ns, time.monotonic()
    shader.write_text(SHADER % (round_ + 7, round_ + 1))
    while image.stat().st_mtime_ns == before:
        if time.monotonic() - start > PATIENCE:
            sys.exit(f"{image} was not written in {PATIENCE} s")
        time.sleep(0.0005)
    return time.monotonic() - start


def _compiler(shader: Path, out: Path) -> float:
    start = time.monotonic()
    aim = ("--target-env", "vulkan1.3")
    for words in ([_tool("glslangValidator"), *aim, shader, "-o", out], [_tool("spirv-val"), *aim, out]):
        libraries = {"LD_LIBRARY_PATH": str(Path(words[0]).parents[1] / "lib")}
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **libraries})
    return time.monotonic() - start


def main(arguments: list[str]) -> int:
    """Measure and print."""
    chosen = _arguments(arguments)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "project"
        root.mkdir()
        (root / "SConstruct").write_text(SCONSTRUCT)
        for number in range(chosen.units):
            (root / f"s{number}.comp").write_text(SHADER % (3, number))
        environ = {**os.environ, "CRATE_CACHE": str(Path(place) / "cache")}
        words = [sys.executable, "-m", "cratewright", "watch"]
        with subprocess.Popen(words, cwd=root, env=environ, stdout=subprocess.PIPE, text=True) as watch:
            assert watch.stdout is not None
            try:
                _until_watching(watch)
                image = sorted((root / "c.spvs").glob("s0.comp*.spv"))[0]
                ours, theirs = [], []
                for round_ in range(chosen.rounds):
                    ours.append(_edit(root / "s0.comp", image, round_))
                    _until_watching(watch)
                    theirs.append(_compiler(root / "s0.comp", Path(place) / "own.spv"))
            finally:
                watch.terminate()
        mine, other = statistics.median(ours[1:]), statistics.median(theirs[1:])
        print(f"edit to image: {mine * 1000:.0f} ms; glslangValidator and spirv-val: {other * 1000:.0f} ms")
        print(f"ratio: {mine / other:.2f}")
    return 0


def _until_watching(watch: subprocess.Popen[str]) -> None:
    assert watch.stdout is not None
    for line in watch.stdout:
        if line.endswith("watching\n"):
            return
    sys.exit("watch ended")
