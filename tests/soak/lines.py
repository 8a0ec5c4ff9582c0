"""Statements written one to a line."""

from __future__ import annotations


def statements_of(text: str) -> list[str]:
    """Return the statements of a text; those of several lines have `\\n` in theirs."""
    return [
        line.replace("\\n", "\n") if line.startswith(("try:", "def ")) else line for line in text.strip().splitlines()
    ]
