"""Reading the tables of a workspace."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cratewright.values.crate_type import CrateType
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import BUILTIN_PROFILES, CORE_OPTIONS
from cratewright.values.variants import Variants
from cratewright.workspace.declaration import WorkspaceCrate, read_workspace
from cratewright.workspace.dependency import WorkspaceDependency
from cratewright.workspace.glob import expand_glob
from cratewright.workspace.settings import Vocabulary, WorkspaceSettings
from tests.support.paths import ROOT
from tests.support.workspace_texts import LAYERS, ONE, PROFILES, STUB, read_text, settings_of


def _options(text: str, *, backend: str = "stub", target: str = "text") -> Mapping[str, object]:
    workspace = read_text(text)
    return settings_of(workspace).options(workspace.crates[-1], backend, target)


def test_crates() -> None:
    workspace = read_text(
        "[crate.maths]\nsources = ['a.stub']\n"
        "[crate.app]\nsources = ['b.stub']\ndeps = ['maths', 'other', 'maths']\ntype = ['rlib', 'cdylib']\n"
        "backend = 'stub'\ntarget = 'text2'\nprofile = 'ship'\n"
    )
    plain = {"backend": "", "target": "", "profile": ""}
    words = {"backend": "stub", "target": "text2", "profile": "ship"}
    both = (CrateType.RLIB, CrateType.CDYLIB)
    uses = tuple(
        WorkspaceDependency(name=name, key=("crate", "app", "deps", index))
        for index, name in enumerate(("maths", "other"))
    )
    assert workspace.crates == (
        WorkspaceCrate(name="maths", crate_types=(CrateType.RLIB,), dependencies=(), **plain),
        WorkspaceCrate(name="app", crate_types=both, dependencies=uses, **words),
    )


def test_empty_workspace_has_no_crates() -> None:
    assert read_text("").crates == ()


def test_every_option_has_a_hyphenated_key() -> None:
    text = (
        "[crate.a]\nsources = []\ninclude-dirs = ['inc']\ndefines = {A = 1, B = true, C = 'x'}\nopt-level = 3\n"
        "debuginfo = 'full'\nlto = 'thin'\nprefer-dynamic = true\nexports = ['f']\nmultimodule = false\n"
        "keep-exports = true\n"
        "entry-point = 'main2'\nshout = true\nallocator = 'needs'\nlibs = ['m']\nlib-dirs = 'lib'\n"
        "export-include-dirs = ['api']\nversion = '1.2'\n"
    )
    assert _options(text) == {
        "include_dirs": ("inc",),
        "defines": (("A", "1"), ("B", None), ("C", "x")),
        "opt_level": "3",
        "debuginfo": "full",
        "lto": "thin",
        "prefer_dynamic": True,
        "exports": ("f",),
        "keep_exports": True,
        "multimodule": False,
        "entry_point": "main2",
        "shout": True,
        "allocator": "needs",
        "libs": ("m",),
        "lib_dirs": ("lib",),
        "export_include_dirs": ("api",),
        "version": "1.2",
    }
    assert set(_options(text)) == {spec.name for spec in STUB.options}


def test_option_by_crate_type() -> None:
    assert _options(ONE + "lto = { cdylib = 'fat', bin = 'thin' }\n") == {"lto": (("bin", "thin"), ("cdylib", "fat"))}


def test_options_override_each_other_by_layer() -> None:
    assert _options(LAYERS) == {
        "shout": True,
        "lto": "fat",
        "opt_level": "1",
        "include_dirs": ("inc",),
        "defines": (("A", "backend"), ("B", "crate")),
    }
    assert _options(LAYERS, target="text2") == {
        "shout": True,
        "lto": "thin",
        "opt_level": "2",
        "debuginfo": "line",
        "include_dirs": ("inc", "of-target"),
        "defines": (("A", "backend"), ("B", "crate"), ("C", None)),
    }
    shared, _, _ = LAYERS.partition("[crate")
    assert _options(shared + "[crate.a]\nsources = []\n", backend="loud", target="brass") == {"volume": "11"}


def test_profiles() -> None:
    settings = settings_of(read_text(PROFILES))
    assert settings.profiles("stub") == {
        "dev": BUILTIN_PROFILES["dev"],
        "release": {"opt_level": "s", "debuginfo": "none"},
        "ship": {"inherits": "release", "lto": "fat"},
        "bare": {"multimodule": True},
    }
    assert settings.profiles("loud")["release"] == {"opt_level": "s", "debuginfo": "none", "volume": "3"}


def test_sources() -> None:
    workspace = read_text(
        "[crate.a]\nsources = ['x.stub', 'n/**/*.stub', {path = 'y.stub', name = 'fast', defines = {N = 2}}]\n"
        "[crate.b]\nsources = '*.stub'\n[crate.c.sources]\npath = 'z.stub'\ninclude-dirs = 'i'\n"
    )
    settings = settings_of(workspace)
    read = [[(item.path, item.options) for item in settings.sources(crate, "stub")] for crate in workspace.crates]
    assert read == [
        [("x.stub", {}), ("n/**/*.stub", {}), ("y.stub", {"name": "fast", "defines": (("N", "2"),)})],
        [("*.stub", {})],
        [("z.stub", {"include_dirs": ("i",)})],
    ]


def test_example_of_the_reference() -> None:
    text = (ROOT / "docs/reference/workspaces.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    workspace = read_text(example)
    names = OptionSpec(name="spirv_metadata", kind=OptionKind.TEXT, default="", help="")
    vocabularies = {"spirv": Vocabulary(("vulkan1.3", "vulkan1.2"), (*CORE_OPTIONS, names), CORE_OPTIONS)}
    settings = WorkspaceSettings(workspace, vocabularies, BUILTIN_PROFILES)
    assert [crate.name for crate in workspace.crates] == ["noise", "sky", "terrain"]
    assert settings.options(workspace.crates[1], "spirv", "vulkan1.2") == {
        "spirv_metadata": "name-variables",
        "multimodule": True,
        "defines": (("NO_RAYS", None),),
    }
    assert len(settings.sources(workspace.crates[1], "spirv")) == 2


def test_byte_order_mark_is_skipped() -> None:
    assert read_workspace(b"\xef\xbb\xbf" + ONE.encode(), path="crates.toml").crates


TREE = {
    "": {"a.x": False, "b.x": False, "n": True, ".git": True, ".h.x": False, "d.x": True},
    "n": {"c.x": False, "m": True, "c.y": False},
    "n/m": {"d.x": False, "B.x": False},
    ".git": {"g.x": False},
    "d.x": {"e.x": False},
    "..": {"up.x": False},
}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.x", "a.x b.x"),
        ("?.x", "a.x b.x"),
        ("[!a].x", "b.x"),
        ("n/*", "n/c.x n/c.y"),
        ("*/*.x", "d.x/e.x n/c.x"),
        ("*/c.x", "n/c.x"),
        ("**/*.x", "a.x b.x d.x/e.x n/c.x n/m/B.x n/m/d.x"),
        ("n/**", "n/c.x n/c.y n/m/B.x n/m/d.x"),
        ("**/m/*.x", "n/m/B.x n/m/d.x"),
        ("**/**/d.x", "n/m/d.x"),
        (".*.x", ".h.x"),
        (".git/*", ".git/g.x"),
        ("../*.x", "../up.x"),
        ("*.z", ""),
        ("nowhere/*.x", ""),
        ("A.*", ""),
    ],
)
def test_glob(pattern: str, found: str) -> None:
    assert " ".join(expand_glob(pattern, lambda directory: TREE.get(directory, {}))) == found


def test_variants_are_read_once() -> None:
    """The axes of a source are passed to the declaration as parsed here."""
    sources = '["a.stub", {path = "b.stub", when = "A == 1"}, {path = "c.stub"}]'
    text = f"[crate.app]\nvariants = {{A = [0, 1]}}\nsources = {sources}\n"
    workspace = read_text(text)
    crate = workspace.crates[0]
    plain, chosen, also = (source.variants for source in settings_of(workspace).sources(crate, "stub"))
    assert plain is also is None
    assert chosen is not None and len(chosen.chosen) == 1 and len(crate.variants.chosen) == 2
    assert crate.variants.of_source({"variants": chosen, "when": None}, where="") is chosen
    assert Variants.read({"variants": crate.variants, "when": None}, where="") is crate.variants
