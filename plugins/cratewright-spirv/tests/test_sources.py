"""The language, stage and entry points of a source: by suffix, pragma and attributes."""

from __future__ import annotations

import pytest

from cratewright import ConfigurationError, SourceError
from cratewright_spirv.text.sources import SourceUnit, classify, glsl_version


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("sky/clouds.comp", SourceUnit("glsl", "comp", "main", "clouds.comp")),
        ("clouds.comp.glsl", SourceUnit("glsl", "comp", "main", "clouds.comp")),
        ("post.frag.hlsl", SourceUnit("hlsl", "frag", "main", "post.frag")),
        ("a.b.rchit", SourceUnit("glsl", "rchit", "main", "a.b.rchit")),
        ("noise.glsl", SourceUnit("glsl", None, "main", "noise")),
        ("noise.v2.glsl", SourceUnit("glsl", None, "main", "noise.v2")),
        ("noise.hlsl", SourceUnit("hlsl", None, "main", "noise")),
        ("x.spvasm", SourceUnit("spvasm", None, "main", "x.spvasm")),
        ("x.spv", SourceUnit("spv", None, "main", "x.spv")),
    ],
)
def test_suffixes(path: str, unit: SourceUnit) -> None:
    assert classify(path, b"") == (unit,)


def test_pragma_gives_the_stage() -> None:
    text = b"#version 450\n#pragma shader_stage(tesscontrol)\n"
    assert classify("x.glsl", text) == (SourceUnit("glsl", "tesc", "main", "x.tesc"),)
    assert classify("x.tesc", text)[0].stage == "tesc"
    with pytest.raises(SourceError, match=r"x\.frag:2: error: the pragma says tesc, but the suffix says frag"):
        classify("x.frag", text)


def test_unknown_pragma_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SourceError, match="unknown shader stage 'computer'") as caught:
        classify("x.glsl", b"#pragma shader_stage(computer)\n")
    assert caught.value.hint == "did you mean 'compute'?"


def test_attributes_give_entry_points() -> None:
    text = b'[shader("compute")] [numthreads(1,1,1)]\nvoid cs() {}\n[shader("pixel")] float4 ps() : SV_Target {}'
    assert classify("post.hlsl", text) == (
        SourceUnit("hlsl", "comp", "cs", "post.cs"),
        SourceUnit("hlsl", "frag", "ps", "post.ps"),
    )
    assert classify("post.hlsl", text, "ps") == (SourceUnit("hlsl", "frag", "ps", "post.frag"),)
    with pytest.raises(SourceError, match=r"post\.hlsl:2: error: unknown shader stage 'fixel'"):
        classify("post.hlsl", b'\n[shader("fixel")] void f() {}')


def test_entry_point_option_is_for_hlsl_only() -> None:
    assert classify("post.frag.hlsl", b"", "ps")[0].entry_point == "ps"
    assert classify("post.frag", b"", "ps")[0].entry_point == "main"


@pytest.mark.parametrize(("path", "hint"), [("a.gsl", "did you mean '.glsl'?"), ("Makefile", "give the file")])
def test_unknown_suffix_is_refused(path: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match="not a source") as caught:
        classify(path, b"")
    assert hint in str(caught.value)


def test_version_directive() -> None:
    assert glsl_version(b"// c\n#version 450 core\n") == 450
    assert glsl_version(b"void main() {}") is None
