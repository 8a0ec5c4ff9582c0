"""Plugin options whose values are files, numbers or sizes.

A backend prints the values it is given into its output.
"""

from __future__ import annotations

import pytest

from tests.support.scons_project import SconsProject

BACKEND = """\
import os
import cratewright
from cratewright import OptionKind, OptionSpec


def _spec(name, kind, default, **more):
    return OptionSpec(name=name, kind=kind, default=default, help=name, **more)


class Upper(cratewright.CodegenBackend):
    NAME = "upper"
    API_VERSION = 1
    TARGETS = ("text",)
    SUFFIXES = (".txt",)
    OPTIONS = (
        _spec("head", OptionKind.PATH, ""),
        _spec("foot", OptionKind.PATH, ""),
        _spec("level", OptionKind.INT, 1, least=-2, most=9),
        _spec("room", OptionKind.SIZE, None, least=16, step=16),
    )
    UNIT_OPTIONS = frozenset({"head", "level"})
    LINK_OPTIONS = frozenset({"foot", "room", "level"})
    MODULE_OPTIONS = frozenset()
    SOURCE_OPTIONS = frozenset({"level"})
    supported_crate_types = frozenset({cratewright.CrateType.RLIB, cratewright.CrateType.BIN})

    def fingerprint(self):
        return "upper 1"

    def _read(self, path):
        data = cratewright.read_bytes(os.path.join(self.session.root, path), role="text") if path else b""
        seen = (cratewright.Observed(path, cratewright.content_digest(data)),) if path else ()
        return data, seen

    def compile_codegen_unit(self, stencil):
        data, seen = self._read(stencil.options.text("head"))
        text = data + b"%d " % stencil.options.number("level") + stencil.source.upper()
        return cratewright.CompiledUnit(modules=(cratewright.ModuleCodegen(name=".up", data=text),), observed=seen)

    def output_names(self, crate, crate_type, options):
        return (crate + ".out",)

    def link(self, request):
        data, seen = self._read(request.options.text("foot"))
        room = b"room %s\\n" % str(request.options.number("room")).encode()
        text = b"".join(entry.module.data for entry in request.modules) + room + data
        return cratewright.LinkResult(artifacts=(cratewright.Artifact(request.crate + ".out", text),), observed=seen)


@cratewright.hookimpl
def cratewright_register_backend():
    return Upper
"""
HEAD = """\
import sys
sys.path.insert(0, "site_scons")
import cratewright, upper
DefaultEnvironment(tools=[]), cratewright.register(upper)
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="upper")
Export("env")
"""


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a project with the backend, two sources, and files for its options."""
    scons_project.write({"site_scons/upper.py": BACKEND, "SConstruct": HEAD})
    scons_project.write({"sub/a.txt": "a\n", "sub/b.txt": "b\n", "sub/head.txt": "head\n", "foot.txt": "foot\n"})
    return scons_project


def test_values_in_an_sconscript(project: SconsProject) -> None:
    """A path is relative to the SConscript or is a node; a changed file rebuilds only its users."""
    words = 'head="head.txt", foot=File("#foot.txt"), room="1K", level="3"'
    source = '("b.txt", {"level": 7, "head": File("own.txt")})'
    project.write(
        {
            "SConstruct": HEAD + "SConscript('sub/SConscript')\n",
            "sub/SConscript": f'Import("env")\nenv.Crate("app", ["a.txt", {source}], crate_type="bin", {words})\n',
            "sub/own.txt": "own\n",
        }
    )
    project.scons()
    made = project.read("sub/app.out")
    assert made == "head\n3 A\nown\n7 B\nroom 1024\nfoot\n"
    assert project.up_to_date()
    project.write({"foot.txt": "feet\n"})
    project.scons()
    assert project.read("sub/app.out") == made.replace("foot", "feet") and "Compiling" not in project.output
    project.write({"sub/own.txt": "mine\n"})
    project.scons()
    assert project.read("sub/app.out").startswith("head\n3 A\nmine\n7 B\n") and "1 compiled, 1 reused" in project.output
    assert project.up_to_date()
    project.scons("CRATE_ROOM=32", "CRATE_LEVEL=9", "CRATE_HEAD=#foot.txt")  # arguments of the call take precedence
    assert "up to date" in project.output


def test_generated_files_and_variant_directories(project: SconsProject) -> None:
    """Generated files are built first, wherever they are declared."""
    text = 'Import("env")\n{first}crate = env.Crate("app", ["a.txt"], crate_type="bin", head="made.txt", foot={foot})\n'
    command = 'made = env.Command("{name}.txt", "#foot.txt", Copy("$TARGET", "$SOURCE"))\n'
    project.write(
        {
            "SConstruct": HEAD + "SConscript('sub/SConscript', variant_dir='out', duplicate=0)\n",
            "sub/SConscript": text.format(first=command.format(name="made"), foot='"${HERE}head.txt"'),
        }
    )
    project.scons("-j2")
    assert project.read("out/app.out") == "foot\n1 A\nroom None\nhead\n"
    assert project.up_to_date()
    project.write({"foot.txt": "feet\n"})
    project.scons("-j2")
    assert project.read("out/app.out") == "feet\n1 A\nroom None\nhead\n"
    # The generating Command may be declared after the crate.
    late = text.format(first="", foot='""') + command.format(name="made")
    project.write({"SConstruct": HEAD + "SConscript('sub/SConscript')\n", "sub/SConscript": late})
    project.scons("-j2")
    assert project.read("sub/app.out") == "feet\n1 A\nroom None\n" and project.up_to_date()


def test_values_in_a_workspace(project: SconsProject) -> None:
    """A path in any table is relative to the TOML file, and `$` in it is not expanded."""
    toml = """\
