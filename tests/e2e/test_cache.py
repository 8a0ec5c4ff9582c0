"""The cache in SCons builds: after a clean, in another checkout, damaged, verified."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.support.bounds import HANG
from tests.support.scons_project import SconsProject, server_of

PROJECT = """\
lib = env.Crate("lib", ["b.stub"], include_dirs=["first", "second"])
app = env.Crate("app", ["a.stub", "c.stub"], deps=[lib], crate_type=["rlib", "cdylib"], multimodule=True{options})
"""
SOURCES = {
    "a": "entry a\nimport b\nwarning w2\nwarning w1\n",
    "b": "include x.inc\nexport b\n",
    "c": "entry c\nimport b\nwarning w3\n",
}


@pytest.fixture
def project(scons_project: SconsProject) -> SconsProject:
    """Return a built project."""
    scons_project.sconstruct(PROJECT.format(options=""), **SOURCES)
    scons_project.write({"second/x.inc": "export x\n"})
    scons_project.environ["CRATE_CACHE"] = str(scons_project.path.parent / "shared")
    scons_project.scons()
    return scons_project


def _warnings(project: SconsProject) -> list[str]:
    return [line for line in project.output.splitlines() if "warning" in line]


def _store(project: SconsProject) -> list[Path]:
    return [path for path in (project.path.parent / "shared").rglob("*") if path.is_file()]


def _hits(project: SconsProject) -> list[str]:
    return [line.partition(": ")[2] for line in project.built()]


def command(project: SconsProject, *arguments: str, expect: int = 0) -> str:
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **project.environ}
    server = server_of(project.form)
    done = server.run(arguments, cwd=project.path, environ=environ, timeout=HANG, program="cratewright")
    assert done.returncode == expect and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done.stdout + done.stderr


ALL_REUSED = [
    "2 images: 0 linked, 2 reused",
    "2 units: 0 compiled, 2 reused",
    "1 unit: 0 compiled, 1 reused",
]


def test_cache_serves_a_build_after_clean(project: SconsProject) -> None:
    built, warnings = project.snapshot(), _warnings(project)
    assert [line[-2:] for line in warnings] == ["w2", "w1", "w3"]
    project.scons("-c")
    assert not project.exists("app.rlink") and not project.exists(".app.rlink.state")
    project.scons()
    assert _hits(project) == ALL_REUSED
    assert _warnings(project) == warnings, "a hit warns as the compiler did, in the same order"
    assert project.snapshot() == built
    assert "because" not in project.output


def test_cache_serves_another_checkout_and_crate_name(project: SconsProject, tmp_path: Path) -> None:
    other = SconsProject(tmp_path / "elsewhere" / "deeper", form=project.form)
    other.environ = dict(project.environ)
    other.sconstruct(PROJECT.format(options="").replace('"app"', '"renamed"'), **SOURCES)
    other.write({"second/x.inc": "export x\n"})
    other.scons()
    assert set(ALL_REUSED[1:]) < set(_hits(other)), (
        "the key of a link contains the crate's name, that of a unit does not"
    )
    assert (other.path / "liblib.rlib").read_bytes() == (project.path / "liblib.rlib").read_bytes()


def test_cachedir_of_scons_serves_only_other_targets(project: SconsProject) -> None:
    """CacheDir would restore a manifest without its images and lose warnings, so crates are kept out of it."""
    built, warnings = project.snapshot(), _warnings(project)
    project.write(
        {
            "SConstruct": project.read("SConstruct")
            + 'CacheDir("kept")\nCommand("copy", "a.stub", Copy("$TARGET", "$SOURCE"))\n'
        }
    )
    for store in ("shared", "off"):
        project.environ["CRATE_CACHE"] = str(project.path.parent / store) if store != "off" else store
        project.scons("-c")
        assert not project.exists("app.images/a") and not project.exists("copy")
        project.scons()
        assert built.items() - {("SConstruct", built["SConstruct"])} <= project.snapshot().items()
        assert _warnings(project) == warnings
    assert "Retrieved `copy' from cache" in project.output


def test_damaged_store_only_costs_time(project: SconsProject) -> None:
    built = project.snapshot()
    for seed in range(6):
        rng = random.Random(seed)
        for file in _store(project):
            data = bytearray(file.read_bytes())
            for _ in range(max(1, len(data) // 500)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            file.write_bytes(data)
        project.scons("-c")
        project.scons()
        assert project.snapshot() == built
    # Damage found later in a file discards what was stored in it before, so one build may not be enough.
    for _ in range(4):
        project.scons("-c")
        project.scons()
    assert _hits(project) == ALL_REUSED, "the store has recovered"


def test_cache_verify_checks_hits(project: SconsProject) -> None:
    project.environ["CRATE_CACHE_VERIFY"] = "1"
    built = project.snapshot()
    project.scons("-c")
    project.scons()
    assert _hits(project) == ALL_REUSED
    assert project.snapshot() == built
    project.environ["CRATE_CACHE_VERIFY"] = "yes"
    project.scons("-c")
    project.scons(expect=2)
    assert "CRATE_CACHE_VERIFY takes 0 or 1, not 'yes'" in project.output


SNEAKY = """
import cratewright, cratewright.testing, dataclasses
class Sneaky(cratewright.testing.StubBackend):
    NAME = "sneaky"
    def compile_codegen_unit(self, stencil):
        unit = super().compile_codegen_unit(stencil)
        data = open(self.session.root + "/secret.txt", "rb").read()
        return dataclasses.replace(unit, modules=(dataclasses.replace(unit.modules[0], data=data),))
@cratewright.hookimpl
def cratewright_register_backend():
    return Sneaky
