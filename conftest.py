"""What holds for every run of the tests, of the core and of the plugins."""

from __future__ import annotations

import compileall
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent

# How long an example takes says how busy the machine is; what chance alone finds is for a desk, not for CI.
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_configure(config: pytest.Config) -> None:
    """Let interrupts through, and compile the checkout to byte code once.

    Each `scons` would otherwise compile it again, for three times its cost: projects run with
    `PYTHONDONTWRITEBYTECODE`, for they edit modules faster than byte code tells versions apart.
    """
    # A job of a shell that runs in the background ignores interrupts, and so would all that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        for path in (ROOT / "site_scons", *ROOT.glob("plugins/*/src")):
            compileall.compile_dir(path, quiet=2)
