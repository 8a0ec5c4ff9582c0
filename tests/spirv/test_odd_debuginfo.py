"""Malformed full debug information of compilers: still valid and correct after linking and LTO."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spirv.conftest import Validate
from tests.spirv.test_full_debuginfo import LIB, build
from tests.support.debug_info import read
from tests.support.shader_build import ShaderBuild

__all__ = ["build"]

ODD = {
    "size.comp": """\
#version 460
#include "odd.h"
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint COUNT = 4;
shared float held[COUNT * 2];
layout(set = 0, binding = 0) buffer Store { float data[]; } store;
void main() {
    float mine[COUNT];
    mine[1] = store.data[1];
    held[gl_LocalInvocationID.x] = mine[gl_LocalInvocationID.x & 1];
    barrier();
    float parts[2][2];
    changed(parts, 2u);
    store.data[0] = held[0] + parts[0][1];
    return;
}
""",
    "odd.h": "\n" * 20
    + """\
void changed(inout float all[2][2], const in uint by) {
    for (uint j = 0; j < by; ++j) {
        all[0][j] = sqrt(all[0][j]) * 2.125;
    }
}
""",
    "chain.comp": """\
#version 460
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 1) in;
layout(buffer_reference) buffer Node;
layout(buffer_reference, std430) buffer Node { float value; Node next; };
layout(push_constant) uniform Push { Node root; } push;
float lit(float x);
void main() {
    Node node = push.root;
    for (int i = 0; i < 3; ++i) {
        push.root.value += lit(node.value) * 2.25;
        node = node.next;
    }
}
""",
}


@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
@pytest.mark.parametrize("source", ["size.comp", "chain.comp"])
def test_malformed_debuginfo_is_repaired(
    build: ShaderBuild, source: str, lto: str, validate: Validate, tmp_path: Path
) -> None:
    """Sizes that are not constant, functions in includes, and types with references to themselves."""
    build.write(ODD)
    dirs = {"include_dirs": (".", "app", "lib"), "debuginfo": "full"}
    deps = [build.compile("lib", LIB, **dirs)]
    crate = build.compile("odd", [source], deps, **dirs)
    for level in ("0", "3"):
        image = build.link(crate, deps, lto=lto, opt_level=level)[source]
        (tmp_path / "image.spv").write_bytes(image.data)
        validate(tmp_path / "image.spv")
        debugged = read(image.data)
        number, place = (2.125, ("odd.h", 23)) if source == "size.comp" else (2.25, ("chain.comp", 11))
        found = {(each.place.file, each.place.line) for each in debugged.using(number) if each.place is not None}
        assert found == {place}
        assert debugged.functions["changed" if source == "size.comp" else "main"].line in (21, 8)
