"""A backend's code as files to send to another machine: packages and their dependencies.

Python, its library and the system's libraries are those of the other machine.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from ...base.digest import WORDS
from ...contract.backend import CodegenBackend
from ...system.elsewhere import Placed
from ...system.fs import digest_file
from .messages import CODE

_OWN = "cratewright"
# What the other machine imports of this package's dependencies: a checkout used in place has no metadata to list them.
_NEEDED = ("msgpack", "pluggy")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_UNUSED = (".pyc", ".a", ".h", ".hpp", ".cmake", ".pc", ".pyi")


@cache
def backend_files(backend: type[CodegenBackend]) -> Mapping[str, Placed]:
    """Return the files that a backend needs, by their paths on the other machine.

    Shape: the packages of its classes, the distributions that these require, with those of extras that are
    installed, and this package.
    """
    files = dict(_package(_OWN))
    wanted = [*_NEEDED]
    for kind in backend.__mro__:
        top = kind.__module__.partition(".")[0]
        if top not in (_OWN, "builtins", "abc", "typing"):
            files |= _package(top)
            wanted += [name for name in metadata.packages_distributions().get(top, ()) if name != _OWN]
    done: set[str] = set()
    while wanted:
        name = wanted.pop()
        if (plain := re.sub(r"[-_.]+", "-", name).lower()) in done:
            continue
        done.add(plain)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another platform, or an extra
            continue
        files |= _installed(found)
        needed = (match[0] for text in found.requires or () if (match := _NAME.match(text)))
        wanted += [item for item in needed if item != _OWN]
    return {
        f"{CODE}/{path}": Placed(file, digest, os.access(file, os.X_OK))
        for path, file in sorted(files.items())
        if (digest := digest_file(file)) not in (None, *WORDS)
    }


def _package(top: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a package or module, each by its path below the import directory."""
    module = sys.modules[top]
    for place in getattr(module, "__path__", ()):
        for path in sorted(Path(place).rglob("*")):
            if path.is_file() and path.suffix not in _UNUSED and "__pycache__" not in path.parts:
                yield f"{top}/{path.relative_to(place).as_posix()}", str(path)
    if not hasattr(module, "__path__") and (file := getattr(module, "__file__", None)):
        yield os.path.basename(file), os.path.abspath(file)


def _installed(found: metadata.Distribution) -> dict[str, str]:
    """Return the files of a distribution, without those installed outside packages."""
    return {
        path.as_posix(): str(found.locate_file(path))
        for path in found.files or ()
        if path.parts[0] != ".." and path.suffix not in _UNUSED and "__pycache__" not in path.parts
    }
