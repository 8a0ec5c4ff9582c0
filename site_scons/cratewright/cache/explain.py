"""Explains why a result was made again: how its key and files differ from last time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..base.digest import DIRECTORY
from ..base.patterns import pattern
from ..base.values import dataclass
from .key import Fields

Observations = tuple[tuple[str, str | None], ...]
"""Paths and digests of the files that were read or looked for."""

NEW = "new"
LOST = "lost"
FILE = "file"
_DIGEST = "sha256:"
_NAMES = {"fingerprint": "tools", "for_lto": "use by LTO", "for_code": "use without LTO"}
_MEMBER = pattern(r"[A-Z]\w+\.([A-Z_]+)")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Shape: `what` is the name of a key's field; or FILE, a space and a path; or NEW or LOST alone. `old` and `new` are
    values as in `key_fields`, empty where there is none.
    """

    what: str
    old: str = ""
    new: str = ""


def changes_between(
    old: tuple[Fields, Observations] | None, fields: Fields, observed: Observations
) -> tuple[Change, ...]:
    """Return the changes that made an earlier result unusable."""
    if old is None:
        return (Change(NEW),)
    found = list(_differences(dict(old[0]), dict(fields)))
    now = dict(observed)
    for path, digest in old[1]:
        if path in now and now[path] != digest:
            found.append(Change(f"{FILE} {path}", digest or "", now[path] or ""))
        elif digest is None and path not in now and any(now[other] for other in now if other.startswith(f"{path}/")):
            found.append(Change(f"{FILE} {path}", "", DIRECTORY))
    return tuple(found) or (Change(LOST),)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[Change]:
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            if name == "source":
                # It is a file like those it includes; its path is a field of its own.
                yield Change(f"{FILE} {after.get('path', before.get('path', ''))[1:-1]}", before[name], after[name])
            else:
                yield Change(name, before.get(name, ""), after.get(name, ""))


def describe(change: Change) -> str:
    """Describe a change briefly, with its old and new value."""
    word, _, rest = change.what.partition(" ")
    if change.what == NEW:
        return "new"
    if change.what == LOST:
        return "no longer in the cache"
    if change.what == "code":
        return "the code of cratewright or of the backend changed"
    name = rest if word == FILE else _NAMES.get(change.what, change.what)
    if not change.old or not change.new:
        what = "appeared" if change.new else "went away"
        return f"{name} {what}" if word in (FILE, "module") else f"{name} {what}: {_short(change.new or change.old)}"
    return f"{name} changed: {_short(change.old)} -> {_short(change.new)}"


def group(causes: Mapping[str, tuple[Change, ...]]) -> list[tuple[Change, tuple[str, ...]]]:
    """Return each cause with everything that followed from it, the cause with the most consequences first."""
    followed: dict[Change, list[str]] = {}
    for label, changes in causes.items():
        for change in changes:
            followed.setdefault(change, []).append(label)
    rows = [(change, tuple(labels)) for change, labels in followed.items()]
    return sorted(rows, key=lambda row: -len(row[1]))


def _short(text: str) -> str:
    if text.startswith(_DIGEST):
        return text[len(_DIGEST) :][:8]
    if member := _MEMBER.fullmatch(text):
        return member[1].lower().replace("_", "-")
    return text[:8] if len(text) == 64 and text.isalnum() else text
