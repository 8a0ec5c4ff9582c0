"""Errors in workspaces: each has a line, and the schema rejects those that a schema can express."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cratewright.base.errors import ConfigurationError, CratewrightError
from cratewright.workspace.declaration import read_workspace
from cratewright.workspace.features import select_features
from cratewright.workspace.keys import CRATE_KEYS, TABLES_OF_A_CRATE, option_key
from cratewright.workspace.schema import json_schema
from tests.support.workspace_texts import (
    FEATURES,
    GRAPH,
    LAYERS,
    ONE,
    PROFILES,
    STUB,
    VOCABULARIES,
    read_text,
    settings_of,
)


def _all(text: str) -> None:
    """Read every part of a workspace."""
    workspace = read_text(text)
    select_features(workspace.document, workspace.features)
    settings = settings_of(workspace)
    settings.profiles("stub")
    for crate in workspace.crates:
        settings.options(crate, crate.backend or "stub", crate.target or "text")
        settings.sources(crate, crate.backend or "stub")


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


def test_text_that_is_not_utf8() -> None:
    with pytest.raises(ConfigurationError, match=r"\Acrates\.toml:2: this is not UTF-8: "):
        read_workspace(b"# one\nx = '\xff'\n", path="crates.toml")


@given(st.text(st.sampled_from("[]{}=,.\n'\"a #\\"), max_size=30))
def test_arbitrary_text_is_read_or_rejected_with_a_line(text: str) -> None:
    try:
        _all(text)
    except CratewrightError as error:
        assert str(error).startswith("crates.toml:")


def _fits(schema: object, value: object, definitions: Mapping[str, object]) -> bool:
    """Validate a value by the JSON Schema keywords that our schema uses."""
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


# A schema cannot express what depends on other names than keys and words.
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


def test_schema_agrees_with_the_reader() -> None:
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


def test_schema_describes_every_key() -> None:
    crate = json_schema(STUB.options, STUB.of_source)["definitions"]["crate"]  # type: ignore[index]
    assert list(crate["properties"]) == [*TABLES_OF_A_CRATE, *map(option_key, (*CRATE_KEYS, *STUB.options))]
    assert all(item["description"] for item in crate["properties"].values())
