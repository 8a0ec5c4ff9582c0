"""The `deps` of a crate in a workspace: crates by name, rlibs by path, with requested features."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from ..base.errors import ConfigurationError
from ..base.values import dataclass
from ..values.crate import check_crate_name
from ..values.option_spec import OptionKind, OptionSpec
from .document import Document, Key
from .keys import parse_keys

DEPENDENCY_KEYS: tuple[OptionSpec, ...] = (
    OptionSpec(name="name", kind=OptionKind.TEXT, default="", help="name of the crate"),
    OptionSpec(name="path", kind=OptionKind.TEXT, default="", help="an existing rlib, instead of a name"),
    OptionSpec.texts("features", "features that it must have"),
    OptionSpec.flag("default_features", "whether it has its default ones, too", default=True),
    OptionSpec.flag("whole_archive", "whether all its modules are linked"),
    OptionSpec.flag("optional", "whether only a feature adds it"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceDependency:
    """One entry of `deps`.

    Shape: `path` is relative to the TOML's directory, empty for a crate of this build; `key` is its place there.
    """

    name: str
    path: str = ""
    features: tuple[str, ...] = ()
    default_features: bool = True
    optional: bool = False
    whole_archive: bool = False
    key: Key = ()


def read_dependencies(document: Document, crate: str) -> tuple[WorkspaceDependency, ...]:
    """Read the `deps` of a `[crate.NAME]` table.

    Shape: unique, in the order given; equal entries are merged.
    Raises: ConfigurationError that begins with `path:line:`.
    """
    key: Key = ("crate", crate, "deps")
    value = document.table("crate", crate).get("deps", [])
    items = value if isinstance(value, list) else [value]
    found: dict[str, WorkspaceDependency] = {}
    for index, item in enumerate(items):
        place = (*key, index) if isinstance(value, list) else key
        one = _read(document, place, item)
        known = found.setdefault(one.name, one)
        if replace(one, key=known.key) != known:
            raise document.error(f"crate '{crate}' names its dependency '{one.name}' twice", *place)
    return tuple(found.values())


def _read(document: Document, key: Key, item: object) -> WorkspaceDependency:
    if isinstance(item, str):
        with document.located(*key):
            return WorkspaceDependency(name=check_crate_name(item), key=key)
    if not isinstance(item, Mapping):
        raise document.error(f"a dependency is a crate's name or a table, not {item!r}", *key)
    values = parse_keys(document, key, item, DEPENDENCY_KEYS)
    name, path = str(values.get("name", "")), str(values.get("path", ""))
    if not name and not path:
        raise document.error("this dependency has neither 'name' nor 'path'", *key)
    if path:
        name = name or _name_of(document, key, path)
    with document.located(*key):
        check_crate_name(name)
    features = values.get("features", ())
    if path and ("features" in values or "default_features" in values):
        raise document.error(
            f"the features of '{path}' were chosen when it was built", *key, hint="depend on the crate instead"
        )
    return WorkspaceDependency(
        name=name,
        path=path,
        features=tuple(str(item) for item in features) if isinstance(features, tuple) else (),
        default_features=bool(values.get("default_features", True)),
        optional=bool(values.get("optional", False)),
        whole_archive=bool(values.get("whole_archive", False)),
        key=key,
    )


def _name_of(document: Document, key: Key, path: str) -> str:
    stem, suffix = posixpath.splitext(posixpath.basename(path))
    if suffix != ".rlib":
        raise document.error(f"'{path}' is not an .rlib file", *key, hint="refer to a crate of this build by its name")
    try:
        return check_crate_name(stem.removeprefix("lib"))
    except ConfigurationError as error:
        raise document.error(f"'{path}' does not say which crate it is", *key, hint="add name = ...") from error
