"""Ask llama.cpp's own generator which shaders it would compile.

This builds `vulkan-shaders-gen.cpp` and runs it with a script as its compiler, which records how it is called.

    python generator.py        prints the names, and where `table/` differs
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from variants import VARIANTS, Variant

from cratewright.base.errors import CratewrightError, FormatError, ToolError

__all__ = ["FEATURES", "SOURCE", "commands"]

SOURCE = "vulkan-shaders-gen.cpp"
TABLE = "generator.json"

# What llama.cpp tests its compiler for, except what glslang 16.2 lacks: GL_EXT_float_e2m1, and
# GL_NV_cooperative_matrix_decode_vector, which changes no name.
FEATURES = ("COOPMAT", "COOPMAT2", "INTEGER_DOT", "BFLOAT16", "FLOAT_E4M3")

RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@" >"$5"\n'


def commands(shaders: Path) -> list[Variant]:
    """Return all calls of the compiler, ordered by name. They are kept beside the shaders.

    Raises: FormatError, ToolError.
    """
    table = shaders / TABLE
    if not table.is_file():
        with tempfile.TemporaryDirectory(dir=shaders) as work:
            found = _ask(shaders, Path(work))
            made = Path(work, TABLE)
            made.write_text(json.dumps(found), encoding="utf-8")
            made.replace(table)
    return [Variant(*row) for row in json.loads(table.read_text(encoding="utf-8"))]


def _ask(shaders: Path, work: Path) -> list[Variant]:
    generator, recorder, outputs = work / "generator", work / "glslc", work / "outputs"
    defines = [f"-DGGML_VULKAN_{feature}_GLSLC_SUPPORT" for feature in FEATURES]
    print(f"building {SOURCE} (once)", flush=True)
    _run([*_compiler(), "-std=c++17", "-O0", *defines, "-o", str(generator), str(shaders / SOURCE), "-pthread"])
    recorder.write_text(RECORDER, encoding="ascii")
    recorder.chmod(0o755)
    for source in sorted(shaders.glob("*.comp")):
        words = ["--glslc", recorder, "--source", source, "--output-dir", outputs, "--target-cpp", work / "out.cpp"]
        _run([str(generator), *map(str, words)])
    found = sorted(_command(path) for path in outputs.glob("*.spv"))
    # Asked for no source, it lists all names: none may be without a source.
    _run([str(generator), "--output-dir", str(outputs), "--target-hpp", str(work / "out.hpp")])
    listed = sorted(re.findall(r"char (\w+)_data\[\];", (work / "out.hpp").read_text(encoding="utf-8")))
    if listed != [each.name for each in found]:
        differing = sorted(set(listed) ^ {each.name for each in found})
        raise FormatError(f"{SOURCE} lists other names than it compiles", context=[("names", " ".join(differing[:5]))])
    return found


def _command(path: Path) -> Variant:
    words = path.read_text(encoding="utf-8").splitlines()
    given = dict(word[2:].split("=", 1) for word in words if word.startswith("-D"))
    target = next(word.partition("=")[2] for word in words if word.startswith("--target-env="))
    return Variant(path.stem, Path(words[2]).name, given, target, "-O" in words)


def _compiler() -> list[str]:
    if named := os.environ.get("CXX"):
        return shlex.split(named)
    for name in ("c++", "g++", "clang++"):
        if found := shutil.which(name):
            return [found]
    hint = "install one, or pip install ziglang and set CXX='python -m ziglang c++'"
    raise ToolError(f"{SOURCE} takes a C++ compiler", context=[("looked for", "c++, g++, clang++")], hint=hint)


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be run", context=[("why", error)]) from error
    if done.returncode:
        rows = [("status", done.returncode), ("said", (done.stderr or done.stdout).strip())]
        raise ToolError(f"{Path(command[0]).name} failed", context=rows, hint=f"it is to build or run {SOURCE}")


def main() -> int:
    """Print the names, and compare the table with them."""
    import fetch  # noqa: PLC0415 - a build has fetched them already

    try:
        found = {each.name: each for each in commands(fetch.fetch(Path(__file__).resolve().parent))}
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(found))
    wrong = [row.name for row in VARIANTS if row[:3] != found.get(row.name, ("", "", {}))[:3]]
    print(f"{len(found)} names; {len(VARIANTS)} in table/, {len(wrong)} of them differ", file=sys.stderr)
    print("\n".join(wrong), file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
