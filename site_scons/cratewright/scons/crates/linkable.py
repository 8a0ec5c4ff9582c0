"""What a linker uses of a crate in sources or in LIBS: its staticlib, object, cdylib or dylib."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import SCons.Util

from ...base.errors import ConfigurationError
from ...values.crate_type import CrateType
from ..nodes.crate_nodes import is_crate_output
from .declared_crate import DeclaredCrate

_BETWEEN = (".rlink", ".rlib", ".lto")
_LINKABLE = (CrateType.STATICLIB, CrateType.OBJECT, CrateType.CDYLIB, CrateType.DYLIB)


def linkable(value: object, *, user: object) -> list[tuple[Any, DeclaredCrate | None]]:
    """Return sources or libraries with a file for the linker in place of each crate, and its crate.

    Raises: ConfigurationError for a crate that has no such file.
    """
    items = SCons.Util.flatten(value or [])
    found: dict[Any, DeclaredCrate | None] = {}
    for item in items:
        crate = _crate_of(item, user) if is_crate_output(item) else None
        found.setdefault(item if crate is None else _best(crate, items, user), crate)
    return list(found.items())


def _crate_of(node: Any, user: object) -> DeclaredCrate | None:
    """Return the crate that has made a node as a result, None for files that its sources write beside it.

    Raises: ConfigurationError for files between stages.
    """
    stages = getattr(node.attributes, "crate_stages", None)
    crate: DeclaredCrate | None = stages.declared if stages is not None else None
    if crate is not None and crate.target is not None and node in crate.target.results:
        return crate
    if node.name.endswith(_BETWEEN):
        raise ConfigurationError(
            f"{user} is given {node}, which no linker accepts",
            context=(("declared in", crate.declared_at),) if crate is not None else (),
            hint="give it what env.Crate returned, with crate_type='staticlib'; crates take an rlib among deps",
        )
    return None


def _best(crate: DeclaredCrate, items: Iterable[Any], user: object) -> Any:
    given = {id(item) for item in items}
    images = crate.target is not None and crate.target.manifest is not None
    for kind in () if images else _LINKABLE:
        if kind in crate.made and id(crate.made[kind]) in given:
            return crate.made[kind]
    hint = "only crates can link an rlib: declare it with crate_type=['rlib', 'staticlib'], or 'cdylib'"
    if images:
        hint = "env.CrateEmbed makes an object of images"
    elif any(kind in crate.made for kind in _LINKABLE):
        hint = "give it all that env.Crate returned, not its rlib alone"
    raise ConfigurationError(
        f"{user} is given crate '{crate.name}', which has no output that a linker accepts",
        context=(
            ("crate types", " ".join(kind.value for kind in crate.crate_types)),
            ("declared in", crate.declared_at),
        ),
        hint=hint,
    )
