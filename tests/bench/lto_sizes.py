"""The sizes of shaders with thin and fat LTO, compared with one translation unit each and `spirv-opt -O`.

    python -m tests.bench lto-sizes [particles] [llama-shaders] [--limit N] [--every]

The baseline includes the text of every library function in each shader, optimizes with `-O` and strips debug names.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.monolith import PARTICLES, Size, baseline, particles_unit, size_of

from .llama_shaders import fetch, variants
from .measure import LEFT, ROOT, scons

EXAMPLES = ROOT / "examples"
MODES = ("off", "thin", "fat")


def particles_baseline(scratch: Path) -> Iterator[tuple[str, Size]]:
    """Yield the image name and size of each shader of the particles example as one unit."""
    example = EXAMPLES / "particles"
    for shader, stage in PARTICLES.items():
        image = f"particles.spvs/{shader.removesuffix('.hlsl')}.spv"
        text, hlsl = particles_unit(example, shader), shader.endswith(".hlsl")
        include = example / "include"
        yield image, size_of(baseline(text, stage, scratch, target="vulkan1.3", include=include, defines={}, hlsl=hlsl))


def llama_baseline(scratch: Path, limit: int, *, every: bool) -> Iterator[tuple[str, Size]]:
    """Yield the image name and size of each variant of llama.cpp's shaders, which are single units."""
    shaders = fetch.fetch(EXAMPLES / "llama-shaders")
    for crate, members in variants.crates(limit, every=every).items():
        for variant in members:
            path = shaders / variant.source
            data = baseline(
                path.read_text(),
                "comp",
                scratch,
                target=variants.TARGET,
                include=path.parent,
                defines=variant.defines,
            )
            yield variants.output(crate, variant), size_of(data)


def build(example: str, mode: str, scratch: Path, *words: str) -> Path:
    """Build a copy of an example with an LTO mode; return its directory."""
    directory = scratch / f"{example}-{mode}"
    shutil.copytree(EXAMPLES / example, directory, ignore=shutil.ignore_patterns(*LEFT))
    environment = {**os.environ, "CRATE_CACHE": str(scratch / "cache"), "CRATE_LTO": mode}
    done = subprocess.run(scons(*words), cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return directory


def compare(example: str, wanted: Mapping[str, Size], scratch: Path, *words: str) -> None:
    """Print how the images of each mode compare with the baseline."""
    total = Size(sum(each.size_bytes for each in wanted.values()), sum(each.instructions for each in wanted.values()))
    print(
        f"{example}: {len(wanted)} entry points; baseline {total.size_bytes} bytes, {total.instructions} instructions"
    )
    for mode in MODES:
        directory = build(example, mode, scratch, *words)
        found = {image: size_of((directory / image).read_bytes()) for image in wanted}
        size = sum(each.size_bytes for each in found.values())
        count = sum(each.instructions for each in found.values())
        worse = [
            image
            for image, each in found.items()
            if each.size_bytes > wanted[image].size_bytes or each.instructions > wanted[image].instructions
        ]
        share = 100 * (len(wanted) - len(worse)) / len(wanted)
        print(
            f"  {mode:<5} {size:>9} bytes ({size / total.size_bytes:.3f}), {count:>8} instructions "
            f"({count / total.instructions:.3f}); {share:.1f} % of the entry points no larger"
        )
        for image in worse[:8]:
            print(f"        {image}: {found[image]} against {wanted[image]}")


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="sizes of shaders under LTO against one translation unit each")
    parser.add_argument("examples", nargs="*", default=["particles", "llama-shaders"])
    parser.add_argument("--limit", type=int, default=0, help="about this many variants of llama-shaders")
    parser.add_argument("--every", action="store_true", help="all variants of llama-shaders")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lto-sizes-") as name:
        scratch = Path(name)
        if "particles" in chosen.examples:
            compare("particles", dict(particles_baseline(scratch)), scratch, "multimodule=1")
        if "llama-shaders" in chosen.examples:
            wanted = dict(llama_baseline(scratch, chosen.limit, every=chosen.every))
            words = (f"limit={chosen.limit}", f"every={int(chosen.every)}")
            compare("llama-shaders", wanted, scratch, *words)
    return 0
