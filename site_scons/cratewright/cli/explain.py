"""The command `explain`: prints why the units of a target were last compiled or linked."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping

from ..base.errors import FormatError
from ..cache.explain import Change, describe, group
from ..cache.history import causes_of
from ..formats.stage_record import StageRecord
from ..rules.output_name import STATE_SUFFIX, state_path, state_target, variables_path
from ..system.stage_file import read_history, read_record

_LIBRARY = re.compile(r"lib(.+)\.rlib")


def add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `explain` to a command line."""
    explain = commands.add_parser("explain", help="explain why the units of a target were last compiled or linked")
    explain.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="an .rlink, .rlib, .spv.json or image (default: all below this directory)",
    )
    explain.add_argument("--json", action="store_true", help="print causes by target and unit as JSON")
    explain.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace) -> None:
    target = arguments.target
    steps = _steps_of(target) if target else sorted(_all_targets())
    causes = {name: causes_of(history) for name in steps if (history := read_history(name))}
    if not causes:
        raise FormatError(
            f"no record of how {target or 'this directory'} was made",
            context=(("looked for", state_path(target) if target else f".*{STATE_SUFFIX}"),),
            hint="name a file that scons has built from a crate; `scons -c` removes its history",
        )
    if arguments.json:
        rows = {name: {label: list(map(describe, each)) for label, each in of.items()} for name, of in causes.items()}
        print(json.dumps(rows, indent=1))
        return
    for name, found in causes.items():
        for line in _lines(name, found):
            print(line)
    for line in _ignored_variables(causes):
        print(line)


def _ignored_variables(targets: Iterable[str]) -> Iterator[str]:
    """Yield the variables that backends ignored, each once, with the targets concerned."""
    where: dict[tuple[str, str], list[str]] = {}
    for name in targets:
        row = _record_of(state_target(variables_path(name))).report_rows()
        for variable in row.get("variables", ()):
            where.setdefault((row["backend"], variable), []).append(name)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (backend, variable), found in sorted(where.items()):
        alike.setdefault((backend, tuple(found)), []).append(variable)
    for (backend, names), variables in alike.items():
        yield f"variables of the Environment that backend '{backend}' ignores: {' '.join(variables)}"
        yield from (f"  {name}" for name in names)


def _lines(name: str, causes: Mapping[str, tuple[Change, ...]]) -> Iterator[str]:
    made = {label: each for label, each in causes.items() if each}
    yield f"{name}: {len(made)} made, {len(causes) - len(made)} reused"
    for change, labels in group(made):
        yield f"  {describe(change)}"
        for label in labels:
            yield f"    {label.partition(': ')[2]}"


def _all_targets() -> Iterator[str]:
    """Yield the targets below the current directory that have a record."""
    for place, inner, files in os.walk("."):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in files:
            if target := state_target(os.path.join(place, name)):
                yield os.path.normpath(target)


def _steps_of(target: str) -> list[str]:
    """Return the targets of the steps that made a target: of its link, its LTO, its codegen."""
    directory, name = os.path.split(os.path.normpath(target))
    library = _LIBRARY.fullmatch(name)
    last = os.path.join(directory, f"{library[1]}.rlink" if library else name)
    if not read_history(last):
        last = next(_links_that_made(target), "")
        if not last:
            return []
    # A link's input comes from LTO, whose input comes from codegen.
    place, name = os.path.split(last)
    optimized = str(_record_of(last).report_rows().get("from") or "")
    names = (name, optimized, f"{(optimized or name).split('.')[0]}.rlink")
    return [os.path.join(place, each) for each in dict.fromkeys(names) if each]


def _links_that_made(target: str) -> Iterator[str]:
    """Yield the targets of links that list a file among their outputs, in its directory or the one above."""
    above = os.path.dirname(os.path.dirname(target)) if os.path.dirname(target) else os.pardir
    path = os.path.abspath(target)
    for directory in (os.path.dirname(target), above):
        for entry in sorted(os.listdir(directory or ".") if os.path.isdir(directory or ".") else ()):
            made = state_target(os.path.join(directory, entry))
            # Outputs are relative to the project's root, which need not be known here. Those outside it are absolute.
            outputs = _record_of(made).outputs if made and read_history(made) else ()
            if any(path == output or path.endswith(os.sep + output) for output in outputs):
                yield os.path.normpath(made)


def _record_of(target: str) -> StageRecord:
    return read_record(target) or StageRecord()
