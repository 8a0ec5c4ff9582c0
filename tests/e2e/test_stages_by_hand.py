"""The stages as separate SCons builders: combined by hand, replaced, shown, omitted and cleaned."""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

FILES = {
    "util.stub": "export util\n",
    "lib.stub": "export entry @util\nimport util\n",
    "app.stub": "export main @util\nimport util\n",
}
BY_HAND = """\
import SCons.Builder
from cratewright.formats.metadata import decode_rlink, encode_rlib
def pack(target, source, env):
    crate = decode_rlink(source[0].get_contents(), path="")
    open(str(target[0]), "wb").write(encode_rlib(crate))
util = env.CrateCodegen("util", ["util.stub"])
rlib = env.CrateArchive(util)
signed = env.Command("signed/libutil.rlib", rlib, [Copy("$TARGET", "$SOURCE"), Touch("signed/done")])
own = env.Command("own/libutil.rlib", util, Action(pack, "pack $TARGET"))
lib = env.CrateCodegen("out/lib", ["lib.stub"], deps=util, crate_type=["staticlib", "cdylib"], lto="thin")
lto = env.CrateLto(lib)
assert [str(node) for node in lto] == ["out/lib.staticlib-cdylib.lto"], lto
assert env.CrateLto(lib) == lto
images = env.CrateLink(lto)
app = env.CrateCodegen("app", [("app.stub", {"name": "main"})], deps=[signed], crate_type="cdylib")
assert isinstance(env["BUILDERS"]["CrateLink"], SCons.Builder.BuilderBase)
Default(images, env.CrateLink("app", app))
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return the sources, without an SConstruct."""
    scons_project.write(FILES)
    return scons_project


def test_stages_by_hand_equal_a_crate(project: SconsProject) -> None:
    project.sconstruct(BY_HAND)
    printed = project.scons("-n")
    assert "Optimizing out/lib.staticlib-cdylib.lto" in printed and not project.exists("app.rlink")
    project.scons("-j4", ".")
    made = {name: (project.path / name).read_bytes() for name in ("out/lib.staticlib", "out/lib.cdylib", "app.cdylib")}
    assert project.exists("signed/done") and not project.exists("libapp.rlib")
    assert (project.path / "own/libutil.rlib").read_bytes() == (project.path / "libutil.rlib").read_bytes()
    assert project.up_to_date()
    tree = project.scons("--tree=all", "-n")
    assert tree.count("+-out/lib.staticlib-cdylib.lto\n") >= 2, "two crate types, one node"
    assert "+-signed/libutil.rlib" in tree[tree.index("+-app.cdylib.json\n") :]
    project.write({"util.stub": "export util more\n"})
    project.scons("-j1")
    assert project.output.count("Optimizing") == 1 and "pack" not in project.output
    project.scons("-c", ".")
    assert not [path for path in project.path.rglob("*") if path.suffix in (".lto", ".state", ".rlink")]
    project.write({**FILES, "out/lib.stub": FILES["lib.stub"]})
    project.sconstruct(
        'u = env.Crate("util", ["util.stub"])\n'
        'env.Crate("lib", ["lib.stub"], deps=u, crate_type=["staticlib", "cdylib"], lto="thin")\n'
        'env.Crate("app", [("app.stub", {"name": "main"})], deps=u, crate_type="cdylib")\n'
    )
    project.scons()
    for name, data in made.items():
        assert (project.path / name.removeprefix("out/")).read_bytes() == data, name


def test_replaced_builder_and_emitter_are_used(project: SconsProject) -> None:
    """`env.Crate` calls the Environment's builders, after their inputs are built."""
    project.sconstruct(
        """
link = "cat $SOURCES libutil.rlib > $TARGET; cp $TARGET ${TARGETS[1]}; echo mine >> $TARGET"
env["BUILDERS"]["CrateLink"] = Builder(action=link)
env["CRATEARCHIVECOMSTR"] = "Packing $TARGET"
def signed(target, source, env):
    return target, [*source, env.File("key.pem")]
env["CRATECODEGENEMITTER"] = signed
env.AddMethod(lambda env, node: env.AddPostAction(node, Touch("after.txt")), "Noted")
u = env.Crate("util", ["util.stub"])
env.Noted(u.rlib)
l = env.Crate("lib", ["lib.stub"], deps=[u], crate_type="cdylib")
Default(l)
"""
    )
    project.write({"key.pem": "1\n"})
    project.scons("-j4")
    assert "Packing libutil.rlib" in project.output and project.exists("after.txt")
    assert (project.path / "lib.cdylib.json").read_bytes().endswith(b"mine\n")
    assert project.up_to_date()
    project.write({"key.pem": "2\n"})
    project.scons()
    assert "Compiling crate util.rlink" in project.output, "a source added by an emitter is a dependency"
    project.write({"util.stub": "export util more\n"})
    project.scons()
    assert "mine" in project.output, "a replaced link builder has the same dependencies"


