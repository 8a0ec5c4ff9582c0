"""Backends of plugins: installed, beside the SConstruct, or in it."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli

import cratewright.contract.backend
from tests.support.scons_project import IN_PLACE, SconsProject

BOTH_FORMS = True

TINY = Path(__file__).resolve().parents[1] / "support" / "tiny_plugin"
SCONSTRUCT = """\
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool])
lib = env.Crate("lib", ["b.txt"], backend="tiny")
env.Crate("app", ["a.txt"], deps=[lib], crate_type="bin", backend="tiny")
"""
EXAMPLE = textwrap.dedent((cratewright.contract.backend.__doc__ or "").partition("names:\n")[2])
IN_SCONSTRUCT = """\
import types
plugin = types.ModuleType("upper_plugin")
{code}
plugin.cratewright_register_backend = cratewright_register_backend
DefaultEnvironment(tools=[]), cratewright.register(plugin)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="upper")
env.Crate("app", ["a.txt", "b.txt"], crate_type="bin")
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project with two text files."""
    scons_project.write({"a.txt": "a\n", "b.txt": "b\n"})
    return scons_project


def _install(directory: Path) -> Path:
    """Install the tiny plugin into a directory as an installer would."""
    table = tomli.loads((TINY / "pyproject.toml").read_text())["project"]
    info = directory / f"cratewright_tiny-{table['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {table['name']}\nVersion: {table['version']}\n")
    points = [f"{name} = {module}" for name, module in table["entry-points"]["cratewright"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[cratewright]", *points, ""]))
    shutil.copytree(TINY / "src", directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return directory


def test_installed_plugin(project: SconsProject) -> None:
    """An entry point is enough."""
    site = _install(project.path.parent / "site")
    project.environ["PYTHONPATH"] = str(site)
    project.write({"SConstruct": SCONSTRUCT})
    project.scons()
    assert project.read("app.out") == "A\nB\n"
    assert project.up_to_date()
    # An edit of any module of the plugin rebuilds, not only of the one with the class.
    module = site / "cratewright_tiny" / "shout.py"
    module.write_text(module.read_text().replace("upper()", 'replace(b"a", b"z")'))
    project.scons()
    assert project.read("app.out") == "z\nb\n"
    assert project.up_to_date()


def test_broken_installed_plugin(project: SconsProject) -> None:
    site = _install(project.path.parent / "site")
    (site / "cratewright_tiny" / "shout.py").write_text("import no_such_module\n")
    project.environ["PYTHONPATH"] = str(site)
    project.write({"SConstruct": SCONSTRUCT})
    output = project.scons(expect=2)
    assert "unknown backend 'tiny'" in output
    words = " ".join(output.split())
    assert "plugin tiny: it cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in words
    assert "cratewright_tiny/shout.py:1: in <module>: import no_such_module" in output


def test_plugin_beside_the_sconstruct(project: SconsProject) -> None:
    """A plugin of one file; edits of other Python files rebuild nothing."""
    head = "import sys; sys.path.insert(0, 'tools')\nimport cratewright, upper_plugin\n"
    head += "DefaultEnvironment(tools=[]), cratewright.register(upper_plugin)\n"
    tail = "env = Environment(tools=[cratewright.tool])\n"
    tail += 'env.Crate("app", ["a.txt", "b.txt"], crate_type="bin", backend="upper")\n'
    project.write({"SConstruct": head + tail, "tools/upper_plugin.py": EXAMPLE, "tools/other.py": "", "more.py": ""})
    project.scons("-j2")
    assert project.read("app.out") == "A\nB\n"
    assert project.up_to_date()
    project.write({"tools/other.py": "# edited\n", "more.py": "# edited\n"})
    assert project.up_to_date()
    project.write({"tools/upper_plugin.py": EXAMPLE.replace(".upper()", ".title() * 2")})
    project.scons()
    assert project.read("app.out") == "A\nA\nB\nB\n"
    assert project.up_to_date()


def test_plugin_in_the_sconstruct_is_refused(project: SconsProject) -> None:
    """Workers cannot import it."""
    project.write({"SConstruct": IN_SCONSTRUCT.format(code=EXAMPLE)})
    output = project.scons(expect=2)
    assert "backend 'upper': workers cannot find the class Upper by its name" in output
    assert "define it at the top of a module" in output
    assert not project.exists("app.rlink")


REGISTERS = """\
import cratewright, upper_plugin
DefaultEnvironment(tools=[]), cratewright.register(upper_plugin)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="upper")
env.Crate("app", ["a.txt", "b.txt"], crate_type="bin")
"""


@pytest.mark.parametrize("arguments", [("-j1",), ("-j2",)])
def test_failure_in_a_worker_is_attributed_to_the_plugin(
    project: SconsProject, golden: Callable[[str, str], None], arguments: tuple[str, ...]
) -> None:
    """No partial output is left, and the next build succeeds."""
    unit, link = "module = cratewright.ModuleCodegen(", "data = b"
    outputs = []
    for place, statement in (
        (unit, "raise ZeroDivisionError('oh')"),
        (unit, "raise SystemExit(3)"),
        (unit, "raise KeyboardInterrupt"),
        (unit, "return None"),
        (unit, "os._exit(3)"),
        (unit, "own = threading.Thread(target=lambda: 1 / 0); own.start(); own.join()"),
        (link, "raise ZeroDivisionError('oh')"),
        (link, "return cratewright.LinkResult(artifacts=())"),
        (link, "return cratewright.LinkResult(artifacts=(cratewright.Artifact('../app.out', b''),))"),
        (link, "return cratewright.LinkResult(artifacts=(cratewright.Artifact('app.out', 'text'),))"),
    ):
        code = EXAMPLE.replace(place, f"{statement}\n        {place}", 1).replace(
            "import cratewright\n", "import cratewright, os, threading\n"
        )
        project.write({"SConstruct": REGISTERS, "site_scons/upper_plugin.py": code, "site_scons/x": statement})
        if project.form == IN_PLACE:
            project.write({"SConstruct": f"import sys; sys.path.insert(0, 'site_scons')\n{REGISTERS}"})
        output = project.scons(*arguments, expect=2)
        outputs.append(f"# {statement}\n{output.replace(str(project.path), 'PROJECT')}")
        assert not project.exists("app.out") and not project.exists("../app.out")
    if arguments == ("-j1",):
        golden("errors/plugin_in_worker.txt", "\n".join(outputs))
    project.write({"site_scons/upper_plugin.py": EXAMPLE})
    project.scons(*arguments)
    assert project.read("app.out") == "A\nB\n" and project.up_to_date()


def test_misspelt_hook_in_the_sconstruct(project: SconsProject) -> None:
    code = EXAMPLE.replace("cratewright_register_backend", "cratewright_register_backends")
    text = IN_SCONSTRUCT.format(code=code).replace("register_backend =", "register_backends =")
    project.write({"SConstruct": text.replace("= cratewright_register_backend\n", "= cratewright_register_backends\n")})
    output = project.scons(expect=2)
    assert "plugin 'upper_plugin' implements a hook that does not exist" in output
    assert "cratewright_register_backend()" in output


def test_undeclared_capability_is_refused(project: SconsProject) -> None:
    """While planning, before anything is built."""
    project.environ["PYTHONPATH"] = str(_install(project.path.parent / "site"))
    for arguments, message in (
        ('crate_type="cdylib"', "backend 'tiny' cannot make crate type 'cdylib'"),
        ('crate_type="bin", lto="fat"', "backend 'tiny' cannot do lto='fat'"),
    ):
        text = SCONSTRUCT.replace('crate_type="bin"', arguments)
        project.write({"SConstruct": text})
        assert message in project.scons(expect=2)
    assert sorted(os.listdir(project.path))[-3:] == ["SConstruct", "a.txt", "b.txt"]


@pytest.mark.parametrize("name", ["CRATE_PLUGINS", "CRATE_TRACE_PLUGINS"])
def test_plugin_variables_are_for_the_process_environment(project: SconsProject, name: str) -> None:
    """Plugins are discovered before an Environment exists, so setting them there would have no effect."""
    text = "import cratewright, cratewright.testing\n"
    text += "DefaultEnvironment(tools=[]), cratewright.register(cratewright.testing)\n"
    text += 'env = Environment(tools=[cratewright.tool]{words})\nenv.Crate("a", ["a.stub"], backend="stub")\n'
    project.write({"SConstruct": text.format(words=f', {name}="-native"'), "a.stub": "export a\n"})
    project.scons(expect=2)
    assert f"{name} can only be set in the process environment" in project.errors, project.errors
    project.write({"SConstruct": text.format(words="")})
    project.scons(f"{name}=1", expect=2)
    assert f"{name}=1 scons" in project.errors, project.errors


def test_error_in_a_plugin_names_the_registering_line(project: SconsProject) -> None:
    """The traceback does not show lines of cratewright itself."""
    code = "import cratewright\nclass Upper(cratewright.CodegenBackend):\n    API_VERSION = 1\n\n\n"
    code += "@cratewright.hookimpl\ndef cratewright_register_backend():\n    return Upper\n"
    project.write({"SConstruct": IN_SCONSTRUCT.format(code=code)})
    output = project.scons(expect=2)
    assert "scons: *** plugin 'upper_plugin', class Upper: lacks NAME, TARGETS, " in output
    place = output[output.index('File "') :]
    assert place.startswith(f'File "{project.path}/SConstruct", line 13, in <module>') and place.count("File ") == 1
