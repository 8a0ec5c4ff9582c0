"""The files and symbols that docs/architecture.md and the plugins' READMEs name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/architecture.md"
PLACES = (ROOT / "site_scons/cratewright", ROOT, *sorted(ROOT.glob("plugins/*/src")))
LEAST = 90
"""The page names at least as many files; fewer mean that the patterns below no longer find them."""


def test_files_and_symbols_exist() -> None:
    named = set(re.findall(r"\b((?:\w+/)*\w+\.py)(?::(\w+))?", PAGE.read_text(encoding="utf-8")))
    named |= {(name, "") for name in re.findall(r"(?<!\S)([a-z]\w*/)(?= |$)", PAGE.read_text(encoding="utf-8"), re.M)}
    wrong = []
    for name, symbol in sorted(named):
        path = next((place / name for place in PLACES if (place / name).exists()), None)
        if path is None:
            wrong.append(f"{name} does not exist")
        elif symbol and not re.search(
            rf"^ *(?:(?:async )?def|class) {symbol}\b|^ *{symbol}\b(?:: [^=\n]+)? =", path.read_text("utf-8"), re.M
        ):
            wrong.append(f"{name} has no {symbol}")
    assert not wrong, "\n".join(wrong)
    assert len(named) >= LEAST


@pytest.mark.parametrize("plugin", ["native", "slang", "spirv", "wasm"])
def test_readme_lists_the_modules_of_its_plugin(plugin: str) -> None:
    directory = ROOT / f"plugins/cratewright-{plugin}"
    text = (directory / "README.md").read_text(encoding="utf-8").partition("| module | holds |")[2].partition("\n\n")[0]
    listed = {name for row in re.findall(r"^\| (`[^|]+`) \|", text, re.M) for name in re.findall(r"`(\w+)`", row)}
    package = directory / f"src/cratewright_{plugin}"
    there = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert listed == there - {"__init__", "__pycache__"}
