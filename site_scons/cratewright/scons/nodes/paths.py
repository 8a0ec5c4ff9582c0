"""The path of an SCons node's file, relative to the project root, and whether it has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import SCons.Node.FS

from ...base.errors import ConfigurationError, near_miss
from ...base.host import way_to
from ...rules.output_place import fits_a_path
from ...system.fs import plain_path
from ..caller import calling_frame


def file_node(env: Any, path: str) -> Any:
    """Return the node of a file by its literal path: neither `$` nor a leading `#` has a meaning.

    Raises: ConfigurationError if it is a directory, or cannot be the path of anything.
    """
    try:
        return env.fs.File(literal_path(path), env.fs.getcwd())
    except (ValueError, RecursionError) as error:
        raise _invalid_path(path) from error
    except TypeError as error:
        raise ConfigurationError(
            f"{path} is a directory, but a file of that name is needed", hint="remove or rename the directory"
        ) from error


def directory_node(env: Any, path: str) -> Any:
    """Return the node of a directory, as `file_node`; `..` after a link is the parent of what it leads to."""
    here = env.fs.getcwd()
    try:
        node = env.fs.Dir(literal_path(path), here)
    except (ValueError, RecursionError) as error:
        raise _invalid_path(path) from error
    except TypeError as error:
        raise ConfigurationError(
            f"{path} is a file, but a directory of that name is needed", hint="remove or rename the file"
        ) from error
    if ".." not in path.split("/"):
        return node
    plain = resolve_upward(env.fs, os.path.join(original(here).abspath, path))
    return node if plain == original(node).abspath else env.fs.Dir(plain)


def resolve_upward(fs: Any, path: str) -> str:
    """Return an absolute path without `..`, as `plain_path`; it is recorded, since it may pass a link."""
    plain = plain_path(path)
    upward_paths(fs)[path] = plain
    return plain


def upward_paths(fs: Any) -> dict[str, str]:
    """Return the paths with `..` that were looked up in a run of SCons, and where they led."""
    paths: dict[str, str] = fs.__dict__.setdefault("cratewright_upward_paths", {})
    return paths


def _invalid_path(path: str) -> ConfigurationError:
    shown = path if len(path) < 200 else f"{path[:100]}..."
    return ConfigurationError(f"{shown!r} cannot be the path of a file", hint="it has a NUL, or is too long")


def literal_path(path: str) -> str:
    """Return a path as SCons takes it literally: relative to the directory being read, even with a leading `#`."""
    return path if os.path.isabs(path) else f"./{path}"


def check_path(path: str, *, where: str) -> str:
    """Return a path that can be passed to any tool.

    Raises: ConfigurationError for control characters or bytes that are not UTF-8.
    """
    if not fits_a_path(path):
        raise ConfigurationError(
            f"{where}: {path!r} has characters in its name that compilers and their file lists cannot handle",
            hint="rename it: quotes, backslashes, control characters and bytes that are not UTF-8 are refused",
        )
    return path


def original(node: Any) -> Any:
    """Return the source of a file or directory in a variant directory, even of a variant of a variant."""
    while (source := node.srcnode()) is not node:
        node = source
        if isinstance(node, SCons.Node.FS.File) and node.is_derived():
            break
    return node


def located_source(node: Any) -> Any:
    """Return the node of the file itself: in the source directory of a variant, or in a repository."""
    if node.is_derived():
        return node
    return original(node).rfile()


def logical_source(node: Any) -> Any:
    """Return the node that names a source: in the source directory of a variant, never in a repository."""
    return node if node.is_derived() else original(node)


def by_content(node: Any, target: Any, previous: Any, repository: Any = None) -> bool:
    """Compare a file by content, whatever the Decider of the Environment.

    A stage that makes the same content as before does not write it, so by time it would stay out of date for ever.
    """
    return bool(node.changed_content(target, previous, repository))


@contextmanager
def reading_in(env: Any, directory: Any) -> Iterator[None]:
    """Make paths relative to a directory, as SCons does while it reads an SConscript there."""
    before = env.fs.getcwd()
    env.fs.chdir(directory)
    try:
        yield
    finally:
        env.fs.chdir(before)


def calling_line(root: str) -> str:
    """Return `file:line` of the SConscript that is calling, relative to the root."""
    frame = calling_frame()
    file = os.path.relpath(os.path.join(root, frame.f_code.co_filename), root).replace(os.sep, "/")
    return f"{file}:{frame.f_lineno}"


def relative(node: Any) -> str:
    """Return a node's path relative to the project root, `/`-separated; absolute if it is outside."""
    path = str(node.get_internal_path()).replace(os.sep, "/")
    return "" if path == "." else path


def portable_path(node: Any) -> str:
    """Return a path as `relative`, but with `..` outside the project, so that outputs do not show where that is.

    Shape: absolute if it shares no directory with the root, and in a repository, whose files are known by its path.
    """
    path, top = relative(node), node.fs.Top
    if not os.path.isabs(path) or any(node.is_under(repository) for repository in top.repositories):
        return path
    return way_to(str(top.abspath), path)


def nearest_name(path: str) -> str:
    """Return a hint for a missing file: the nearest name in its directory, hidden ones only for a hidden file."""
    directory, name = os.path.split(path)
    try:
        names = os.listdir(directory)
    except OSError:
        return f"there is no directory {os.path.basename(directory)} either"
    return near_miss(name, [each for each in names if name.startswith(".") or not each.startswith(".")])
