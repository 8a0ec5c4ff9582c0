"""All shaders listed by llama.cpp's generator: one process of the newest glslang each, compared with a clean build.

    python -m tests.bench llama-newest [--jobs N] [--limit N]

It runs `scons` and `ninja`, counts their CPU seconds, and validates the outputs of both, whose interfaces must agree.
The baseline process is as small as possible: `one_glslang.c` loads the library of slangpy and compiles one text, with
includes expanded beforehand, which is not measured. It neither validates nor optimizes; ours validates, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import llama_shaders as bench
from .llama_shaders import fetch, variants
from .measure import LEFT, adopt_orphans, c_program, measure, scons, script

import generator  # isort: skip

from cratewright.base.errors import CratewrightError, ValidationError
from cratewright_spirv.compilers.glslang import StageSource
from cratewright_spirv.compilers.glslang_latest import LatestGlslang
from cratewright_spirv.compilers.latest_wheel import library_path
from cratewright_spirv.reflection import reflect
from cratewright_spirv.spirv_tools.tools import ValidatorOptions, find_tools
from cratewright_spirv.text.includes import IncludeResolver

MINOR = {"vulkan1.2": 5, "vulkan1.3": 6}
HERE = Path(__file__).resolve().parent


def flatten(crates: bench.Crates, shaders: Path, flat: Path) -> None:
    """Write the text of each variant with includes and macros expanded."""
    compiler = LatestGlslang()
    for variant in (variant for members in crates.values() for variant in members):
        text = (shaders / variant.source).read_bytes()
        source = StageSource(
            **{"path": variant.source, "text": text, "language": "glsl", "stage": "comp", "entry_point": "main"},
            **{"target": variant.target, "defines": tuple(variant.defines.items()), "debuginfo": "none"},
        )
        includes = IncludeResolver(str(shaders), (), source.path, text)
        (flat / f"{variant.name}.comp").write_bytes(compiler.preprocess(source, includes))


def ninja_file(crates: bench.Crates, program: Path) -> str:
    """Return a build file with a process for each variant."""
    lines = ["rule one", f"  command = {program} {library_path()} $minor $in $out"]
    for crate, members in crates.items():
        for variant in members:
            lines.append(f"build ninja/{variants.output(crate, variant)}: one flat/{variant.name}.comp")
            lines.append(f"  minor = {MINOR[variant.target]}")
    return "\n".join([*lines, ""])


def check(directory: Path, crates: bench.Crates) -> int:
    """Validate all images of both builds and compare their interfaces; return their number.

    Raises: ValidationError.
    """
    tools, options = find_tools(None), ValidatorOptions()
    wrong: list[tuple[str, object]] = []
    count = 0
    for crate, members in crates.items():
        for variant in members:
            count += 1
            name = variants.output(crate, variant)
            mine, theirs = (directory / name).read_bytes(), (directory / "ninja" / name).read_bytes()
            try:
                tools.validate(mine, env=variant.target, options=options)
                tools.validate(theirs, env=variant.target, options=options)
            except ValidationError as error:
                wrong.append((name, error))
            if reflect.interface(mine, name=name) != reflect.interface(theirs, name=name):
                wrong.append((name, "another interface"))
    if wrong:
        raise ValidationError(f"{len(wrong)} of {count} images are not as they should be", context=wrong[:5])
    return count


def main(arguments: list[str]) -> int:
    """Measure once, and print the ratio."""
    parser = argparse.ArgumentParser(description="CPU seconds of one process per shader, and of cratewright")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, default=0, help="about this many variants, spread over all")
    chosen = parser.parse_args(arguments)
    try:
        shaders = fetch.fetch(bench.EXAMPLE)
        rows = generator.commands(shaders)
        crates = variants.whole_table(rows, chosen.limit)
        adopt_orphans()
        with tempfile.TemporaryDirectory(prefix="llama-newest-") as scratch:
            directory = Path(scratch, "example")
            shutil.copytree(bench.EXAMPLE, directory, ignore=shutil.ignore_patterns(*LEFT))
            (directory / "flat").mkdir()
            flatten(crates, shaders, directory / "flat")
            program = directory / "one_glslang"
            c_program(HERE / "one_glslang.c", program)
            (directory / "build.ninja").write_text(ninja_file(crates, program), encoding="utf-8")
            off = {**os.environ, "CRATE_CACHE": "off"}
            words = ["table=generator", f"limit={chosen.limit}", "opt_level=0", "spirv_metadata=full"]
            ours = measure(scons(*words, jobs=chosen.jobs), directory, off)
            theirs = measure([script("ninja"), f"-j{chosen.jobs}"], directory, off)
            count = check(directory, crates)
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count} variants in {len(crates)} crates, {chosen.jobs} jobs: all valid, interfaces equal")
    print(f"ninja, a process each   {theirs.cpu:8.2f} CPU s {theirs.wall:8.2f} s")
    print(
        f"scons                   {ours.cpu:8.2f} CPU s {ours.wall:8.2f} s   1/{theirs.cpu / ours.cpu:.1f} of its CPU"
    )
    return 0
