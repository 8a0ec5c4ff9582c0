"""Shaders in an SConstruct with its own variables, actions and options."""

from __future__ import annotations

from tests.spirv_e2e.shader_project import ShaderProject, compute

HOME = """\
Decider("timestamp-newer")
SetOption("implicit_cache", 1)
env.Replace(GLSLPATH=["inc"], GLSLDEFINES={"A": 1})
sky = env.Crate("sky", ["f.comp"], crate_type="cdylib")
late = env.Clone()
low = late.Crate("low", ["g.glsl"])
late.Append(GLSLPATH=["#other"], GLSLDEFINES=["B=2.0"])
late.Crate("sea", ["f2.comp"], deps=[low], crate_type="cdylib")

def say(word):
    def act(target, source, env):
        print("SAY", word, target[0])
    return Action(act, None)

if "say" in ARGUMENTS:
    AddPreAction(sky, say("before"))
    env.AddPostAction([sky, low.rlib], say("after"))
if "fail" in ARGUMENTS:
    env.AddPreAction(sky.rlink, Action("false"))
"""
FILES = {
    "inc/x.inc": "#define X 1.0\n",
    "other/y.inc": "#define Y B\n",
    "f.comp": compute("store.data[i] = X * A;", before='#include "x.inc"\n'),
    "f2.comp": compute("store.data[i] = X * Y * g();", before='#include "x.inc"\n#include "y.inc"\nfloat g();\n'),
    "g.glsl": "#version 460\nfloat g() { return B; }\n",
}


def _actions_run(shaders: ShaderProject) -> list[str]:
    return [line for line in shaders.output.splitlines() if line.startswith("SAY")]


def test_variables_actions_and_options(shaders: ShaderProject) -> None:
    """SCons expands GLSLPATH and GLSLDEFINES, actions run around stages, and changes are detected by content."""
    shaders.crates(HOME, FILES)
    shaders.scons("-j4")
    assert shaders.up_to_date()
    # Pre- and post-actions are part of a stage's action, so only that stage runs again.
    shaders.scons("say=1")
    expected = ["SAY after liblow.rlib", "SAY before sky.spv.json", "SAY after sky.spv.json"]
    assert sorted(_actions_run(shaders)) == sorted(expected)
    assert "Compiling" not in shaders.output
    assert shaders.up_to_date("say=1")
    shaders.write({"inc/x.inc": "#define X 3.0\n"})
    shaders.scons("say=1")
    assert _actions_run(shaders) == expected[1:]
    assert len([line for line in shaders.output.splitlines() if line.startswith("Compiling")]) == 2
    # A failed action leaves nothing up to date.
    shaders.write({"inc/x.inc": "#define X 5.0\n"})
    shaders.scons("say=1", "fail=1", "sky.spv.json", expect=2)
    assert "Linking sky" not in shaders.output
    shaders.scons("say=1")
    assert _actions_run(shaders) == expected[1:]
    assert shaders.up_to_date("say=1")
