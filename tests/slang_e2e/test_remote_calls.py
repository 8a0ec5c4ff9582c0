"""Slang modules compiled remotely equal local ones; the whole wheel is sent along.

The server is buildbox-casd, which runs each call in a sandbox.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cratewright.testing import require_tool
from tests.slang_e2e.test_reproducible import FILES
from tests.spirv_e2e.shader_project import ShaderProject
from tests.support.casd import serving_casd

PYTHON = "/usr/bin/python3"
SCONSTRUCT = """\
import cratewright
env = Environment(tools=["default", cratewright.tool], CRATE_BACKEND="slang", CRATE_LTO="thin")
lib = env.Crate("lib", ["lib/shapes.slang", "lib/made.slang"], include_dirs=["lib", "inc", "."])
Default(lib, env.Crate("app", ["app/main.slang"], deps=[lib], crate_type="cdylib", include_dirs=["lib", "inc", "."]))
"""


def test_remote_modules_equal_local_ones(slang: ShaderProject, tmp_path: Path) -> None:
    require_tool(os.path.exists(PYTHON), PYTHON)
    (tmp_path / "farm").mkdir()
    made: list[dict[str, bytes]] = []
    files = {**FILES, "SConstruct": SCONSTRUCT, "lib/made.slang": FILES["gen/made.in"].replace("@", "3.0")}
    with serving_casd(tmp_path / "farm") as url:
        for place, environ in (
            ("here", {}),
            ("there", {"CRATE_REMOTE": url, "CRATE_REMOTE_PYTHON": PYTHON, "CRATE_REMOTE_JOBS": "1"}),
        ):
            project = ShaderProject(tmp_path / place, form=slang.form)
            project.environ |= {**environ, "CRATE_EVENTS": "e.jsonl"}
            project.write(files)
            project.scons()
            ended = json.loads(project.read("e.jsonl").splitlines()[-1])
            assert (3 <= ended["elsewhere"] <= 5) if environ else (ended["elsewhere"] == 0)
            names = (path for path in project.path.rglob("*") if path.suffix in (".spv", ".rlib"))
            made.append({str(path.relative_to(project.path)): path.read_bytes() for path in names})
    assert made[0] == made[1] and len(made[0]) == 2
