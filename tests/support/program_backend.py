"""A backend that says where its methods are called."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, ClassVar

from cratewright.system.elsewhere import Portable, run_elsewhere, runs_elsewhere
from cratewright.testing import StubBackend
from cratewright.values.call import BackendCall
from cratewright.values.module import CompiledUnit, ModuleCodegen
from cratewright.values.request import ModuleConfig
from cratewright.values.stencil import UnitStencil

__all__ = ["Portably", "RunsPrograms", "TakesTime", "Works"]


class Works(StubBackend):
    """Does all work itself, so that it is never called where others could suffer."""

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return the numbers of the process and of the thread."""
        return ModuleCodegen(name=module.name, data=f"{os.getpid()} {threading.get_ident()}".encode())


class RunsPrograms(Works):
    """Leaves all work to programs."""

    RUNS_PROGRAMS = True


class TakesTime(RunsPrograms):
    """Leaves all work to programs that take a while."""

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return when this began and ended."""
        began = time.monotonic()
        time.sleep(0.1)
        return ModuleCodegen(name=module.name, data=f"{began} {time.monotonic()}".encode())


class Portably(RunsPrograms):
    """Has a program run elsewhere for each unit, if that is worth it; takes note of whether it was."""

    asked: ClassVar[list[bool]] = []

    def is_portable(self, call: BackendCall[Any]) -> bool:
        """Say so of units."""
        return call.name == "compile_codegen_unit"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile here after all, whatever comes of it."""
        Portably.asked.append(runs_elsewhere())
        if runs_elsewhere():
            run_elsewhere(
                Portable(
                    root="/",
                    argv=("true",),
                    environ=(),
                    inputs={},
                    directories=frozenset(),
                    system={},
                    outputs=(),
                    tools="",
                )
            )
        return super().compile_codegen_unit(stencil)
