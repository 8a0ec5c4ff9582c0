"""Workspaces in TOML: what their tables mean, and every mistake in one, with its line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright import cli, testing
from cratewright.base.errors import ConfigurationError, CratewrightError
from cratewright.pipeline.plan import option_table, source_table
from cratewright.plugins.registry import Registry
from cratewright.values.crate import CrateType
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import BUILTIN_PROFILES, CORE_OPTIONS
from cratewright.values.variants import Variants
from cratewright.workspace import (
    Vocabulary,
    Workspace,
    WorkspaceCrate,
    WorkspaceDependency,
    WorkspaceSettings,
    draw,
    expand_glob,
    json_schema,
    read_workspace,
    select_features,
)
from cratewright.workspace.document import Document
from cratewright.workspace.keys import CRATE_KEYS, TABLES_OF_A_CRATE, option_key
from tests.support.paths import ROOT

STUB = Vocabulary(("text", "text2"), option_table(testing.StubBackend), source_table(testing.StubBackend))
LOUD = Vocabulary(
    ("brass",),
    (*CORE_OPTIONS, OptionSpec(name="volume", kind=OptionKind.TEXT, default="", help="how loud")),
    CORE_OPTIONS,
)
VOCABULARIES = {"stub": STUB, "loud": LOUD}


def _read(text: str) -> Workspace:
    return read_workspace(text.encode(), path="crates.toml")


def _settings(workspace: Workspace) -> WorkspaceSettings:
    return WorkspaceSettings(workspace, VOCABULARIES, BUILTIN_PROFILES)


def _all(text: str) -> None:
    """Read everything there is to read."""
    workspace = _read(text)
    select_features(workspace.document, workspace.features)
    settings = _settings(workspace)
    settings.profiles("stub")
    for crate in workspace.crates:
        settings.options(crate, crate.backend or "stub", crate.target or "text")
        settings.sources(crate, crate.backend or "stub")


def _options(text: str, *, backend: str = "stub", target: str = "text") -> Mapping[str, object]:
    workspace = _read(text)
    return _settings(workspace).options(workspace.crates[-1], backend, target)


def test_crates() -> None:
    workspace = _read(
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


def test_an_empty_workspace_has_no_crates() -> None:
    assert _read("").crates == ()


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


def test_a_word_for_each_crate_type() -> None:
    assert _options(ONE + "lto = { cdylib = 'fat', bin = 'thin' }\n") == {"lto": (("bin", "thin"), ("cdylib", "fat"))}


def test_layers_of_options() -> None:
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


def test_profiles() -> None:
    settings = _settings(_read(PROFILES))
    assert settings.profiles("stub") == {
        "dev": BUILTIN_PROFILES["dev"],
        "release": {"opt_level": "s", "debuginfo": "none"},
        "ship": {"inherits": "release", "lto": "fat"},
        "bare": {"multimodule": True},
    }
    assert settings.profiles("loud")["release"] == {"opt_level": "s", "debuginfo": "none", "volume": "3"}


def test_sources() -> None:
    workspace = _read(
        "[crate.a]\nsources = ['x.stub', 'n/**/*.stub', {path = 'y.stub', name = 'fast', defines = {N = 2}}]\n"
        "[crate.b]\nsources = '*.stub'\n[crate.c.sources]\npath = 'z.stub'\ninclude-dirs = 'i'\n"
    )
    settings = _settings(workspace)
    read = [[(item.path, item.options) for item in settings.sources(crate, "stub")] for crate in workspace.crates]
    assert read == [
        [("x.stub", {}), ("n/**/*.stub", {}), ("y.stub", {"name": "fast", "defines": (("N", "2"),)})],
        [("*.stub", {})],
        [("z.stub", {"include_dirs": ("i",)})],
    ]


def test_the_example_of_the_reference() -> None:
    text = (ROOT / "docs/reference/workspaces.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    workspace = _read(example)
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

MISTAKES = {
    "syntax": '[crate.app]\nsources = "a.stub\n',
    "syntax_at_end": '[crate.app]\nsources = ["a.stub",\n',
    "duplicate_crate": ONE + '\n[crate.lib]\nsources = ["b.stub"]\n\n[crate.app]\ntype = "bin"\n',
    "duplicate_key": ONE + 'type = "rlib"\n"type" = [\n  "bin",\n]\n',
    "duplicate_in_a_line": "[crate]\napp = { sources = ['a.stub'], lto = 'off', lto = 'fat' }\n",
    "unknown_table": "[crates.app]\n",
    "unknown_key": '[profile.release]\nopt-level = 3\n\n[crate.maths]\nsorces = ["lib.stub"]\n',
    "unknown_key_of_many": ONE + "[crate.lib]\nsources = ['b.stub']\nmakefile = 'x'\n",
    "unknown_key_underscored": ONE + "opt_level = 3\n",
    "unknown_key_of_another_backend": ONE + "volume = 'loud'\n",
    "unknown_key_of_source": "[crate.app]\nsources = [\n  'a.stub',  # [not.a.table]\n"
    "  { path = 'b.stub', define = ['A'] },\n]\n",
    "unknown_key_of_profile": "[profile.ship]\ninherit = 'dev'\n",
    "unknown_key_for_target": ONE + "target.text2.opt-levle = 1\n",
    "unknown_backend_table": "[backend.stab]\n",
    "unknown_target_table": "[target.text3]\n",
    "unknown_target_of_crate": ONE + '[crate.app.target."text.3"]\nlto = "fat"\n',
    "no_sources": "[crate.app]\ntype = 'bin'\n",
    "empty_sources": "[crate.app]\ntype = 'bin'\nsources = []\n",
    "sources_of_no_kind": "[crate.app]\nsources = 3\n",
    "source_of_no_kind": "[crate.app]\nsources = [\n 'a.stub',\n ['b.stub'],\n]\n",
    "source_without_path": "[crate.app]\nsources = [{ name = 'fast' }]\n",
    "crate_is_no_table": "[crate]\napp = 'a.stub'\n",
    "crates_are_no_table": "crate = 3\n",
    "profile_is_no_table": "[profile]\nrelease = 3\n",
    "bad_crate_name": "[crate.'2d']\nsources = ['a.stub']\n",
    "bad_type": ONE + "type = ['rlib', 'cdylb']\n",
    "bad_type_kind": ONE + "type = 3\n",
    "mixed_bin": ONE + "type = ['bin', 'rlib']\n",
    "bad_dependency": ONE + "deps = [\n  'lib',\n  '../lib',\n]\n",
    "dependency_of_no_kind": ONE + "deps = [\n  'x',\n  3,\n]\n",
    "dependency_unknown_key": ONE + "deps = [{ rlib = 'libx.rlib' }]\n",
    "dependency_of_nothing": ONE + "deps = [{ optional = true }]\n",
    "dependency_no_rlib": ONE + "deps = [{ path = '../noise' }]\n",
    "dependency_without_name": ONE + "deps = [{ path = 'lib2d.rlib' }]\n",
    "dependency_twice": ONE + "deps = [\n  'lib',\n  { name = 'lib', optional = true },\n]\n",
    "dependency_bad_flag": ONE + "deps = [{ name = 'lib', optional = 'yes' }]\n",
    "dependency_prebuilt_features": ONE + "deps = [{ path = 'libx.rlib', features = ['a'] }]\n",
    "feature_of_no_kind": ONE + "[crate.app.features]\nfast = 'sse'\n",
    "feature_item_of_no_kind": ONE + "[crate.app.features]\nfast = [1]\n",
    "features_are_no_table": ONE + "features = ['fast']\n",
    "feature_bad_name": ONE + "[crate.app.features]\n'a/b' = []\n",
    "feature_unknown": FEATURES.replace('"more"]', '"moer"]'),
    "feature_unknown_optional": FEATURES.replace('"dep:noise"', '"dep:niose"'),
    "feature_dep_not_optional": FEATURES.replace(", optional = true", ""),
    "feature_of_no_dependency": FEATURES.replace('"noise/', '"niose/'),
    "feature_bad_define": FEATURES.replace("define:FAST", "define:2D"),
    "feature_hidden_dependency": FEATURES.replace('"dep:noise", ', "").replace("detail =", "noise ="),
    "feature_unknown_of_dependency": FEATURES.replace('"noise/octaves"', '"noise/octave"'),
    "feature_unknown_wanted": FEATURES.replace("['wide']", "['wider']"),
    "feature_elsewhere": ONE + "deps = [\n  { name = 'far', features = ['x'] },\n]\n",
    "features_exclude_one_another": FEATURES.replace("define:FAST=1", "define:DEPTH=2"),
    "bad_word_kind": ONE + "profile = ['dev']\n",
    "bad_choice": ONE + 'entry-point = """\n[crate.x]\nlto = 1"""\n' + "lto = 'thinn'\n",
    "bad_choice_of_type": ONE + "[crate.app.lto]\nbin = 'fat'\ncdylib = 'thinn'\n",
    "bad_type_of_choice": ONE + "lto = { cdlib = 'thin' }\n",
    "bad_flag": ONE + "multimodule = 'yes'\n",
    "bad_texts": ONE + "include-dirs = ['inc', 3]\n",
    "bad_text": ONE + "entry-point = 3\n",
    "bad_macro_name": ONE + "defines = ['1X']\n",
    "bad_macro_value": ONE + "[crate.app.defines]\nA = 1\nB = [1]\n",
    "bad_macro_off": ONE + "defines = { A = false }\n",
    "bad_macros": ONE + "defines = [['A', '1']]\n",
    "bad_option_of_source": "[crate.app]\nsources = [\n  { path = 'a.stub', defines = 1 }\n]\n",
    "option_of_crates_for_a_source": "[crate.app]\nsources = [\n  { path = 'a.stub', multimodule = true }\n]\n",
    "bad_option_of_profile": "[profile.ship]\nlto = 'all'\n",
    "profile_inherits_itself": "[profile.a]\ninherits = 'b'\n[profile.b]\ninherits = 'a'\n",
    "profile_inherits_nothing": "[profile.a]\nlto = 'off'\ninherits = 'relase'\n",
    "cycle": "[crate.one]\nsources = ['a.stub']\ndeps = ['x', 'two']\n[crate.two]\nsources = ['a.stub']\n"
    "deps = ['three']\n[crate.three]\nsources = ['a.stub']\ndeps = [\n  'one',\n]\n",
    "depends_on_itself": ONE + "deps = 'app'\n",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(golden: Callable[[str, str], None], name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\Acrates\.toml:\d+: ") as caught:
        _all(MISTAKES[name])
    golden(f"workspace/{name}.txt", f"{caught.value}\n")


def test_what_is_no_text() -> None:
    with pytest.raises(ConfigurationError, match=r"\Acrates\.toml:2: this is not UTF-8: "):
        read_workspace(b"# one\nx = '\xff'\n", path="crates.toml")


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_workspace(b"\xef\xbb\xbf" + ONE.encode(), path="crates.toml").crates


DOCUMENT = """\
a.b = 1 # c = 2
[t."x.y"] # [u]
s = '''
[no]
k = 1
'''
e = "\\"[no]"
l = [ 1, [2,
  3], { p = 1.5, q.r = [
    4 ] }, # ]
  1979-05-27T07:32:00Z ]
