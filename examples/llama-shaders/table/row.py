"""A row of the table, and the words that rows of several topics share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

TARGET = "vulkan1.2"


class Variant(NamedTuple):
    """One shader to make: the name of the result, the source file and its defines; and how it is compiled."""

    name: str
    source: str
    defines: dict[str, str]
    target: str = TARGET
    optimized: bool = True

    @property
    def options(self) -> dict[str, object]:
        """Return what a crate is told of it."""
        return {"name": self.name, "defines": self.defines, **({} if self.optimized else {"spirv_opt": False})}


Rows = Iterator[Variant]
GLSL = {"f32": "float", "f16": "float16_t", "bf16": "uint16_t", "i32": "int", "u32": "uint"}
BLOCK_QUANTS = ("q1_0", "q2_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0")
K_QUANTS = ("q2_k", "q3_k", "q4_k", "q5_k", "q6_k")
WIDE_TABLE_QUANTS = ("iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq4_xs")
TABLE_QUANTS = (*WIDE_TABLE_QUANTS, "iq3_xxs", "iq3_s", "iq4_nl", "mxfp4", "nvfp4")
TERNARY_QUANTS = ("tq1_0", "tq2_0")
QUANTS = (*BLOCK_QUANTS, *K_QUANTS, *TABLE_QUANTS, *TERNARY_QUANTS)
FLOAT = {"FLOAT_TYPE": "float"}
BASE = {**FLOAT, "FLOAT_TYPEV2": "vec2"}
VECTORS = {"f32": ("vec2", "vec4", "mat2x4"), "f16": ("f16vec2", "f16vec4", "f16mat2x4")}


def io(a: str = "", b: str = "", d: str = "") -> dict[str, str]:
    """Return the defines that name the element types of inputs A and B and of the output D."""
    given = (("A_TYPE", a), ("B_TYPE", b), ("D_TYPE", d))
    return {key: GLSL.get(kind, kind) for key, kind in given if kind}


def data_a(kind: str) -> dict[str, str]:
    """Return the define that says how matrix A is stored."""
    return {f"DATA_A_{kind.upper()}": "1"}
