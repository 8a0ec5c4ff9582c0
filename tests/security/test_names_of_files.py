"""File names on disk and in workspaces are data: accepted or refused, but never expanded or run."""

from __future__ import annotations

import os

import pytest

from tests.support.scons_project import SconsProject

RUNS = "${__import__('os').system('touch RAN')}"
NAMES = [
    RUNS,
    "$X",
    "$$",
    "a b",
    "#hash",
    "-o",
    "-x c",
    "@resp",
    "=eq",
    "%d%s",
    "a;b",
    "\u00fc",
    "q'",
    "a,b",
    "a:b",
    "`t`",
]
REFUSED = ["new\nline", "tab\t", "esc\x1b[31m", "lat\udce9", "back\\slash", 'quo"te', "turn\u202e"]


def _workspace(project: SconsProject, names: list[str]) -> None:
    files = {f"sources/{name}.stub": f"entry e{number}\n" for number, name in enumerate(names)}
    files |= {f"{name}/crates.toml": '[crate.other]\nsources = ["s.stub"]\n' for name in names}
    files |= {f"{name}/s.stub": f"export f{number}\n" for number, name in enumerate(names)}
    dirs = ", ".join(f"'''{name}'''" for name in names)
    units = ", ".join(f"'''{name}/s.stub'''" for name in names[:-2])
    calls = "".join(f"env.CrateWorkspace(env.fs.File({f'./{name}/crates.toml'!r}))\n" for name in names)
    project.sconstruct(f'env.CrateWorkspace("crates.toml")\n{calls}')
    project.write(
        {
            "crates.toml": f'[crate.a]\nsources = ["sources/*"]\ntype = "cdylib"\ninclude-dirs = [{dirs}]\n'
            f"[crate.b]\nsources = [{units}]\n"
            f"profile = 'own'\n[profile.own]\nexport-include-dirs = [{dirs}]\n",
            **files,
        }
    )


def test_names_are_never_run(scons_project: SconsProject) -> None:
    """Try names of sources, include directories and workspace directories in one build."""
    _workspace(scons_project, NAMES)
    scons_project.scons()
    assert f"crate a: {len(NAMES)} units: {len(NAMES)} compiled, 0 reused" in scons_project.output
    assert all(scons_project.exists(f"{name}/libother.rlib") for name in NAMES)
    assert scons_project.up_to_date()
    assert not list(scons_project.path.rglob("RAN*"))
    scons_project.scons("-c")
    left = [name for name in os.listdir(scons_project.path / RUNS) if name not in ("crates.toml", "s.stub")]
    assert not left


def test_nodes_from_glob_are_not_expanded(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env.Crate("a", Glob("sources/*"), crate_type="cdylib")\n')
    scons_project.write({f"sources/{name}.stub": f"entry e{number}\n" for number, name in enumerate(NAMES)})
    scons_project.scons()
    assert f"{len(NAMES)} compiled" in scons_project.output and not list(scons_project.path.rglob("RAN*"))
    scons_project.sconstruct('env["X"] = "sources"\nenv.Crate("a", "$X/a b.stub", include_dirs=["$X"])\n')
    scons_project.scons()


@pytest.mark.parametrize("name", REFUSED)
def test_names_unsafe_for_tools_are_refused(scons_project: SconsProject, name: str) -> None:
    scons_project.sconstruct('env.Crate("a", Glob("*.stub"))\n')
    (scons_project.path / f"{name}.stub").write_text("")
    scons_project.scons(expect=2)
    assert "scons: *** crate 'a'" in scons_project.output and "Traceback" not in scons_project.output
    assert not set(scons_project.output) & set("\x1b\u202e")
