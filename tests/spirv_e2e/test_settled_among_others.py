"""Builds in which SCons makes more than crates: crates with nothing to do are recognized all the same."""

from __future__ import annotations

import os

import pytest

from tests.spirv_e2e.shader_project import HEADER, WITH_C, ShaderProject
from tests.spirv_e2e.test_settled_in_part import CRATES, FILES, other
from tests.support.project_pair import ProjectPair, run_both
from tests.support.scons_project import SconsProject

OTHERS = """\
own = lambda target, source, env: (target, source[0].sources)
alone = env.Command("alone.txt", "in.txt", Copy("$TARGET", "$SOURCE"))
copy = env.Command("copy.txt", [d.image, "in.txt"], "cat $SOURCES > $TARGET")
env.Install("out", [a, b.image, d[-1], d.image, d.manifest, e.rlib])
env.Alias("install", env.Install("out", c))
Depends(alone, c)
"""


@pytest.fixture
def pair(shader_pair: list[ShaderProject], request: pytest.FixtureRequest) -> ProjectPair:
    # SCons links sources into variant directories, by which all of their stamps count.
    copied = "variant" not in request.node.name
    return ProjectPair(*shader_pair, HEADER, {"in.txt": "1\n", "h.in": "#define X 5.0\n", **FILES}, copied=copied)


def flat(text: str) -> str:
    """Return an SConstruct without a directory of images, whose nodes are only known once it is declared."""
    return text.replace(", multimodule=True", "")


def test_what_is_made_of_crates_declares_none(pair: ProjectPair) -> None:
    pair.settle(flat(CRATES + OTHERS))
    pair.write({"in.txt": "2\n"})
    assert not pair.run()
    assert "copy.txt" in pair.with_record.output
    for project in pair:
        (project.path / "out" / "c.spv").unlink()
    assert not pair.run()
    assert (pair.with_record.path / "out" / "c.spv").exists()
    for edited, concerned in (("d.comp", "d"), ("b.comp", "b base lib"), ("e.comp", "e"), ("c.comp", "base c")):
        pair.write(other(edited, 1))
        assert concerned in pair.build_until_settled(), edited
        image = edited.replace("e.comp", "d.comp").replace(".comp", ".spv")
        assert (pair.with_record.path / "out" / image).read_bytes() == (pair.with_record.path / image).read_bytes()


def test_one_edit_after_the_other(pair: ProjectPair) -> None:
    """What a build has made may ask for no more than what it says that it asked for."""
    pair.settle(flat(CRATES + OTHERS))
    for number in range(3):
        pair.write({**other("d.comp", number), "in.txt": f"{number}\n"})
        assert pair.run() == "d"
    pair.write(other("b.comp", 1))
    assert {*pair.run().split()} == {"b", "base", "d", "lib"}
    line = 'env.Command("x.inc", "h.in", Copy("$TARGET", "$SOURCE"))\n'
    pair.sconstruct(flat(CRATES + line + OTHERS))
    pair.write(other("d.comp", 1))
    assert {*pair.run().split()} >= {"a", "b", "c", "d"}


def test_a_target_may_be_named(pair: ProjectPair, thorough: bool) -> None:
    """Crates whose files SCons has not come to are declared: what it makes now may ask for them."""
    for arguments in (("install",), ("copy.txt", "alone.txt"), ("out/a.spv", "b.spv"), ("-j2",), ("out", ".")):
        pair.settle(flat(CRATES + OTHERS))
        for edited in ("c.comp", "a.comp", "d.comp")[: 3 if thorough else 1]:
            pair.write(other(edited, len(arguments)))
            pair.run_again(*arguments)
    assert not pair.run("out", ".")


@pytest.mark.parametrize(
    "asked",
    [
        "Default(copy)",
        "Default(a, copy, alone)",
        "Default(copy, a)",
        "Default('install', d)",
        "Default('out')",
        "Default(e)",
    ],
)
def test_whatever_is_asked_for(pair: ProjectPair, asked: str, thorough: bool) -> None:
    pair.settle(flat(CRATES))
    pair.sconstruct(flat(CRATES + OTHERS + asked))
    for name in ("d.comp", "in.txt", "a.comp", "in.txt", "c.comp", "e.comp")[:: 1 if thorough else 2]:
        pair.write(other(name, 3) if name.endswith(".comp") else {name: f"{name} 3\n"})
        pair.run_again()


def test_what_crates_read_is_made_first(pair: ProjectPair) -> None:
    """What a crate does with a file may depend on whether others make it: so all are declared in each build."""
    text = flat(CRATES) + 'env.Command("d.comp", "d.in", Copy("$TARGET", "$SOURCE"))\nenv.Install("out", e)\n'
    pair.write({"d.in": FILES["d.comp"]})
    pair.sconstruct(text)
    pair.write({name: text for name, text in FILES.items() if name != "d.comp"})
    for _ in range(4):
        pair.run()
    pair.write({"d.in": other("d.comp", 1)["d.comp"]})
    assert pair.run() == "a b base c d e lib"
    assert 'Copy("d.comp", "d.in")\nCompiling crate d' in pair.with_record.output
    pair.run()


