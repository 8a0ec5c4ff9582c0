"""Includes and macros: lookup of files, definitions, and several shaders from one source."""

from __future__ import annotations

import os
import struct

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.words import constants

WHICH = "store.data[i] = WHICH;"


def _bits(value: float) -> tuple[int]:
    (word,) = struct.unpack("=I", struct.pack("=f", value))
    return (word,)


def _define(value: float) -> str:
    return f"#define WHICH {value}\n"


LOOKUPS = {
    "beside, quoted": ('#include "w.h"\n', {"src/w.h": 11.0, "inc/w.h": 12.0}, 11.0),
    "in a directory, quoted": ('#include "w.h"\n', {"inc/w.h": 13.0, "more/w.h": 14.0}, 13.0),
    "angled ignores its own directory": ("#include <w.h>\n", {"src/w.h": 15.0, "inc/w.h": 16.0}, 16.0),
    "the second directory": ("#include <w.h>\n", {"more/w.h": 17.0}, 17.0),
    "a path": ('#include "../other/w.h"\n', {"other/w.h": 18.0}, 18.0),
    "a path below a directory": ("#include <sub/w.h>\n", {"inc/sub/w.h": 19.0}, 19.0),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_include_lookup(shaders: ShaderProject, name: str) -> None:
    directive, headers, expected = LOOKUPS[name]
    shaders.crates(
        'env.Crate("app", ["src/a.comp"], include_dirs=["inc", "more"], crate_type="cdylib")\n',
        {"src/a.comp": compute(WHICH, before=directive), "inc/.keep": "", "more/.keep": ""}
        | {path: _define(value) for path, value in headers.items()},
    )
    shaders.scons()
    assert _bits(expected) in constants(shaders.path / "app.spv")
    assert not constants(shaders.path / "app.spv") & {_bits(v) for v in headers.values() if v != expected}


def test_pipe_is_not_a_header(shaders: ShaderProject) -> None:
    shaders.crates(
        'env.Crate("app", ["a.comp"], include_dirs=["inc", "more"], crate_type="cdylib")\n',
        {"a.comp": compute(WHICH, before='#include "w.h"\n'), "inc/.keep": "", "more/w.h": _define(7.0)},
    )
    shaders.timeout = 30
    os.mkfifo(shaders.path / "inc/w.h")
    shaders.scons()
    assert _bits(7.0) in constants(shaders.path / "app.spv")
    (shaders.path / "more/w.h").unlink()
    shaders.scons(expect=2)
    assert 'a.comp:4:10: error: cannot find include "w.h"' in shaders.output


def test_nested_include_is_looked_up_beside_the_header_first(any_shaders: ShaderProject) -> None:
    any_shaders.crates(
        'env.Crate("app", ["src/a.comp", "src/b.frag.hlsl"], include_dirs=["inc"], crate_type="cdylib")\n',
        {
            "src/a.comp": compute(WHICH, before="#include <outer.h>\n"),
            "src/b.frag.hlsl": "#include <outer.h>\nfloat main() : SV_Target { return WHICH; }\n",
            "inc/outer.h": '#pragma once\n#include "w.h"\n',
            "inc/w.h": _define(21.0),
            "src/w.h": _define(22.0),
        },
    )
    any_shaders.scons()
    found = constants(any_shaders.path / "app.spv")
    assert _bits(21.0) in found and _bits(22.0) not in found


def test_source_defines_override_those_of_the_crate(shaders: ShaderProject) -> None:
    shaders.crates(
        'env.Crate("app", ["a.comp", ("b.comp", {"defines": ["WHICH=32.0"]})], '
        'defines={"WHICH": "31.0", "TWICE": None}, crate_type="cdylib", multimodule=True)\n',
        dict.fromkeys(
            ("a.comp", "b.comp"),
            compute("#ifdef TWICE\n store.data[i] = WHICH;\n#else\n store.data[i] = 30.0;\n#endif\n"),
        ),
    )
    shaders.scons()
    found = {name: constants(shaders.path / "app.spvs" / name) for name in ("a.comp.spv", "b.comp.spv")}
    assert _bits(31.0) in found["a.comp.spv"] and _bits(32.0) not in found["a.comp.spv"]
    assert _bits(32.0) in found["b.comp.spv"] and _bits(31.0) not in found["b.comp.spv"]
    assert _bits(30.0) not in found["a.comp.spv"] | found["b.comp.spv"]


def test_variants_of_one_source(any_shaders: ShaderProject) -> None:
    any_shaders.crates(
        "rows = [('a.comp', {'name': f'half/v{n}', 'defines': {'WHICH': f'{n}.5'}}) for n in (41, 42, 43)]\n"
        'env.Crate("app", rows, crate_type="cdylib", multimodule=True)\n',
        {"a.comp": compute(WHICH)},
    )
    any_shaders.scons()
    assert "crate app: 3 units: 3 compiled, 0 reused" in any_shaders.output
    for number in (41, 42, 43):
        path = any_shaders.path / f"app.spvs/half/v{number}.comp.spv"
        assert _bits(number + 0.5) in constants(path)
    assert len(any_shaders.manifest("app")["entry_points"]) == 3
    assert {row["source"] for row in any_shaders.manifest("app")["entries"]} == {"a.comp"}


def test_included_function_is_not_exported(shaders: ShaderProject) -> None:
    """Two units include the definition of one function, which must not be a duplicate symbol."""
    caller = '#version 460\n#include "inc.h"\nfloat {0}(float x) {{ return shared_by_text(x) + {1}; }}\n'
    shaders.crates(
        'env.Crate("app", ["a.comp", "one.glsl", "two.glsl"], crate_type="cdylib")\n',
        {
            "inc.h": "float shared_by_text(float x) { return 0.25 * x; }\n",
            "one.glsl": caller.format("one", "51.0"),
            "two.glsl": caller.format("two", "52.0"),
            "a.comp": compute(
                "store.data[i] = one(1.0) + two(2.0);", before="float one(float x);\nfloat two(float x);"
            ),
        },
    )
    shaders.scons()
    assert {_bits(51.0), _bits(52.0)} <= constants(shaders.path / "app.spv")


def test_outputs_do_not_depend_on_the_path_of_a_repository(shaders: ShaderProject) -> None:
    """Neither does the debug information."""
    outputs = []
    for place in ("one", "another/place"):
        there = ShaderProject(shaders.path / place / f"repository of {place[:3]}", form=shaders.form)
        there.write(
            {
                "src/lib/f.glsl": '#include "near.h"\n#include "far.h"\nfloat f(float x) { return near(x) + far(x); }',
                "src/lib/near.h": '#include "deep/more.h"\nfloat near(float x) { return more(x) * 2.0; }\n',
                "src/lib/deep/more.h": "float more(float x) { return x * 3.0; }\n",
                "src/inc/far.h": "float far(float x) { return x * 5.0; }\n",
                "top.h": "#define TOP 7.0\n",
                "a.comp": compute("store.data[i] = f(TOP);", before='float f(float x);\n#include "top.h"'),
            }
        )
        here = ShaderProject(shaders.path / place / "here", form=shaders.form)
        here.crates(
            'lib = env.Crate("lib", ["src/lib/f.glsl"], include_dirs=["src/inc"], debuginfo="line")\n'
            'env.Crate("app", ["a.comp"], deps=[lib], crate_type="cdylib", debuginfo="line")\n'
        )
        here.write({"SConstruct": f"Repository({str(there.path)!r})\n" + here.read("SConstruct")})
        here.scons()
        files = ("lib.rlink", "liblib.rlib", "app.rlink", "app.spv", "app.spv.json")
        outputs.append([(here.path / name).read_bytes() for name in files])
        assert here.up_to_date()
    assert outputs[0] == outputs[1]
    assert b"src/lib/deep/more.h" in outputs[0][0] and b"repository of" not in b"".join(outputs[0])
    there.write({"src/lib/f.glsl": "float f(float x) { return x }\n"})
    here.scons(expect=2)
    assert "src/lib/f.glsl:1:" in here.error() and "repository of" not in here.error()


def test_parent_of_a_linked_directory(shaders: ShaderProject) -> None:
    files = {f"{place}/inc/h.h": '#include "../up.h"\n' for place in ("one", "two")}
    ups = {"up.h": _define(1.0), "one/up.h": _define(2.0), "two/up.h": _define(3.0)}
    hlsl = "RWStructuredBuffer<float> d : register(u0);\n[numthreads(1, 1, 1)] void main() { d[0] = WHICH; }\n"
    shaders.crates(
        'Default(env.Crate("by_header", ["by_header.comp"], crate_type="cdylib", include_dirs=["inc"]))\n'
        'Default(env.Crate("by_name", ["by_name.comp"], crate_type="cdylib"))\n'
        'Default(env.Crate("by_source", ["src/by_source.comp"], crate_type="cdylib"))\n'
        'Default(env.Crate("by_directory", ["by_directory.comp.hlsl"], crate_type="cdylib", include_dirs=["inc/.."]))\n'
        'Default(env.Crate("from_root", ["by_directory.comp.hlsl"], crate_type="cdylib", include_dirs=["#inc/.."]))\n',
        {
            **files,
            **ups,
            "by_header.comp": compute(WHICH, before="#include <h.h>\n"),
            "by_name.comp": compute(WHICH, before='#include "inc/../up.h"\n'),
            "one/inc/by_source.comp": compute(WHICH, before='#include "../up.h"\n'),
            "two/inc/by_source.comp": compute(WHICH, before='#include "../up.h"\n'),
            "by_directory.comp.hlsl": f"#include <up.h>\n{hlsl}",
        },
    )
    images = ["by_header", "by_name", "by_source", "by_directory", "from_root"]
    for place, value in (("one", 2.0), ("two", 3.0)):
        for link in ("inc", "src"):
            (shaders.path / link).unlink(missing_ok=True)
            (shaders.path / link).symlink_to(f"{place}/inc")
        shaders.scons()
        for image in images:
            assert _bits(value) in constants(shaders.path / f"{image}.spv"), image
        assert shaders.up_to_date()
