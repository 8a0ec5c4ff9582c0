"""The wasm backend passes the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from cratewright import CrateType
from cratewright.testing import Conformance
from cratewright_wasm.backend import WasmBackend


class TestWasm(Conformance):
    """A module of two sources, one of which includes a header."""

    backend = WasmBackend
    sources: ClassVar[Mapping[str, str]] = {
        "main.c": "int square(int);\nint twice(int x) { return 2 * square(x); }\n",
        "lib/square.c": '#include "scale.h"\nint square(int x) { return x * x * SCALE; }\n',
    }
    files: ClassVar[Mapping[str, str]] = {"lib/scale.h": "#define SCALE 3\n"}
    bad_source = ("bad.c", "int main(void) {\n    return nothing;\n}\n")
    crate_types = (CrateType.CDYLIB,)
    options: ClassVar[Mapping[str, object]] = {"debuginfo": "full"}

    def behaviour(self, artifacts: Mapping[str, bytes], directory: Path) -> object:
        """Return what a function of the module returns."""
        wasmtime = __import__("wasmtime")
        (data,) = artifacts.values()
        store = wasmtime.Store()
        exports = wasmtime.Instance(store, wasmtime.Module(store.engine, data), []).exports(store)
        return exports["twice"](store, 7), sorted(exports.keys())

    def with_tool(self, tool: Path) -> Mapping[str, str] | None:
        """Return the setting that names the compiler."""
        return {"CRATE_WASM_CLANG": str(tool)}
