"""Dependency files: one Make rule that tells another build system which files a result was made from.

Knows nothing of how the files were found.
Source: GNU make's manual, "Rule Syntax", and ninja's, "Depfiles": both read what gcc -MD writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from .errors import OutputError

__all__ = ["encode_depfile"]


def encode_depfile(target: str, inputs: Iterable[str]) -> bytes:
    """Return the rule that makes a target depend on its inputs, one a line, in the order given.

    Raises: OutputError for a path that no rule can hold.
    """
    rows = [f"{_escaped(target)}:", *(f"  {_escaped(path)}" for path in inputs)]
    return (" \\\n".join(rows) + "\n").encode("utf-8", "surrogateescape")


def _escaped(path: str) -> str:
    if "\n" in path or "\r" in path:
        raise OutputError(
            f"{path!r} cannot stand in a dependency file", hint="rename it: a Make rule cannot hold a line break"
        )
    return path.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")
