"""The names that a unit's files query by `__has_include` and `__has_embed` through macros."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from cratewright import CratewrightError, content_digest

from .directives import Query, aliased_queries
from .macros import parse_queries, query_text
from .observe import FileFacts
from .unit_command import UnitCommand
from .world import path_in

__all__ = ["expanded_queries", "literal_queries"]

_known: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Query, ...] | None] = {}
"""By content and aliases; one per process, because the units of a crate read the same headers."""


def literal_queries(
    unit: UnitCommand, files: Mapping[str, FileFacts | None], read: Callable[[str], bytes]
) -> tuple[tuple[str, Query], ...] | None:
    """Return what a unit's files query through other names for `__has_include`, with the querying file.

    None if only the preprocessor can tell, which takes two more processes for each unit.
    """
    own = {path: facts for path, facts in files.items() if facts is not None}
    aliases = tuple(sorted({pair for facts in own.values() for pair in facts.directives.aliases}))
    kinds = dict(aliases)
    if (
        len(kinds) < len(aliases)
        or any(facts.directives.incomplete for facts in own.values())
        or any(name in word for word in unit.words for name in ("__has_", *kinds))
    ):
        return None
    queries: list[tuple[str, Query]] = []
    for path, facts in own.items() if kinds else ():
        key = facts.digest, aliases
        if key not in _known:
            data = read(path)
            if content_digest(data) != facts.digest:
                return None
            _known[key] = aliased_queries(data, kinds)
        found = _known[key]
        if found is None:
            return None
        queries += [(path, item) for item in found]
    return tuple(queries)


def expanded_queries(
    unit: UnitCommand, files: Mapping[str, FileFacts | None], read: Callable[[str], bytes]
) -> tuple[tuple[tuple[str, Query], ...], bool]:
    """Return what a unit's files query, with macros expanded and the querying file, and whether some are unknown."""
    with unit.toolchain.scratch() as directory:
        try:
            command = (*unit.words, "-E", "-dD", "-w")
            listing = unit.run(command, directory / "listing.i").decode("utf-8", "surrogateescape")
            sources = {path: read(path) for path, facts in files.items() if facts is not None}
            names = {path: path for path in sources} | {path_in("./", path): path for path in sources}
            names |= {os.path.join(unit.toolchain.root, path): path for path in sources}
            text, querying = query_text(listing, sources, names)
            (directory / "queries.c").write_bytes(text.encode("utf-8", "surrogateescape"))
            words = (*unit.driver, "-w", "-undef", "-nostdinc", "-x", "c", "-E", "-P", str(directory / "queries.c"))
            expanded = unit.run(words, directory / "expanded.i").decode("utf-8", "surrogateescape")
        except CratewrightError:
            return (), True
    return parse_queries(expanded, querying)
