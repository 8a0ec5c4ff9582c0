"""What the command line shows of a build that an SConstruct describes: its graph, its causes, an image."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright import cli
from tests.spirv_e2e.shader_project import ShaderProject, compute

Look = Callable[..., tuple[int, str, str]]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Look:
    """Give a function that runs the command line at a place; it returns the status and what it printed."""

    def run(place: Path, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(place)
        capsys.readouterr()
        return (cli.main(words), *capsys.readouterr())

    return run


def test_what_a_build_has_left(shaders: ShaderProject, look: Look) -> None:
    def asked(*words: str) -> str:
        status, out, err = look(shaders.path, *words)
        assert status == 0, err
        return out

    shaders.crates(
        'noise = env.Crate("noise", ["noise.glsl"])\n'
        'Default(env.Crate("sky", ["a.comp"], deps=[noise], crate_type="cdylib"))\n',
        {
            "noise.glsl": "#version 460\nfloat noise(float x) { return x * 2.0; }\n",
            "a.comp": compute("store.data[i] = noise(store.data[i]);", before="float noise(float x);"),
        },
    )
    shaders.scons()
    drawn = json.loads(asked("graph", "--json"))
    assert {row["crate"] for row in drawn["crates"]} == {"noise", "sky"} and not drawn["elsewhere"]
    (edge,) = drawn["dependencies"]
    assert (edge["user"], edge["used"], edge["linkages"]) == ("sky", "noise", {"sky cdylib": "static"})
    assert "-->" in asked("graph") and "digraph" in asked("graph", ".", "--format", "dot")
    causes = json.loads(asked("explain", "--json"))
    assert {"noise.rlink", "sky.rlink", "sky.spv.json"} == set(causes)
    image = json.loads(asked("inspect", "sky.spv", "--json"))
    assert image["kind"] == "SPIR-V module" and image["entry_points"][0]["stage"] == "compute"
    assert image["size"] == (shaders.path / "sky.spv").stat().st_size
    assert f"size: {image['size']}" in asked("inspect", "sky.spv")


def test_what_holds_nothing(tmp_path: Path, look: Look) -> None:
    for word in ("graph", "explain"):
        status, _, err = look(tmp_path, word)
        assert status == 2 and "hint" in err
    (tmp_path / "a.spv").write_bytes(b"\x03\x02\x23\x07\0\0")
    assert look(tmp_path, "inspect", "a.spv")[0] == 2
