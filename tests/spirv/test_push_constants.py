"""Each entry point of an image has its push constants under its own names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shader_build import Image, ShaderBuild

BLOCK = "#version 460\nlayout(push_constant) uniform P { int A; int B; } p;\n"
RESULT = "layout(local_size_x=1) in;\nlayout(set=0, binding=0) buffer O { int o; };\n"


def _members(image: Image) -> list[str]:
    return [member["name"] for member in image.row["push_constants"]["block"]["members"]]


def _named(text: str, a: str, b: str) -> str:
    return text.replace("A", a).replace("B", b)


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
@pytest.mark.parametrize("other", ["from", "count"], ids=["one unit", "units that disagree"])
def test_blocks_of_one_layout_keep_the_names_of_their_members(tmp_path: Path, lto: str, other: str) -> None:
    library = BLOCK + "int f_A() { return p.A + 2 * p.B; }\n"
    shader = RESULT + "int f_A();\nvoid main() { o = f_A(); }\n"
    own = BLOCK + RESULT + "void main() { o = p.A + 2 * p.B; }\n"
    with_both = BLOCK + RESULT + "int f_from();\nvoid main() { o = f_from() + p.A; }\n"
    build = ShaderBuild(tmp_path)
    build.write(
        {
            "from.glsl": _named(library, "from", "to"),
            "width.glsl": _named(library, "width", "height"),
            "from.comp": "#version 460\n" + _named(shader, "from", "to"),
            "width.comp": "#version 460\n" + _named(shader, "width", "height"),
            "own.comp": _named(own, "red", "green"),
            "both.comp": _named(with_both, other, "to"),
        }
    )
    made = build.compile("library", ["from.glsl", "width.glsl"])
    crate = build.compile("image", ["from.comp", "width.comp", "own.comp", "both.comp"])
    images = build.link(crate, [made], lto=lto)
    assert _members(images["from.comp"]) == ["from", "to"]
    assert _members(images["width.comp"]) == ["width", "height"]
    assert _members(images["own.comp"]) == ["red", "green"]
