"""Hooks other than backends: build events, profiles and commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.scons_project import SconsProject

BOTH_FORMS = True

MORE = """\
import cratewright

heard = []


@cratewright.hookimpl
def cratewright_build_event(event):
    heard.append(type(event).__name__)
    if isinstance(event, cratewright.BuildEnded):
        with open("heard.txt", "w") as file:
            file.write("".join(f"{name}\\n" for name in heard))


@cratewright.hookimpl
def cratewright_add_profiles():
    return [
        cratewright.Profile(name="loud", options={"shout": True}, inherits="release"),
        cratewright.Profile(name="louder", options={"defines": {"LOUD": 1}}, inherits="loud"),
    ]


@cratewright.hookimpl
def cratewright_add_commands():
    def run(arguments):
        print(f"{arguments.count} crates")

    def takes(parser):
        parser.add_argument("--count", type=int, default=0, help="how many there are")

    return cratewright.Command(name="count", help="count crates", run=run, arguments=takes)
"""
SCONSTRUCT = """\
import sys
sys.path.insert(0, "tools")
import cratewright, cratewright.testing, more
DefaultEnvironment(tools=[]), cratewright.register(cratewright.testing)
cratewright.register(more)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="stub")
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project with the plugin and two sources."""
    scons_project.write({"tools/more.py": MORE, "a.stub": "entry main\nimport f\n", "b.stub": "export f\n"})
    return scons_project


def test_events_and_profiles(project: SconsProject) -> None:
    crates = 'lib = env.Crate("lib", ["b.stub"], profile="loud")\n'
    crates += 'env.Crate("app", ["a.stub"], deps=[lib], crate_type="cdylib", profile="louder", opt_level=1)\n'
    project.write({"SConstruct": SCONSTRUCT + crates})
    project.environ["CRATE_EVENTS"] = "events.jsonl"
    project.scons("-j2")
    rows = [json.loads(line) for line in project.read("events.jsonl").splitlines()]
    heard = project.read("heard.txt").splitlines()
    # Sorted, because threads may interleave events.
    assert sorted(name.lower() for name in heard) == sorted(row["event"].replace("-", "") for row in rows)
    assert heard[0] == "BuildStarted" and heard[-1] == "BuildEnded" and heard.count("UnitEnded") >= 2
    assert project.up_to_date()
    # A project's own profile of that name takes precedence.
    project.write({"SConstruct": SCONSTRUCT + "env.CrateProfile('loud', opt_level=2)\n" + crates})
    project.scons()
    assert "Compiling" in project.output or "Linking" in project.output


def test_profiles_in_a_workspace(project: SconsProject) -> None:
    toml = '[crate.app]\nsources = ["*.stub"]\ntype = "cdylib"\nprofile = "louder"\n'
    project.write({"SConstruct": SCONSTRUCT + "env.CrateWorkspace('crates.toml')\n", "crates.toml": toml})
    project.scons()
    assert project.up_to_date()
    project.write({"crates.toml": toml + '[profile.own]\ninherits = "loud"\nopt-level = 1\n'})
    assert project.up_to_date()
    project.write({"crates.toml": toml.replace("louder", "loudest")})
    assert "unknown profile 'loudest'" in project.scons(expect=2) and "did you mean 'louder'?" in project.output


def test_failing_listener_does_not_fail_the_build(project: SconsProject) -> None:
    """The plugin and its failing line are named; exceptions in its own threads are ignored."""
    thread = "import threading\n    threading.Thread(target=lambda: 1 / 0).start()\n    raise ValueError('oh')"
    code = MORE.replace("heard.append(type(event).__name__)", thread)
    project.write({"tools/more.py": code, "SConstruct": SCONSTRUCT + 'env.Crate("a", ["a.stub", "b.stub"])\n'})
    done = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", "--site-dir", str(ROOT / "site_scons")],
        cwd=project.path,
        env={**os.environ, **project.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and project.exists("liba.rlib"), done.stderr
    assert done.stderr.count("plugin 'more' failed at BuildStarted, and gets no more events of this build") == 1
    assert "in cratewright_build_event: raise ValueError('oh')" in done.stderr
    late = SCONSTRUCT.replace("cratewright.register(more)\n", "") + 'env.Crate("a", ["a.stub", "b.stub"])\n'
    project.write({"tools/more.py": MORE, "SConstruct": late + "cratewright.register(more)\n"})
    output = project.scons(expect=2)
    assert "plugin 'more' listens to build events, but the build has begun" in output
    assert "register it before the first crate is declared" in output


def test_command_of_an_installed_plugin(tmp_path: Path) -> None:
    """It is listed with its distribution, and two commands of one name are reported."""
    for name in ("one", "two"):
        info = tmp_path / f"cratewright_{name}-0.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: cratewright-{name}\nVersion: 0.3\n")
        (info / "entry_points.txt").write_text(f"[cratewright]\n{name} = cratewright_{name}\n")
        if name == "one":
            (tmp_path / "cratewright_one.py").write_text(MORE.replace('"shout": True', '"opt_level": 3'))

    def run(*words: str) -> tuple[int, str]:
        path = os.pathsep.join([str(tmp_path), str(ROOT / "site_scons")])
        done = subprocess.run(
            [sys.executable, "-m", "cratewright", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    assert run("count", "--count", "3") == (0, "3 crates")
    assert "count count crates (cratewright-one 0.3)" in run("--help")[1]
    assert "usage: cratewright count" in run("count", "--help")[1]
    status, output = run("backends")
    assert status == 2 and "plugin two (cratewright-two 0.3): broken" in output and "commands: count" in output
    assert "profiles: loud louder" in output
    (tmp_path / "cratewright_two.py").write_text(MORE)
    status, output = run("backends")
    assert (
        status == 2
        and "two plugins offer a command 'count' one: cratewright-one 0.3 two: cratewright-two 0.3" in output
    )
    assert run("count") == (0, "0 crates")
    (tmp_path / "cratewright_one.py").write_text(MORE)
    status, output = run("backends")
    assert status == 2 and "plugin 'one' offers the profile 'loud' with 'shout'" in output
    assert "plugin one (cratewright-one 0.3): broken" in output
