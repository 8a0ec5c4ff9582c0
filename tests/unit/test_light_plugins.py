"""A plugin whose backend is not used loads only its declarations, nothing that compiles or links."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """\
import sys, cratewright_{name}
cratewright_{name}.cratewright_register_backend()
print(*sorted(name for name in sys.modules if name.startswith("cratewright_") or name == "ctypes"))
"""
HEAVY = {"checks", "codegen", "libslang", "link", "linker", "lto", "reflect", "unit"}


@pytest.mark.parametrize("name", ["native", "slang", "spirv", "wasm"])
def test_registering_does_not_load_the_compiler(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(name=name)],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {module.rpartition(".")[2] for module in done.stdout.split()}
    assert "backend" in loaded
    assert not loaded & {*HEAVY, "ctypes"}
