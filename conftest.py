"""Configuration of every test run, of the core and of the plugins."""

from __future__ import annotations

import compileall
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from tests.support.exhaustive import exhaustive_cases  # noqa: E402

# No deadline: examples may take long on a busy machine. In CI they are the same in each run; elsewhere random.
_CI = "CI" in os.environ
for _name, _examples in (("quick", 25), ("default", 100), ("thorough", 2000)):
    settings.register_profile(
        _name, max_examples=_examples, deadline=None, derandomize=_CI, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("default")

LEFT_OUT = pytest.StashKey[int]()

# The longest tests, longest first.
LONG = (
    *("native_e2e/test_lua.py", "tests/test_link_errors.py::test_undefined_cxx_functions"),
    *("differential/test_rustc_formats.py", "spirv_e2e/test_remote_calls.py", "native_e2e/test_lld_parity.py"),
    "spirv_e2e/test_twins.py",
    *("spirv_e2e/test_settled", "native_e2e/test_null_build", "security/test_planted_entries.py::test_short_soak"),
    *("native_e2e/test_torture.py", "e2e/test_new_backend.py", "e2e/test_cache_soak.py", "e2e/test_workers.py"),
    *("docs/test_pages.py", "native_e2e/test_random_mixes.py"),
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Use one process more than there are processors, because tests often wait."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--exhaustive`."""
    text = "run only the tests that are left out by default"
    parser.addoption("--exhaustive", action="store_true", help=text)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Select the exhaustive tests or the others, and run the longest first, so that no worker is left with one."""
    exhaustive = exhaustive_cases(items)
    yield
    wanted = config.getoption("exhaustive")
    left_out = {item for item in items if (item in exhaustive) != wanted}
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]
    config.stash[LEFT_OUT] = 0 if wanted else len(left_out)

    def rank(item: pytest.Item) -> int:
        return next((number for number, word in enumerate(LONG) if word in item.nodeid), len(LONG))

    items.sort(key=rank)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the number of tests left out from a worker."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive the number from a worker; it is the same for all."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many tests were left out."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} exhaustive tests were left out; --exhaustive runs them")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, restore SIGINT, and compile the checkout to byte code once.

    Otherwise each `scons` would compile it again, at three times its cost: projects run with
    `PYTHONDONTWRITEBYTECODE`, because they edit modules faster than the time stamps in byte code can tell.
    """
    config.addinivalue_line("markers", "exhaustive(**values): a case that runs only with --exhaustive")
    config.addinivalue_line(
        "markers", "pairwise(**idle): every pair of values is tested by default; other cases are exhaustive"
    )
    # A background job of a shell ignores SIGINT, and so would every process that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        for path in (ROOT / "site_scons", *ROOT.glob("plugins/*/src")):
            compileall.compile_dir(path, quiet=2)
