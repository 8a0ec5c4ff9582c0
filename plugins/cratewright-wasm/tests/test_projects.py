"""SCons projects: several crates, edits, and the example."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cratewright.testing import SconsProject

EXAMPLE = Path(__file__).parents[3] / "examples" / "wasm-filter"

SCONSTRUCT = """
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="wasm", CRATE_OPT_LEVEL="2")
base = env.Crate("base", ["base/base.c", "base/un used.c"], export_include_dirs=["base/include"])
middle = env.Crate("middle-part", ["middle.cpp"], deps=[base])
Default(env.Crate("top-part", ["top $1.c"], deps=[middle], crate_type=["rlib", "cdylib"], exports=["top", "base"]))
"""
FILES = {
    "SConstruct": SCONSTRUCT,
    "base/include/base.h": '#define STEP 3\n#ifdef __cplusplus\nextern "C"\n#endif\nint base(int);\n',
    "base/base.c": '#include <stdint.h>\n#include "include/base.h"\nint base(int x) { return x + STEP; }\n',
    "base/un used.c": "int never(void) { return never_defined(); }\n".replace(
        "int never(", "int never_defined(void);\nint never("
    ),
    "middle.cpp": '#include <base.h>\nextern "C" int middle(int x) { return base(x) * 2; }\n',
    "top $1.c": "int middle(int);\nint top(int x) { return middle(x) + 1; }\n",
}


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_crates_with_dependencies(project: SconsProject, run: Callable[[bytes], Any], lto: str) -> None:
    project.write(FILES)
    project.scons(f"CRATE_LTO={lto}", "-j4")
    instance = run((project.path / "top_part.wasm").read_bytes())
    assert (instance.names, instance.call("top", 4)) == (["base", "top"], 15)
    assert project.up_to_date(f"CRATE_LTO={lto}", "-j4")


def test_edit_rebuilds_its_dependents(project: SconsProject, run: Callable[[bytes], Any]) -> None:
    project.write(FILES)
    project.scons("CRATE_LTO=thin")
    project.write({"base/include/base.h": FILES["base/include/base.h"].replace("3", "4")})
    project.scons("CRATE_LTO=thin")
    assert run((project.path / "top_part.wasm").read_bytes()).call("top", 4) == 17
    assert not any("top-part" in line and "Compiling" in line for line in project.rebuilt())
    # A header that shadows the one that was read.
    project.write({"base/stdint.h": "#error found\n"})
    assert project.up_to_date("CRATE_LTO=thin"), "#include <> searches beside the source"
    project.write({"base/include/stdint.h": "#error found\n"})
    assert "base/include/stdint.h:1:2: error: found" in project.scons("CRATE_LTO=thin", expect=2)


def test_example(tmp_path: Path, run: object) -> None:
    project = SconsProject.copy(EXAMPLE, tmp_path / "example")
    project.scons()
    done = subprocess.run(
        [sys.executable, "use.py"], cwd=project.path, env={**os.environ}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "4000 words known, 0 missed, 0 of 4000 others taken for known\n"
    assert project.up_to_date()
