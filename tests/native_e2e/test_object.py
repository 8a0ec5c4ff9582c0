"""Crates of type `object`: one relocatable file, for crates and for SCons's own builders."""

from __future__ import annotations

import subprocess

import pytest

from tests.native_e2e.native_scons import WITH_C, NativeProject
from tests.native_e2e.test_link import names, printed

FILES = {
    "dep.c": "static int n;\nint helper(int x) { return x * 3 + n++; }\nint dep_api(int x) { return helper(x) + 1; }\n",
    "unused.c": "int unused(void) { return 9; }\n",
    "a.c": "int dep_api(int);\nint inner(int);\nint api(int x) { return dep_api(x) + inner(x); }\n",
    "inline.h": "inline int each(int x) { static int seen; return x + seen++; }\n",
    "b.cpp": '#include "inline.h"\nextern "C" int inner(int x) { int s = 0; while (x--) s += each(x); return s; }\n',
    "c.cpp": '#include "inline.h"\nextern "C" int outside(int x) { return each(x); }\n',
    # The program's own `helper`, which the object must not call.
    "main.c": "#include <stdio.h>\nint api(int);\nint outside(int);\nint helper(int x) { return 1000; }\n"
    'int main(void) { int first = api(5); printf("%d %d\\n", first, outside(0)); return 0; }\n',
}


@pytest.mark.exhaustive(native="zig")  # it takes a minute to build its C++ library first
def test_object_in_another_crate(native: NativeProject) -> None:
    modes = ("off", "fat") if native.kind == "gcc" else ("off", "thin", "fat")
    native.crates(
        'dep = env.Crate("dep", ["dep.c", "unused.c"])\n'
        + "".join(
            f"""
o = env.Crate("o_{lto}", ["a.c", "b.cpp"], deps=[dep], crate_type="object", lto="{lto}")
p = env.Crate("p_{lto}", [o.image, "main.c", "c.cpp"], crate_type="bin", lto="{lto}")
k = env.Crate("k_{lto}", ["a.c", "b.cpp"], deps=[dep], crate_type="object", lto="{lto}", keep_exports=True)
Default(o, p, k)
"""
            for lto in modes
        ),
        FILES,
    )
    native.scons("-j2")
    own, every = {"api", "inner"}, {"api", "inner", "dep_api", "helper", "unused"}
    for lto in modes:
        strong = {
            crate: {name for name in names(native.path / f"{crate}_{lto}.o", "-g") if not name.startswith("_Z")}
            for crate in "ok"
        }
        assert (strong["o"] - {"DW.ref.__gxx_personality_v0"}, strong["k"] - {"DW.ref.__gxx_personality_v0"}) == (
            own,
            every,
        )
        # api(5) is 15 + 1 + (0 + 1 + 2 + 3 + 4) + (0 + 1 + ... + 4); the inline function is one in the program.
        assert printed(native.path / f"p_{lto}") == "36 5\n", lto
        assert subprocess.run(
            ["readelf", "-aW", native.path / f"o_{lto}.o"], capture_output=True, text=True, check=True
        )
    assert native.up_to_date()
    native.write({"dep.c": FILES["dep.c"].replace("* 3", "* 4")})
    native.scons("-j2")
    assert printed(native.path / "p_off") == "41 5\n"


def test_object_in_scons_targets(any_native: NativeProject) -> None:
    any_native.header = WITH_C
    any_native.crates(
        """
dep = env.Crate("dep", ["dep.c"])
o = env.Crate("o", ["a.c", "b.cpp"], deps=[dep], crate_type="object")
Default(env.Program("plain", ["main.c", "c.cpp", o], LIBS=["stdc++"]))
Default(env.SharedLibrary("shared", [o]), env.StaticLibrary("static", [o]))
""",
        FILES,
    )
    any_native.scons()
    assert printed(any_native.path / "plain") == "36 5\n"
    assert "api" in names(any_native.path / "libshared.so", "-D") and "api" in names(any_native.path / "libstatic.a")
    assert any_native.up_to_date()
