"""Fixtures of the wasm backend's tests: they build crates and run modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cratewright import CrateType
from cratewright.testing import Built, SconsProject, Trial, require_tool
from cratewright_wasm.backend import WasmBackend
from cratewright_wasm.toolchain import FREESTANDING

Build = Callable[..., bytes]


class Instance:
    """A module in wasmtime; `logged` lists the arguments of its calls of `env.log`."""

    def __init__(self, data: bytes) -> None:
        import wasmtime

        self.logged: list[int] = []
        store = wasmtime.Store()
        linker = wasmtime.Linker(store.engine)
        linker.define_wasi()
        store.set_wasi(wasmtime.WasiConfig())
        log = wasmtime.FuncType([wasmtime.ValType.i32()], [])
        linker.define_func("env", "log", log, self.logged.append)
        self._store = store
        self._exports = linker.instantiate(store, wasmtime.Module(store.engine, data)).exports(store)
        self.names = sorted(name for name in self._exports if name != "memory")

    def call(self, name: str, *arguments: int) -> Any:
        """Call an exported function."""
        return self._exports[name](self._store, *arguments)


@pytest.fixture(autouse=True)
def tools() -> None:
    """Skip the test, or fail it, by the name of a missing tool."""
    for name in ("ziglang", "wasmtime"):
        require_tool(find_spec(name) is not None, name)


@pytest.fixture
def run() -> Callable[[bytes], Instance]:
    """Return a function that instantiates a module."""
    return Instance


@pytest.fixture
def trial(tmp_path: Path) -> Callable[..., Built]:
    """Return a function that builds one crate."""

    def build(
        sources: Mapping[str, str | bytes],
        *,
        files: Mapping[str, str] | None = None,
        kind: CrateType = CrateType.CDYLIB,
        target: str = FREESTANDING,
        environ: Mapping[str, str] | None = None,
        **options: object,
    ) -> Built:
        return Trial(
            backend=WasmBackend,
            sources={name: text if isinstance(text, bytes) else text.encode() for name, text in sources.items()},
            files={name: text.encode() for name, text in (files or {}).items()},
            crate_types=(kind,),
            target=target,
            environ=environ or {},
            options=options,
        ).build(str(tmp_path), workers=False)

    return build


@pytest.fixture
def module(trial: Callable[..., Built]) -> Build:
    """Return a function that builds one crate and returns its module."""

    def build(sources: Mapping[str, str | bytes], **words: Any) -> bytes:
        (data,) = trial(sources, **words).artifacts.values()
        return data

    return build


@pytest.fixture
def project(tmp_path: Path) -> SconsProject:
    """Return an empty SCons project."""
    return SconsProject(tmp_path / "project")
