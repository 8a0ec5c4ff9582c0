"""Workspaces used by several tests, and functions to read them."""

from __future__ import annotations

from cratewright import testing
from cratewright.pipeline.plan import option_table, source_table
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import BUILTIN_PROFILES, CORE_OPTIONS
from cratewright.workspace.declaration import Workspace, read_workspace
from cratewright.workspace.settings import Vocabulary, WorkspaceSettings

STUB = Vocabulary(("text", "text2"), option_table(testing.StubBackend), source_table(testing.StubBackend))

LOUD = Vocabulary(
    ("brass",),
    (*CORE_OPTIONS, OptionSpec(name="volume", kind=OptionKind.TEXT, default="", help="how loud")),
    CORE_OPTIONS,
)

VOCABULARIES = {"stub": STUB, "loud": LOUD}


def read_text(text: str) -> Workspace:
    """Read a workspace."""
    return read_workspace(text.encode(), path="crates.toml")


def settings_of(workspace: Workspace) -> WorkspaceSettings:
    """Return the settings in the tables of a workspace, for the two backends."""
    return WorkspaceSettings(workspace, VOCABULARIES, BUILTIN_PROFILES)


LAYERS = """\
[backend.stub]
shout = true
lto = "fat"
defines = ["A=backend", "B=backend"]
[backend.loud]
volume = "11"
[target.text2]
lto = "thin"
opt-level = "s"
include-dirs = ["of-target"]
[crate.a]
sources = ["a.stub"]
opt-level = 1
include-dirs = ["inc"]
defines = { B = "crate" }
[crate.a.target.text2]
debuginfo = "line"
opt-level = 2
defines = ["C"]
"""

PROFILES = """\
[profile.release]
opt-level = "s"
volume = "3"
[profile.ship]
inherits = "release"
lto = "fat"
[profile.bare]
multimodule = true
"""

ONE = '[crate.app]\nsources = ["a.stub"]\n'

FEATURES = """\
[crate.app]
sources = ["a.stub"]
deps = [
  { name = "noise", optional = true },
  { name = "maths", features = ['wide'], default-features = false },
]
[crate.app.features]
default = ["fast", "more"]
fast = ["define:FAST=1"]
more = ["detail"]
detail = ["dep:noise", "noise/octaves", "define:DEPTH=1"]

[crate.noise]
sources = ["b.stub"]
features = { octaves = ["define:OCTAVES=4"] }

[crate.maths]
sources = ["c.stub"]
features = { default = ["define:PLAIN"], wide = ["define:WIDE"] }
"""

GRAPH = """\
[crate.end]
sources = ["a"]
deps = ["maths", "std-lib"]
type = ["rlib", "cdylib"]
[crate.maths]
sources = ["b"]
"""
