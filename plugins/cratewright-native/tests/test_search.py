"""Search paths, include directives and missing paths, without a compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright_native.lookups.observe import Search, observe, read_facts
from cratewright_native.lookups.search_path import SearchPath, parse_search_path
from cratewright_native.lookups.world import World


def test_bundled_files_are_not_observed(tmp_path: Path) -> None:
    bundle = str(tmp_path / "bundle") + "/"
    search = Search(path=SearchPath(angled=("inc", bundle + "one", bundle + "two")))
    (tmp_path / "inc").mkdir()
    files = {"a.c": read_facts(b""), bundle + "two/x.h": None}
    found, _ = observe("a.c", files, search, root=str(tmp_path), bundled=bundle)
    assert [(item.path, item.digest) for item in found] == [("inc/x.h", None)]


def test_parsing_of_search_paths() -> None:
    output = (
        'ignoring nonexistent directory "no/where"\n#include "..." search starts here:\n ./q\n'
        "#include <...> search starts here:\n .\n inc\n /usr/include\n /L (framework directory)\n"
        "End of search list.\nx.c:1:1: warning: w\n"
    )
    assert parse_search_path(output) == SearchPath(("q",), ("", "inc", "/usr/include", "/L"), ("no/where",))
    assert parse_search_path("") == SearchPath()


@pytest.mark.parametrize(
    ("text", "computed"),
    [
        (b"#include NAME\n", True),
        (b"  /* c */ # include NAME\n", True),
        (b"/* c\n */ #include NAME\n", True),
        (b"%:include NAME\n", True),
        (b"// You should #include this.\n", False),
        (b" * a \\#include is meant\n", False),
        (b'#include "a.h"\n#include <b.h>\n', False),
    ],
)
def test_only_directives_count_as_computed_includes(text: bytes, computed: bool) -> None:
    assert read_facts(text).directives.computed is computed


def test_misses_together_equal_misses_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "here" / "sub").mkdir(parents=True)
    (tmp_path / "here" / "file.h").write_text("")
    (tmp_path / "here" / "to_nothing.h").symlink_to("gone")
    paths = ["x.h", "here/x.h", "here/sub", "here/file.h", "here/file.h/y.h", "here/to_nothing.h", "here/.", "here/.."]
    paths += ["gone/a.h", "gone/deep/b.h", "here/sub/c.h", "/x.h", "/usr/gone.h", "/gone/d.h", "here", str(tmp_path)]
    one, all_at_once = World(str(tmp_path)), World(str(tmp_path))
    for path in paths:
        one.miss(path)
    all_at_once.miss_all(paths)
    assert all_at_once.found == one.found
    assert one.found["gone"] is None
    assert "here/file.h" not in one.found
