"""Backends that report where their methods are called."""

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
    """Works in its own process, so it must be called in a worker."""

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return the ids of the process and of the thread."""
        return ModuleCodegen(name=module.name, data=f"{os.getpid()} {threading.get_ident()}".encode())


class RunsPrograms(Works):
    """Declares that it leaves all work to programs."""

    RUNS_PROGRAMS = True


class TakesTime(RunsPrograms):
    """Declares the same, and takes a while."""

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return the times of its begin and end."""
        began = time.monotonic()
        time.sleep(0.1)
        return ModuleCodegen(name=module.name, data=f"{began} {time.monotonic()}".encode())


class Portably(RunsPrograms):
    """Runs a program remotely for each unit if it may, and records whether it may."""

    allowed: ClassVar[list[bool]] = []

    def is_portable(self, call: BackendCall[Any]) -> bool:
        """Return True for units."""
        return call.name == "compile_codegen_unit"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Run a program remotely if possible, then compile here."""
        Portably.allowed.append(runs_elsewhere())
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
