"""Files that units produce beside their crate for the option `emit`: their names and places."""

from __future__ import annotations

from collections.abc import Mapping

from ..base.mismatch import Mismatch
from ..values.module import CompiledUnit
from ..values.options import Options
from ..values.stencil import UnitStencil


def emitted_directory(crate: str) -> str:
    """Return the directory of a crate's emitted files, relative to its output directory."""
    return f"{crate}.emit"


def emitted_suffixes(kinds: Mapping[str, str], options: Options) -> tuple[str, ...]:
    """Return the suffixes of the files that a unit should produce; `kinds` is what its backend declares."""
    asked = options.texts("emit") if kinds else ()
    return tuple(suffix for kind, suffix in kinds.items() if kind in asked)


def find_unpromised(kinds: Mapping[str, str], unit: CompiledUnit, asked: object) -> Mismatch | None:
    """Return what is wrong with a unit's files: SCons expects exactly those that were asked for.

    Shape: `asked` is the unit's stencil; anything else cannot ask for files.
    """
    made = [suffix for suffix, _ in unit.emitted]
    expected = list(emitted_suffixes(kinds, asked.options)) if isinstance(asked, UnitStencil) else made
    if made == expected:
        return None
    return Mismatch(".emitted", " ".join(made) or "nothing", f"what `emit` asks for: {' '.join(expected) or 'nothing'}")
