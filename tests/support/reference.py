"""Generates the reference pages from tables in the code.

A page is written by hand up to its marker, and generated after it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import getdoc
from typing import get_args

from cratewright.cli import command_parser
from cratewright.pipeline.plan import source_table
from cratewright.pipeline.settings import CORE_SETTINGS
from cratewright.plugins.loading import default_registry
from cratewright.plugins.registry import Registry
from cratewright.system.event_schema import event_schema
from cratewright.system.events import Event
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import BUILTIN_PROFILES, CORE_OPTIONS

__all__ = ["MARKER", "PAGES"]

MARKER = "<!-- From here on this page is made from the code: python -m pytest tests/docs --bless -->\n"

_KINDS = {
    OptionKind.FLAG: "flag",
    OptionKind.TEXT: "text",
    OptionKind.TEXTS: "texts",
    OptionKind.PATH: "file",
    OptionKind.DIRECTORY: "directory",
    OptionKind.DEFINES: "macros",
}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{value}`" if value else ""


def _options(specs: Sequence[OptionSpec], of_source: frozenset[str] | None = None) -> str:
    head = ["option", "takes", "default", "meaning"]
    rows = []
    for spec in specs:
        takes = " ".join(f"`{word}`" for word in spec.words) or _KINDS.get(spec.kind, spec.takes)
        takes += ", or a word for each crate type" if spec.per_type else ""
        row = [f"`{spec.name}`", takes, _value(spec.default), spec.help]
        rows.append(row if of_source is None else [*row, "yes" if spec.name in of_source else ""])
    return _table(head if of_source is None else [*head, "per source"], rows)


def options() -> str:
    """Return the tables of options."""
    registry = _registry()
    text = f"## Of every backend\n{_options(CORE_OPTIONS)}"
    for name in registry.names:
        backend = registry.backend(name)
        of_source = frozenset(spec.name for spec in source_table(backend))
        common = ", ".join(f"`{spec.name}`" for spec in CORE_OPTIONS if spec.name in of_source)
        text += f"\n## Of `{name}`\nTargets: {' '.join(f'`{target}`' for target in backend.TARGETS)}.\n"
        text += f"Of the common options, a source may have its own {common}.\n\n{_options(backend.OPTIONS, of_source)}"
    rows = [
        [f"`{name}`", ", ".join(f"`{option}={value}`" for option, value in values.items())]
        for name, values in BUILTIN_PROFILES.items()
    ]
    return f"{text}\n## Profiles\n{_table(['profile', 'sets'], rows)}"


def variables() -> str:
    """Return the table of settings."""
    registry = _registry()
    text = _table(["variable", "meaning"], [[f"`{name}`", meaning] for name, meaning in CORE_SETTINGS.items()])
    for name in registry.names:
        own = " ".join(f"`{each}`" for each in sorted(registry.backend(name).SETTINGS))
        if own:
            text += f"\nBackend `{name}` reads {own}.\n"
    return text


def command_line() -> str:
    """Return the help of each command."""
    parser = command_parser()
    text = ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            for name, command in action.choices.items():
                text += f"## cratewright {name}\n{_sentence(helps.get(name, ''))}\n\n{_arguments(command)}\n"
    return text


def _arguments(command: argparse.ArgumentParser) -> str:
    rows = []
    for action in command._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        if isinstance(action, argparse._SubParsersAction):
            rows += [[f"`{each.dest}`", each.help or ""] for each in action._choices_actions]
            continue
        words = list(action.option_strings)
        shown = action.metavar or (None if action.nargs == 0 else action.dest.upper())
        names = ", ".join(words) + (f" {shown}" if shown and words else "") if words else str(shown or action.dest)
        rows.append([f"`{names}`", action.help or ""])
    return _table(["argument", "meaning"], rows) if rows else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def events() -> str:
    """Return a table of events."""
    text = ""
    kinds = event_schema()["oneOf"]
    assert isinstance(kinds, list)
    for event, kind in zip(get_args(Event), kinds, strict=True):
        fields: Mapping[str, Mapping[str, object]] = kind["properties"]
        name = fields["event"]["const"]
        rows = [
            [f"`{field}`", _type(shape), "" if field in kind["required"] else "may be missing"]
            for field, shape in fields.items()
            if field not in ("event", "time")
        ]
        text += f"## {name}\n{getdoc(event)}\n\n{_table(['field', 'type', ''], rows)}\n"
    return text


def _type(shape: Mapping[str, object]) -> str:
    kind = shape.get("type") or str(shape.get("$ref", "any")).rpartition("/")[2]
    if isinstance(kind, list):
        return " or ".join(str(each) for each in kind)
    if kind == "array" and isinstance(shape.get("items"), Mapping):
        return f"list of {_type(shape['items'])}"  # type: ignore[arg-type]
    return str(kind)


def _registry() -> Registry:
    registry = default_registry()
    if "slang" not in registry.names:  # not always installed, but its tables need no compiler
        registry.register(import_module("cratewright_slang"))
    return registry


PAGES: Mapping[str, Callable[[], str]] = {
    "options.md": options,
    "variables.md": variables,
    "command-line.md": command_line,
    "events.md": events,
}
"""The pages below `docs/reference`, and the function that generates each."""
