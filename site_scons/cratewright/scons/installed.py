"""Programs, plugins and code that took part in a build: the files that say that they are as they were.

Knows nothing of crates.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

from ..cache.key import code_files
from ..contract.backend import CodegenBackend
from ..contract.edge import plugin_class
from ..contract.incremental_cache import code_places
from ..pipeline.engine import Engine
from ..plugins.discovery import checkout_places
from ..plugins.hooks import EVENTS, PROFILES
from ..plugins.plugin import BY_HAND
from ..plugins.registry import default_registry
from ..system.program import asked_files

__all__ = ["installed_files", "is_below"]

_Stamp = Any
_ASKED_EACH_TIME = frozenset({EVENTS, PROFILES})
"""Hooks by which a plugin decides or learns what a build does; backends say of themselves what they depend on."""


def installed_files(
    root: str, engines: Iterable[Engine], modules: Iterable[str], places: set[str], raises: type[Exception]
) -> dict[str, _Stamp]:
    """Return the files of all that is installed, each with the stamp that it had when it was asked; False if not asked.

    Shape: absolute paths; `root` is the project's, `modules` are where modules have been looked for, `places` where
    programs are looked for beside `PATH`.
    Raises: `raises` for what files alone cannot tell.
    """
    plugins = default_registry().plugins
    if any(plugin.origin == BY_HAND for plugin in plugins):
        raise raises("plugins of the SConstruct's own")
    if any(set(plugin.hooks) & _ASKED_EACH_TIME for plugin in plugins):
        raise raises("plugins that may read what nobody sees")
    found: dict[str, _Stamp] = dict.fromkeys(_code(engines, raises), False)
    found |= dict.fromkeys(_distributions(root, [*modules, *map(os.path.abspath, sys.path)]), False)
    found |= dict.fromkeys(_programs({*places, *os.environ.get("PATH", "").split(os.pathsep)}, raises), False)
    found |= dict.fromkeys(checkout_places(), False)
    return found | asked_files()


def is_below(path: str, root: str) -> bool:
    """Return whether a path is that of a directory or lies in it."""
    return (path + os.sep).startswith(os.path.join(root, ""))


def _code(engines: Iterable[Engine], raises: type[Exception]) -> Iterator[str]:
    """Yield the files of all modules that are loaded, and those that results of backends are said to depend on."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield os.path.abspath(file)
    for engine in engines:
        for (name, _), backend in engine.backends.items():
            kind = plugin_class(backend)
            if not _is_of_files(kind):
                raise raises(f"backend '{name}' is to be asked each time")
            for place in code_places(kind):
                for file in code_files(place):
                    yield os.path.join(place, file) if file else place


def _is_of_files(kind: type[CodegenBackend]) -> bool:
    """Return whether a class says so of its own `fingerprint`, not of one that it has replaced."""
    for part in kind.__mro__:
        if "FINGERPRINT_OF_FILES" in vars(part):
            return bool(kind.FINGERPRINT_OF_FILES)
        if "fingerprint" in vars(part):
            return False
    return False


def _distributions(root: str, modules: list[str]) -> Iterator[str]:
    """Yield what says which plugins are installed: directories of modules, and in them the tables of entry points."""
    for path in modules:
        if not os.path.isdir(path) or not is_below(path, root):
            yield path
    for each in metadata.distributions(path=list(dict.fromkeys(modules))):
        place = getattr(each, "_path", None)
        if place is not None:
            yield os.path.abspath(str(place))
            yield os.path.abspath(os.path.join(str(place), "entry_points.txt"))


def _programs(places: set[str], raises: type[Exception]) -> Iterator[str]:
    """Yield the directories in which programs are looked for, and what in them may become one without them changing."""
    for place in sorted(places):
        if not os.path.isabs(place):
            raise raises(f"programs are looked for in '{place}'")
        yield place
        try:
            entries = list(os.scandir(place))
        except OSError:
            continue
        for entry in entries:
            try:
                found = os.stat(entry.path)
            except OSError:
                yield entry.path
            else:
                is_program = stat.S_ISREG(found.st_mode) and found.st_mode & 0o111
                if not is_program:
                    yield entry.path
