"""A backend that says where its methods are called.

Knows nothing of what any test expects.
"""

from __future__ import annotations

import os
import threading

from cratewright.module import ModuleCodegen
from cratewright.request import ModuleConfig
from cratewright.testing import StubBackend

__all__ = ["RunsPrograms", "Works"]


class Works(StubBackend):
    """Does all work itself, so that it is never called where others could suffer."""

    def codegen(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Return the numbers of the process and of the thread."""
        return ModuleCodegen(name=module.name, data=f"{os.getpid()} {threading.get_ident()}".encode())


class RunsPrograms(Works):
    """Leaves all work to programs."""

    RUNS_PROGRAMS = True
