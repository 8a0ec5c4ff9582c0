"""Invalid or damaged sources, and compiler crashes: the error, the remaining files, and the build after correction."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.spirv_e2e.shader_project import ShaderProject, compute
from tests.spirv_e2e.test_sources import ASSEMBLY

Golden = Callable[[str, str], None]
Contents = Mapping[str, "str | bytes"]


def _words(*words: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


V = "#version 460\n"
GOOD = {
    "lib/twice.glsl": V + "float twice(float x) { return 2.0 * x; }\n",
    "app/a.comp": compute("store.data[i] = twice(1.0);", before="float twice(float x);"),
    "app/b.comp": compute("store.data[i] = 1.0;"),
}
SCONSTRUCT = """\
env["CRATE_INCLUDE_DIRS"] = ["inc", "more"]
lib = env.Crate("lib", Glob("lib/*"))
env.Crate("app", Glob("app/*"){more}, deps=[lib], crate_type="cdylib")
"""
_BROKEN = "float broken(float x) {\n    return y;\n}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Changes that break the valid project."""

    files: Contents = field(default_factory=dict)
    more: str = ""


MISTAKES = {
    "missing_file": Mistake(more=' + ["app/c.comp"]'),
    "syntax_error": Mistake(files={"app/a.comp": compute("store.data[i] = 1.0 +;")}),
    "unknown_name": Mistake(files={"lib/twice.glsl": V + _BROKEN}),
    "error_in_include": Mistake(
        files={
            "app/a.comp": V + '\n#include "outer.h"\nvoid main() {}\n',
            "inc/outer.h": "#define OUTER 1\n#include <inner.h>\n",
            "more/inner.h": _BROKEN,
        }
    ),
    "include_not_found": Mistake(files={"app/a.comp": V + '#include "nowhere.h"\nvoid main() {}\n'}),
    "include_not_found_below": Mistake(
        files={"app/a.comp": V + "#include <outer.h>\nvoid main() {}\n", "inc/outer.h": "\n#include <nowhere.h>\n"}
    ),
    "include_of_itself": Mistake(
        files={"app/a.comp": V + "#include <a.h>\nvoid main() {}\n", "inc/a.h": "#include <a.h>\n"}
    ),
    "error_directive": Mistake(files={"app/a.comp": V + "#error this needs a flag\nvoid main() {}\n"}),
    "error_in_hlsl": Mistake(files={"app/c.frag.hlsl": "float4 main() : SV_Target {\n    return missing;\n}\n"}),
    "empty_shader": Mistake(files={"app/a.comp": ""}),
    "empty_library": Mistake(files={"lib/twice.glsl": ""}),
    "garbage": Mistake(files={"app/a.comp": bytes(range(256)) * 4}),
    "latin": Mistake(files={"app/a.comp": GOOD["app/a.comp"].encode() + b"caf\xe9\n"}),
    "two_errors": Mistake(
        files={"app/a.comp": V + "void main() { one; }\n", "app/b.comp": V + "void main() {\n two;\n three; }\n"}
    ),
    "unknown_stage": Mistake(files={"app/c.glsl": V + "#pragma shader_stage(pixels)\nvoid main() {}\n"}),
    "no_stage": Mistake(files={"app/c.glsl": V + "void main() {}\n"}),
    "assembly_error": Mistake(files={"app/c.spvasm": ASSEMBLY.replace("OpReturn\n", "OpRetrun\n")}),
    "assembly_invalid": Mistake(files={"app/c.spvasm": ASSEMBLY.replace("OpReturn\n", "")}),
    "spv_empty": Mistake(files={"app/c.spv": b""}),
    "spv_foreign": Mistake(files={"app/c.spv": b"\x7fELF" + bytes(60)}),
    "spv_truncated": Mistake(
        files={"app/c.spv": _words(0x07230203, 0x10500, 0, 9, 0, 5 << 16 | 15, 5)},
    ),
    "spv_odd": Mistake(files={"app/c.spv": b"\x03\x02\x23\x07" + bytes(17)}),
    "many_macro_lines": Mistake(more=' + [("app/b.comp", {"name": "n", "defines": {"X": "1\\n2"}})]'),
}


def _error(shaders: ShaderProject) -> str:
    return shaders.error().replace(str(shaders.path), "PROJECT")


