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

# What runs longest, longest first.
LONG = (
    *("native_e2e/test_lua.py", "tests/test_link.py::test_functions_of_c_plus_plus"),
    *("differential/test_rustc_formats.py", "spirv_e2e/test_remote_calls.py", "native_e2e/test_same_set.py"),
    "spirv_e2e/test_twins.py",
    *("spirv_e2e/test_settled", "native_e2e/test_settled", "security/test_planted_entries.py::test_a_dose"),
    *("native_e2e/test_torture.py", "e2e/test_new_backend.py", "e2e/test_cache_soak.py", "e2e/test_workers.py"),
    *("docs/test_pages.py", "native_e2e/test_mixes.py"),
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Have one process more than there are processors, for tests wait: for time limits, and for what they start."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what runs longest: a worker that began it last would let the others wait."""

    def rank(item: pytest.Item) -> int:
        return next((number for number, word in enumerate(LONG) if word in item.nodeid), len(LONG))

    items.sort(key=rank)


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
