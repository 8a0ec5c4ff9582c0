"""`cratewright new-backend`: the template's own tests pass unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import tomli

from cratewright import cli
from cratewright.cli.template import template_files
from cratewright.testing import require_tool
from tests.support.paths import source_paths
from tests.support.scons_project import INSTALLED, available_forms


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory that the command creates."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new-backend", "shout-loud"]) == 0
    (directory,) = tmp_path.iterdir()
    return directory


def _installed(project: Path, site: Path) -> dict[str, str]:
    """Install a plugin into the directory `site` as an installer would, and return an environment that finds it."""
    table = tomli.loads((project / "pyproject.toml").read_text())["project"]
    info = site / f"{table['name'].replace('-', '_')}-{table['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {table['name']}\nVersion: {table['version']}\n")
    points = [f"{name} = {module}" for name, module in table["entry-points"]["cratewright"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[cratewright]", *points, ""]))
    path = os.pathsep.join([str(site), str(project / "src"), *source_paths()])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def test_tests_of_the_template_pass(made: Path, tmp_path: Path) -> None:
    assert made.name == "cratewright-shout-loud"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made,
        env=_installed(made, tmp_path / "site"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout and "failed" not in done.stdout


def test_template_is_typed_and_mypy_finds_wrong_types(made: Path, tmp_path: Path) -> None:
    """mypy must find `py.typed` of the installed cratewright, and the names that it imports lazily."""
    require_tool(find_spec("mypy") is not None, "mypy")
    require_tool(INSTALLED in available_forms(), "an installed cratewright")

    def check() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "mypy")],
            cwd=made,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    assert "Success" in check()
    backend = made / "src/cratewright_shout_loud/backend.py"
    text = backend.read_text()
    for right, wrong in (
        ("return CompiledUnit(modules=(module,)", "return module\n        return CompiledUnit(modules=(module,)"),
        ("content_digest(data)", "content_digest(3)"),
        ("data=text.encode()", "data=text"),
    ):
        assert right in text
        backend.write_text(text.replace(right, wrong, 1))
        assert "error: " in check(), wrong
    backend.write_text(
        text.replace("from cratewright import (", "from cratewright import (\n    run_program,", 1)
        + '\n\nRUN: int = run_program(["true"], what="it")\n'
    )
    assert 'expression has type "Finished", variable has type "int"' in check()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Shout"], "'Shout' is not a valid backend name"),
        (["3d"], "'3d' is not a valid backend name"),
        (["a--b"], "'a--b' is not a valid backend name"),
        (["../x"], "'../x' is not a valid backend name"),
        (["there"], "cratewright-there already exists"),
        (["fresh", "file/below"], "file/below cannot be made"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cratewright-there").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(["new-backend", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_name_of_an_existing_backend_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cratewright import testing
    from cratewright.plugins.registry import Registry

    registry = Registry()
    registry.register(testing)
    monkeypatch.setattr(cli.new, "default_registry", lambda: registry)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new-backend", "stub"]) == 2
    assert "there is already a backend 'stub'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a", "a-b_c9"])
def test_template_is_valid_for_every_name(name: str) -> None:
    files = template_files(name)
    assert not any("@" in text.replace("@cratewright", "").replace("@v", "") for text in files.values())
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    reads: Callable[[str], object] = tomli.loads
    assert reads(files["pyproject.toml"])
