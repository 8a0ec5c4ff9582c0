"""Errors in Slang modules; macros of importers; compiled modules on the search path."""

from __future__ import annotations

import re

import pytest

from tests.spirv_e2e.shader_project import ShaderProject
from tests.support.slang_shapes import APP, COMPUTE, CRATES, HEADER, SHAPES, digests, write

USES_M = "import m;\n%s void main() { }\n"


ERRORS = {
    "an identifier": (
        "import m;\n%s void main() { float x = y; }\n",
        {},
        r"a\.slang:2:\d+: error: undefined identifier 'y'",
    ),
    "an identifier in an import": (
        USES_M,
        {"m.slang": "module m;\npublic float f() { return z; }\n"},
        r"m\.slang:2:\d+: error: undefined identifier 'z'",
    ),
    "a missing module": (
        "import nowhere;\n%s void main() { }\n",
        {},
        r"a\.slang:1:\d+: error: cannot open file 'nowhere\.slang'",
    ),
    "a cycle": (
        USES_M,
        {"m.slang": "module m;\nimport n;\n", "n.slang": "module n;\nimport m;\n"},
        r"error: .*(cycl|recursive|circular).*",
    ),
    "a module outside all crates": (
        "import o;\n%s void main() { float x = o(); }\n",
        {"o.slang": "module o;\npublic float o() { return 1; }\n"},
        r"no crate has `module o\.slang`",
    ),
    "a generic": (
        "interface I { float f(); };\n%s void main<T : I>(RWStructuredBuffer<T> b) { }\n",
        {},
        r"generic parameter",
    ),
    "no entry point": ("module a;\n", {}, "has no entry point"),
    "an extern that nothing exports": (
        USES_M.replace("{ }", "{ float x = total(); }"),
        {"m.slang": "module m;\nextern static const int COUNT;\npublic float total() { return COUNT; }\n"},
        r"(?s)unresolved external symbol.*import one that exports it",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_messages(slang: ShaderProject, name: str) -> None:
    text, files, message = ERRORS[name]
    attributes = '[shader("compute")] [numthreads(1, 1, 1)]'
    crates = (
        'lib = env.Crate("lib", ["m.slang"])\nDefault(env.Crate("app", ["a.slang"], deps=[lib], crate_type="cdylib"))\n'
    )
    slang.write(
        {"SConstruct": HEADER + crates, "m.slang": "module m;\n", "a.slang": text.replace("%s", attributes), **files}
    )
    slang.scons(expect=2)
    assert re.search(message, slang.errors), slang.errors
    assert not slang.exists("app.spv")


def test_module_of_another_slang_version_is_refused(slang: ShaderProject) -> None:
    """Slang itself would crash on it."""
    from cratewright import LinkModule, ModuleCodegen, VersionError
    from cratewright_slang.link import code_of_entries

    module = ModuleCodegen(name="m", data=b"RIFF", attributes=(("slang", "0.2025.1"), ("source", "m.slang")))
    with pytest.raises(VersionError, match=r"crate 'lib', m\.slang: a module of Slang 0\.2025\.1 cannot be read"):
        code_of_entries(None, [(None, [LinkModule("lib", module)])])  # type: ignore[arg-type]


def test_importer_with_other_macros_is_refused(slang: ShaderProject) -> None:
    """Its import was compiled with one set of macros, and would be linked with another."""
    crates = """\
lib = env.Crate("lib", ["m.slang"], defines=%s)
Default(env.Crate("app", ["a.slang"], deps=[lib], crate_type="cdylib", defines={"FOG": 1, "OWN": 2}))
"""
    files = {
        "m.slang": 'module m;\n#include "n.h"\npublic static const int N = SIZE;\n',
        "n.h": "#ifdef FOG\n#define SIZE 2\n#else\n#define SIZE 1\n#endif\n",
        "a.slang": f"import m;\n{COMPUTE} void main() {{ d[0] = N + OWN; }}\n",
    }
    for defines, message in (({}, "not defined"), ({"FOG": 3}, "FOG=3")):
        slang.write({"SConstruct": HEADER + crates % defines, **files})
        slang.scons(expect=2)
        assert "m.slang is compiled with another 'FOG' than a.slang, which imports it" in slang.errors
        assert message in slang.errors and not slang.exists("app.spv")
    slang.write({"SConstruct": HEADER + crates % {"FOG": 1, "MORE": 1}})
    slang.scons()
    slang.write({"SConstruct": (HEADER + crates % {"FOG": 1}).replace('"FOG": 1, "OWN"', '"OWN"')})
    slang.scons(expect=2)
    assert "another 'FOG'" in slang.errors
    slang.write({"SConstruct": HEADER + crates % {}, "n.h": "#define SIZE 2\n"})
    slang.scons()


def test_compiled_module_beside_the_source_is_not_read(slang: ShaderProject) -> None:
    write(slang, CRATES, SHAPES | APP, multimodule=True)
    slang.write({"lib/shapes.slang-module": "of another version"})
    slang.scons()
    assert len(digests(slang)) == 4
