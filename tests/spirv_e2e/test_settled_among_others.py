"""Crates that are recognized as up to date in builds with other targets."""

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
    # SCons hard-links sources into variant directories, so full stamps are compared.
    copied = "variant" not in request.node.name
    return ProjectPair(*shader_pair, HEADER, {"in.txt": "1\n", "h.in": "#define X 5.0\n", **FILES}, copied=copied)


def flat(text: str) -> str:
    """Return the SConstruct without multi-module images, whose nodes are unknown before their crate is declared."""
    return text.replace(", multimodule=True", "")


def test_targets_built_from_crates_declare_no_crate(pair: ProjectPair) -> None:
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


def test_consecutive_edits(pair: ProjectPair) -> None:
    """A build declares only the crates that its edit concerns, and those built by the one before."""
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


def test_targets_on_the_command_line(pair: ProjectPair, thorough: bool) -> None:
    """Crates whose files were not visited by the last build are declared, since targets may need them now."""
    for arguments in (("install",), ("copy.txt", "alone.txt"), ("out/a.spv", "b.spv"), ("-j2",), ("out", ".")):
        pair.settle(flat(CRATES + OTHERS))
        for edited in ("c.comp", "a.comp", "d.comp")[: 3 if thorough else 1]:
            pair.write(other(edited, len(arguments)))
            pair.run_again(*arguments)
    assert not pair.run("out", ".")


@pytest.mark.parametrize(
    "defaults",
    [
        "Default(copy)",
        "Default(a, copy, alone)",
        "Default(copy, a)",
        "Default('install', d)",
        "Default('out')",
        "Default(e)",
    ],
)
def test_default_targets(pair: ProjectPair, defaults: str, thorough: bool) -> None:
    pair.settle(flat(CRATES))
    pair.sconstruct(flat(CRATES + OTHERS + defaults))
    for name in ("d.comp", "in.txt", "a.comp", "in.txt", "c.comp", "e.comp")[:: 1 if thorough else 2]:
        pair.write(other(name, 3) if name.endswith(".comp") else {name: f"{name} 3\n"})
        pair.run_again()


def test_generated_source_declares_all_crates(pair: ProjectPair) -> None:
    """A crate may treat a generated file differently, so all crates are declared in each build."""
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


def test_newly_generated_file_is_read(pair: ProjectPair) -> None:
    """An include that a crate did not find before, or a source, becomes the target of another builder."""
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
    "statement",
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
def test_new_statements_take_effect(pair: ProjectPair, statement: str, thorough: bool) -> None:
    pair.settle(flat(CRATES + OTHERS))
    pair.sconstruct(flat(CRATES + OTHERS) + statement + "\n")
    pair.run()
    for name in ("d.comp", "in.txt", "e.comp") if thorough else ("d.comp", "in.txt"):
        if thorough:
            pair.run()
        pair.write(other(name, 4) if name.endswith(".comp") else {name: "4\n"})
        pair.run("-k")
    pair.run()


def test_two_builders_of_one_file_are_an_error(pair: ProjectPair) -> None:
    for statement in (
        "env.Command('d.spv', 'in.txt', 'cp $SOURCE $TARGET')",
        "SideEffect('d.spv', copy)",
        "env.Install('.', 'out/d.spv')",
    ):
        pair.settle(flat(CRATES + OTHERS))
        pair.sconstruct(flat(CRATES + OTHERS) + statement + "\n")
        run_both(pair.with_record, pair.without_record, (), own="DECLARED.*\n")
        assert pair.with_record.status == 2


SUB = """\
Import("env")
d = env.Crate("d", ["d.comp"], crate_type="cdylib")
e = env.Crate("e", ["e.comp"], crate_type=["rlib", "cdylib"])
env.Install("#out", [d.image, e.rlib])
env.Command("copy.txt", d, "cat $SOURCE > $TARGET")
"""


def test_variant_directory_without_duplicates(pair: ProjectPair) -> None:
    """Its crates are settled until a file named like an output appears beside the sources: SCons would use it."""
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
    for statement in ('variant_dir="other", duplicate=0', 'variant_dir="build"', 'variant_dir="build", duplicate=0'):
        pair.sconstruct(f'SConscript("sub/SConscript", exports="env", {statement})\n')
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


@pytest.mark.parametrize("duplicate", ["", ", duplicate=0"])
def test_variant_directory_with_a_glob(pair: ProjectPair, duplicate: str) -> None:
    """Duplicated sources are compared with their originals; without duplicates, the glob finds the originals."""
    names = ("c.comp", "c2.comp", "d.comp", "inc/x.inc", "say.txt")
    shader = FILES["d.comp"]
    pair.write({f"sub/{name}": FILES.get(name, "1\n") if "c" not in name[:1] else shader for name in names})
    pair.write({"sub/SConscript": SUB_PATTERN})
    pair.settle(f'SConscript("sub/SConscript", exports="env", variant_dir="build"{duplicate})\n')

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
        assert "replaced" in (pair.with_record.path / ("build" if not duplicate else "sub") / name).read_text()
    pair.write({"sub/say.txt": "2\n"})
    pair.run()
    assert (pair.with_record.path / "out" / "say.txt").read_text() == "2\n"
    pair.write({"sub/c3.comp": shader})
    assert "c" in pair.run()
    assert (pair.with_record.path / "build" / "c.spvs" / "c3.comp.spv").exists()
    pair.build_until_settled()
    if not duplicate:
        for project in pair:
            (project.path / "build" / "c2.comp").unlink()
        assert "c" in pair.run()
        assert (pair.with_record.path / "build" / "c2.comp").exists()
        pair.build_until_settled()
    for project in pair:
        (project.path / "sub" / "c.comp").unlink()
    assert "c" in pair.run()
    # SCons finds the duplicate, and removes it as it looks for the original.
    assert pair.with_record.status == (0 if duplicate else 2)
    pair.run()
    assert not (pair.with_record.path / "build" / "c.spvs" / "c.comp.spv").exists()
    assert pair.build_until_settled() <= {"c", "c d"}


def test_variant_directory_with_copies(pair: ProjectPair) -> None:
    """SCons copies the sources in each build, even over an edited copy."""
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


def test_default_creates_the_default_environment(scons_project: SconsProject) -> None:
    """`Default` creates it without asking anything about crates, so the build is recorded."""
    scons_project.environ |= {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"}
    declared = WITH_C.replace("DefaultEnvironment(tools=[])", "")
    declared += 'Default(env.Crate("d", ["d.comp"], crate_type="cdylib"))\n'
    scons_project.write({"SConstruct": declared, "d.comp": "#version 450\nvoid main() {}\n"})
    for _ in range(2):
        scons_project.scons()
    assert scons_project.exists(".sconsign.crates")
