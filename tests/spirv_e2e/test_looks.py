"""What the command line shows of a build that an SConstruct describes: its graph, its causes, an image."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.spirv_e2e.shader_project import ShaderProject, compute


def _asked(place: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cratewright", *words], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_a_build_has_left(shaders: ShaderProject) -> None:
    shaders.crates(
        'noise = env.Crate("noise", ["noise.glsl"])\n'
        'Default(env.Crate("sky", ["a.comp"], deps=[noise], crate_type="cdylib"))\n',
        {
            "noise.glsl": "#version 460\nfloat noise(float x) { return x * 2.0; }\n",
            "a.comp": compute("store.data[i] = noise(store.data[i]);", before="float noise(float x);"),
        },
    )
    shaders.scons()
    drawn = json.loads(_asked(shaders.path, "graph", "--json"))
    assert {row["crate"] for row in drawn["crates"]} == {"noise", "sky"} and not drawn["elsewhere"]
    (edge,) = drawn["dependencies"]
    assert (edge["user"], edge["used"], edge["linkages"]) == ("sky", "noise", {"sky cdylib": "static"})
    assert "-->" in _asked(shaders.path, "graph") and "digraph" in _asked(shaders.path, "graph", ".", "--format", "dot")
    causes = json.loads(_asked(shaders.path, "explain", "--json"))
    assert {"noise.rlink", "sky.rlink", "sky.spv.json"} == set(causes)
    image = json.loads(_asked(shaders.path, "inspect", "sky.spv", "--json"))
    assert image["kind"] == "SPIR-V module" and image["entry_points"][0]["stage"] == "compute"
    assert image["size"] == (shaders.path / "sky.spv").stat().st_size
    assert f"size: {image['size']}" in _asked(shaders.path, "inspect", "sky.spv")


def test_what_holds_nothing(tmp_path: Path) -> None:
    for words in (["graph"], ["explain"]):
        command = [sys.executable, "-m", "cratewright", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "hint" in done.stderr and "Traceback" not in done.stderr
    (tmp_path / "a.spv").write_bytes(b"\x03\x02\x23\x07\0\0")
    command = [sys.executable, "-m", "cratewright", "inspect", "a.spv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
