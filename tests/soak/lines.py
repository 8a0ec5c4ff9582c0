"""Tables of statements, one per line."""

from __future__ import annotations


def statements_of(text: str) -> list[str]:
    """Return the statements of a text; in compound ones, `\\n` stands for a line break."""
    return [
        line.replace("\\n", "\n") if line.startswith(("try:", "def ")) else line for line in text.strip().splitlines()
    ]