[[m]]
"k\\u0041" = { }
[[m]]
n = ""
"""


def test_every_key_knows_its_line() -> None:
    document = Document(DOCUMENT.encode(), path="f")
    lines = {
        ("a",): 1, ("a", "b"): 1, ("t",): 2, ("t", "x.y"): 2, ("t", "x.y", "s"): 3, ("t", "x.y", "e"): 7,
        ("t", "x.y", "l"): 8, ("t", "x.y", "l", 1): 8, ("t", "x.y", "l", 1, 1): 9, ("t", "x.y", "l", 2, "p"): 9,
        ("t", "x.y", "l", 2, "q", "r", 0): 10, ("t", "x.y", "l", 3): 11, ("m", "kA"): 13, ("m", "n"): 15,
    }  # fmt: skip
    assert {key: document.place(*key) for key in lines} == {key: f"f:{line}" for key, line in lines.items()}
    assert document.place("t", "x.y", "nothing", 3) == "f:2"
    assert document.place("nothing") == "f:1"


_NAMES = st.text(st.sampled_from("ab.'\"\\#[]= é\t"), min_size=1, max_size=4)
_VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(st.sampled_from("ab'\"\\#[]{}=,\n"), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(_toml, value)) + "\n]"
    return json.dumps(value, ensure_ascii=False)


@given(st.dictionaries(_NAMES, st.dictionaries(_NAMES, _VALUES, max_size=3), max_size=3))
def test_the_scan_finds_what_the_parser_finds(values: dict[str, dict[str, object]]) -> None:
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for table, content in values.items():
        expected[(table,)] = "\n".join(lines).count("\n") + 1 + bool(lines)
        lines.append(f"[{json.dumps(table)}]")
        for key, value in content.items():
            expected[(table, key)] = "\n".join(lines).count("\n") + 2
            lines.append(f"{json.dumps(key)} = {_toml(value)}")
    document = Document("\n".join(lines).encode(), path="f")
    assert document.values == values
    assert {key: document.place(*key) for key in expected} == {key: f"f:{line}" for key, line in expected.items()}


@given(st.text(st.sampled_from("[]{}=,.\n'\"a #\\"), max_size=30))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        _all(text)
    except CratewrightError as error:
        assert str(error).startswith("crates.toml:")


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


GRAPH = """\
[crate.end]
sources = ["a"]
deps = ["maths", "std-lib"]
type = ["rlib", "cdylib"]
[crate.maths]
sources = ["b"]
"""


@pytest.mark.parametrize("style", ["mermaid", "dot"])
def test_graph(golden: Callable[[str, str], None], style: str) -> None:
    golden(f"workspace/graph.{style}", draw(_read(GRAPH), style))


def _fits(schema: object, value: object, definitions: Mapping[str, object]) -> bool:
    """Judge a value by the words of JSON Schema that ours uses."""
    assert isinstance(schema, Mapping)
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "number": (int, float), "boolean": (bool,), "object": (dict,), "array": (list,)
    }  # fmt: skip
    if "$ref" in schema:
        return _fits(definitions[schema["$ref"].rpartition("/")[2]], value, definitions)
    if "anyOf" in schema and not any(_fits(item, value, definitions) for item in schema["anyOf"]):
        return False
    if "enum" in schema and not any(item == value and type(item) is type(value) for item in schema["enum"]):
        return False
    if "const" in schema and value is not schema["const"]:
        return False
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(isinstance(value, kinds[name]) and isinstance(value, bool) == (name == "boolean") for name in names):
            return False
    if isinstance(value, list):
        enough = len(value) >= schema.get("minItems", 0)
        return enough and all(_fits(schema.get("items", {}), item, definitions) for item in value)
    if isinstance(value, dict):
        named, other = schema.get("properties", {}), schema.get("additionalProperties", {})
        return set(schema.get("required", ())) <= set(value) and all(
            _fits(named.get(key, other), item, definitions) if key in named or other is not False else False
            for key, item in value.items()
        )
    return True


# What depends on other names than those of keys and words is beyond a schema.
BEYOND_A_SCHEMA = {
    "unknown_backend_table", "unknown_target_table", "unknown_target_of_crate", "bad_crate_name", "mixed_bin",
    "bad_dependency", "bad_macro_name", "profile_inherits_itself", "profile_inherits_nothing", "cycle",
    "depends_on_itself", "unknown_key_of_another_backend", "dependency_of_nothing", "dependency_no_rlib",
    "dependency_without_name", "dependency_twice", "dependency_prebuilt_features", "feature_bad_name",
    "feature_unknown", "feature_unknown_optional", "feature_dep_not_optional", "feature_of_no_dependency",
    "feature_bad_define", "feature_hidden_dependency", "feature_unknown_of_dependency", "feature_unknown_wanted",
    "feature_elsewhere", "features_exclude_one_another",
}  # fmt: skip


TABLES = "[crate.a]\nsources = [{path = 'x'}]\ntarget = 'text'\nlto = {bin = 'fat'}\n"


def test_the_schema_refuses_what_is_refused_and_takes_what_is_taken() -> None:
    import tomli

    schema = json_schema(
        {spec.name: spec for item in VOCABULARIES.values() for spec in item.options}.values(), STUB.of_source
    )
    definitions = schema["definitions"]
    assert isinstance(definitions, Mapping)
    for text in (ONE, LAYERS, PROFILES, GRAPH, TABLES, FEATURES):
        assert _fits(schema, tomli.loads(text), definitions), text
    taken = set()
    for name, text in MISTAKES.items():
        if not name.startswith(("syntax", "duplicate")) and _fits(schema, tomli.loads(text), definitions):
            taken.add(name)
    assert taken == BEYOND_A_SCHEMA


def test_the_schema_names_every_key() -> None:
    crate = json_schema(STUB.options, STUB.of_source)["definitions"]["crate"]  # type: ignore[index]
    assert list(crate["properties"]) == [*TABLES_OF_A_CRATE, *map(option_key, (*CRATE_KEYS, *STUB.options))]
    assert all(item["description"] for item in crate["properties"].values())


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Let the command line see the stub and nothing else."""
    registry = Registry()
    registry.register(testing, origin="for tests")
    monkeypatch.setattr(cli, "default_registry", lambda: registry)
    return registry


