"""Native crates with nothing to do: libraries of the system and of other crates are among what they were made from."""

from __future__ import annotations

from tests.native_e2e.native_scons import HEADER, NativeProject
from tests.support.project_pair import ProjectPair

CRATES = """\
foo = env.Crate("foo", ["foo.c"], crate_type="staticlib")
app = env.Crate("app", ["app.c"], crate_type="bin", libs=["foo", "m"], lib_dirs=["."])
other = env.Crate("other", ["other.c"], crate_type="bin", libs=["m"])
"""
FILES = {
    "foo.c": "int foo(int x) { return x + 1; }\n",
    "app.c": "int foo(int);\nint main(int count, char **words) { return foo(count); }\n",
    "other.c": "#include <math.h>\nint main(int count, char **words) { return (int)cos(count); }\n",
}


def test_libraries_are_looked_at(any_native: NativeProject) -> None:
    """Also one that was made by a crate not named in `deps`, and one found earlier than that of the system."""
    projects = [NativeProject(any_native.path / name, "gcc", form=any_native.form) for name in ("kept", "asked")]
    pair = ProjectPair(*projects, HEADER, FILES)
    pair.settle(CRATES)
    pair.write({"other.c": FILES["other.c"] + "// more\n"})
    assert (pair.run(), pair.run(), pair.run()) == ("other", "other", "")
    pair.write({"foo.c": "int foo(int x) { return x + 2; }\n"})
    assert (pair.run(), pair.run(), pair.run()) == ("app foo", "app foo", "")
    pair.write({"foo.c": "int goo(int x) { return x + 2; }\n"})
    assert pair.run() == "app foo"
    assert pair.kept.status == 2
    pair.write({"foo.c": FILES["foo.c"]})
    assert (pair.run(), pair.run(), pair.run()) == ("app foo", "app foo", "")
    for project in pair:
        (project.path / "libfoo.a").unlink()
    assert (pair.run(), pair.run(), pair.run()) == ("app foo", "app foo", "")
    for project in pair:
        (project.path / "libm.a").write_bytes(b"!<arch>\n")
    assert pair.run() == "app foo"
