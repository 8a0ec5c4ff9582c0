"""Changing the class of a node that an SConstruct has named before the crate declares it.

This relies on behaviour of SCons 4.5 to below 5, the range in `pyproject.toml`.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from SCons.Node.FS import FS, Dir, File

from cratewright.scons.nodes.made_file import MadeFile
from cratewright.scons.nodes.node import change_class

ROOT = Path(__file__).resolve().parents[2]


def test_scons_changes_the_class_of_an_entry(tmp_path: Path) -> None:
    assert '"scons>=4.5,<5"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    fs = FS(str(tmp_path))
    node = fs.Entry("app.rlink")
    assert fs.File("app.rlink") is node
    assert type(node) is File


def test_file_becomes_a_made_file_and_stays_the_same_node(tmp_path: Path) -> None:
    fs = FS(str(tmp_path))
    node = fs.File("app.rlink")
    user = fs.File("user")
    user.add_source([node])
    change_class(node, MadeFile)
    assert type(node) is MadeFile
    assert fs.File("app.rlink") is fs.Entry("app.rlink") is user.sources[0] is node
    assert not node.exists()


def test_change_to_another_kind_of_node_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        change_class(FS(str(tmp_path)).File("app.rlink"), Dir)


def test_class_is_assigned_in_one_place() -> None:
    """The code of a function is assigned nowhere."""
    found = []
    for path in [*ROOT.glob("site_scons/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if re.search("__(class|code)__", text) else ():
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [item.attr for item in targets if isinstance(item, ast.Attribute)]
            elif isinstance(node, ast.Call) and "setattr" in ast.unparse(node.func):
                names = [item.value for item in node.args if isinstance(item, ast.Constant)]
            else:
                continue
            found += [f"{path.name}: {name}" for name in names if name in ("__class__", "__code__")]
    assert found == ["node.py: __class__"]