def test_lto_is_shared_though_a_dependency_is_declared_later(project: SconsProject) -> None:
    project.sconstruct(
        """
l = env.Crate("lib", ["lib.stub"], deps=["util"], crate_type=["staticlib", "cdylib"], lto="fat")
u = env.Crate("util", ["util.stub"])
Default(l)
"""
    )
    project.scons("-j4")
    assert project.output.count("Optimizing lib.staticlib-cdylib.lto") == 1
    assert project.up_to_date()
    assert project.scons("--tree=all", "-n").count("+-lib.staticlib-cdylib.lto\n") >= 2
    project.remove("lib.staticlib-cdylib.lto")
    project.scons()
    assert project.output.count("Optimizing") == 1
    project.scons("-c")
    assert not project.exists("lib.staticlib-cdylib.lto")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("env.CrateArchive('nowhere.rlink')", ("nowhere.rlink is not made from a crate", "env.CrateCodegen")),
        ("env.CrateLink(env.CrateCodegen('util', 'util.stub'))", ("is only an rlib", "crate_type")),
        ("env.CrateLto(env.CrateCodegen('util', 'util.stub', crate_type='cdylib'))", ("asks for no", 'lto="thin"')),
        ("env.CrateLink(env.CrateCodegen('util', 'util.stub'), crate_type='cdylib')", ("not compiled to be", "rlib")),
        (
            "env.CrateLink('other', env.CrateCodegen('util', 'util.stub', crate_type='cdylib'))",
            ("not linked as other",),
        ),
        ("env.CrateLink(env.CrateCodegen('util', 'util.stub', crate_type='cdylib'), lto='fat')", ("takes no 'lto'",)),
        ("env.CrateLink(['util.stub'])", ("cannot take util.stub", ".rlink")),
        ("env.CrateCodegen(['a', 'b'], 'util.stub')", ("2 targets",)),
        ("env.CrateCodegen('util', 'util.stub', CRATE_TARGET='tex')", ("'tex'", "text")),
        ("env.CrateCodegen('util', 'util.stub', lot='thin')", ("unknown option 'lot'", "lto")),
        (
            "u = env.CrateCodegen('util', 'util.stub')\n"
            "env.CrateLink(env.CrateCodegen('lib', 'lib.stub', deps=u, crate_type='cdylib'))",
            ("'util', of which no rlib is made", "env.CrateArchive"),
        ),
        (
            "a, b = (env.CrateCodegen(n, f'{n}.stub', crate_type='cdylib') for n in ('lib', 'app'))\n"
            "env.CrateLink([a, b])",
            ("more than one crate",),
        ),
        (
            "a, b = (env.CrateCodegen(n, f'{n}.stub', crate_type='cdylib') for n in ('lib', 'app'))\n"
            "env.CrateLink([a, env.CrateArchive(b)])",
            ("which crate 'lib' does not depend on",),
        ),
    ],
)
def test_bad_combination_of_stages_is_refused(project: SconsProject, text: str, words: tuple[str, ...]) -> None:
    project.sconstruct(text + "\n")
    project.scons(expect=2)
    for word in words:
        assert word in project.errors
    if "no rlib is made" not in project.errors:
        assert "SConstruct" in project.errors, "the error names the line"


def test_foreign_or_damaged_lto_result_is_refused(project: SconsProject) -> None:
    """It is truncated, no LTO result at all, or of another version; the old image is removed."""
    project.sconstruct(
        """
u = env.Crate("util", ["util.stub"])
l = env.CrateCodegen("lib", ["lib.stub"], deps=[u], crate_type="cdylib", lto="thin")
bad = env.Command("bad/lib.lto", env.CrateLto(l), f"cp {ARGUMENTS.get('file', '$SOURCE')} $TARGET")
Default(env.CrateLink(bad))
"""
    )
    project.scons()
    before = (project.path / "lib.cdylib").read_bytes()
    data = (project.path / "lib.cdylib.lto").read_bytes()
    project.write({"cut": data[:-1], "none": b"text", "old": data.replace(b"lto 1\n", b"lto 0\n", 1)})
    for file, word in (("cut", "damaged"), ("none", "not a result of link-time"), ("old", "another version")):
        project.scons(f"file={file}", expect=2)
        assert word in project.errors and "bad/lib.lto" in project.errors
        assert not project.exists("lib.cdylib")
    project.scons()
    assert (project.path / "lib.cdylib").read_bytes() == before
