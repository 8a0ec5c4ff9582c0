"""A backend in a distribution of its own, which concatenates texts."""

from __future__ import annotations

import cratewright

from .shout import shout


class Tiny(cratewright.CodegenBackend):
    """A minimal backend."""

    NAME = "tiny"
    API_VERSION = 1
    TARGETS = ("text",)
    SUFFIXES = (".txt",)
    supported_crate_types = frozenset({cratewright.CrateType.RLIB, cratewright.CrateType.BIN})

    def fingerprint(self) -> str:
        """Return the plugin's version."""
        return "tiny 0.3.1"

    def compile_codegen_unit(self, stencil: cratewright.UnitStencil) -> cratewright.CompiledUnit:
        """Make one module of a text."""
        module = cratewright.ModuleCodegen(name=".o", data=shout(stencil.source))
        return cratewright.CompiledUnit(modules=(module,))

    def output_names(
        self, crate: str, crate_type: cratewright.CrateType, options: cratewright.Options
    ) -> tuple[str, ...]:
        """Return the name of the only output."""
        return (f"{crate}.out",)

    def link(self, request: cratewright.LinkRequest) -> cratewright.LinkResult:
        """Join the modules."""
        data = b"".join(entry.module.data for entry in request.modules)
        return cratewright.LinkResult(artifacts=(cratewright.Artifact(f"{request.crate}.out", data),))


@cratewright.hookimpl
def cratewright_register_backend() -> type[cratewright.CodegenBackend]:
    """Register the backend."""
    return Tiny
