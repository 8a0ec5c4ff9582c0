"""Compares a cached result with a fresh one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass

from ..base.digest import content_digest
from ..base.errors import CacheError
from ..values.module import Observed
from .results import observed_files


def contradiction(label: str, kept: object, fresh: object, opened: Sequence[str]) -> CacheError | None:
    """Return the error of a wrong hit, None if both results are equal.

    Shape: `opened` are the root-relative files that were seen being opened.
    """
    if kept == fresh:
        return None
    before, after = observed_files(kept), observed_files(fresh)
    named = {item.path for item in (*before, *after)}
    rows = [
        ("differs", "\n".join(_differences("", kept, fresh)) or "nothing that can be shown"),
        ("only now seen", "\n".join(_seen(after, before))),
        ("no longer seen", "\n".join(_seen(before, after))),
        ("opened, not reported", "\n".join(path for path in opened if path not in named)),
    ]
    return CacheError(
        f"{label}: the cached result differs from a fresh compilation",
        context=[(name, text) for name, text in rows if text],
        hint="something outside the key affected the result: the backend must report every file it reads, and "
        "take all else from the stencil or the request, or else into its fingerprint",
    )


def _seen(these: Sequence[Observed], others: Sequence[Observed]) -> Iterator[str]:
    known = {item.path for item in others}
    yield from (item.path for item in these if item.path not in known)


def _differences(name: str, old: object, new: object) -> Iterator[str]:
    """Yield the fields in which two values differ, as deep as both have the same shape."""
    if old == new:
        return
    if type(old) is type(new) and is_dataclass(old):
        for field in fields(old):
            inner = f"{name}.{field.name}" if name else field.name
            yield from _differences(inner, getattr(old, field.name), getattr(new, field.name))
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{name}[{index}]", one, other)
    else:
        yield f"{name}: {_shown(old)} -> {_shown(new)}"


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes, {content_digest(value)[:8]}"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
