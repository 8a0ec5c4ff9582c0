"""The command `new-backend`: writes a working distribution into a new directory."""

from __future__ import annotations

import argparse
import os
import re
import shutil
from contextlib import suppress

from ..base.errors import ConfigurationError
from ..plugins.loading import default_registry
from ..system.fs import write_atomic

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*\Z")


def add_new_backend(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `new-backend` to a command line."""
    new = commands.add_parser("new-backend", help="write a distribution with a new backend and its tests")
    new.add_argument("name", metavar="NAME", help="name for CRATE_BACKEND, such as 'shout'")
    new.add_argument("directory", nargs="?", metavar="DIR", help="directory (default: cratewright-NAME)")
    new.set_defaults(run=_new)


def _new(arguments: argparse.Namespace) -> None:
    from .template import template_files  # noqa: PLC0415 - only this command

    name = arguments.name
    if not _NAME.match(name):
        raise ConfigurationError(
            f"{name!r} is not a valid backend name",
            hint="use lower-case letters, digits, '-' and '_', and begin with a letter",
        )
    registry = default_registry()
    if name in registry.names:
        raise ConfigurationError(
            f"there is already a backend '{name}'",
            context=(("plugin", registry.origin(name)),),
            hint="choose another name: two backends with the same name cannot be installed together",
        )
    directory = os.path.normpath(arguments.directory or f"cratewright-{name}")
    if os.path.lexists(directory):
        raise ConfigurationError(f"{directory} already exists", hint="name another directory, or remove it first")
    try:
        for path, text in template_files(name).items():
            full = os.path.join(directory, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            write_atomic(full, text.encode())
    except OSError as error:
        _remove(directory)
        raise ConfigurationError(f"{directory} cannot be made", context=(("reason", error.strerror),)) from error
    except BaseException:
        _remove(directory)
        raise
    print(f"{directory}: a backend '{name}' that joins texts; change src/ and run the tests")
    print(f"install it and test it with: pip install './{directory}[test]' && python -m pytest {directory}")


def _remove(directory: str) -> None:
    with suppress(OSError):
        shutil.rmtree(directory)
