"""Files that a compiler calls by absolute paths are called from the project's root."""

from __future__ import annotations

from cratewright_spirv.lines import with_relative_files

TEXT = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
%1 = OpString "/home/somebody/game/lib/a.slang"
%2 = OpString "/home/somebody/game/app.slang"
%3 = OpString "/usr/share/other.slang"
%4 = OpString "import lib; // /home/somebody/game"
"""


def test_paths_begin_at_the_root(spirv) -> None:
    data = spirv.assemble(TEXT)
    shown = spirv.disassemble(with_relative_files(data, ["lib/a.slang"]), "--raw-id")
    assert [line.split('"')[1] for line in shown.splitlines() if "OpString" in line] == [
        "lib/a.slang", "app.slang", "/usr/share/other.slang", "import lib; // /home/somebody/game",
    ]  # fmt: skip


def test_what_names_no_source_stays(spirv) -> None:
    data = spirv.assemble(TEXT)
    assert with_relative_files(data, ["b.slang"]) is data
