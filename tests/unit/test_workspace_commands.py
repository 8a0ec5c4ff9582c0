"""`cratewright graph` and `cratewright schema`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cratewright import cli
from cratewright.plugins.registry import Registry
from cratewright.values.options import CORE_OPTIONS
from cratewright.workspace.picture import draw
from cratewright.workspace.schema import json_schema
from tests.support.workspace_texts import GRAPH, STUB, read_text


@pytest.mark.parametrize("style", ["mermaid", "dot"])
def test_graph(golden: Callable[[str, str], None], style: str) -> None:
    golden(f"workspace/graph.{style}", draw(read_text(GRAPH), style))


def test_graph_command(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    path = tmp_path_factory.mktemp("graph") / "crates.toml"
    path.write_text(GRAPH)
    assert cli.main(["graph", str(path)]) == 0
    golden("workspace/graph.mermaid", capsys.readouterr().out)
    assert cli.main(["graph", str(path), "--format", "dot"]) == 0
    golden("workspace/graph.dot", capsys.readouterr().out)
    path.write_text("[crat.x]\n")
    assert cli.main(["graph", str(path)]) == 2
    assert f"cratewright: {path}:1: unknown table 'crat'\n  hint: did you mean 'crate'?" in capsys.readouterr().err
    path.unlink()
    assert cli.main(["graph", str(path)]) == 2
    assert "cannot read workspace" in capsys.readouterr().err


def test_schema_command(
    stub_only: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["schema", "stub"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(STUB.options, STUB.of_source)
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(STUB.options, STUB.of_source)
    assert cli.main(["schema", "stab"]) == 2
    assert "unknown backend 'stab'" in capsys.readouterr().err
    monkeypatch.setattr(cli, "default_registry", Registry)
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(CORE_OPTIONS, CORE_OPTIONS)
