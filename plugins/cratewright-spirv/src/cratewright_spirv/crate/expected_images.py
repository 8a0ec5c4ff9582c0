"""The names of a crate's images, predicted from its sources' names and options alone.

Images that cannot be known without compiling are left out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from cratewright import CratewrightError, Source

from ..base.names import output_name
from ..base.stages import STAGE_NAMES
from ..text.sources import classify


def expected_outputs(sources: Sequence[Source], root: str) -> tuple[str, ...] | None:
    """Return the output names of all entry points, in the order of the sources; None if one is not known.

    Shape: as `names.ImageEntry.output`.
    """
    outputs: list[str] = []
    for source in sources:
        found = _outputs_of(source, root)
        if found is None:
            return None
        outputs += found
    return tuple(dict.fromkeys(outputs))


def _outputs_of(source: Source, root: str) -> list[str] | None:
    word = source.path.rpartition(".")[2]
    if word in STAGE_NAMES:
        return [output_name(source.name, word)]
    if not source.path.endswith((".glsl", ".hlsl")):
        return None
    try:
        with open(os.path.join(root, source.location), "rb") as file:
            units = classify(source.path, file.read(), source.options.text("entry_point") or None)
    except (OSError, CratewrightError):
        return None
    if len(units) > 1:
        return [output_name(source.name, unit.stage or "", unit.entry_point) for unit in units]
    return [output_name(source.name, unit.stage) for unit in units if unit.stage is not None]
