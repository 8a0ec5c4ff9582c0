"""The command `init`: writes a first workspace for the sources in a directory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator

from ..base.errors import ConfigurationError
from ..plugins.loading import default_registry
from ..system.fs import write_atomic

_LARGEST = 4 << 20
_BUILD_TREES = ("CMakeCache.txt", "build.ninja", "pyvenv.cfg", "package.json")
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".inc", ".inl", ".glslh", ".glsl", ".hlsl", ".hlsli")


def add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `init` to a command line."""
    init = commands.add_parser("init", help="write a crates.toml or an SConstruct for the sources in this directory")
    init.add_argument("directory", nargs="?", default=".", metavar="DIR", help="directory (default: the current one)")
    init.add_argument("--sconstruct", action="store_true", help="write an SConstruct instead of a crates.toml")
    init.set_defaults(run=_init)


def _init(arguments: argparse.Namespace) -> None:
    from ..workspace.draft import draft_crates, draft_sconstruct, draft_toml  # noqa: PLC0415 - only this command

    directory = arguments.directory
    if not os.path.isdir(directory):
        raise ConfigurationError(f"{directory}: no such directory")
    path = os.path.normpath(os.path.join(directory, "SConstruct" if arguments.sconstruct else "crates.toml"))
    if os.path.lexists(path):
        raise ConfigurationError(f"{path} already exists", hint="remove it first to write it again")
    registry = default_registry()
    kinds = {name: registry.backend(name) for name in registry.names}
    backends = {name: (tuple(kind.SUFFIXES), kind.supported_crate_types) for name, kind in kinds.items()}
    suffixes = tuple({suffix for own, _ in backends.values() for suffix in own})
    texts = dict(_texts(directory, _files(directory, (*suffixes, *_HEADERS))))
    crates = draft_crates(os.path.basename(os.path.abspath(directory)), backends, texts)
    if not crates:
        raise ConfigurationError(
            f"{os.path.abspath(directory)} holds no sources",
            context=(("looked for", " ".join(sorted(suffixes)) or "nothing: no backend is installed"),),
        )
    text = draft_sconstruct(crates) if arguments.sconstruct else draft_toml(crates)
    write_atomic(path, text.encode())
    for crate in crates:
        count = len(crate.sources)
        print(
            f"{path}: crate {crate.name}: {crate.type} of {count} source{'s' * (count != 1)}, backend {crate.backend}"
        )
    print(f"build it with: {'scons' if arguments.sconstruct else 'cratewright build'}")


def _files(directory: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield files by their suffix, relative and `/`-separated, without those in directories of builds and tools."""
    for place, directories, names in os.walk(directory):
        directories[:] = sorted(
            name
            for name in directories
            if not name.startswith(".")
            and not name.endswith(".spvs")
            and not any(os.path.exists(os.path.join(place, name, mark)) for mark in _BUILD_TREES)
        )
        for name in sorted(names):
            if name.endswith(suffixes) and not name.startswith("."):
                yield os.path.relpath(os.path.join(place, name), directory).replace(os.sep, "/")


def _texts(directory: str, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield files with their texts, without binary files."""
    for path in paths:
        with open(os.path.join(directory, path), "rb") as file:
            data = file.read(_LARGEST)
        if b"\0" not in data:
            yield path, data.decode(errors="replace")
