"""`cratewright graph`, `explain` and `inspect` on a project with an SConstruct."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright import cli
from tests.spirv_e2e.shader_project import ShaderProject, compute

CommandLine = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Return a function that runs the command line in a directory; it returns the status, output and errors."""

    def run(place: Path, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(place)
        capsys.readouterr()
        return (cli.main(words), *capsys.readouterr())

    return run


def test_commands_after_a_build(shaders: ShaderProject, command_line: CommandLine) -> None:
    def output_of(*words: str) -> str:
        status, out, err = command_line(shaders.path, *words)
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
    drawn = json.loads(output_of("graph", "--json"))
    assert {row["crate"] for row in drawn["crates"]} == {"noise", "sky"} and not drawn["elsewhere"]
    (edge,) = drawn["dependencies"]
    assert (edge["user"], edge["used"], edge["linkages"]) == ("sky", "noise", {"sky cdylib": "static"})
    assert "-->" in output_of("graph") and "digraph" in output_of("graph", ".", "--format", "dot")
    causes = json.loads(output_of("explain", "--json"))
    assert {"noise.rlink", "sky.rlink", "sky.spv.json"} == set(causes)
    image = json.loads(output_of("inspect", "sky.spv", "--json"))
    assert image["kind"] == "SPIR-V module" and image["entry_points"][0]["stage"] == "compute"
    assert image["size"] == (shaders.path / "sky.spv").stat().st_size
    assert f"size: {image['size']}" in output_of("inspect", "sky.spv")


def test_commands_without_a_build(tmp_path: Path, command_line: CommandLine) -> None:
    for word in ("graph", "explain"):
        status, _, err = command_line(tmp_path, word)
        assert status == 2 and "hint" in err
    (tmp_path / "a.spv").write_bytes(b"\x03\x02\x23\x07\0\0")
    assert command_line(tmp_path, "inspect", "a.spv")[0] == 2
