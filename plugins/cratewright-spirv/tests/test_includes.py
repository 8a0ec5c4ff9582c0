"""Resolving includes: the search order, and the paths that are observed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cratewright import Observed, SourceError
from cratewright_spirv.text.includes import MAX_DEPTH, IncludeResolver, redirect


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_h", ".h")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def resolver(root: Path, *directories: str, path: str = "src/u.glsl", text: bytes = b"") -> IncludeResolver:
    return IncludeResolver(str(root), directories, path, text)


def seen(path: str, text: str | None) -> Observed:
    return Observed(path, None if text is None else hashlib.sha256(text.encode()).hexdigest())


def test_quoted_names_are_searched_beside_the_file_first(tmp_path: Path) -> None:
    tree(tmp_path, src__a_h="near", inc__a_h="far")
    found = resolver(tmp_path, "inc")
    assert found.find("a.h", "src/u.glsl", angled=False).text == b"near"
    assert found.find("a.h", "src/u.glsl", angled=True).text == b"far"
    assert found.observed == (seen("src/a.h", "near"), seen("inc/a.h", "far"))


def test_missing_paths_are_observed(tmp_path: Path) -> None:
    tree(tmp_path, two__a_h="x")
    found = resolver(tmp_path, "one", "two")
    assert found.find("a.h", "src/u.glsl", angled=False).shown == "two/a.h"
    assert found.observed == (seen("src/a.h", None), seen("one/a.h", None), seen("two/a.h", "x"))


def test_include_is_relative_to_its_file(tmp_path: Path) -> None:
    tree(tmp_path, inc__deep__a_h="a", inc__b_h="b")
    found = resolver(tmp_path, "inc")
    first = found.find("deep/a.h", "src/u.glsl", angled=False)
    assert found.find("../b.h", first.shown, angled=False).shown == "inc/b.h"


def test_directory_is_not_included(tmp_path: Path) -> None:
    (tmp_path / "src" / "a.h").mkdir(parents=True)
    tree(tmp_path, inc__a_h="x")
    assert resolver(tmp_path, "inc").find("a.h", "src/u.glsl", angled=False).shown == "inc/a.h"


def test_files_outside_the_root_have_relative_names(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", src__u="")
    tree(tmp_path, shared__a_h="a", lib__b_h="b", lib__c_h="c")
    found = resolver(root, str(tmp_path / "lib"))
    assert found.find("../../shared/a.h", "src/u.glsl", angled=False).shown == "../shared/a.h"
    b = found.find("b.h", "src/u.glsl", angled=True)
    assert b.shown == "lib/b.h"
    assert found.find("c.h", b.shown, angled=False).shown == "lib/c.h"
    assert seen(str(tmp_path / "lib" / "c.h"), "c") in found.observed


def test_files_have_different_names(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", src__u="")
    tree(tmp_path, one__inc__a_h="1", two__inc__a_h="2", two__inc__b_h="2")
    found = resolver(root, str(tmp_path / "one" / "inc"), str(tmp_path / "two" / "inc"))
    a = found.find("a.h", "src/u.glsl", angled=True)
    b = found.find("b.h", "src/u.glsl", angled=True)
    other = found.find("a.h", b.shown, angled=False)
    assert (a.text, other.text) == (b"1", b"2")
    assert a.shown != other.shown


def test_file_included_twice_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path, a_h='#include "c.h"', b_h='#include "c.h"', c_h="c")
    found = resolver(tmp_path, path="u.glsl")
    for includer in ("a.h", "b.h"):
        found.find(includer, "u.glsl", angled=False)
        found.find("c.h", includer, angled=False)
    assert [item.path for item in found.observed] == ["a.h", "c.h", "b.h"]


def test_missing_include_names_the_searched_paths(tmp_path: Path) -> None:
    tree(tmp_path, src__a_h='\n#include "b.h"\n')
    found = resolver(tmp_path, "inc", text=b'#include "a.h"\n')
    found.find("a.h", "src/u.glsl", angled=False)
    with pytest.raises(SourceError) as caught:
        found.find("b.h", "src/a.h", angled=False)
    assert str(caught.value) == (
        'src/a.h:2:10: error: cannot find include "b.h"\n'
        "  looked for:    src/b.h\n"
        "                 inc/b.h\n"
        "  included from: src/u.glsl:1\n"
        "  hint:          add the directory that holds it to include_dirs"
    )


def test_too_deep_nesting_is_an_error(tmp_path: Path) -> None:
    tree(tmp_path, a_h='#include "a.h"')
    found = resolver(tmp_path, path="u.glsl", text=b'#include "a.h"')
    found.find("a.h", "u.glsl", angled=False, depth=1)
    with pytest.raises(SourceError, match=r"a\.h:1:10: error: includes nest deeper"):
        found.find("a.h", "a.h", angled=False, depth=MAX_DEPTH + 1)


def test_pragma_once_is_removed(tmp_path: Path) -> None:
    tree(tmp_path, a_h="#pragma once\nfloat x;\n")
    found = resolver(tmp_path, path="u.glsl").find("a.h", "u.glsl", angled=False)
    assert (found.once, found.text) == (True, b"\nfloat x;\n")


def test_redirect_replaces_include_names() -> None:
    text = b'#include "a.h"\n  # include <b.h> // c\n#include "c.h"\n'
    names = {"a.h": "0", "b.h": "1"}
    assert redirect(text, lambda name, _: names.get(name)) == b'#include "0"\n#include "1" // c\n#include "c.h"\n'


def test_parent_of_a_symbolic_link_is_that_of_its_target(tmp_path: Path) -> None:
    tree(tmp_path, real__inc__h_h="h", real__up_h="right", up_h="wrong", other__inc__h_h="h", other__up_h="other")
    (tmp_path / "inc").symlink_to("real/inc")
    (tmp_path / "src").symlink_to("real/inc")
    for name, includer, angled in (("inc/../up.h", "u.glsl", False), ("../up.h", "inc/h.h", False)):
        found = resolver(tmp_path, "inc", path="u.glsl")
        found.find("inc/h.h", "u.glsl", angled=False)
        included = found.find(name, includer, angled=angled)
        assert (included.shown, included.text) == ("real/up.h", b"right")
        assert found.observed[-1] == seen("inc/../up.h", "right")
    assert resolver(tmp_path).find("../up.h", "src/u.glsl", angled=False).shown == "real/up.h"
    assert resolver(tmp_path, "inc/..").find("up.h", "src/u.glsl", angled=True).text == b"right"
    # A missing directory leads nowhere, as for the compiler.
    with pytest.raises(SourceError):
        resolver(tmp_path, path="u.glsl").find("none/../up.h", "u.glsl", angled=False)


def test_file_by_two_paths_is_one_file(tmp_path: Path) -> None:
    tree(tmp_path, real__inc__h_h="#pragma once", real__up_h="#pragma once")
    (tmp_path / "inc").symlink_to("real/inc")
    found = resolver(tmp_path, path="u.glsl")
    names = [
        found.find(name, "u.glsl", angled=False).shown for name in ("inc/../up.h", "real/up.h", "real/inc/../up.h")
    ]
    assert names == ["real/up.h"] * 3
    assert [item.path for item in found.observed] == ["inc/../up.h", "real/up.h", "real/inc/../up.h"]
