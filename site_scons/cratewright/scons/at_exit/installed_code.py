"""The installed programs, plugins and code that took part in a build, as files whose stamps show a change."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Container, Iterable, Iterator

from ...cache.key import code_files
from ...contract.backend import CodegenBackend
from ...contract.edge import plugin_class
from ...contract.incremental_cache import code_places
from ...pipeline.engine import Engine
from ...plugins.discovery import checkout_places
from ...plugins.hooks import EVENTS, PROFILES
from ...plugins.loading import default_registry
from ...plugins.plugin import BY_HAND
from .noted_files import UnrecordableBuild

_BUILD_HOOKS = frozenset({EVENTS, PROFILES})
"""Hooks that decide or observe what a build does; backends declare their own dependencies."""


def check_plugins() -> None:
    """Refuse plugins that depend on more than files.

    Raises: UnrecordableBuild.
    """
    plugins = default_registry().plugins
    if any(plugin.origin == BY_HAND for plugin in plugins):
        raise UnrecordableBuild("plugins of the SConstruct's own")
    if any(set(plugin.hooks) & _BUILD_HOOKS for plugin in plugins):
        raise UnrecordableBuild("plugins that may read files unnoticed")


def loaded_files(known: Container[str]) -> Iterator[str]:
    """Yield the files of all loaded modules, apart from known ones."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file not in known:
            yield os.path.abspath(file)


def installed_files(
    root: str, engines: Iterable[Engine], modules: Iterable[str], search_paths: set[str]
) -> Iterator[str]:
    """Yield the files of everything installed, apart from those of loaded modules.

    Shape: absolute paths; `root` is the project's, `modules` are the directories in which Python has looked for
    modules, `search_paths` those searched for programs in addition to `PATH`.
    Raises: UnrecordableBuild for what files alone cannot show.
    """
    yield from _code(engines)
    yield from _distributions(root, [*modules, *map(os.path.abspath, sys.path)])
    yield from _programs({*search_paths, *os.environ.get("PATH", "").split(os.pathsep)})
    yield from checkout_places()


def is_below(path: str, root: str) -> bool:
    """Return whether a path is a directory or lies in it."""
    return (path + os.sep).startswith(os.path.join(root, ""))


def _code(engines: Iterable[Engine]) -> Iterator[str]:
    """Yield the files that results of backends depend on."""
    for engine in engines:
        for (name, _), backend in engine.backends.items():
            kind = plugin_class(backend)
            if not _depends_only_on_files(kind):
                raise UnrecordableBuild(f"backend '{name}' may depend on more than files")
            for place in code_places(kind):
                for file in code_files(place):
                    yield os.path.join(place, file) if file else place


def _depends_only_on_files(kind: type[CodegenBackend]) -> bool:
    """Return whether a class declares `FINGERPRINT_OF_FILES` for its own `fingerprint`, not one that it overrides."""
    for part in kind.__mro__:
        if "FINGERPRINT_OF_FILES" in vars(part):
            return bool(kind.FINGERPRINT_OF_FILES)
        if "fingerprint" in vars(part):
            return False
    return False


def _distributions(root: str, modules: list[str]) -> Iterator[str]:
    """Yield the paths that show which plugins are installed: directories of modules, and the entry points in them."""
    from importlib import metadata  # noqa: PLC0415 - slow to import, and needed once after many builds

    for path in modules:
        if not os.path.isdir(path) or not is_below(path, root):
            yield path
    for each in metadata.distributions(path=list(dict.fromkeys(modules))):
        place = getattr(each, "_path", None)
        if place is not None:
            yield os.path.abspath(str(place))
            yield os.path.abspath(os.path.join(str(place), "entry_points.txt"))


def _programs(directories: set[str]) -> Iterator[str]:
    """Yield the directories searched for programs, and files in them that may become programs."""
    for directory in sorted(directories):
        if not os.path.isabs(directory):
            raise UnrecordableBuild(f"programs are looked for in '{directory}'")
        yield directory
        try:
            entries = list(os.scandir(directory))
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
