"""The native backend passes the conformance suite."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from cratewright import CrateType
from cratewright.testing import Conformance


class TestNative(Conformance):
    """A program of two sources, one of which includes a header."""

    backend = "native"
    sources: ClassVar[Mapping[str, str]] = {
        "main.c": '#include <stdio.h>\nint square(int);\nint main(void) { return printf("%d\\n", square(3)) < 0; }\n',
        "lib/square.c": '#include "scale.h"\nint square(int x) { return x * x * SCALE; }\n',
    }
    files: ClassVar[Mapping[str, str]] = {"lib/scale.h": "#define SCALE 2\n"}
    bad_source = ("bad.c", "int main(void) {\n    return nothing;\n}\n")
    crate_types = (CrateType.BIN,)

    def behaviour(self, artifacts: Mapping[str, bytes], directory: Path) -> object:
        ((name, data),) = artifacts.items()
        program = directory / name
        program.write_bytes(data)
        program.chmod(0o755)
        return subprocess.run([str(program)], capture_output=True, check=True).stdout
