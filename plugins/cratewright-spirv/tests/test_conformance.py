"""The SPIR-V backend passes the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cratewright import CrateType
from cratewright.testing import Conformance


class TestSpirv(Conformance):
    """A shader, and a library that it calls and that includes a file."""

    backend = "spirv"
    sources: ClassVar[Mapping[str, str]] = {
        "sky.comp": "#version 460\nlayout(local_size_x = 64) in;\n"
        "layout(set = 0, binding = 0) buffer D { float d[]; };\n"
        "float square(float x);\nvoid main() { d[gl_GlobalInvocationID.x] = square(d[gl_GlobalInvocationID.x]); }\n",
        "lib/square.glsl": '#version 460\n#include "scale.h"\nfloat square(float x) { return x * x * SCALE; }\n',
    }
    files: ClassVar[Mapping[str, str]] = {"lib/scale.h": "#define SCALE 2.0\n"}
    bad_source = ("bad.comp", "#version 460\nlayout(local_size_x = 1) in;\nvoid main() { nothing(); }\n")
    crate_types = (CrateType.CDYLIB,)
