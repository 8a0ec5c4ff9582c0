"""Line information survives the link."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright_spirv.binary.debug_info import SET_NAME
from cratewright_spirv.binary.lines import lines_for_linker, linked_lines, only_lines
from cratewright_spirv.compile.request import UnitRequest
from cratewright_spirv.compile.unit import compile_unit
from cratewright_spirv.compilers.glslang import Glslang
from cratewright_spirv.spirv_tools.tools import find_tools

pytestmark = pytest.mark.usefixtures("glslang_prefix")

UNITS = {
    "a.comp": b"layout(binding = 0) buffer B { float b; };\nfloat two(float x);\nvoid main() { b = two(b); }\n",
    "two.glsl": b"float one(float x);\nfloat q = 2.0;\n\nfloat two(float x) {\n  return one(x) * q;\n}\n",
    "one.glsl": b'#include "h.h"\nfloat one(float x) {\n\n  return twice(x);\n}\n',
}


def objects(root: Path, debuginfo: str) -> list[bytes]:
    (root / "h.h").write_text("\nfloat twice(float x) { return x + x; }\n")
    requests = (
        UnitRequest(
            root=str(root),
            path=path,
            text=text,
            language="glsl",
            stage="comp" if path.endswith(".comp") else None,
            target="vulkan1.2",
            debuginfo=debuginfo,
        )
        for path, text in UNITS.items()
    )
    compiler = Glslang()
    return [compile_unit(request, compiler).variants[0].data for request in requests]


@pytest.mark.parametrize("debuginfo", ["line", "full"])
def test_lines_lead_to_their_files_after_linking(debuginfo: str, tmp_path: Path, spirv) -> None:
    linked = linked_lines(find_tools(None).link(lines_for_linker(objects(tmp_path, debuginfo)), env="spv1.5"))
    spirv.validate(linked, "vulkan1.2")
    assert (SET_NAME.encode() in linked) == (debuginfo == "full")
    linked = only_lines(linked)
    assert SET_NAME.encode() not in linked
    spirv.validate(linked, "vulkan1.2")
    text = spirv.disassemble(linked, "--raw-id").splitlines()
    names = {line.split()[0]: line.split('"')[1] for line in text if "OpString" in line and line.count('"') == 2}
    seen = {(names[line.split()[1]], line.split()[2]) for line in text if line.startswith("OpLine")}
    assert {("a.comp", "3"), ("two.glsl", "5"), ("one.glsl", "4"), ("h.h", "2")} <= seen


def test_unlinked_module_keeps_its_lines(tmp_path: Path) -> None:
    modules = objects(tmp_path, "full")[:1]
    ready = lines_for_linker(modules)
    assert ready != modules
    assert [linked_lines(data) for data in ready] == modules


def test_nothing_changes_without_debug_information(tmp_path: Path) -> None:
    modules = objects(tmp_path, "none")
    assert lines_for_linker(modules) == modules
