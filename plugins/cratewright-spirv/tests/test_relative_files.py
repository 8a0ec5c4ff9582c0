"""File names in modules: absolute paths below a root become relative."""

from __future__ import annotations

from cratewright_spirv.binary.lines import with_relative_files

TEXT = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
%1 = OpString "/project/lib/a.slang"
%2 = OpString "/usr/share/other.slang"
%3 = OpString "import lib; // /project/lib"
"""


def test_only_paths_below_the_root_change(spirv) -> None:
    data = spirv.assemble(TEXT)
    shown = spirv.disassemble(with_relative_files(data, "/project/", lambda path: path[len("/project/") :]), "--raw-id")
    assert [line.split('"')[1] for line in shown.splitlines() if "OpString" in line] == [
        "lib/a.slang", "/usr/share/other.slang", "import lib; // /project/lib",
    ]  # fmt: skip
    assert with_relative_files(data, "/other/", str) is data
