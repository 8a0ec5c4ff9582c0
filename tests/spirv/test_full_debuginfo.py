"""Full debug information after linking and LTO: each statement has the place in its source, also where it is inlined.

`debug_info` reads the images. Each line marked `@here` contains a unique number, by which its instruction is found;
each line with a call contains the name of the callee.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from cratewright_spirv.compilers.latest_wheel import usable_latest
from tests.spirv.conftest import Validate, missing
from tests.support.debug_info import Debugged, Frame, read
from tests.support.shader_build import Image, ShaderBuild

BUFFER = "layout(set = 0, binding = 0) buffer Store { float data[]; } store;\n"
HLSL = "RWStructuredBuffer<float> data : register(u0);\n"
FILES = {
    "app/first.comp": f"""\
#version 460
#include "shared.h"
layout(local_size_x = 64) in;
{BUFFER}
float lit(float x);
float state(float x);

float own(float x)
{{
    float inner = sqrt(x) * 1.015625;  // @here
    return inner;
}}

void main()
{{
    uint i = gl_GlobalInvocationID.x;
    float sum = store.data[i];
    for (int k = 0; k < 3; ++k) {{
        sum += sqrt(lit(sum)) * 1.03125;  // @here
        sum = own(sum);
    }}
    sum = shared_one(sum);
    store.data[i] = sqrt(state(sum)) * 1.046875;  // @here
}}
""",
    "app/second.frag": """\
#version 460
layout(location = 0) in float given;
layout(location = 0) out float shown;
float lit(float x);
void main() {
    if (given * 1.0625 > 3.0) {  // @here
        shown = lit(given);
    } else {
        shown = given * 1.078125;  // @here
    }
}
""",
    "app/third.comp.hlsl": HLSL
    + """\
