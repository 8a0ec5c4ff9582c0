"""One memory model for modules that are merged: the addressing model is raised to the largest one needed.

A module with only logical pointers means the same where physical ones are allowed. GLSL's memory model is raised to
Vulkan's, in which a module says with each access what its variables said before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from cratewright import LinkError

from ..binary import opcodes as op
from ..binary.enumerants import GLSL_450, LOGICAL, PHYSICAL_STORAGE_BUFFER64, VULKAN
from ..binary.module import parse
from ..binary.program import Program

Upgrade = Callable[[bytes], bytes]
"""Takes a module of GLSL's memory model to Vulkan's, or returns it as it is if that cannot be done."""

_HEADER_BYTES = 20
_WORD = struct.Struct("<I")
_MODEL = struct.Struct("<III")


def modules_of_one_model(modules: Sequence[bytes], names: Sequence[str], upgrade: Upgrade) -> list[bytes]:
    """Return modules with one addressing model and one memory model; `names` are for messages.

    Raises: LinkError if there is none for all of them.
    """
    found = [each for each in map(_model, modules) if each is not None]
    if len({model for _, model in found}) < 2 or len(found) < len(modules):
        return list(modules)
    if any(memory == VULKAN for _, (_, memory) in found):
        modules = [
            upgrade(data) if memory == GLSL_450 else data for data, (_, (_, memory)) in zip(modules, found, strict=True)
        ]
        found = [each for each in map(_model, modules) if each is not None]
    model = _common([model for _, model in found], names)
    return [
        data if old == model else data[:place] + _MODEL.pack(3 << 16 | op.MEMORY_MODEL, *model) + data[place + 12 :]
        for data, (place, old) in zip(modules, found, strict=True)
    ]


def programs_of_one_model(programs: Sequence[Program], names: Sequence[str], upgrade: Upgrade) -> list[Program]:
    """Return programs with one model, as `modules_of_one_model` does with bytes.

    Raises: LinkError, as there.
    """
    models = {words for each in programs for words in each.preamble if words[0] & 0xFFFF == op.MEMORY_MODEL}
    if len(models) < 2:
        return list(programs)
    modules = modules_of_one_model([each.encode() for each in programs], names, upgrade)
    return [Program.of(parse(data, each.module.name)) for data, each in zip(modules, programs, strict=True)]


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
            hint="write `#pragma use_vulkan_memory_model` in those with GLSL's; it is needed there because of buffer "
            "references, or of a barrier in a tessellation shader",
        )
    if not addressing <= {LOGICAL, PHYSICAL_STORAGE_BUFFER64}:
        raise LinkError(
            "units of one image differ in their addressing model",
            context=[("units", "\n".join(dict.fromkeys(names)))],
            hint="Vulkan has Logical and PhysicalStorageBuffer64",
        )
    return max(addressing), memory.pop()
