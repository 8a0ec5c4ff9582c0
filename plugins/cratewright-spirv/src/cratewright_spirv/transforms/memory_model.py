"""One memory model for modules that are merged: the addressing model is raised to the largest one needed.

A module with only logical pointers means the same where physical ones are allowed.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from cratewright import LinkError

from ..binary import opcodes as op
from ..binary.enumerants import LOGICAL, PHYSICAL_STORAGE_BUFFER64, VULKAN
from ..binary.module import build
from ..binary.program import Program

__all__ = ["modules_of_one_model", "programs_of_one_model"]

_HEADER_BYTES = 20
_WORD = struct.Struct("<I")
_MODEL = struct.Struct("<III")


def modules_of_one_model(modules: Sequence[bytes], names: Sequence[str]) -> list[bytes]:
    """Return modules with one addressing model; `names` are for messages.

    Raises: LinkError if their memory models differ.
    """
    found = [each for each in map(_model, modules) if each is not None]
    at, models = [place for place, _ in found], [model for _, model in found]
    if len(set(models)) < 2 or len(found) < len(modules):
        return list(modules)
    model = _common(models, names)
    return [
        data if old == model else data[:place] + _MODEL.pack(3 << 16 | op.MEMORY_MODEL, *model) + data[place + 12 :]
        for data, place, old in zip(modules, at, models, strict=True)
    ]


def programs_of_one_model(programs: Sequence[Program], names: Sequence[str]) -> list[Program]:
    """Return programs with one addressing model, as `modules_of_one_model` does with bytes.

    Raises: LinkError, as there.
    """
    models = [
        (words[1], words[2]) for each in programs for words in each.preamble if words[0] & 0xFFFF == op.MEMORY_MODEL
    ]
    if len(set(models)) < 2:
        return list(programs)
    stated = build(op.MEMORY_MODEL, *_common(models, names))
    return [
        replace(
            each,
            preamble=tuple(stated if words[0] & 0xFFFF == op.MEMORY_MODEL else words for words in each.preamble),
        )
        for each in programs
    ]


def _model(data: bytes) -> tuple[int, tuple[int, int]] | None:
    """Return where a module states its memory model, and which it is."""
    at = _HEADER_BYTES
    while at + 12 <= len(data):
        (word,) = _WORD.unpack_from(data, at)
        if word & 0xFFFF == op.MEMORY_MODEL:
            _, addressing, memory = _MODEL.unpack_from(data, at)
            return at, (addressing, memory)
        at += 4 * (word >> 16) or len(data)
    return None


def _common(models: Sequence[tuple[int, int]], names: Sequence[str]) -> tuple[int, int]:
    addressing, memory = ({each[part] for each in models} for part in (0, 1))
    if len(memory) > 1:
        kinds = {
            what: [name for name, model in zip(names, models, strict=True) if (model[1] == VULKAN) is vulkan]
            for what, vulkan in (("Vulkan's", True), ("GLSL's", False))
        }
        raise LinkError(
            "units of one image differ in their memory model",
            context=[(what, "\n".join(dict.fromkeys(named))) for what, named in kinds.items() if named],
            hint="write `#pragma use_vulkan_memory_model` in all of them; "
            "units that load or store cooperative matrices have it anyway",
        )
    if not addressing <= {LOGICAL, PHYSICAL_STORAGE_BUFFER64}:
        raise LinkError(
            "units of one image differ in their addressing model",
            context=[("units", "\n".join(dict.fromkeys(names)))],
            hint="Vulkan has Logical and PhysicalStorageBuffer64",
        )
    return max(addressing), memory.pop()
