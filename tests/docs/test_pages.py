"""The documentation is executed: the files of each page are written, its commands run and their output compared.

`NEEDS` lists the tools of pages that need more than every machine has.
"""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from cratewright.testing import require_tool
from tests.support.page import PageRunner, blocks, environ
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
README = "../README.md"
NEEDS = {
    "how-to/embed.md": ("cc", "c++"),
    "how-to/existing-sconstruct.md": ("cc", "c++"),
    "how-to/migrate.md": ("cc", "c++"),
    "how-to/stages.md": ("cc",),
}
# Sources for the one SConstruct that each plugin's README shows; that of Slang is run by tests/slang_e2e.
SOURCES = {
    "native": {
        "include/text.h": "int width(void);\n",
        "text/width.c": '#include "text.h"\nint width(void) { return 80; }\n',
        "main.cpp": 'extern "C" {\n#include "text.h"\n}\nint main() { return width() - 80; }\n',
    },
    "wasm": {
        "hash/sum.h": "int sum(int);\n",
        "hash/sum.c": '#include "sum.h"\nint sum(int x) { return x + 1; }\n',
        "hash/mix.wat": '(module (func (export "mix") (param i32) (result i32) local.get 0))\n',
        "filter.cpp": 'extern "C" {\n#include "sum.h"\nint add(int x) { return sum(x); }\n'
        "int has(int x) { return x; }\n}\n",
    },
}
NOT_RUN = {
    ("README.md", "sh"): "it installs, which CI does",
    ("CONTRIBUTING.md", "sh"): "it installs, which CI does",
    ("examples/wasm-filter/README.md", "sh"): "it installs, which CI does",
    ("examples/from-cmake/README.md", "sh"): "tests/spirv_e2e/test_standalone.py",
    ("examples/from-meson/README.md", "sh"): "tests/spirv_e2e/test_standalone.py",
    ("plugins/cratewright-slang/README.md", "python"): "tests/slang_e2e/test_slang.py",
}


@pytest.mark.parametrize("page", [*PAGES, README])
def test_page_can_be_followed(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    if page == README:
        text = re.sub(r"```sh\n.*?```", "", text, flags=re.S)
    if not any(True for _ in blocks(text)):
        return
    missing = [tool for tool in NEEDS.get(page, ()) if shutil.which(tool) is None]
    if missing and not os.environ.get("CRATE_REQUIRE_TOOLS"):
        pytest.skip(f"{', '.join(missing)} not found")
    project = tmp_path / "project"
    project.mkdir()
    problems = PageRunner(project, environ(tmp_path)).follow(text)
    assert not problems, f"docs/{page}:" + f"\ndocs/{page}:".join(problems)


@pytest.mark.parametrize("plugin", SOURCES)
def test_sconstruct_of_a_plugin_readme(plugin: str, tmp_path: Path) -> None:
    for tool in {"native": ("cc",), "wasm": ("ziglang", "wasmtime")}[plugin]:
        require_tool(bool(shutil.which(tool) or find_spec(tool)), tool)
    for name, text in SOURCES[plugin].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (block,) = blocks((ROOT / f"plugins/cratewright-{plugin}/README.md").read_text(encoding="utf-8"))
    page = f"```python\n# SConstruct\nimport cratewright\n{block.text}```\n"
    page += "```console\n$ scons -Q . && rm SConstruct\n...\n```\n"
    problems = PageRunner(tmp_path, environ(tmp_path)).follow(page)
    assert not problems and not (tmp_path / "SConstruct").exists(), problems


def test_every_code_block_is_run() -> None:
    """`NOT_RUN` lists the exceptions outside `docs`, with reasons."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md"), *ROOT.glob("examples/*/README.md")]
    found = {
        (str(page.relative_to(ROOT)), block.language) for page in pages for block in blocks(page.read_text("utf-8"))
    }
    run = {("README.md", language) for language in ("glsl", "python", "console")}
    run |= {(f"plugins/cratewright-{plugin}/README.md", "python") for plugin in SOURCES}
    assert found == run | set(NOT_RUN)


def test_no_dead_links() -> None:
    """Files and headings that links name exist."""
    dead = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("plugins/*/*.md"), *ROOT.glob("examples/*/*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
            path = page.parent / target if target else page
            if not path.exists() or (anchor and anchor not in _anchors(path)):
                dead.append(f"{page.relative_to(ROOT)}: {target}#{anchor}")
    assert not dead


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
