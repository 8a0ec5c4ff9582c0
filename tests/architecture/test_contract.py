"""Each method of the contract is called by the core and overridden by a plugin, as a search of the sources shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import cratewright
from cratewright.contract.methods import METHODS

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "site_scons" / "cratewright"
# Modules that only declare, check, test or forward methods.
NO_CALLERS = {"backend.py", "stub.py", "edge.py", "answers.py", "declared.py", "conformance.py", "trial.py"}
RUSTC = "codegen optimize optimize_fat optimize_thin prepare_thin print_pass_timings run_fat_lto run_link run_thin_lto"
"""The working methods of rustc's `WriteBackendMethods`, beside `serialize_module`."""
CALLED_BY_THE_EDGE = {"could_return", "init", "print_pass_timings"}


def _texts(paths: Iterable[Path]) -> Mapping[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in paths if "__pycache__" not in path.parts}


CALLERS = _texts(path for path in CORE.rglob("*.py") if path.name not in NO_CALLERS)
BACKENDS = _texts(ROOT.glob("plugins/*/src/**/*.py"))


@pytest.mark.parametrize("name", METHODS)
def test_method_is_called_and_overridden(name: str) -> None:
    called = re.compile(rf"(?:CodegenBackend|backend|load_backend\(path, session\))\.{name}\b")
    if name in CALLED_BY_THE_EDGE:
        called = re.compile(rf"(?:self|backend)\.{name}\(")
    texts = [*CALLERS.values(), *([(CORE / "contract" / "edge.py").read_text()] if name in CALLED_BY_THE_EDGE else [])]
    assert any(called.search(text) for text in texts), f"nothing calls {name}()"
    assert any(re.search(rf"    def {name}\(self\b", text) for text in BACKENDS.values()), (
        f"no plugin overrides {name}()"
    )


def test_table_of_rustcs_methods_is_complete() -> None:
    page = (ROOT / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", page.partition("## For readers of rustc")[2], re.M)
    documented = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}
    assert documented.keys() == {*RUSTC.split(), "serialize_module"}
    for name, text in documented.items():
        assert (name in METHODS) != text.startswith("not needed: "), name
        for capability in re.findall(r"`Capability\.(\w+)`", text):
            assert capability in cratewright.Capability.__members__


@pytest.mark.parametrize("package", [CORE, *sorted(ROOT.glob("plugins/*/src/*"))], ids=lambda path: path.name)
def test_every_package_is_typed(package: Path) -> None:
    assert (package / "py.typed").is_file()
