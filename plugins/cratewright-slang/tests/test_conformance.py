"""The Slang backend passes the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from cratewright import CrateType
from cratewright.testing import Conformance


class TestSlang(Conformance):
    """A shader, and a module that it imports and that includes a file."""

    backend = "slang"
    sources: ClassVar[Mapping[str, str]] = {
        "sky.slang": "import lib.square;\nRWStructuredBuffer<float> d;\n"
        '[shader("compute")] [numthreads(64, 1, 1)] void main(uint3 i : SV_DispatchThreadID) {\n'
        "  d[i.x] = square(d[i.x]);\n}\n",
        "lib/square.slang": 'module square;\n#include "scale.h"\n'
        "public float square(float x) { return x * x * SCALE; }\n",
    }
    files: ClassVar[Mapping[str, str]] = {"lib/scale.h": "#define SCALE 2.0\n"}
    bad_source = (
        "bad.slang",
        '[shader("compute")] [numthreads(1, 1, 1)] void main() {\n  nothing();\n}\n',
    )
    crate_types = (CrateType.CDYLIB,)
