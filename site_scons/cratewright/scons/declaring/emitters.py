"""Emitters that let SCons's own builders accept crates as sources.

Every Environment with crates gets them, even if there is nothing to do: the rest is imported when there is a crate.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ..nodes.crate_nodes import has_crates
from ..SCons import entrance

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_EMITTERS = ("PROGEMITTER", "SHLIBEMITTER", "LIBEMITTER", "LDMODULEEMITTER")
_STRIPPED = "_stripixes"


def add_emitters(env: Environment) -> None:
    """Let SCons's builders of programs and libraries accept crates as sources."""
    for name in _EMITTERS:
        before = env.get(name)
        emitters = before if isinstance(before, list) else [before] if before else []
        if _emit not in emitters:
            env[name] = [*emitters, _emit]
    if _STRIPPED in env and not hasattr(env[_STRIPPED], "__wrapped__"):
        env[_STRIPPED] = _late_libraries(env[_STRIPPED])


def _late_libraries(before: Callable[..., object]) -> Callable[..., object]:
    """Return a function for a linker's library flags: LIBS may get a crate after the emitter has run."""

    @wraps(before)
    def words(prefix: object, items: object, *rest: Any) -> object:
        if has_crates(items):
            from .other_builders import libraries_for_linker  # noqa: PLC0415

            items = libraries_for_linker(items)
        return before(prefix, items, *rest)

    return words


@entrance
def _emit(target: list[Any], source: list[Any], env: Environment) -> tuple[list[Any], list[Any]]:
    if not (has_crates(env.get("LIBS")) or has_crates(source)):
        return target, source
    from .other_builders import with_linkable  # noqa: PLC0415

    return with_linkable(target, source, env)
