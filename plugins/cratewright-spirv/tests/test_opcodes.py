"""The table of opcodes: it agrees with the grammar, and code uses its names instead of numbers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import cratewright_spirv
from cratewright_spirv.binary import opcodes

SOURCES = [path for path in sorted(Path(cratewright_spirv.__file__).parent.rglob("*.py")) if path.stem != "opcodes"]
_OPCODE_MASK = "65535"


def test_names_agree_with_the_grammar() -> None:
    named = {name: value for name, value in vars(opcodes).items() if name.isupper() and isinstance(value, int)}
    assert len(named) > 100
    for name, value in named.items():
        assert snake(opcodes.INSTRUCTIONS[value][0].removeprefix("Op")) == name


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def test_code_compares_opcodes_by_name() -> None:
    found = [f"{path.name}: {text}" for path in SOURCES for text in bare_opcodes(path.read_text(encoding="utf-8"))]
    assert found == []
    assert bare_opcodes("if words[0] & 0xFFFF in (op.NAME, 6): pass") == ["words[0] & 65535 in (op.NAME, 6)"]


def bare_opcodes(source: str) -> list[str]:
    """Return the comparisons of an opcode with numbers."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Name) and side.id == "opcode" for side in sides) or any(
                _OPCODE_MASK in ast.unparse(side) for side in sides
            ):
                others = [side for side in sides if _OPCODE_MASK not in ast.unparse(side)]
                if any(isinstance(each, ast.Constant) and each.value for side in others for each in ast.walk(side)):
                    found.append(ast.unparse(node))
    return found
