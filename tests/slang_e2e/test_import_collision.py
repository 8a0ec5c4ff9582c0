"""Different modules that are imported by one name, which Slang takes for one module."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import LinkError
from cratewright_slang.backend import SlangBackend
from tests.slang_e2e.conftest import require_slang
from tests.support.shader_build import ShaderBuild


@pytest.mark.parametrize("lto", ["off", "thin"])
def test_two_modules_of_one_import_name_are_refused(tmp_path: Path, lto: str) -> None:
    require_slang()
    build = ShaderBuild(tmp_path, backend=SlangBackend)
    files = {}
    for at, place in enumerate(("a", "b")):
        files[f"lib/{place}/util.slang"] = f"module util;\npublic float u(float x) {{ return x + {at + 1}.0; }}\n"
        files[f"lib/{place}/{place}.slang"] = f'import "util";\npublic float {place}_(float x) {{ return u(x); }}\n'
    main = 'RWStructuredBuffer<float> d;\n[shader("compute")] [numthreads(1, 1, 1)] void main() { d[0] = %s; }\n'
    build.write({**files, "both.slang": 'import "a/a";\nimport "b/b";\n' + main % "a_(d[0]) + b_(d[0])"})
    lib = build.compile("lib", sorted(files), include_dirs=["lib"])
    app = build.compile("app", ["both.slang"], [lib], include_dirs=["lib"])
    with pytest.raises(LinkError) as refused:
        build.link(app, [lib], lto=lto)
    assert "by different words" in refused.value.hint