def _write(shaders: ShaderProject, mistake: Mistake) -> None:
    kept = {"inc/.keep": "", "more/.keep": ""}
    shaders.crates(SCONSTRUCT.format(more=mistake.more), {**GOOD, **kept, **mistake.files})


def _repair(shaders: ShaderProject, mistake: Mistake) -> None:
    shaders.remove(*(name for name in mistake.files if name not in GOOD))
    _write(shaders, Mistake())
    shaders.scons()
    assert shaders.exists("app.spv") and shaders.exists("app.spv.json")


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_reported_and_can_be_corrected(shaders: ShaderProject, golden: Golden, name: str) -> None:
    _write(shaders, MISTAKES[name])
    before = set(shaders.snapshot())
    shaders.scons(expect=2)
    golden(f"spirv/{name}.txt", _error(shaders))
    assert set(shaders.snapshot()) - before <= {"app.rlink", "lib.rlink", "liblib.rlib"}
    _repair(shaders, MISTAKES[name])


def test_failed_rebuild_keeps_the_last_image(shaders: ShaderProject) -> None:
    _write(shaders, Mistake())
    shaders.scons()
    image, manifest = shaders.read("app.spv.json"), (shaders.path / "app.spv").read_bytes()
    shaders.write({"app/a.comp": compute("store.data[i] = ;")})
    shaders.scons(expect=2)
    assert (shaders.read("app.spv.json"), (shaders.path / "app.spv").read_bytes()) == (image, manifest)
    shaders.write(GOOD)
    shaders.scons()
    assert "crate app: 2 units: 0 compiled, 2 reused" in shaders.built()


CRASH = compute("float x = store.data[i];\n    store.data[i] = " + "+".join(["x"] * 20_000) + ";")
"""Enough terms in one expression for glslang to overflow its stack."""

HANG = (
    V
    + "#define A0 x + x\n"
    + "".join(f"#define A{n} A{n - 1} + A{n - 1}\n" for n in range(1, 30))
    + "void main() { float x = 1.0; x = A29; }\n"
)
"""A macro that expands to a thousand million terms."""


@pytest.mark.parametrize(("name", "text"), [("crash", CRASH), ("hang", HANG)])
def test_compiler_failure_affects_one_unit(shaders: ShaderProject, golden: Golden, name: str, text: str) -> None:
    """The error names the unit, results of other units are kept, and other crates are still built."""
    mistake = Mistake(files={"app/a.comp": text})
    _write(shaders, mistake)
    if name == "hang":
        shaders.environ["CRATE_TIMEOUT"] = "5"
    shaders.scons("-k", "-j2", expect=2)
    golden(f"spirv/{name}.txt", _error(shaders).partition("\nscons: ")[0].rstrip("\n") + "\n")
    assert not shaders.exists("app.rlink") and shaders.exists("liblib.rlib")
    shaders.write(GOOD)
    shaders.environ.pop("CRATE_TIMEOUT", None)
    shaders.scons()
    assert "crate app: 2 units: 1 compiled, 1 reused" in shaders.built()


@pytest.mark.parametrize("size", [0, 20, 700])
def test_truncated_archive(shaders: ShaderProject, golden: Golden, size: int) -> None:
    _write(shaders, Mistake())
    shaders.scons()
    path = shaders.path / "liblib.rlib"
    good = {name: (shaders.path / name).read_bytes() for name in ("liblib.rlib", "app.spv", "app.spv.json")}
    path.write_bytes(good["liblib.rlib"][:size])
    shaders.remove("app.spv", "app.spv.json")
    shaders.scons(expect=2)
    # The number of missing bytes changes with every new field of a module.
    golden(f"spirv/truncated_archive_{size}.txt", re.sub(r"\d+ bytes\b", "N bytes", shaders.error()))
    assert not shaders.exists("app.spv") and not shaders.exists("app.spv.json")
    path.unlink()
    shaders.scons()
    assert {name: (shaders.path / name).read_bytes() for name in good} == good


def test_archive_without_metadata(shaders: ShaderProject, golden: Golden) -> None:
    _write(shaders, Mistake())
    shaders.scons()
    shaders.write({"liblib.rlib": b"!<arch>\nsomething/      0           0     0     644     2         `\nhi"})
    shaders.remove("app.spv")
    shaders.scons(expect=2)
    golden("spirv/foreign_archive.txt", shaders.error())
    shaders.remove("liblib.rlib")
    shaders.scons()
    assert shaders.exists("app.spv")
