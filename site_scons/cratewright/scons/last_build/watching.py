"""Watches what an SConstruct does with SCons while it is read: whether that may concern the nodes of crates.

The methods listed here take or return text, variables or paths. Anything else that can be called is reported before it
is called.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import wraps
from operator import is_
from types import FunctionType
from typing import Any

import SCons.Builder
import SCons.Environment
import SCons.Node
import SCons.Node.FS
import SCons.Script

from ..SCons import passage
from .requested_targets import RequestedNode

_PLAIN_METHODS = frozenset(
    """
    Action AddMethod Append AppendENVPath AppendUnique Builder Clone Detect Dictionary Dump Environment
    FindIxes Flatten Literal MergeFlags Override ParseConfig ParseFlags Platform Prepend PrependENVPath
    PrependUnique RemoveMethod Replace ReplaceIxes Scanner SetDefault Split Tool WhereIs arg2nodes
    backtick get get_CacheDir get_builder get_factory get_scanner gvars items keys lvars
    scanner_map_delete setdefault subst subst_kw subst_list subst_path subst_target_source
    validate_CacheDir_class values
    """.split()  # noqa: SIM905 - a list would take a line for each
)
_PATH_METHODS = frozenset({"Dir", "Entry", "File", "GetBuildPath", "Glob"})
"""The nodes that these return are watched."""
_SCRIPT_METHODS = frozenset(
    """
    Default EnsurePythonVersion EnsureSConsVersion Execute Exit Export GetLaunchDir GetOption
    GetSConsVersion Help Import SConscript SConscriptChdir SetOption VariantDir
    """.split()  # noqa: SIM905 - a list would take a line for each
)
"""Targets, SCons's options and variant directories are examined when all SConscripts have been read."""
_NODE_METHODS = frozenset(
    """
    AddPostAction AddPreAction AlwaysBuild Clean Command Depends Ignore NoCache NoClean Precious Pseudo
    Requires Value
    """.split()  # noqa: SIM905 - a list would take a line for each
)
"""Settings of nodes: pending nodes notice them, other nodes are examined when all SConscripts have been read."""
_ALLOWED = _PLAIN_METHODS | _PATH_METHODS | _SCRIPT_METHODS | {"Alias"}

_QUERIES: tuple[tuple[type, Collection[str]], ...] = (
    (SCons.Node.Node, ("children", "all_children", "render_include_tree")),
    (SCons.Node.FS.Base, ("RDirs", "Rfindalldirs")),
    (SCons.Node.FS.Dir, ("addRepository", "all_children", "link", "scan", "walk")),
)
"""Queries from a node to others that may not exist yet."""
_FS_METHODS = ("PyPackageDir", "Repository")


def _nothing(*_: Any, **__: Any) -> None:
    pass


