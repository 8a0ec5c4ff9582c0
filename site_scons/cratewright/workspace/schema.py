"""The JSON schema of a workspace, for editors.

It is generated from the definitions that parse workspaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..values.crate_type import CrateType
from ..values.option_spec import SIZE, OptionKind, OptionSpec
from .dependency import DEPENDENCY_KEYS
from .keys import CRATE_KEYS, PROFILE_KEYS, SOURCE_KEYS, TABLES, TABLES_OF_A_CRATE, TABLES_OF_A_SOURCE, option_key

Schema = dict[str, object]

_STRING: Schema = {"type": "string"}
_MEMBERS = {"crate": "crate", "profile": "profile", "backend": "options", "target": "options"}


def json_schema(options: Iterable[OptionSpec], of_source: Iterable[OptionSpec]) -> Schema:
    """Return the schema of workspaces whose crates have these options.

    Shape: JSON Schema, draft 7, which editors of TOML understand.
    """
    table = tuple(options)
    own = {"sources": _many("source", at_least=1), "deps": _many("dependency"), "features": _features()}
    own |= {"variants": _axes(), "when": _texts()}
    described = {word: {"description": TABLES_OF_A_CRATE[word], **schema} for word, schema in own.items()}
    of_variants = {word: described[word] for word in TABLES_OF_A_SOURCE}
    crate = {**described, **_properties((*CRATE_KEYS, *table))}
    crate["target"] = {
        "description": "target, or a list of targets; or options by target",
        "anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}, _named("options")],
    }
    tables = {word: {"description": text, **_named(_MEMBERS[word])} for word, text in TABLES.items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cratewright workspace",
        **_object(tables),
        "definitions": {
            "crate": _object(crate, required="sources"),
            "source": _object({**_properties((*SOURCE_KEYS, *of_source)), **of_variants}, required="path"),
            "dependency": _object(_properties(DEPENDENCY_KEYS)),
            "profile": _object(_properties((*PROFILE_KEYS, *table))),
            "options": _object(_properties(table)),
        },
    }


def _object(properties: Mapping[str, Schema], *, required: str = "") -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": [required]} if required else schema


def _named(definition: str) -> Schema:
    """Return the schema of a table whose keys are the user's own names."""
    return {"type": "object", "additionalProperties": _reference(definition)}


def _reference(definition: str) -> Schema:
    return {"$ref": f"#/definitions/{definition}"}


def _many(definition: str, *, at_least: int = 0) -> Schema:
    """Return the schema of one string or table, or a list of them."""
    one = [_STRING, _reference(definition)]
    items: Schema = {"type": "array", "items": {"anyOf": one}}
    return {"anyOf": [*one, {**items, "minItems": at_least} if at_least else items]}


def _axes() -> Schema:
    values: Schema = {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1}
    return {"type": "object", "additionalProperties": values}


def _texts() -> Schema:
    return {"anyOf": [_STRING, {"type": "array", "items": _STRING}]}


def _features() -> Schema:
    return {"type": "object", "additionalProperties": {"type": "array", "items": _STRING}}


def _properties(specs: Iterable[OptionSpec]) -> dict[str, Schema]:
    return {option_key(spec): {"description": spec.help, **_value(spec)} for spec in specs}


def _value(spec: OptionSpec) -> Schema:
    """Return the schema of an option's value."""
    if spec.kind is OptionKind.FLAG:
        return {"type": "boolean"}
    if spec.kind is OptionKind.CHOICE:
        word: Schema = {"enum": [*spec.words, *(int(word) for word in spec.words if word.isdecimal())]}
        return {"anyOf": [word, _by_type(word)]} if spec.per_type else word
    if spec.kind in (OptionKind.TEXT, OptionKind.DIRECTORY, OptionKind.PATH):
        return _STRING
    if spec.kind in (OptionKind.INT, OptionKind.SIZE):
        least, most, step = spec.least, spec.most, spec.step if spec.step != 1 else None
        bounds = {"minimum": least, "maximum": most, "multipleOf": step}
        number: Schema = {"type": "integer", **{word: bound for word, bound in bounds.items() if bound is not None}}
        return number if spec.kind is OptionKind.INT else {"anyOf": [number, {"type": "string", "pattern": SIZE}]}
    item: Schema = {"enum": list(spec.words)} if spec.words else _STRING
    texts: list[Schema] = [item, {"type": "array", "items": item}]
    if spec.kind is OptionKind.TEXTS:
        return {"anyOf": texts}
    macro = {"anyOf": [{"type": ["string", "number"]}, {"const": True}]}
    return {"anyOf": [{"type": "object", "additionalProperties": macro}, *texts]}


def _by_type(value: Schema) -> Schema:
    return _object({kind.value: value for kind in CrateType})
