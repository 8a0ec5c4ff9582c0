"""The files and symbols that docs/architecture.md names exist, where it says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/architecture.md"
PLACES = (ROOT / "site_scons/cratewright", ROOT, *sorted(ROOT.glob("plugins/*/src")))
LEAST = 90
"""Names that the page has; fewer mean that they are not found in it any more."""


def test_what_it_names_exists() -> None:
    named = set(re.findall(r"\b((?:\w+/)*\w+\.py)(?::(\w+))?", PAGE.read_text(encoding="utf-8")))
    named |= {(name, "") for name in re.findall(r"(?<!\S)([a-z]\w*/)(?= |$)", PAGE.read_text(encoding="utf-8"), re.M)}
    wrong = []
    for name, symbol in sorted(named):
        path = next((place / name for place in PLACES if (place / name).exists()), None)
        if path is None:
            wrong.append(f"{name} is not there")
        elif symbol and not re.search(
            rf"^ *(?:(?:async )?def|class) {symbol}\b|^ *{symbol}\b(?:: [^=\n]+)? =", path.read_text("utf-8"), re.M
        ):
            wrong.append(f"{name} has no {symbol}")
    assert not wrong, "\n".join(wrong)
    assert len(named) >= LEAST
