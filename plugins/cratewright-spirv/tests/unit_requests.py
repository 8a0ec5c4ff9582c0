"""Requests to compile units, for tests of the compiler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cratewright_spirv.base.stages import STAGE_NAMES
from cratewright_spirv.compile.request import UnitRequest, UnitResult

LIBRARY = b"float square(float x) { return x * x; }\nvec2 square(vec2 x) { return x * x; }\n"


SHADER = b"layout(binding = 0) buffer B { float b; };\nfloat square(float x);\nvoid main() { b = square(b); }\n"


def request(root: Path, text: bytes, path: str = "lib/u.glsl", **fields: object) -> UnitRequest:
    words = path.split(".")
    stage = next((word for word in words if word in STAGE_NAMES), None)
    language = "hlsl" if words[-1] == "hlsl" else "glsl"
    base = UnitRequest(root=str(root), path=path, text=text, language=language, stage=stage, target="vulkan1.2")
    return replace(base, **fields)


def symbols(result: UnitResult) -> list[tuple[list[str], list[str]]]:
    return [([s.name for s in v.exports], [s.name for s in v.imports]) for v in result.variants]


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