"""


def test_cache_verify_finds_unreported_reads(scons_project: SconsProject) -> None:
    """The error names the file, which a worker read."""
    scons_project.sconstruct(
        'import sys; sys.path.insert(0, "."); import sneaky; cratewright.register(sneaky)\n'
        'env.Crate("app", ["a.stub"], backend="sneaky")\n',
        a="export a\n",
    )
    scons_project.write({"sneaky.py": SNEAKY, "secret.txt": "one"})
    scons_project.scons()
    scons_project.write({"secret.txt": "other"})
    scons_project.scons("-c")
    scons_project.environ["CRATE_CACHE_VERIFY"] = "1"
    output = scons_project.scons(expect=2)
    assert "crate 'app': a.stub: the cached result differs from a fresh compilation" in output
    assert "differs:              modules[0].data: 3 bytes, " in output
    assert "opened, not reported: secret.txt" in output
    assert not scons_project.exists("app.rlink")


def test_cache_commands(project: SconsProject) -> None:
    stats = command(project, "cache", "stats")
    assert "entries:   5\n" in stats and " of 5.0 GiB\n" in stats and "last used: at most 0 days ago\n" in stats
    assert command(project, "cache", "verify") == "entries: 5, all intact\n"
    project.environ["CRATE_CACHE_SIZE"] = "10k"
    assert "entries:   0\n" in command(project, "cache", "gc")
    assert command(project, "cache", "verify", "--cache", "nowhere") == "entries: 0, all intact\n"
    assert not project.exists("nowhere")
    assert command(project, "cache", "stats", "--cache", "off") == "nothing to report\n"
    project.environ["CRATE_CACHE_SIZE"] = "ten"
    assert "CRATE_CACHE_SIZE takes a size such as 500M or 5G, not 'ten'" in command(project, "cache", "gc", expect=2)


def test_cache_verify_command_removes_damaged_entries(project: SconsProject) -> None:
    (file,) = _store(project)
    data = file.read_bytes()
    at = data.index(b"export x")
    file.write_bytes(data[:at] + b"E" + data[at + 1 :])
    text = command(project, "cache", "verify", expect=2)
    assert "of 5 entries cannot be used and were removed" in text and "its digest does not match" in text
    assert "all intact" in command(project, "cache", "verify")
    project.scons("-c")
    project.scons()
    assert project.exists("app.images/a")


SHELF = """
import cratewright, os
class Shelf(cratewright.CacheKvStore):
    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)
    def get_many(self, keys):
        names = set(os.listdir(self.path))
        return {key: open(self.path + "/" + key, "rb").read() for key in keys if key in names}
    def put_many(self, items):
        for key, value in items.items():
            with open(self.path + "/" + key, "wb") as file:
                file.write(value)
@cratewright.hookimpl
def cratewright_open_store(url):
    scheme, _, path = url.partition("://")
    return Shelf(path) if scheme == "shelf" else None
"""


def test_store_of_a_plugin(scons_project: SconsProject) -> None:
    """A plugin's store serves results, and damaged ones are misses."""
    scons_project.write({"shelf.py": SHELF})
    begin = 'import sys; sys.path.insert(0, "."); import shelf; cratewright.register(shelf)\n'
    scons_project.sconstruct(begin + 'env.Crate("app", ["a.stub"], crate_type="cdylib")\n', a="entry a\n")
    shelf = scons_project.path.parent / "shelf"
    scons_project.environ["CRATE_CACHE"] = f"shelf://{shelf}"
    scons_project.scons()
    # Two results, a trail for each, and the crate's list of keys.
    assert len(list(shelf.iterdir())) == 5 and not scons_project.exists(".crate-cache")
    scons_project.scons("-c")
    scons_project.scons()
    assert _hits(scons_project) == ["1 image: 0 linked, 1 reused", "1 unit: 0 compiled, 1 reused"]
    for file in shelf.iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    scons_project.scons("-c")
    scons_project.scons()
    assert _hits(scons_project) == ["1 image: 1 linked, 0 reused", "1 unit: 1 compiled, 0 reused"]
    scons_project.environ["CRATE_CACHE"] = "nobody://knows"
    scons_project.scons("-c")
    scons_project.scons(expect=2)
    assert "no plugin opens the cache 'nobody://knows'" in scons_project.output


def test_comma_in_the_project_path_does_not_separate_stores(scons_project: SconsProject) -> None:
    scons_project.sconstruct(PROJECT.format(options=""), **SOURCES)
    scons_project.write({"second/x.inc": "export x\n"})
    scons_project.path = scons_project.path.rename(scons_project.path.with_name("a, b"))
    for value, made in (("kept", "kept"), ("near, far", "near"), ("one, two\n", "one, two")):
        scons_project.environ["CRATE_CACHE"] = value
        scons_project.scons("-c")
        scons_project.scons()
        assert "crate lib: 1 unit: 1 compiled, 0 reused" in scons_project.built()
        assert list((scons_project.path / made).glob("*.db"))
    assert sorted(path.name for path in scons_project.path.parent.glob("a*")) == ["a, b"]


def test_dollar_in_an_absolute_path_is_not_expanded(scons_project: SconsProject) -> None:
    """The path may come from the user or from where the project lies."""
    place = scons_project.path = scons_project.path.rename(scons_project.path.with_name("a$CC"))
    scons_project.write({"second/x.inc": "export x\n"})
    for value, made in ((repr(f"{place}/given"), "given"), ('Dir("node")', "node")):
        scons_project.sconstruct(f"env['CRATE_CACHE'] = {value}\n" + PROJECT.format(options=""), **SOURCES)
        scons_project.scons("-c")
        scons_project.scons()
        assert list((place / made).glob("*.db"))
    assert [path.name for path in place.parent.glob("a*")] == ["a$CC"]