def test_the_command_line_draws(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    path = tmp_path_factory.mktemp("graph") / "crates.toml"
    path.write_text(GRAPH)
    assert cli.main(["graph", str(path)]) == 0
    golden("workspace/graph.mermaid", capsys.readouterr().out)
    assert cli.main(["graph", str(path), "--format", "dot"]) == 0
    golden("workspace/graph.dot", capsys.readouterr().out)
    path.write_text("[crat.x]\n")
    assert cli.main(["graph", str(path)]) == 2
    assert f"cratewright: {path}:1: unknown table 'crat'\n  hint: did you mean 'crate'?" in capsys.readouterr().err
    path.unlink()
    assert cli.main(["graph", str(path)]) == 2
    assert "cannot read workspace" in capsys.readouterr().err


def test_the_command_line_prints_the_schema(
    registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["schema", "stub"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(STUB.options, STUB.of_source)
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(STUB.options, STUB.of_source)
    assert cli.main(["schema", "stab"]) == 2
    assert "unknown backend 'stab'" in capsys.readouterr().err
    monkeypatch.setattr(cli, "default_registry", Registry)
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(CORE_OPTIONS, CORE_OPTIONS)


def test_variants_are_read_once() -> None:
    """A source's own axes come to the declaration as they were read here."""
    sources = '["a.stub", {path = "b.stub", when = "A == 1"}, {path = "c.stub"}]'
    text = f"[crate.app]\nvariants = {{A = [0, 1]}}\nsources = {sources}\n"
    workspace = _read(text)
    crate = workspace.crates[0]
    plain, chosen, also = (source.variants for source in _settings(workspace).sources(crate, "stub"))
    assert plain is also is None
    assert chosen is not None and len(chosen.chosen) == 1 and len(crate.variants.chosen) == 2
    assert crate.variants.of_source({"variants": chosen, "when": None}, where="") is chosen
    assert Variants.read({"variants": crate.variants, "when": None}, where="") is crate.variants
