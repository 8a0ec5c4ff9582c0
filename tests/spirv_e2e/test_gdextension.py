"""`examples/gdextension-shaders`: shader sections are split, compiled, embedded, and loaded from the library."""

from __future__ import annotations

import shutil
import subprocess
import sys

from cratewright.testing import require_tool
from tests.support.paths import ROOT
from tests.support.scons_project import SconsProject

LOAD = """\
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.sky_shader.restype = ctypes.POINTER(ctypes.c_uint32)
size = ctypes.c_size_t()
for name in (b"sky.vert", b"sky.frag", b"stars"):
    words = library.sky_shader(name, ctypes.byref(size))
    assert words[0] == 0x07230203 and size.value > 300, name
    sys.stdout.buffer.write(ctypes.string_at(words, size.value))
assert library.sky_star_groups(65) == 2
"""


def _images(project: SconsProject) -> bytes:
    library = str(project.path / "libsky_extension.so")
    return subprocess.run([sys.executable, "-c", LOAD, library], capture_output=True, check=True).stdout


def test_example_embeds_its_shaders(scons_project: SconsProject) -> None:
    require_tool(shutil.which("g++") is not None, "g++")
    project = scons_project
    shutil.copytree(ROOT / "examples" / "gdextension-shaders", project.path, dirs_exist_ok=True)
    project.scons("-j4")
    before = _images(project)
    assert before == b"".join(
        (project.path / "shaders.spvs" / f"{name}.spv").read_bytes() for name in ("sky.vert", "sky.frag", "stars.comp")
    )
    assert project.up_to_date("-j4")
    colours = project.path / "shaders" / "colours.glslinc"
    colours.write_text(colours.read_text().replace("0.5", "0.625"))
    out = project.scons("-j4")
    assert "1 compiled, 2 reused" in out
    assert "extension.cpp" not in out
    assert _images(project) != before
