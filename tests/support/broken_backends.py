"""Backends that each break one rule of the conformance suite."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from cratewright import run_program
from cratewright.contract.session import Session
from cratewright.testing import StubBackend
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CanonicalForm, CompiledUnit, ModuleCodegen
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import Options
from cratewright.values.request import LinkRequest, LinkResult, ModuleConfig
from cratewright.values.stencil import UnitStencil

__all__ = [
    "CountsCalls",
    "DeadOption",
    "DependsOnPlace",
    "DependsOnSetOrder",
    "DropsExports",
    "FormsWithoutOptions",
    "IncludesUnreported",
    "Misspelt",
    "PlacelessErrors",
    "ProgramReadsUnreported",
    "PromisesTooMuch",
    "ReadsUnreported",
    "ShowsThePath",
    "UsesClock",
]


def _marked(unit: CompiledUnit, mark: bytes) -> CompiledUnit:
    """Return a unit with `mark` appended to its module."""
    module = unit.modules[0]
    return replace(unit, modules=(replace(module, data=module.data + mark + b"\n"),))


class UsesClock(StubBackend):
    """Puts the current time into results."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and note the second."""
        return _marked(super().compile_codegen_unit(stencil), f"made {int(time.time())}".encode())


class DependsOnSetOrder(StubBackend):
    """Puts the elements of a set into results, in its order."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and list a set."""
        return _marked(super().compile_codegen_unit(stencil), " ".join({"a", "b", "c", "d", "e", "f"}).encode())


class DependsOnPlace(StubBackend):
    """Puts the path of the project into its fingerprint."""

    def init(self, session: Session) -> None:
        """Keep the root."""
        super().init(session)
        self._root = session.root

    def fingerprint(self) -> str:
        """Return a version and a path."""
        return f"stub 1 in {self._root}"


class ShowsThePath(StubBackend):
    """Puts the path of the project into results."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and note the path."""
        return _marked(super().compile_codegen_unit(stencil), os.path.join(self.session.root, stencil.path).encode())


class ReadsUnreported(StubBackend):
    """Reads a file that it does not report."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and read."""
        Path(self.session.root, "x.inc").read_bytes()
        return replace(super().compile_codegen_unit(stencil), observed=())


class IncludesUnreported(ReadsUnreported):
    """The same fault, for the rule about changed includes."""


class ProgramReadsUnreported(StubBackend):
    """Runs a program that reads a file, which it does not report."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and run a program."""
        run_program(["cat", "secret.txt"], what=stencil.path, cwd=self.session.root)
        return super().compile_codegen_unit(stencil)


class CountsCalls(StubBackend):
    """Puts the number of calls into results."""

    RUNS_PROGRAMS = True
    _calls = 0

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and count."""
        CountsCalls._calls += 1
        return _marked(super().compile_codegen_unit(stencil), str(CountsCalls._calls).encode())


class PromisesTooMuch(StubBackend):
    """Declares a crate type that it cannot make."""

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Declare another file for dylibs."""
        names = super().output_names(crate, crate_type, options)
        return (*names, "more.out") if crate_type is CrateType.DYLIB else names


class DeadOption(StubBackend):
    """Has an option without effect."""

    OPTIONS = (*StubBackend.OPTIONS, OptionSpec(name="dead", kind=OptionKind.FLAG, default=False, help=""))


class FormsWithoutOptions(StubBackend):
    """Has a canonical form that ignores an option."""

    UNIT_OPTIONS = StubBackend.UNIT_OPTIONS | {"debuginfo"}

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm | None:
        """Return the source alone."""
        return CanonicalForm(key=stencil.source)

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and note a level."""
        return _marked(super().compile_codegen_unit(stencil), stencil.options.text("debuginfo").encode())


class Misspelt(StubBackend):
    """Misspells a method, which is therefore never called."""

    def print_pass_timing(self) -> dict[str, float]:
        """Return nothing."""
        return {}


class PlacelessErrors(StubBackend):
    """Reports errors without their place."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile, and drop the place from errors."""
        try:
            return super().compile_codegen_unit(stencil)
        except Exception as error:
            raise type(error)("something is wrong") from None


class DropsExports(StubBackend):
    """Optimizes away exported symbols."""

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return an empty module."""
        return replace(super().optimize_fat(module, config), data=b"")

    def link(self, request: LinkRequest) -> LinkResult:
        """Link what is left."""
        return super().link(request)
