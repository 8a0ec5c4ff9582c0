"""The command `cache`: inspects, verifies and shrinks the cache of results."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator

from ..base.errors import CacheError, ConfigurationError
from ..cache.level import Level
from ..cache.results import damaged_entries
from ..cache.store import CacheKvStore, StoreReport
from ..pipeline.cache_settings import cache_places, read_modes, read_store
from ..plugins.loading import default_registry


def add_cache(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `cache` to a command line."""
    cache = commands.add_parser("cache", help="inspect, verify and shrink the cache of results")
    cache.add_argument(
        "action",
        choices=tuple(_ACTIONS),
        metavar="stats|gc|verify",
        help="show statistics, shrink to the limit, or read every entry",
    )
    cache.add_argument("--cache", metavar="CACHE", help="a directory or URL (default: CRATE_CACHE, then .crate-cache)")
    cache.add_argument("--json", action="store_true", help="print JSON")
    cache.set_defaults(run=_cache)


def _cache(arguments: argparse.Namespace) -> None:
    environ = {name: value for name, value in os.environ.items() if name.startswith("CRATE_")}
    if arguments.cache is not None:
        environ["CRATE_CACHE"] = arguments.cache
    for place in cache_places(environ.get("CRATE_CACHE", "")):
        if "://" not in place and os.path.exists(place) and not os.path.isdir(place):
            raise CacheError(f"the cache {place} is not a directory", hint="name the directory that holds the results")
    store = read_store(environ, os.getcwd(), default_registry())
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
    if not rows:
        print("nothing to report")
    width = max((len(label) for label, _ in rows), default=0) + 1
    for label, text in rows:
        print(f"{label + ':':<{width}} {text}")


_ACTIONS: dict[str, Callable[[CacheKvStore], StoreReport]] = {
    "stats": lambda store: store.report(),
    "gc": _collect,
    "verify": _verify,
}
