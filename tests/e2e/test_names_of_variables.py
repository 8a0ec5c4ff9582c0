"""Variables named CRATE_*: unknown names are refused, and the command line takes precedence."""

from __future__ import annotations

from tests.support.scons_project import SconsProject

CRATE = 'env.Crate("app", ["a.stub"], crate_type="cdylib")\n'


def test_misspelt_variable_is_refused(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env["CRATE_PROFLE"] = "dev"\n' + CRATE, a="entry a\n")
    output = scons_project.scons(expect=2)
    assert "CRATE_PROFLE is not a known variable" in output
    assert "'CRATE_PROFILE'" in output and "SConstruct" in output
    scons_project.sconstruct(CRATE, a="entry a\n")
    assert "the command line" in scons_project.scons("CRATE_TIMEOTU=3", expect=2)
    scons_project.environ["CRATE_OPT_LEVLE"] = "3"
    assert "the process environment" in scons_project.scons(expect=2)
    del scons_project.environ["CRATE_OPT_LEVLE"]
    scons_project.environ["CRATE_DB_DATA_DIRECTORY"] = "/"
    scons_project.scons()


def test_command_line_takes_precedence(scons_project: SconsProject) -> None:
    scons_project.sconstruct('env["CRATE_SHOUT"] = False\n' + CRATE, a="entry a\n")
    scons_project.scons("CRATE_SHOUT=1")
    assert scons_project.read("app.cdylib") == "ENTRY A\n"
    assert "CRATE_TIMEOUT takes a number of seconds" in scons_project.scons("CRATE_TIMEOUT=x", expect=2)
    scons_project.scons()
    assert scons_project.read("app.cdylib") == "entry a\n"


def test_value_of_a_wrong_type_is_refused(scons_project: SconsProject) -> None:
    for setting, message in (
        ("CRATE_TARGET=['text', 'text2']", "CRATE_TARGET takes one string, not ['text', 'text2']"),
        ("CRATE_PROFILE=3", "CRATE_PROFILE takes one string, not 3"),
        ("CRATE_BACKEND=None", "crate 'app' has no backend"),
        ("CRATE_PROFILES=5", "CRATE_PROFILES takes options by profile, not 5"),
        ("CRATE_PROFILES={'mine': 5}", "CRATE_PROFILES takes options by profile, not {'mine': 5}"),
        ("CRATE_SHOUT=[5]", "'shout' takes"),
        ("CRATE_CACHE=['near', 'far']", "CRATE_CACHE takes one string, not ['near', 'far']"),
        ("CRATE_CACHE=False", "CRATE_CACHE takes one string, not False"),
        ("CRATE_EVENTS=3", "CRATE_EVENTS takes one string, not 3"),
        ("CRATE_TIMEOUT=[3]", "CRATE_TIMEOUT takes a number, not [3]"),
        ("CRATE_WORKERS=2", "CRATE_WORKERS takes one string, not 2"),
        ("CRATE_WORKERS='spwan'", "CRATE_WORKERS takes fork, spawn, threads, not 'spwan'"),
        ("CRATE_CACHE_VERIFY={}", "CRATE_CACHE_VERIFY takes True or False, not {}"),
        ("CRATE_CACHE_TOKEN=['secret']", "CRATE_CACHE_TOKEN takes one string, not list"),
    ):
        scons_project.sconstruct(f"env.Replace({setting})\n{CRATE}", a="entry a\n")
        output = scons_project.scons(expect=2)
        assert message in output and 'SConstruct", line 5' in output, output


def test_none_unsets_a_variable(scons_project: SconsProject) -> None:
    """As None does for an option."""
    unset = "env = env.Clone(CRATE_TARGET=None, CRATE_PROFILE=None, CRATE_SHOUT=None)\n"
    scons_project.sconstruct(f'env["CRATE_SHOUT"] = True\n{unset}{CRATE}', a="entry a\n")
    scons_project.scons()
    assert scons_project.read("app.cdylib") == "entry a\n"
