"""Whether SCons's graph, options and database allow a crate's own record to decide that it has nothing to do."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Collection, Iterator
from typing import Any

import SCons.dblite
import SCons.Environment
import SCons.Node
import SCons.Node.Alias
import SCons.Node.FS
import SCons.Node.Python
import SCons.SConsign
import SCons.Script
import SCons.Script.Main
import SCons.Util

from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node

_IRRELEVANT_OPTIONS = frozenset({"num_jobs", "silent", "no_progress", "directory", "file", "keep_going", "site_dir"})
"""Options that decide how SCons works and where it finds Python code, not what it makes or prints."""
_NO_PROGRESS = (type(None), SCons.Util.Null)
"""SCons's default progress function, which shows nothing; None since SCons 4.11."""


def all_nodes(fs: Any) -> Iterator[tuple[str, Node]]:
    """Yield the path and the node of each file and directory that SCons knows of."""
    for root in {id(root): root for root in fs.Root.values()}.values():
        yield from [(path, node) for path, node in root._lookupDict.items() if path.strip("/")]


def is_plain_graph(fs: Any, is_own: Callable[[Node], bool], aliases: Collection[str] = ()) -> bool:
    """Return whether, apart from own nodes and files with a builder, no node has a builder or rules of an SConstruct,
    and there are no aliases but these.
    """
    for _, node in all_nodes(fs):
        if is_own(node):
            continue
        if isinstance(node, SCons.Node.FS.Dir):
            # An entry has no builder if an action was added before SCons looked it up as a directory.
            builder = getattr(node, "builder", None)
            if builder is not SCons.Node.FS.get_MkdirBuilder() or has_further_rules(node):
                return False
        elif not _is_made(node) and has_further_rules(node):
            return False
    return not fs.Top.repositories and {*SCons.Node.Alias.default_ans} <= {*aliases}


def variant_directories(fs: Any) -> list[list[Any]]:
    """Return a row for each variant directory."""
    return [
        variant_row(node)
        for _, node in all_nodes(fs)
        if isinstance(node, SCons.Node.FS.Dir) and not is_pending_node(node) and node.srcdir is not None
    ]


def variant_row(directory: Node) -> list[Any]:
    """Return the path of a variant directory and of its sources, and whether SCons duplicates them there."""
    return [str(directory.abspath), str(directory.srcdir.abspath), bool(directory.duplicate)]


def made_by_others(fs: Any, is_own: Callable[[Node], bool]) -> dict[str, Node]:
    """Return the files that other builders make, by path."""
    return {
        path: node
        for path, node in all_nodes(fs)
        if not is_own(node) and not isinstance(node, SCons.Node.FS.Dir) and _is_made(node)
    }


def _is_made(node: Node) -> bool:
    return bool(node.has_builder() or node.side_effect)


def has_further_rules(node: Node) -> bool:
    """Return whether a node has rules other than its builder, as `Depends` adds."""
    rules = (node.depends, node.ignore, node.prerequisites, node.side_effects, node.side_effect, node.always_build)
    executor = getattr(node, "executor", None)
    return any(rules) or bool(getattr(executor, "pre_actions", None) or getattr(executor, "post_actions", None))


def database_is_default(name: str) -> bool:
    """Return whether SCons keeps its database in the file of this name, which is its default."""
    memory = SCons.SConsign
    is_default = memory.DB_Name is None and memory.DB_Module is SCons.dblite and memory.ForDirectory is memory.DB
    return is_default and name == f"{memory.current_sconsign_filename()}.dblite"


def is_same_database(before: bytes, now: bytes) -> bool:
    """Return whether two contents of SCons's database hold the same data.

    SCons may or may not share strings between what it has read and computed, and `pickle` writes a shared string once.
    """
    if before == now:
        return True
    try:
        return _unshared(before) == _unshared(now)
    except Exception:  # a damaged file may raise anything
        return False


def _unshared(memory: bytes) -> dict[str, bytes]:
    """Return the database's entry of each directory, with nothing shared."""
    found = {}
    for name, entries in pickle.loads(memory).items():
        written = io.BytesIO()
        pickler = pickle.Pickler(written)
        pickler.fast = True
        pickler.dump(pickle.loads(entries))
        found[name] = written.getvalue()
    return found


def options_are_default() -> bool:
    """Return whether all options of SCons but a few have their default values."""
    main = SCons.Script.Main
    values = main.OptionsParser.values
    if not isinstance(main.ProgressObject, _NO_PROGRESS) or set(values.__SConscript_settings__) - _IRRELEVANT_OPTIONS:
        return False
    defaults = vars(values.__defaults__)
    for name in {*defaults, *vars(values)} - _IRRELEVANT_OPTIONS:
        if name.startswith("__"):
            continue
        value = getattr(values, name)
        # optparse appends the values of a repeatable option to the default list itself.
        if value if isinstance(value, (list, set, dict)) else value != defaults.get(name, False):
            return False
    return True


def when_all_read(fs: Any, then: Callable[[], None]) -> None:
    """Call a function once SCons has read all SConscripts, which is when it calls `fs.set_max_drift`."""
    original = fs.set_max_drift

    def set_max_drift(value: int) -> None:
        original(value)
        if not SCons.Script.sconscript_reading:
            fs.__dict__.pop("set_max_drift", None)
            then()

    fs.set_max_drift = set_max_drift
