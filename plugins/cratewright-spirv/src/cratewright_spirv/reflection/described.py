"""Describes a SPIR-V file, for `cratewright inspect`."""

from __future__ import annotations

from collections.abc import Mapping

from cratewright import content_digest

from ..binary.module import MAGIC_BYTES
from . import reflect

__all__ = ["describe_module"]


def describe_module(path: str, data: bytes) -> Mapping[str, object] | None:
    """Return the facts of a module, None for a file that is none.

    Raises: FormatError for a damaged one.
    """
    if data[:4] != MAGIC_BYTES:
        return None
    found: dict[str, object] = {
        "kind": "SPIR-V module",
        "version": f"{data[6]}.{data[5]}" if len(data) > 6 else "",
        "size": len(data),
        "sha256": content_digest(data),
        "instructions": reflect.instruction_count(data),
    }
    return {**found, **reflect.interface(data, name=path, blocks=True)}