class Watch:
    """Reports calls of SCons's methods, until `end`.

    Shape: `report` is called before any method that is not listed. `alias` is called instead of `env.Alias`, with the
    original before its arguments; it returns None if the original is to be reported and called. `add_variant_dir` is
    called after `VariantDir`, with the same arguments.
    """

    def __init__(
        self, fs: Any, report: Callable[[], None], alias: Callable[..., Any], add_variant_dir: Callable[..., None]
    ) -> None:
        self._fs = fs
        self._is_paused = False
        self._report = lambda: None if self._is_paused else report()
        self._originals: list[tuple[Any, str, object]] = []
        classes = {
            *SCons.Environment.Base.__mro__,
            *SCons.Environment.OverrideEnvironment.__mro__,
            *SCons.Environment.Environment.__mro__,  # that of SConscripts, if SCons runs as a program
        } - {object}
        for kind in classes:
            names = [name for name in vars(kind) if not name.startswith("_") and name not in _ALLOWED]
            self._guard(kind, [name for name in names if name not in _NODE_METHODS], self._report)
            self._guard(kind, _NODE_METHODS)
        self._replace(SCons.Environment.Base, "Alias", _aliasing(SCons.Environment.Base.Alias, self._report, alias))
        self._guard(SCons.Builder.BuilderBase, ("__call__",))
        for kind, methods in _QUERIES:
            self._guard(kind, methods, self._report)
        for name in _FS_METHODS:
            self._replace(fs, name, _guarded(getattr(fs, name), self._report))
        # SCons calls many methods for these, none of which concerns crates.
        self._replace(fs, "Glob", self._unreported(fs.Glob))
        self._replace(fs, "VariantDir", self._unreported(fs.VariantDir, add_variant_dir))

    def watch_builders(self, concerns: Callable[[str], bool], declare: Callable[[], None]) -> None:
        """Call `declare` before another builder makes a file that concerns crates.

        What a declaration does with a file may depend on whether SCons makes it.
        """
        original = SCons.Node.Node.builder_set

        def set_builder(node: Any, builder: Any) -> None:
            if builder is not None and isinstance(node, SCons.Node.FS.Base) and concerns(str(node.get_abspath())):
                declare()
            original(node, builder)

        self._replace(SCons.Node.Node, "builder_set", set_builder)

    def watch_nodes(self, look_up: Callable[[str], None], missing: Callable[[str], list[str]]) -> None:
        """Call `look_up` with the path of each node that is looked up, and with each name that matches a pattern.

        Shape: absolute paths; `missing` gives the names of nodes in a directory that are not on disk.
        """
        lookup, glob = self._fs._lookup, SCons.Node.FS.Dir._glob1

        def watched_lookup(*args: Any, **kwargs: Any) -> Any:
            node = lookup(*args, **kwargs)
            look_up(str(node.get_abspath()))
            return node

        def watched_glob(directory: Any, pattern: str, ondisk: bool = True, *args: Any, **kwargs: Any) -> Any:
            # SCons looks up what it finds on disk.
            paths = [str(each.get_abspath()) for each in (directory, *directory.srcdir_list())]
            names = [name for path in paths for name in missing(path)]
            for name in fnmatch.filter(names, pattern) if ondisk else [pattern]:
                look_up(name)
            return glob(directory, pattern, ondisk, *args, **kwargs)

        self._replace(self._fs, "_lookup", watched_lookup)
        self._replace(SCons.Node.FS.Dir, "_glob1", watched_glob)

    def _unreported(self, original: Callable[..., Any], then: Callable[..., None] = _nothing) -> Callable[..., Any]:
        """Return a function that reports nothing, and calls `then` with the same arguments afterwards."""

        @wraps(original)
        def called(*args: Any, **kwargs: Any) -> Any:
            before, self._is_paused = self._is_paused, True
            try:
                result = original(*args, **kwargs)
            finally:
                self._is_paused = before
            then(*args, **kwargs)
            return result

        return called

    def end(self) -> None:
        """Stop reporting."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

    def _guard(self, kind: type, names: Collection[str], report: Callable[..., None] = _nothing) -> None:
        for name in names:
            original = vars(kind).get(name)
            if isinstance(original, FunctionType):
                self._replace(kind, name, _guarded(original, report))
            elif isinstance(original, (staticmethod, classmethod)):
                self._replace(kind, name, type(original)(_guarded(original.__func__, report)))

    def _replace(self, owner: Any, name: str, replacement: object) -> None:
        self._originals.append((owner, name, vars(owner).get(name, _MISSING)))
        setattr(owner, name, replacement)


_MISSING = object()


def _guarded(original: Callable[..., Any], report: Callable[..., None]) -> Callable[..., Any]:
    """Return a function that reports a call, and is called with nodes in place of their stand-ins."""

    def before(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Iterable[Any], Mapping[str, Any]]:
        report()
        return map(_real, args), {name: _real(arg) for name, arg in kwargs.items()}

    return passage(original, before)


def _aliasing(
    original: Callable[..., Any], report: Callable[[], None], alias: Callable[..., list[Any] | None]
) -> Callable[..., Any]:
    guarded = _guarded(original, report)

    @wraps(original)
    def called(*args: Any, **kwargs: Any) -> Any:
        nodes = alias(original, *args, **kwargs)
        return guarded(*args, **kwargs) if nodes is None else nodes

    return called


def _real(arg: Any) -> Any:
    """Return an argument with nodes in place of their stand-ins."""
    if type(arg) is list or type(arg) is tuple:
        items = [_real(item) for item in arg]
        return arg if all(map(is_, items, arg)) else type(arg)(items)
    return RequestedNode.real(arg) if type(arg) is RequestedNode else arg


def when_all_read(fs: Any, then: Callable[[], None]) -> None:
    """Call a function once SCons has read all SConscripts, which is when it calls `fs.set_max_drift`."""
    original = fs.set_max_drift

    def set_max_drift(value: int) -> None:
        original(value)
        if not SCons.Script.sconscript_reading:
            fs.__dict__.pop("set_max_drift", None)
            then()

    fs.set_max_drift = set_max_drift
