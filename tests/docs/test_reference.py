"""The generated parts of the reference match the tables in the code."""

from __future__ import annotations

import pytest

from tests.support.paths import ROOT
from tests.support.reference import MARKER, PAGES


@pytest.mark.parametrize("page", PAGES)
def test_reference_page_is_current(page: str, request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "reference" / page
    head, marker, made = path.read_text(encoding="utf-8").partition(MARKER)
    wanted = f"\n{PAGES[page]()}".rstrip("\n") + "\n"
    if request.config.getoption("--bless"):
        path.write_text(f"{head}{MARKER}{wanted}", encoding="utf-8")
    else:
        assert marker and made == wanted, f"{page} differs from the code: run with --bless, then read it"
