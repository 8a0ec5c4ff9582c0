"""The commands about cached results: `explain` and `cache`."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..base.errors import CacheError, ConfigurationError, FormatError
from ..cache.explain import Change, describe, group
from ..cache.history import causes_of
from ..cache.level import Level
from ..cache.results import damaged_entries
from ..cache.store import CacheKvStore, StoreReport
from ..formats.stage_record import StageRecord
from ..pipeline.cache_settings import cache_places, read_modes, read_store
from ..plugins.registry import Registry
from ..rules.output_name import STATE_SUFFIX, state_path, state_target, variables_path
from ..system.stage_file import read_history, read_record

_LIBRARY = re.compile(r"lib(.+)\.rlib")


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], registry: Callable[[], Registry]
) -> None:
    """Add `explain` and `cache` to a command line; `registry` finds the plugins that open stores."""
    explain = commands.add_parser("explain", help="explain why the units of a target were last compiled or linked")
    explain.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="an .rlink, .rlib, .spv.json or image (default: all below this directory)",
    )
    explain.add_argument("--json", action="store_true", help="print causes by target and unit as JSON")
    explain.set_defaults(run=_explain)
    cache = commands.add_parser("cache", help="inspect, verify and shrink the cache of results")
    cache.add_argument(
        "action",
        choices=tuple(_ACTIONS),
        metavar="stats|gc|verify",
        help="show statistics, shrink to the limit, or read every entry",
    )
    cache.add_argument("--cache", metavar="CACHE", help="a directory or URL (default: CRATE_CACHE, then .crate-cache)")
    cache.add_argument("--json", action="store_true", help="print JSON")
    cache.set_defaults(run=lambda arguments: _cache(arguments, registry()))


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


def _cache(arguments: argparse.Namespace, registry: Registry) -> None:
    environ = {name: value for name, value in os.environ.items() if name.startswith("CRATE_")}
    if arguments.cache is not None:
        environ["CRATE_CACHE"] = arguments.cache
    for place in cache_places(environ.get("CRATE_CACHE", "")):
        if "://" not in place and os.path.exists(place) and not os.path.isdir(place):
            raise CacheError(f"the cache {place} is not a directory", hint="name the directory that holds the results")
    store = read_store(environ, os.getcwd(), registry)
    try:
        if arguments.action == "gc" and set(read_modes(environ)) == {"read"}:
            raise ConfigurationError("CRATE_CACHE_MODE=read: nothing may be removed from the cache")
        report = _ACTIONS[arguments.action](store)
        if arguments.json:
            print(json.dumps(report.facts(), indent=1))
        else:
            _print(report)
    finally:
        store.close()


def _verify(store: CacheKvStore) -> StoreReport:
    count = 0
    unlisted = [level for level in store.levels if isinstance(level, Level) and not level.lists]
    for level in unlisted:
        if problem := level.report().problem:
            raise CacheError(f"the cache {level.name} cannot be verified", context=(("reason", problem),))
    if unlisted and len(unlisted) == len(store.levels):
        raise CacheError(
            f"the cache {unlisted[0].name} cannot be verified: it does not list its entries",
            hint="builds check each entry that they take from it",
        )

    def counted() -> Iterator[tuple[str, bytes]]:
        nonlocal count
        for item in store.entries():
            count += 1
            yield item

    damaged = damaged_entries(counted())
    if damaged:
        store.remove([key for key, _ in damaged])
        kept = all(isinstance(level, Level) and not level.writes for level in store.levels)
        raise CacheError(
            f"{len(damaged)} of {count} entries cannot be used{'' if kept else ' and were removed'}",
            context=[(key[:12], error) for key, error in damaged[:10]],
            hint="what they held is compiled again when it is next needed; if this happens again, check the disk",
        )
    rows = (("entries", f"{count}, all intact"), *(("not verified", level.name) for level in unlisted))
    return StoreReport(rows, figures=(("entries", count), ("damaged", 0)))


def _collect(store: CacheKvStore) -> StoreReport:
    others = [level for level in store.levels if isinstance(level, Level) and not level.shrinks]
    if others and len(others) == len(store.levels):
        problem = others[0].report().problem
        raise CacheError(
            f"the cache {others[0].name} cannot be made smaller from here",
            context=[("reason", problem)] if problem else [],
            hint="a server enforces its own size; docs/shared-cache.md says how old files are removed from nginx",
        )
    return store.collect()


def _print(report: StoreReport) -> None:
    rows = [*report.rows, *([("problem", report.problem)] if report.problem else [])]
    width = max((len(label) for label, _ in rows), default=0) + 1
    for label, text in rows:
        print(f"{label + ':':<{width}} {text}")


_ACTIONS: dict[str, Callable[[CacheKvStore], StoreReport]] = {
    "stats": lambda store: store.report(),
    "gc": _collect,
    "verify": _verify,
}
