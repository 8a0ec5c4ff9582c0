"""What the documentation shows is what happens: each page is followed from top to bottom.

A page that needs a tool which not every machine has names it in `NEEDS`.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.page import Walk, blocks, environ
from tests.support.paths import ROOT

ONE_FORM = True

DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
NEEDS = {
    "how-to/embed.md": ("cc", "c++"),
    "how-to/existing-sconstruct.md": ("cc", "c++"),
    "how-to/migrate.md": ("cc",),
    "how-to/stages.md": ("cc",),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_true(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    if not any(True for _ in blocks(text)):
        return
    missing = [tool for tool in NEEDS.get(page, ()) if shutil.which(tool) is None]
    if missing and not os.environ.get("CRATE_REQUIRE_TOOLS"):
        pytest.skip(f"{', '.join(missing)} not found")
    project = tmp_path / "project"
    project.mkdir()
    wrong = Walk(project, environ(tmp_path)).follow(text)
    assert not wrong, f"docs/{page}:" + f"\ndocs/{page}:".join(wrong)


def test_links_lead_somewhere() -> None:

    dead = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md"), *ROOT.glob("plugins/*/README.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                dead.append(f"{page.relative_to(ROOT)}: {target}")
    assert not dead