def test_what_others_make_from_now_on_is_read(pair: ProjectPair) -> None:
    """A file appears at a place where a crate has looked for it in vain; a source is made from now on."""
    for line, concerned in (
        ('env.Command("x.inc", "h.in", Copy("$TARGET", "$SOURCE"))', {"a", "b", "c", "base", "lib"}),
        ('env.Command("d.comp", "e.comp", Copy("$TARGET", "$SOURCE"))', {"d"}),
        (
            'env.Command("o.txt", "h.in", ["cp h.in o.txt", "cp h.in x.inc"])\nSideEffect("x.inc", "o.txt")',
            {"a", "b", "c"},
        ),
    ):
        pair.settle(flat(CRATES) + 'env.Install("out", e)\n')
        pair.sconstruct(flat(CRATES) + f'{line}\nenv.Install("out", e)\n')
        assert concerned <= {*pair.run().split()}
        pair.write({"h.in": "#define X 6.0\n", **other("e.comp", 2)})
        assert concerned <= {*pair.run().split()}
        for project in pair:
            (project.path / "x.inc").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "said",
    [
        "AlwaysBuild(d)",
        "Depends(d, 'in.txt')",
        "Depends('d.comp', 'in.txt')",
        "AddPostAction(d, Action('@echo after'))",
        "AddPostAction('d.comp', Action('@echo after'))",
        "SideEffect('in.txt', d)",
        "Ignore(d, 'd.comp')",
        "print(copy[0].sources[0].has_builder(), [str(node) for node in copy[0].children()])",
        "print(d.image.exists(), d[0].get_state(), d.rlink.sources)",
        "env.Command(Dir('tree'), d, 'mkdir -p $TARGET; cp $SOURCE $TARGET')",
        "env.Alias('both', [d, copy])",
        "env.Alias('install', d)",
        "env.Alias('acts', copy, '@echo acts'); Default('acts', d)",
        "env.Command('more.txt', 'in.txt', Action(lambda target, source, env: print(d.image.get_size())))",
        "Requires(alone, d); Precious(copy); NoClean(copy); Clean(d, 'in.txt')",
        "env.Textfile('names.txt', [str(d.image), d.name, e.rlib.path, d.image.get_suffix()])",
        "env['BUILDERS']['Own'] = Builder(action=Copy('$TARGET', '$SOURCE'), suffix='.own'); env.Own(d.image)",
        "env.Append(BUILDERS={'Own': Builder(action='true', emitter=own)}); env.Own('o', d)",
    ],
)
def test_whatever_is_said_comes_to_the_same(pair: ProjectPair, said: str, thorough: bool) -> None:
    pair.settle(flat(CRATES + OTHERS))
    pair.sconstruct(flat(CRATES + OTHERS) + said + "\n")
    pair.run()
    for name in ("d.comp", "in.txt", "e.comp") if thorough else ("d.comp", "in.txt"):
        if thorough:
            pair.run()
        pair.write(other(name, 4) if name.endswith(".comp") else {name: "4\n"})
        pair.run("-k")
    pair.run()


def test_two_ways_to_make_a_file_are_refused(pair: ProjectPair) -> None:
    for said in (
        "env.Command('d.spv', 'in.txt', 'cp $SOURCE $TARGET')",
        "SideEffect('d.spv', copy)",
        "env.Install('.', 'out/d.spv')",
    ):
        pair.settle(flat(CRATES + OTHERS))
        pair.sconstruct(flat(CRATES + OTHERS) + said + "\n")
        run_both(pair.with_record, pair.without_record, (), own="DECLARED.*\n")
        assert pair.with_record.status == 2


SUB = """\
Import("env")
d = env.Crate("d", ["d.comp"], crate_type="cdylib")
e = env.Crate("e", ["e.comp"], crate_type=["rlib", "cdylib"])
env.Install("#out", [d.image, e.rlib])
env.Command("copy.txt", d, "cat $SOURCE > $TARGET")
"""