float lit(float x);
float scaled(float x) {
    return sqrt(x) * 1.09375;  // @here
}
[numthreads(64, 1, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    float mine = data[id.x];
    data[id.x] = scaled(lit(mine));
}
""",
    "app/shared.h": """\
float shared_one(float y)
{
    // A header that nothing else includes.
    return sqrt(y) * 1.109375;  // @here
}
""",
    "lib/lit.glsl": """\
#version 460
#include "maths.h"
float deep(float x);

float lit(float x) {
    float mid = sqrt(squared(x)) * 1.125;  // @here
    return deep(mid);
}
float never_called(float x) { return x * 9.5; }
""",
    "lib/maths.h": "\nfloat squared(float v) {\n    float w = sqrt(v) * 1.140625;  // @here\n    return w * v;\n}\n",
    "lib/deep.hlsl": "float deep(float x) {\n    float z = sqrt(x) * 1.15625;  // @here\n    return z + x;\n}\n",
    "lib/state.glsl": """\
#version 460
float start = 2.0;
float count = start * 1.171875;

float state(float x)
{
    count += sqrt(x) * 1.1875;  // @here
    return count;
}
""",
}
APP = ("app/first.comp", "app/second.frag", "app/third.comp.hlsl")
LIB = ("lib/lit.glsl", "lib/deep.hlsl", "lib/state.glsl")
MARKED = {
    float(match[1]): (file, number)
    for file, text in FILES.items()
    for number, line in enumerate(text.splitlines(), 1)
    if (match := re.search(r"(\d\.\d{3,}).*// @here", line))
}
# The numbers that each entry point reaches.
REACHED = {
    "app/first.comp": {1.015625, 1.03125, 1.046875, 1.109375, 1.125, 1.140625, 1.15625, 1.1875},
    "app/second.frag": {1.0625, 1.078125, 1.125, 1.140625, 1.15625},
    "app/third.comp.hlsl": {1.09375, 1.125, 1.140625, 1.15625},
}
MODES = tuple(itertools.product(("off", "thin", "fat"), (False, True), ("0", "3", "s")))
FUNCTION_AT = {
    1.015625: "own",
    1.109375: "shared_one",
    1.125: "lit",
    1.140625: "squared",
    1.15625: "deep",
    1.1875: "state",
}


@pytest.fixture(scope="module", params=["wheel", "latest"])
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ShaderBuild:
    if request.param == "latest" and not usable_latest():
        missing("slangpy")
    # The newest glslang cannot read HLSL, so the wheel compiles it.
    made = ShaderBuild(tmp_path_factory.mktemp("full"), glslang="auto" if request.param == "latest" else "wheel")
    made.write(FILES)
    return made


def _link(build: ShaderBuild, library: str = "full", app: str = "full", **options: object) -> Mapping[str, Image]:
    dirs = {"include_dirs": ("app", "lib")}
    deps = [build.compile("lib", LIB, debuginfo=library, **dirs)]
    return build.link(build.compile("app", APP, deps, debuginfo=app, **dirs), deps, **options)


def _check_call_sites(debugged: Debugged) -> int:
    """Check that the line of each inlined call names the callee; return the number of calls."""
    count = 0
    for statement in debugged.statements:
        inner = statement.place
        for caller in statement.callers:
            assert inner is not None and inner.function is not None and caller.function is not None
            if inner.function.startswith("$init:"):
                # Initialisers are called at the beginning of the entry point.
                assert caller == debugged.functions[caller.function], caller
            elif inner.function != "@main":
                line = FILES[caller.file].splitlines()[caller.line - 1]
                assert f"{inner.function}(" in line, f"{inner} was inlined by {caller}: {line}"
            inner = caller
            count += 1
    return count


@pytest.mark.pairwise
@pytest.mark.parametrize(("lto", "multimodule", "level"), MODES)
def test_statements_have_their_source_lines(
    build: ShaderBuild, lto: str, multimodule: bool, level: str, validate: Validate, tmp_path: Path
) -> None:
    images = _link(build, lto=lto, multimodule=multimodule, opt_level=level)
    for source, image in images.items():
        (tmp_path / "image.spv").write_bytes(image.data)
        validate(tmp_path / "image.spv")
        debugged = read(image.data)
        for number in REACHED[source]:
            statements = debugged.using(number)
            assert statements, f"{source}: nothing is left of {MARKED[number]}"
            for statement in statements:
                assert statement.place is not None, f"{source}: {number} has no place"
                assert (statement.place.file, statement.place.line) == MARKED[number]
                assert statement.place.function == FUNCTION_AT.get(number, statement.place.function)
                # A function contains its lines, or is inlined, with its callers recorded.
                assert statement.callers or level == "0" or statement.place.function in ("main", "scaled", "@main")
        assert (_check_call_sites(debugged) > 0) == (level != "0")
        for file, text in debugged.sources.items():
            assert text == FILES[file], f"{file} is not in the image as it is"
        wanted = {MARKED[number][0] for number in REACHED[source]}
        assert wanted <= debugged.sources.keys()
        if multimodule:
            assert set(debugged.sources) <= wanted | {source}, "files that this image has nothing of"
            assert "never_called" not in debugged.functions
    if level == "0":
        _described(images)


def _described(images: Mapping[str, Image]) -> None:
    found = read(images["app/first.comp"].data)
    assert found.functions["lit"] == Frame("lib/lit.glsl", 5, "lit")
    assert found.functions["squared"] == Frame("lib/maths.h", 2, "squared")
    assert found.functions["deep"] == Frame("lib/deep.hlsl", 1, "deep")
    assert {("inner", "own"), ("x", "own"), ("mid", "lit"), ("v", "squared"), ("w", "squared"), ("z", "deep")} <= {
        (each.name, each.function) for each in found.variables
    }
    assert {("sum", "main"), ("k", "main"), ("i", "main"), ("count", None)} <= {
        (each.name, each.function) for each in found.variables
    }


@pytest.mark.pairwise
@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
@pytest.mark.parametrize(("library", "app"), [*itertools.permutations(("none", "line", "full"), 2)])
def test_debuginfo_differs_between_crates(
    build: ShaderBuild, lto: str, library: str, app: str, validate: Validate, tmp_path: Path
) -> None:
    """The level of the image's crate applies, and a dependency adds no more than its own level."""
    for level in ("0", "3"):
        images = _link(build, library, app, lto=lto, opt_level=level, multimodule=True)
        for source, image in images.items():
            (tmp_path / "image.spv").write_bytes(image.data)
            validate(tmp_path / "image.spv")
            debugged = read(image.data)
            assert bool(debugged.kinds) == (app == "full")
            files = {each.place.file for each in debugged.statements if each.place is not None}
            assert (source in files) == (app != "none")
            assert any(file.startswith("lib/") for file in files) == ("none" not in (library, app))
            assert b"squared(float v)" not in image.data
            for number in REACHED[source]:
                for statement in debugged.using(number):
                    if statement.place is not None and (app == "line" or level == "0"):
                        assert (statement.place.file, statement.place.line) == MARKED[number]


@pytest.mark.pairwise
@pytest.mark.parametrize("debuginfo", ["line", "full"])
@pytest.mark.parametrize(("lto", "multimodule"), [*itertools.product(("off", "thin", "fat"), (False, True))])
def test_split_debuginfo(build: ShaderBuild, lto: str, multimodule: bool, debuginfo: str) -> None:
    """The images equal those without debug information, and the files beside them those with it."""
    dirs = {"include_dirs": ("app", "lib")}
    for level, metadata in (("0", "none"), ("3", "none"), ("s", "full")):
        how = {"lto": lto, "multimodule": multimodule, "opt_level": level, "spirv_metadata": metadata}
        ways = {"plain": ("none", "none"), "full": (debuginfo, "none"), "split": (debuginfo, "split")}
        made = {}
        for way, (level_of_debuginfo, strip) in ways.items():
            debug_options = {"debuginfo": level_of_debuginfo, "strip": strip}
            deps = [build.compile("lib", LIB, **debug_options, **dirs)]
            made[way] = build.link_all(build.compile("app", APP, deps, **debug_options, **dirs), deps, **how)
        images = {name for name in made["plain"] if name.endswith(".spv")}
        assert len(images) == (3 if multimodule else 1)
        assert made["split"].keys() == made["plain"].keys() | {_beside(name) for name in images}
        rows = {row["path"]: row for row in json.loads(made["split"]["app.spv.json"])["modules"]}
        for name in images:
            assert made["split"][name] == made["plain"][name]
            assert made["split"][_beside(name)] == made["full"][name]
            told = rows[name]["debug"]
            assert told["path"] == _beside(name)
            assert told["sha256"] == hashlib.sha256(made["full"][name]).hexdigest()
            assert told["size"] == len(made["full"][name])
            assert told["same_code"], f"{name}: optimized in another way"


def _beside(image: str) -> str:
    return image.removesuffix(".spv") + ".dbg.spv"
