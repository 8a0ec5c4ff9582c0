"""Values that can be recorded for the next run: their digests, and copies that do not change.

Any value of a type that is not listed here is `NotRecordable`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import OrderedDict, UserDict, UserList, UserString, deque
from collections.abc import Callable
from typing import Any

import SCons
import SCons.Node.FS
import SCons.Util

from ...values.whole_crate import WholeCrate
from ..caller import is_hidden

_MODULES = ("SCons.", "cratewright.", "builtins")
_NODES = (SCons.Node.FS.File, SCons.Node.FS.Dir, SCons.Node.FS.Entry)
_LISTS = (list, SCons.Util.CLVar, SCons.Util.NodeList, UserList)
_TEXTS = frozenset({str, type(None)})
"""A list of only these, such as many sources, is checked at once."""


class NotRecordable(Exception):
    """A value cannot be recorded for the next run."""


def digest_of(value: object) -> str:
    """Return the digest of a value of JSON's types, in which 1, 1.0 and true differ."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def plain_argument(value: Any, crate: Callable[[object], int]) -> Any:
    """Return an argument of a call for JSON; `crate` gives the number of a crate's target, -1 for anything else.

    Raises: NotRecordable for anything but a plain value, a source, a crate or a whole crate.
    """
    kind = type(value)
    if value is None or kind in (str, int, bool, float):
        return value
    if kind is list or kind is tuple:
        items = value if _TEXTS.issuperset(map(type, value)) else [plain_argument(item, crate) for item in value]
        return [kind.__name__, *items]
    if kind is dict:
        return ["dict", *[[plain_argument(key, crate), plain_argument(item, crate)] for key, item in value.items()]]
    if kind is WholeCrate:
        return ["whole", plain_argument(value.dependency, crate)]
    if kind in _NODES:
        return _plain_node(value)
    number = crate(value)
    if number < 0:
        raise NotRecordable(f"{kind.__module__}.{kind.__qualname__}")
    return ["crate", number]


def plain_variable(value: Any) -> Any:
    """Return a construction variable for JSON.

    Raises: NotRecordable for anything that may differ in another run.
    """
    kind = type(value)
    if value is None or kind in (str, int, bool, float):
        return value
    if value is os.environ:  # compared separately
        return ["environ"]
    if kind is tuple or kind is deque or kind in _LISTS:
        return [kind.__name__, *[plain_variable(item) for item in value]]
    if kind is dict or kind is OrderedDict:
        return [kind.__name__, *[[plain_variable(key), plain_variable(item)] for key, item in value.items()]]
    if kind in _NODES:
        return _plain_node(value)
    if isinstance(value, (list, tuple, dict, UserDict, UserList, deque)):
        raise NotRecordable(f"{kind.__module__}.{kind.__qualname__}")
    if isinstance(value, (str, UserString)):
        return [kind.__module__, kind.__qualname__, str(value)]
    return _plain_object(value)


def _plain_node(node: Any) -> Any:
    if node.has_builder() and not isinstance(node, SCons.Node.FS.Dir):
        raise NotRecordable(f"{node} is made")
    return ["node", type(node).__name__, str(node.get_internal_path())]


def _plain_object(value: Any) -> Any:
    """Return what identifies a function, a class or an object of SCons or of this package."""
    kind = type(value)
    code = value if hasattr(value, "__qualname__") else kind
    if not _is_library_code(code) or (kind.__module__ == "builtins" and code is kind):
        raise NotRecordable(f"{code.__module__}.{code.__qualname__}")
    wrapped = getattr(value, "__wrapped__", None)
    text = "" if code is value else str(value)
    # An action may show the place of a function in memory.
    text = "" if " at 0x" in text else text
    more = [] if wrapped is None else [plain_variable(wrapped)]
    return ["object", code.__module__, code.__qualname__, text, *more]


def _is_library_code(code: Any) -> bool:
    """Return whether a function or a class belongs to SCons or to this package.

    What an SConstruct defines claims to be in `SCons.Script`.
    """
    if getattr(code, "__code__", None) is not None:
        return is_hidden(str(code.__code__.co_filename))
    found: Any = sys.modules.get(code.__module__) if str(code.__module__).startswith(_MODULES) else None
    for name in code.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is code


class _Exact:
    """A number that equals only numbers of its own type."""

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self._value) and bool(other == self._value)


def exact(value: Any) -> Any:
    """Return a copy of a value for comparisons in which 1, 1.0 and True differ."""
    return _Exact(value) if type(value) in (int, float, bool) else _mapped(value, exact)


def copied(value: Any) -> Any:
    """Return a copy of a value that later changes to its containers do not affect.

    Raises: NotRecordable for an unknown container.
    """
    return _mapped(value, copied)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    kind = type(value)
    if kind is list or kind is tuple or kind is deque:
        return kind(value if _TEXTS.issuperset(map(type, value)) else [change(item) for item in value])
    if kind in (dict, OrderedDict):
        return kind((key, change(item)) for key, item in value.items())
    if kind in _LISTS:
        other = value[:]
        other.data = [change(item) for item in value.data]
        return other
    if kind is WholeCrate:
        return WholeCrate(change(value.dependency))
    return value
