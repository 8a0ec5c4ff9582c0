"""SCons's own CacheDir and cratewright's cache, side by side on the same shaders.

    python -m tests.bench cache-peers

SCons runs glslangValidator for each shader, as its users would write it. Each scenario builds, changes something,
builds again, and compares the outputs with those of a build without a cache in a fresh directory.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import llama_shaders as bench
from .measure import scons

SHADER = """\
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_no_such_extension : warn
#include "part.h"
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { float d[]; };
void main() { uint i = gl_GlobalInvocationID.x; d[i] = d[i] * SCALE; }
"""
PLAIN = """\
import os
env = Environment(tools=[], ENV={{"LD_LIBRARY_PATH": {libraries!r}}})
if os.environ["STORE"]: env.CacheDir(os.environ["STORE"])
for name in ("one", "two"):
    env.Command(os.environ["PLACE"] + f"/{{name}}.spv", f"{{name}}.comp",
                "{glslang} -V --target-env vulkan1.3 -I. $SOURCE -o $TARGET")
"""
OURS = """\
import os, cratewright
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3", CRATE_INCLUDE_DIRS=["#."])
env["CRATE_CACHE"] = os.environ["STORE"] or "off"
Export("env")
SConscript("sub.scons", variant_dir=os.environ["PLACE"], duplicate=False)
"""
OURS_BELOW = """\
Import("env")
env.Crate("app", ["#one.comp", "#two.comp"], crate_type="cdylib", multimodule=True)
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to build, in its own directory."""

    files: dict[str, str]
    base: Path

    def start(self, name: str) -> Path:
        """Return a fresh directory with the sources."""
        directory = self.base / name
        directory.mkdir(parents=True)
        sources = {
            "one.comp": SHADER,
            "two.comp": SHADER.replace("SCALE", "SCALE + 1.0"),
            "part.h": "#define SCALE 2.0\n",
        }
        for path, text in {**self.files, **sources}.items():
            (directory / path).write_text(text)
        return directory

    def build(self, directory: Path, store: Path | None, *words: str, place: str = "build") -> tuple[str, list[bytes]]:
        """Return the text printed by a build, and its outputs.

        Raises: SystemExit with its output if it fails unexpectedly.
        """
        done = subprocess.run(
            scons(*words, jobs=1),
            cwd=directory,
            env={**os.environ, "STORE": str(store or ""), "PLACE": place},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        images = [path.read_bytes() for path in sorted((directory / place).rglob("*.spv"))]
        return done.stdout + done.stderr, images


def stale_include(peer: Peer) -> str:
    """Change a header and build; then clean, and build from the cache."""
    directory, store = peer.start("include"), peer.base / "include.store"
    peer.build(directory, store)
    (directory / "part.h").write_text("#define SCALE 3.0\n")
    _, images = peer.build(directory, store)
    _, right = peer.build(directory, None, place="fresh")
    peer.build(directory, store, "-c")
    _, again = peer.build(directory, store)
    return f"{_right(images, right)}; after `-c`: {_right(again, right)}"


def corrupt_entry(peer: Peer) -> str:
    """Overwrite the middle of every file of the store, clean, build."""
    directory, store = peer.start("corrupt"), peer.base / "corrupt.store"
    _, right = peer.build(directory, store)
    for file in [path for path in store.rglob("*") if path.is_file() and path.name != "config"]:
        data = file.read_bytes()
        file.chmod(0o644)
        file.write_bytes(data[: len(data) // 4] + b"garbage " * (len(data) // 16) + data[len(data) * 3 // 4 :])
    peer.build(directory, store, "-c")
    _, images = peer.build(directory, store)
    return _right(images, right)


def other_path(peer: Peer) -> str:
    """Build the same sources into another directory."""
    directory, store = peer.start("path"), peer.base / "path.store"
    peer.build(directory, store)
    printed, images = peer.build(directory, store, place="elsewhere")
    assert images
    if "Retrieved" in printed or "0 compiled, 2 reused" in printed:
        return "served from the cache"
    return "compiled again"


def warnings_on_a_hit(peer: Peer) -> str:
    """Build a shader with a warning, clean, build."""
    directory, store = peer.start("warnings"), peer.base / "warnings.store"
    first, _ = peer.build(directory, store)
    peer.build(directory, store, "-c")
    second, _ = peer.build(directory, store)
    before, after = (text.count("GL_no_such_extension") for text in (first, second))
    return f"{after} of {before} told again"


def _right(images: list[bytes], right: list[bytes]) -> str:
    return "right" if images == right else "STALE OR WRONG" if len(images) == len(right) else "failed"


CASES: dict[str, Callable[[Peer], str]] = {
    "an included header changes": stale_include,
    "the store's files are damaged": corrupt_entry,
    "another output directory": other_path,
    "warnings on a hit": warnings_on_a_hit,
}


def main(arguments: list[str]) -> int:
    """Print the table."""
    tools = bench.Tools.find()
    plain = PLAIN.format(libraries=str(tools.libraries), glslang=tools.glslang)
    rows = []
    with tempfile.TemporaryDirectory(prefix="cache-peers-") as scratch:
        peers = [
            Peer({"SConstruct": plain}, Path(scratch, "plain")),
            Peer({"SConstruct": OURS, "sub.scons": OURS_BELOW}, Path(scratch, "ours")),
        ]
        for name, case in CASES.items():
            rows.append((name, *(case(peer) for peer in peers)))
    for row in [("", "SCons, CacheDir", "cratewright"), *rows]:
        print("| " + " | ".join(row) + " |")
    return 0
