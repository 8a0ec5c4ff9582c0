"""The key of a result: everything that decides it.

Knows nothing of where results are kept.
Source: Cranelift's `compute_cache_key`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..digest import content_digest, value_digest

__all__ = ["code_digest", "compute_cache_key"]


def compute_cache_key(kind: str, salt: str, value: object) -> str:
    """Return the key of the result of `kind` for a stencil or request, all fields of which count.

    Shape: hex SHA-256. `salt` is the digest of the code that computes the result.
    """
    return value_digest((kind, salt, value))


@cache
def code_digest(*places: str) -> str:
    """Return the digest of some files, and of all Python code below some directories.

    Version numbers do not change between two commits of a checkout; results may.
    """
    parts: list[tuple[str, str]] = []
    for place in places:
        base = Path(place)
        for path in sorted(base.rglob("*.py")) if base.is_dir() else [base]:
            parts.append((path.relative_to(base).as_posix(), content_digest(path.read_bytes())))
    return value_digest(tuple(parts))
