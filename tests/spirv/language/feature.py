"""The type of a feature, and the data that features read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GROUP, COUNT = 64, 256
SCALE, BIAS = 2.5, 0.75
INPUT = np.linspace(0.1, 3.1, COUNT, dtype=np.float32)
TABLE = np.linspace(-1, 1, COUNT, dtype=np.float32)
TEXELS = np.arange(64, dtype=np.float32).reshape(4, 4, 4) / 7

PARAMS = "layout(set = 0, binding = 1) uniform Params { float scale; float bias; } params;\n"
TABLE_BLOCK = "layout(set = 0, binding = 3) buffer Table { float table[]; };\n"
BOTH = ("glsl", "hlsl")
INDEX = np.arange(COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Library sources, the prototypes that a caller needs, a statement that sets `r` from `x`, and what `r` must be.

    `glsl` and `hlsl` are the sources. `declare` and `code` are valid in each language of `callers`. `expected` takes x
    in double precision and the specialisation constant.
    """

    name: str
    glsl: tuple[str, ...] = ()
    hlsl: tuple[str, ...] = ()
    declare: str
    code: str
    expected: Callable[[Floats, float], Floats]
    callers: tuple[str, ...] = ("glsl",)


def opposite(x: Floats) -> Floats:
    """Return x with each workgroup's values in the opposite order."""
    return x.reshape(-1, GROUP)[:, ::-1].reshape(-1)