def test_a_variant_directory_without_copies(pair: ProjectPair) -> None:
    """Its crates are known, until a file of the name of an output lies beside the sources: SCons would take that."""
    files = {"sub/SConscript": SUB, **{f"sub/{name}": FILES[name] for name in ("d.comp", "e.comp")}}
    pair.write(files)
    text = 'SConscript("sub/SConscript", exports="env", variant_dir="build", duplicate=0)\n'
    pair.settle(text)
    pair.write({"sub/d.comp": other("d.comp", 1)["d.comp"]})
    assert "d" in pair.build_until_settled()
    assert (pair.with_record.path / "out" / "d.spv").read_bytes() == (
        pair.with_record.path / "build" / "d.spv"
    ).read_bytes()
    pair.write({"sub/d.spv": "junk"})
    assert "d" in pair.run()
    assert "d" in pair.run()
    for project in pair:
        (project.path / "sub" / "d.spv").unlink()
        (project.path / "build" / "e.spv").unlink()
    assert "e" in pair.run()
    assert pair.build_until_settled() <= {"d e", "d", "e"}
    for said in ('variant_dir="other", duplicate=0', 'variant_dir="build"', 'variant_dir="build", duplicate=0'):
        pair.sconstruct(f'SConscript("sub/SConscript", exports="env", {said})\n')
        for number in range(3):
            pair.write({"sub/e.comp": other("e.comp", number)["e.comp"]})
            pair.run()
            pair.run()


SUB_PATTERN = """\
Import("env")
c = env.Crate("c", Glob("c*.comp"), crate_type="cdylib", include_dirs=["inc"], multimodule=True)
d = env.Crate("d", Glob("d*.comp"), crate_type="cdylib")
env.Install("#out", [File("say.txt"), d.image])
"""


@pytest.mark.parametrize("said", ["", ", duplicate=0"])
def test_a_variant_directory_with_a_pattern(pair: ProjectPair, said: str) -> None:
    """Sources that SCons duplicates are compared with theirs; a pattern finds those that it does not duplicate."""
    names = ("c.comp", "c2.comp", "d.comp", "inc/x.inc", "say.txt")
    shader = FILES["d.comp"]
    pair.write({f"sub/{name}": FILES.get(name, "1\n") if "c" not in name[:1] else shader for name in names})
    pair.write({"sub/SConscript": SUB_PATTERN})
    pair.settle(f'SConscript("sub/SConscript", exports="env", variant_dir="build"{said})\n')

    for number, (name, concerned) in enumerate((("c2.comp", "c"), ("d.comp", "d"))):
        pair.write({f"sub/{name}": f"{shader}// in place {number}\n"})
        assert concerned in pair.build_until_settled()
        for project in pair:
            path = project.path / "sub" / name
            before = path.stat()
            (path.parent / "other").write_text(path.read_text().replace("in place", "replaced"))
            os.utime(path.parent / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
            (path.parent / "other").replace(path)
        assert concerned in pair.build_until_settled()
        assert "replaced" in (pair.with_record.path / ("build" if not said else "sub") / name).read_text()
    pair.write({"sub/say.txt": "2\n"})
    pair.run()
    assert (pair.with_record.path / "out" / "say.txt").read_text() == "2\n"
    pair.write({"sub/c3.comp": shader})
    assert "c" in pair.run()
    assert (pair.with_record.path / "build" / "c.spvs" / "c3.comp.spv").exists()
    pair.build_until_settled()
    if not said:
        for project in pair:
            (project.path / "build" / "c2.comp").unlink()
        assert "c" in pair.run()
        assert (pair.with_record.path / "build" / "c2.comp").exists()
        pair.build_until_settled()
    for project in pair:
        (project.path / "sub" / "c.comp").unlink()
    assert "c" in pair.run()
    assert pair.with_record.status == (
        0 if said else 2
    )  # SCons finds the copy, and removes it when it looks for the source
    pair.run()
    assert not (pair.with_record.path / "build" / "c.spvs" / "c.comp.spv").exists()
    assert pair.build_until_settled() <= {"c", "c d"}


def test_a_variant_directory_with_real_copies(pair: ProjectPair) -> None:
    """SCons copies anew in each build, even over an edited copy."""
    pair.write({"sub/SConscript": SUB, **{f"sub/{name}": FILES[name] for name in ("d.comp", "e.comp")}})
    pair.sconstruct('SConscript("sub/SConscript", exports="env", variant_dir="build")\n')
    for _ in range(3):
        pair.run("--duplicate=copy")
    assert not (pair.with_record.path / "build" / "d.comp").samefile(pair.with_record.path / "sub" / "d.comp")
    pair.write({"build/d.comp": "edited"})
    pair.run("--duplicate=copy")
    assert (pair.with_record.path / "build" / "d.comp").read_text() == FILES["d.comp"]
    pair.run()
    assert (pair.with_record.path / "build" / "d.comp").samefile(pair.with_record.path / "sub" / "d.comp")
    assert pair.build_until_settled() <= {"d e", "d", "e"}


def test_the_default_environment_is_made_by_default(scons_project: SconsProject) -> None:
    """SCons makes it for `Default`: that is no question about crates, so the build is described."""
    scons_project.environ |= {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"}
    declared = WITH_C.replace("DefaultEnvironment(tools=[])", "")
    declared += 'Default(env.Crate("d", ["d.comp"], crate_type="cdylib"))\n'
    scons_project.write({"SConstruct": declared, "d.comp": "#version 450\nvoid main() {}\n"})
    for _ in range(2):
        scons_project.scons()
    assert scons_project.exists(".sconsign.crates")
