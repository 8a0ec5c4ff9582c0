"""Null builds of native crates: libraries of the system and of other crates count as inputs."""

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


def test_libraries_count_as_inputs(any_native: NativeProject) -> None:
    """Also the output of a crate that is not in `deps`, and a library that shadows one of the system."""
    projects = [
        NativeProject(any_native.path / name, "gcc", form=any_native.form) for name in ("with_record", "without_record")
    ]
    pair = ProjectPair(*projects, HEADER, FILES)
    pair.settle(CRATES)
    pair.write({"other.c": FILES["other.c"] + "// more\n"})
    assert pair.build_until_settled() == {"other"}
    pair.write({"foo.c": "int foo(int x) { return x + 2; }\n"})
    assert pair.build_until_settled() == {"app foo"}
    pair.write({"foo.c": "int goo(int x) { return x + 2; }\n"})
    assert pair.run() == "app foo"
    assert pair.with_record.status == 2
    pair.write({"foo.c": FILES["foo.c"]})
    assert pair.build_until_settled() == {"app foo"}
    for project in pair:
        (project.path / "libfoo.a").unlink()
    assert pair.build_until_settled() == {"app foo"}
    for project in pair:
        (project.path / "libm.a").write_bytes(b"!<arch>\n")
    assert pair.run() == "app foo"


def test_unbuilt_image_is_built_when_a_source_names_it(any_native: NativeProject) -> None:
    """Also an image in a directory of images."""
    crates = """\
words = dict(backend="spirv", target="vulkan1.3", crate_type="cdylib")
one = env.Crate("one", ["one.comp"], **words)
many = env.Crate("many", ["one.comp"], multimodule=True, **words)
app = env.Crate("app", ["main.c"], crate_type="bin")
other = env.Crate("other", ["other.c"], crate_type="bin", libs=["m"])
Default(app, other)
"""
    main = "int main(int count, char **words) { return count; }\n"
    files = {**FILES, "main.c": main, "one.comp": "#version 460\nlayout(local_size_x = 1) in;\nvoid main() {}\n"}
    for image in ("one.spv", "many.spvs/one.comp.spv"):
        projects = [
            NativeProject(any_native.path / image / name, "gcc", form=any_native.form)
            for name in ("with_record", "without_record")
        ]
        pair = ProjectPair(*projects, HEADER, files)
        pair.settle(crates)
        pair.write({"one.comp": files["one.comp"] + "// nobody reads it\n"})
        assert pair.run() == ""
        pair.write({"main.c": main + "// more\n"})
        assert pair.build_until_settled() == {"app"}
        pair.write({"main.c": main + f'__asm__(".incbin \\"{image}\\"");\n'})
        assert pair.run() == "app many one other"
        assert (projects[0].path / image).exists()
        pair.run()
        pair.write({"one.comp": files["one.comp"].replace("{}", "{ uint x = 1; }")})
        assert "app" in pair.run()
        assert f"Linking {image.partition('.')[0]}" in projects[0].output
