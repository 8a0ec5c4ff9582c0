"""Debug information after linking: the lines of a function refer to its own source file.

Independent of the linker: it reads words as specified in section 2.3 of the SPIR-V specification.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spirv.conftest import Validate
from tests.support.scons_project import IN_PLACE, SconsProject
from tests.support.spirv_words import instructions, text_of

_STRING, _LINE, _EXTENDED_IMPORT, _EXTENDED, _FUNCTION, _FUNCTION_END = 7, 8, 11, 12, 54, 56
_DEBUG_SOURCE, _DEBUG_LINE = 35, 103

FILES = {
    "app.comp": """\
#version 460
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { float data[]; };
float thrice(float x);
float twice(float x);
void main() {
    data[gl_GlobalInvocationID.x] = thrice(2.0) + twice(1.0);
}
""",
    "thrice.glsl": "#version 460\nfloat thrice(float x) {\n    return 3.0 * x;\n}\n",
    "twice.hlsl": "// three\n// lines\n// above\nfloat twice(float x) {\n    return 2.0 * x;\n}\n",
}
EXPECTED = {("app.comp", 7), ("thrice.glsl", 3), ("twice.hlsl", 5)}


def _lines(data: bytes) -> set[tuple[str, int]]:
    """Return the files and lines of `OpLine` and `DebugLine` inside functions."""
    strings: dict[int, str] = {}
    sources: dict[int, str] = {}
    constants: dict[int, int] = {}
    found: set[tuple[str, int]] = set()
    inside = False
    for words in instructions(data):
        opcode = words[0] & 0xFFFF
        inside = opcode == _FUNCTION or (inside and opcode != _FUNCTION_END)
        if opcode == _STRING:
            strings[words[1]] = text_of(words[2:])
        elif opcode == 43:
            constants[words[2]] = words[3]
        elif opcode == _EXTENDED and words[4] == _DEBUG_SOURCE and words[5] in strings:
            sources[words[2]] = strings[words[5]]
        elif opcode == _LINE and inside:
            found.add((strings[words[1]], words[2]))
        elif opcode == _EXTENDED and inside and words[4] == _DEBUG_LINE and words[5] in sources:
            found.add((sources[words[5]], constants[words[6]]))
    return found


@pytest.mark.parametrize("level", ["0", "3"])
@pytest.mark.parametrize("debuginfo", ["line", "full"])
def test_lines_belong_to_their_files(tmp_path: Path, validate: Validate, debuginfo: str, level: str) -> None:
    project = SconsProject(tmp_path / "project", form=IN_PLACE)
    project.write(FILES)
    project.write(
        {
            "SConstruct": f"""\
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3",
                  CRATE_OPT_LEVEL="{level}", CRATE_DEBUGINFO="{debuginfo}")
lib = env.Crate("lib", ["thrice.glsl", "twice.hlsl"])
env.Crate("app", ["app.comp"], deps=[lib], crate_type="cdylib")
"""
        }
    )
    project.scons()
    path = project.path / "app.spv"
    validate(path)
    found = _lines(path.read_bytes())
    # Code that the optimizer folds into constants has no lines.
    expected = EXPECTED if level == "0" else {("app.comp", 7)}
    assert expected <= found
    assert all(line <= FILES[file].count("\n") for file, line in found)
