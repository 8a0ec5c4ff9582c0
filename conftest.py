"""What holds for every run of the tests, of the core and of the plugins."""

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

# Examples may take long on a busy machine. In CI they are the same in each run; on a desk chance may find more.
_CI = "CI" in os.environ
for _name, _examples in (("quick", 25), ("default", 100), ("thorough", 2000)):
    settings.register_profile(
        _name, max_examples=_examples, deadline=None, derandomize=_CI, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("default")

LEFT_OUT = pytest.StashKey[int]()

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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--exhaustive`."""
    text = "run the tests that are left out by default, and no others"
    parser.addoption("--exhaustive", action="store_true", help=text)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Leave out what is exhaustive, or all else; begin with what runs longest, or workers would wait for its end."""
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
    """Have a worker tell how many tests it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a worker tells; all leave out the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests were left out."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} exhaustive tests were left out; --exhaustive runs them")


def pytest_configure(config: pytest.Config) -> None:
    """Let interrupts through, and compile the checkout to byte code once.

    Each `scons` would otherwise compile it again, for three times its cost: projects run with
    `PYTHONDONTWRITEBYTECODE`, for they edit modules faster than byte code tells versions apart.
    """
    config.addinivalue_line("markers", "exhaustive(**values): a case that runs only with --exhaustive")
    config.addinivalue_line(
        "markers", "pairwise(**idle): a test whose values meet in pairs; other cases are exhaustive"
    )
    # A job of a shell that runs in the background ignores interrupts, and so would all that it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        for path in (ROOT / "site_scons", *ROOT.glob("plugins/*/src")):
            compileall.compile_dir(path, quiet=2)
