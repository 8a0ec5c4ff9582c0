"""Backends that each break one rule, to see that it is told."""

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
    "DeadOption",
    "Forgets",
    "FormsWithoutOptions",
    "HangsOnHash",
    "HangsOnMachine",
    "HasState",
    "LosesWhatIsExported",
    "Misspelt",
    "PlacelessErrors",
    "PromisesTooMuch",
    "ReadsByProgram",
    "ReadsInSecret",
    "ShowsThePath",
    "Watches",
]


def _marked(unit: CompiledUnit, mark: bytes) -> CompiledUnit:
    """Return a unit with a mark at the end of its module."""
    module = unit.modules[0]
    return replace(unit, modules=(replace(module, data=module.data + mark + b"\n"),))


class Watches(StubBackend):
    """Puts the time into results."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and note the second."""
        return _marked(super().compile_codegen_unit(stencil), f"made {int(time.time())}".encode())


class HangsOnHash(StubBackend):
    """Lets the order of a set decide."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and list a set."""
        return _marked(super().compile_codegen_unit(stencil), " ".join({"a", "b", "c", "d", "e", "f"}).encode())


class HangsOnMachine(StubBackend):
    """Says in its fingerprint where it is."""

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


class ReadsInSecret(StubBackend):
    """Reads a file that it does not report."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and read."""
        Path(self.session.root, "x.inc").read_bytes()
        return replace(super().compile_codegen_unit(stencil), observed=())


class Forgets(ReadsInSecret):
    """The same, seen from the cache: what it includes may change."""


class ReadsByProgram(StubBackend):
    """Lets a program read a file that it does not report."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and run a program."""
        run_program(["cat", "secret.txt"], what=stencil.path, cwd=self.session.root)
        return super().compile_codegen_unit(stencil)


class HasState(StubBackend):
    """Counts its calls, and says so in results."""

    RUNS_PROGRAMS = True
    _calls = 0

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and count."""
        HasState._calls += 1
        return _marked(super().compile_codegen_unit(stencil), str(HasState._calls).encode())


class PromisesTooMuch(StubBackend):
    """Declares a crate type that it cannot make."""

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Promise another file for one type."""
        names = super().output_names(crate, crate_type, options)
        return (*names, "more.out") if crate_type is CrateType.DYLIB else names


class DeadOption(StubBackend):
    """Has an option without effect."""

    OPTIONS = (*StubBackend.OPTIONS, OptionSpec(name="dead", kind=OptionKind.FLAG, default=False, help=""))


class FormsWithoutOptions(StubBackend):
    """Takes units for one that options tell apart."""

    UNIT_OPTIONS = StubBackend.UNIT_OPTIONS | {"debuginfo"}

    def canonical_form(self, stencil: UnitStencil) -> CanonicalForm | None:
        """Return the source alone."""
        return CanonicalForm(key=stencil.source)

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile and note a level."""
        return _marked(super().compile_codegen_unit(stencil), stencil.options.text("debuginfo").encode())


class Misspelt(StubBackend):
    """Has a method that is never called."""

    def print_pass_timing(self) -> dict[str, float]:
        """Return nothing."""
        return {}


class PlacelessErrors(StubBackend):
    """Says what is wrong, and not where."""

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile, and turn errors into mistakes of its own."""
        try:
            return super().compile_codegen_unit(stencil)
        except Exception as error:
            raise type(error)("something is wrong") from None


class LosesWhatIsExported(StubBackend):
    """Optimizes away what a link must offer."""

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return an empty module."""
        return replace(super().optimize_fat(module, config), data=b"")

    def link(self, request: LinkRequest) -> LinkResult:
        """Link what is left."""
        return super().link(request)
