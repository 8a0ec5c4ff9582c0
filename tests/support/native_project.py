"""The native backend with sources in a directory, without SCons; and the toolchains of this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cratewright import CompiledUnit, LtoMode, ModuleConfig, Options, Session, UnitStencil, digest_file
from cratewright.testing import require_tool
from cratewright.values.options import CORE_OPTIONS, parse_options
from cratewright_native.backend import NativeBackend
from cratewright_native.toolchains.session import toolchain_for
from cratewright_native.toolchains.toolchain import Toolchain
from cratewright_native.toolchains.zig import bundled_zig

__all__ = ["TARGET", "Project", "named", "options", "skip_without_thin"]

TABLE = (*CORE_OPTIONS, *NativeBackend.OPTIONS)
TARGET = NativeBackend.TARGETS[0]


def _clang() -> str:
    """Return the newest numbered clang that has its lld, or an empty string."""
    found = (f"clang-{major}" for major in range(40, 14, -1))
    return next((name for name in found if shutil.which(name) and shutil.which(f"ld.lld-{name[6:]}")), "")


def named(kind: str) -> str:
    """Return the value of CRATE_CC for a kind of toolchain; skip the test if it is not installed."""
    name = {"zig": "zig" if bundled_zig() else "", "llvm": _clang(), "gcc": shutil.which("gcc") and "gcc"}[kind]
    require_tool(bool(name), f"a toolchain of kind {kind}")
    return name or ""


def options(**given: object) -> Options:
    """Return complete options."""
    values = {spec.name: spec.default for spec in TABLE} | parse_options(given, TABLE, where="test")
    return Options(tuple(sorted(values.items())))


class Project:
    """A directory with sources, and the backend with one toolchain."""

    def __init__(self, root: Path, compiler: str, target: str = TARGET) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.target = target
        self.backend = NativeBackend()
        self.backend.init(Session(root=str(root), target=target, environ=(("CRATE_CC", compiler),)))

    @property
    def toolchain(self) -> Toolchain:
        return toolchain_for(self.backend.session, report=False)

    def write(self, **files: str | bytes) -> None:
        """Write files; `__` in a name stands for a directory, the last `_` for the dot."""
        for word, content in files.items():
            path = self.root / ".".join(word.replace("__", "/").rsplit("_", 1))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def stencil(self, path: str, **given: object) -> UnitStencil:
        """Return the stencil of a source."""
        return UnitStencil(
            backend="native",
            fingerprint=self.backend.fingerprint(),
            target=self.target,
            path=path,
            source=(self.root / path).read_bytes(),
            options=options(**given).only(self.backend.UNIT_OPTIONS),
        )

    def compile(self, path: str, **given: object) -> CompiledUnit:
        """Compile a source as the only one of its crate."""
        return self.backend.compile_codegen_unit(self.stencil(path, **given))

    def config(self, **given: object) -> ModuleConfig:
        """Return the configuration with which modules are lowered."""
        return ModuleConfig(target=self.target, options=options(**given).only(self.backend.LINK_OPTIONS))

    def is_current(self, unit: CompiledUnit) -> bool:
        """Return whether no file that a unit depends on has changed."""
        return all(digest_file(os.path.join(self.root, item.path)) == item.digest for item in unit.observed)

    def observed(self, unit: CompiledUnit) -> dict[str, str | None]:
        """Return the files below the project's root that a unit depends on."""
        return {item.path: item.digest for item in unit.observed if not os.path.isabs(item.path)}


def skip_without_thin(project: Project, lto: LtoMode) -> None:
    """Skip the test if it needs thin LTO and the toolchain has none."""
    if lto is LtoMode.THIN and not project.toolchain.supports_thin:
        pytest.skip("does not apply: this toolchain has no thin LTO")
