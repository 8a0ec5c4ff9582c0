"""Remote compilation and optimization of shaders gives the same bytes, with the library and with an SDK's programs.

The server is buildbox-casd, which runs each call in its own sandbox.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cratewright.pipeline.remote_calls.backend_code import backend_files
from cratewright.pipeline.remote_calls.messages import CODE
from cratewright.testing import require_tool
from cratewright_spirv.backend import SpirvBackend
from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.test_sdk import SCONSTRUCT, sdk
from tests.spirv_e2e.test_separate import LIBRARY
from tests.spirv_e2e.test_sources import EXPORTING
from tests.support.casd import serving_casd
from tests.support.image_registry import serving_image
from tests.support.scons_project import available_forms

__all__ = ["sdk"]

PYTHON = "/usr/bin/python3"
# A remote call takes a second of CPU time, so there is one source of each language, and one image of two.
FILES = {
    "lib/overloads.glsl": LIBRARY["lib/overloads.glsl"],
    "lib/from_glsl.hlsl": LIBRARY["lib/from_glsl.hlsl"],
    "lib/assembled.spvasm": EXPORTING,
    "inc/k.h": "#pragma once\n#define K 3.0\n",
    "app/all.comp": compute(
        "store.data[i] = K * ONE * half_of(1.0) + f(vec2(2.0)) + by_way_of_hlsl(1.0);",
        before="#include <k.h>\nfloat half_of(float x);\nfloat f(vec2 x);\nfloat by_way_of_hlsl(float x);",
    ),
    "app/alone.vert": "#version 460\nvoid main() { gl_Position = vec4(1.0); }\n",
}
FEW = {name: FILES[name] for name in ("lib/overloads.glsl", "lib/from_glsl.hlsl")} | {
    "app/a.comp": compute("store.data[i] = by_way_of_hlsl(1.0);", before="float by_way_of_hlsl(float x);")
}
PROGRAMS = ("glslangValidator", "spirv-link", "spirv-opt", "spirv-val", "spirv-as", "spirv-dis")


def _ended(shaders: ShaderProject) -> dict[str, int]:
    ended: dict[str, int] = json.loads(shaders.read("e.jsonl").splitlines()[-1])
    return ended


def _outputs(shaders: ShaderProject) -> dict[str, bytes]:
    files = (path for path in shaders.path.rglob("*") if path.suffix in (".spv", ".rlib", ".json", ".rlink"))
    names = {path: path.relative_to(shaders.path).as_posix() for path in files}
    # What each machine remembers of its programs is below `.cache`, since HOME is the project.
    return {name: path.read_bytes() for path, name in names.items() if not name.startswith(".cache/")}


def _with_libraries(sdk: Path, place: Path) -> Path:
    """Return an SDK whose programs find their own libraries."""
    (place / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        program = place / "bin" / name
        program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={sdk}/lib exec {sdk}/bin/{name} "$@"\n')
        program.chmod(0o755)
    return place


@pytest.mark.parametrize(
    ("lto", "by_programs"), [("thin", False), pytest.param("off", True, marks=pytest.mark.exhaustive)]
)
def test_remote_outputs_equal_local_ones(tmp_path: Path, sdk: Path, lto: str, by_programs: bool) -> None:
    require_tool(os.path.exists(PYTHON), PYTHON)
    own = _with_libraries(sdk, tmp_path / "sdk")
    (tmp_path / "farm").mkdir()
    with serving_casd(tmp_path / "farm", [str(sdk), str(own)]) as url:
        there = {"CRATE_REMOTE": url, "CRATE_REMOTE_PYTHON": PYTHON, "CRATE_REMOTE_JOBS": "2"}
        chosen = {"CRATE_SPIRV_SDK": str(own)} if by_programs else {}
        made: list[dict[str, bytes]] = []
        for place, environ in (("here", {}), ("there", there)):
            shaders = ShaderProject(tmp_path / place, form=available_forms()[-1])
            shaders.environ |= {**environ, **chosen, "CRATE_EVENTS": "e.jsonl"}
            shaders.crates(f'env["CRATE_LTO"] = "{lto}"\n{SCONSTRUCT}', FILES)
            shaders.scons("-j2", "opt=s", "debuginfo=none")
            assert "this machine alone" not in shaders.errors and "continuing without" not in shaders.errors
            assert (_ended(shaders)["elsewhere"] > 0) == bool(environ)
            made.append(_outputs(shaders))
        assert made[0] == made[1]
        assert {"all.comp.spv", "alone.vert.spv"} <= {os.path.basename(name) for name in made[0]}


@contextlib.contextmanager
def _image() -> Iterator[tuple[str, str]]:
    """Serve a container image with cratewright and the plugin; yield its name, and the path of its Python."""
    asked = [PYTHON, "-c", "import sys; print(f'python{sys.version_info[0]}.{sys.version_info[1]}')"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    place = f"opt/shaders/lib/{version}/site-packages"
    files = {
        f"{place}/{name.removeprefix(f'{CODE}/')}": Path(item.file)
        for name, item in backend_files(SpirvBackend).items()
    }
    texts = {"opt/shaders/pyvenv.cfg": "home = /usr/bin\n"}
    with serving_image(files, texts, {"opt/shaders/bin/python": PYTHON}) as name:
        yield name, "/opt/shaders/bin/python"


@pytest.mark.exhaustive
def test_container_image_with_everything_installed(tmp_path: Path) -> None:
    """The server pulls it from a registry, and only calls and project files are sent."""
    require_tool(os.path.exists(PYTHON), PYTHON)
    (tmp_path / "farm").mkdir()
    made: list[dict[str, bytes]] = []
    with serving_casd(tmp_path / "farm") as url, _image() as (name, python):
        there = {
            "CRATE_REMOTE": url,
            "CRATE_REMOTE_PYTHON": python,
            "CRATE_REMOTE_CODE": "installed",
            "CRATE_REMOTE_PLATFORM": f"container-image={name}",
            "CRATE_REMOTE_JOBS": "2",
        }
        for place, environ in (("here", {}), ("there", there)):
            shaders = ShaderProject(tmp_path / place, form=available_forms()[-1])
            shaders.environ |= {**environ, "CRATE_EVENTS": "e.jsonl"}
            shaders.crates(f'env["CRATE_LTO"] = "thin"\n{SCONSTRUCT}', FEW)
            shaders.scons("-j2", "opt=s", "debuginfo=none")
            assert "this machine alone" not in shaders.errors and "continuing without" not in shaders.errors
            assert (_ended(shaders)["elsewhere"] > 0) == bool(environ)
            made.append(_outputs(shaders))
    assert made[0] == made[1]


def test_remote_error_equals_the_local_one(tmp_path: Path) -> None:
    require_tool(os.path.exists(PYTHON), PYTHON)
    reported: list[str] = []
    (tmp_path / "farm").mkdir()
    with serving_casd(tmp_path / "farm") as url:
        for place, environ in (("here", {}), ("there", {"CRATE_REMOTE": url, "CRATE_REMOTE_PYTHON": PYTHON})):
            shaders = ShaderProject(tmp_path / place, form=available_forms()[-1])
            shaders.environ |= {**environ, "CRATE_EVENTS": "e.jsonl"}
            shaders.crates(
                'env.Crate("app", ["a.comp"], crate_type="cdylib")\n',
                {
                    "a.comp": '#version 460\n#include "k.h"\nvoid main() { int x = K; }\n',
                    "k.h": "#define K (\n",
                },
            )
            shaders.scons(expect=2)
            reported.append(shaders.error())
            assert _ended(shaders)["elsewhere"] == (1 if environ else 0)
    assert reported[0] == reported[1] and "a.comp" in reported[0]
