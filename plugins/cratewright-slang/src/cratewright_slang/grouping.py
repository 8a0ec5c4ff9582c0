"""Which entry points are compiled as one program, so that Slang does most of its work once for all.

The groups depend only on the modules, so a crate always has the same groups.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from cratewright import VARIANT, LinkModule, LinkPart, LinkRequest, read_variant
from cratewright_spirv.sharing import ImageEntry, entries_of

_MOST = 16

_Member = tuple[ImageEntry, tuple[int, ...]]
"""An entry point, and the modules that it needs."""


def grouped(request: LinkRequest, members: Sequence[_Member], *, across: bool) -> list[list[_Member]]:
    """Return entry points in groups, in order of their first ones.

    Shape: those of one source are together, because an edit concerns them all. Sources that one program can hold and
    that need the same modules share a group, as long as these are larger than the sources: an edit of one source then
    costs at most about twice as much as alone.
    """
    sources: dict[int, list[_Member]] = {}
    for member in members:
        sources.setdefault(member[0].module, []).append(member)
    groups: list[list[_Member]] = []
    room: dict[tuple[object, ...], tuple[list[_Member], int]] = {}
    for own, found in sources.items():
        needed = [request.modules[at] for at in found[0][1] if at != own]
        module = request.modules[own].module
        size, most = len(module.data), sum(len(item.module.data) for item in needed)
        if not across or not _mixes(request, own, needed):
            groups.append(found)
            continue
        variant, source = read_variant(module.attribute(VARIANT)).get("key"), module.attribute("source")
        words = (module.attribute(name) for name in ("alike", "paths", "slang"))
        key = (frozenset(found[0][1]) - {own}, variant, *words)
        group, left = room.get(key, ([], 0))
        # A program has one module of each source, however often it is compiled.
        twice = any(entry.source == source for entry, _ in group)
        if not group or twice or size > left or len(group) + len(found) > _MOST:
            group, left = [], most
            groups.append(group)
        group += found
        room[key] = group, left - size
    return groups


def parts_of_groups(request: LinkRequest, parts: Sequence[LinkPart], *, across: bool) -> tuple[LinkPart, ...]:
    """Return parts of one entry point each, in their order, as parts of groups: the sources of a group come first."""
    members = [(entry, part.modules) for entry, part in zip(entries_of(request), parts, strict=True)]
    return tuple(_part(group) for group in grouped(request, members, across=across))


def entries_of_part(request: LinkRequest) -> tuple[ImageEntry, ...]:
    """Return the entry points of a part, which is named after the first."""
    entries = entries_of(request)
    if not request.part:
        return entries
    first, _, more = request.part.partition(" +")
    alone = [entry for entry in entries if entry.output == first]
    return entries[: int(more) + 1] if more else tuple(alone)


def _part(group: Sequence[_Member]) -> LinkPart:
    own = dict.fromkeys(entry.module for entry, _ in group)
    others = [each for each in group[0][1] if each not in own]
    more = f" +{len(group) - 1}" if len(group) > 1 else ""
    return LinkPart(f"{group[0][0].output}{more}", (*own, *others))


def _mixes(request: LinkRequest, own: int, needed: Sequence[LinkModule]) -> bool:
    """Return whether a source can be in a program with others that need the same modules.

    Its exports would define `extern` names in the others, and a session identifies a module by the words of an import.
    """
    module = request.modules[own].module
    sources = (item.module.attribute("source") for item in (request.modules[own], *needed))
    names = [posixpath.basename(source).replace("_", "-") for source in sources]
    return not module.attribute("exports") and len(set(names)) == len(names) > 1