[profile.dev]
foot = "$foot.txt"
room = "64 KiB"
[crate.app]
type = "bin"
level = -2
sources = ["a.txt", { path = "b.txt", head = "head.txt" }]
"""
    project.write({"SConstruct": HEAD + "env.CrateWorkspace('sub/crates.toml')\n", "sub/crates.toml": toml})
    project.write({"sub/$foot.txt": "its own\n"})
    project.scons()
    assert project.read("sub/app.out") == "-2 A\nhead\n-2 B\nroom 65536\nits own\n" and project.up_to_date()
    refused = {
        "level = -2": {
            "level = '2'": "sub/crates.toml:6: 'level' takes a whole number, from -2 to 9, not '2'",
            "level = true": "'level' takes a whole number, from -2 to 9, not True",
            "level = 10": "sub/crates.toml:6: option 'level' takes a whole number, from -2 to 9, not 10",
            "room = '100'": "option 'room' takes a size in bytes, such as 65536, 64K or 2M, at least 16, a multiple",
            "head = 'haed.txt'": "sub/haed.txt: no such file",
            "head = 3": "sub/crates.toml:6: option 'head' takes one file, not 3",
        }
    }
    for old, cases in refused.items():
        for new, message in cases.items():
            project.write({"sub/crates.toml": toml.replace(old, new)})
            assert message in " ".join(project.scons(expect=2).split()), new


def test_bad_values_are_refused(project: SconsProject) -> None:
    """Before anything is built."""
    for words, message in {
        'head="haed.txt"': "sub/haed.txt: no such file where: crate 'app' option: head hint: did you mean 'head.txt'?",
        'head="#sub"': "option 'head' takes one file, and '#sub' is a directory",
        'head=Dir("#sub")': "option 'head' takes one file, and 'sub' is a directory",
        'head=["head.txt", "a.txt"]': "option 'head' takes one file, not ['head.txt', 'a.txt']",
        "head=3": "option 'head' takes one file, not 3",
        "level=10": "option 'level' takes a whole number, from -2 to 9, not 10",
        'level="ten"': "option 'level' takes a whole number, from -2 to 9, not 'ten'",
        "level=True": "option 'level' takes a whole number, from -2 to 9, not True",
        "level=1.0": "option 'level' takes a whole number, from -2 to 9, not 1.0",
        "room=8": "option 'room' takes a size in bytes, such as 65536, 64K or 2M, at least 16, a multiple of 16, not 8",
        "room=100": "not 100 where: crate 'app' hint: the next multiple is 112",
        "rooom=100": "unknown option 'rooom' where: crate 'app' hint: did you mean 'room'?",
    }.items():
        text = f'Import("env")\nenv.Crate("app", ["a.txt"], crate_type="bin", {words})\n'
        project.write({"SConstruct": HEAD + "SConscript('sub/SConscript')\n", "sub/SConscript": text})
        assert message in " ".join(project.scons(expect=2).split()), words
        assert not project.exists("sub/app.rlink")


def test_unreported_option_file_is_refused(project: SconsProject) -> None:
    for wrong, method in (("modules=(", "compile_codegen_unit"), ("artifacts=(", "link")):
        text = BACKEND.replace("observed=seen)", "observed=())") if method == "link" else BACKEND
        if method != "link":
            text = text.replace("data=text),), observed=seen)", "data=text),))")
        else:
            text = BACKEND.replace("text),), observed=seen)\n\n\n@", "text),))\n\n\n@")
        assert wrong in text and text != BACKEND
        crate = 'env.Crate("app", ["sub/a.txt"], crate_type="bin", head="foot.txt", foot="foot.txt")\n'
        project.write({"site_scons/upper.py": text, "SConstruct": HEAD + crate})
        output = " ".join(project.scons(expect=2).split())
        assert (
            f"backend 'upper': {method}() returned" in output and "whose observed is a tuple without foot.txt" in output
        )
        assert "the one that option" in output and not project.exists("app.out")
