"""Arguments of a program in a file, because command lines are limited in length."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def response_file(name: str, words: Iterable[str], directory: Path) -> str:
    """Write words to a file in a directory, and return the word that refers to it.

    Source: the quoting of GNU response files, as drivers and linkers for ELF read them.
    """
    (directory / name).write_text("".join(f"{_quoted(word)}\n" for word in words), "utf-8", "surrogateescape")
    return f"@{name}"


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
