"""Watches what an SConstruct does with SCons while it is read: whether it goes beyond crates.

What is on the list takes or returns words, variables or paths. Anything else that SCons can be told or asked may
concern nodes, and is reported before it happens.
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

from ..SCons import passage
from .requested_targets import RequestedNode

__all__ = ["Watch"]

_OF_WORDS = frozenset(
    [
        *("Action", "AddMethod", "Append", "AppendENVPath", "AppendUnique", "Builder", "Clone", "Detect", "Dictionary"),
        *(
            "Dump",
            "Environment",
            "FindIxes",
            "Flatten",
            "Literal",
            "MergeFlags",
            "Override",
            "ParseConfig",
            "ParseFlags",
        ),
        *(
            "Platform",
            "Prepend",
            "PrependENVPath",
            "PrependUnique",
            "RemoveMethod",
            "Replace",
            "ReplaceIxes",
            "Scanner",
        ),
        *("SetDefault", "Split", "Tool", "WhereIs"),
        *(
            "arg2nodes",
            "backtick",
            "get",
            "get_CacheDir",
            "get_builder",
            "get_factory",
            "get_scanner",
            "gvars",
            "items",
        ),
        *("keys", "lvars", "scanner_map_delete", "setdefault", "subst", "subst_kw", "subst_list", "subst_path"),
        *("subst_target_source", "validate_CacheDir_class", "values"),
    ]
)
_OF_PATHS = frozenset({"Dir", "Entry", "File", "GetBuildPath", "Glob"})
"""Nodes that they return are looked at."""
_OF_SCRIPTS = frozenset(
    [
        *("Default", "EnsurePythonVersion", "EnsureSConsVersion", "Execute", "Exit", "Export", "GetLaunchDir"),
        *("GetOption", "GetSConsVersion", "Help", "Import", "SConscript", "SConscriptChdir", "SetOption", "VariantDir"),
    ]
)
"""Targets, SCons's options and variant directories are examined when all SConscripts have been read."""
_OF_OTHERS = frozenset(
    [
        *("AddPostAction", "AddPreAction", "AlwaysBuild", "Clean", "Command", "Depends", "Ignore", "NoCache"),
        *("NoClean", "Precious", "Pseudo", "Requires", "Value"),
    ]
)
"""Settings of nodes: those of crates notice them, all others are examined when all SConscripts have been read."""
_LISTED = _OF_WORDS | _OF_PATHS | _OF_SCRIPTS | {"Alias"}

_METHODS: tuple[tuple[type, Collection[str]], ...] = (
    (SCons.Node.Node, ("children", "all_children", "render_include_tree")),
    (SCons.Node.FS.Base, ("RDirs", "Rfindalldirs")),
    (SCons.Node.FS.Dir, ("addRepository", "all_children", "link", "scan", "walk")),
)
"""Queries from a node to others that may not exist yet."""
_OF_FILES = ("PyPackageDir", "Repository")


def _nothing(*_: Any, **__: Any) -> None:
    pass


class Watch:
    """Reports what SCons is told, until `end`.

    Shape: `report` is called before anything happens that is not listed; `alias` is called instead of `env.Alias`, with
    SCons's own, and returns None if that is to be reported and called; `vary` is called after a variant directory was
    declared, with the arguments of `VariantDir`.
    """

    def __init__(
        self, fs: Any, report: Callable[[], None], alias: Callable[..., Any], vary: Callable[..., None]
    ) -> None:
        self._fs = fs
        self._is_quiet = False
        self._report = lambda: None if self._is_quiet else report()
        self._usual: list[tuple[Any, str, object]] = []
        classes = {
            *SCons.Environment.Base.__mro__,
            *SCons.Environment.OverrideEnvironment.__mro__,
            *SCons.Environment.Environment.__mro__,  # that of SConscripts, if SCons runs as a program
        } - {object}
        for kind in classes:
            names = [name for name in vars(kind) if not name.startswith("_") and name not in _LISTED]
            self._guard(kind, [name for name in names if name not in _OF_OTHERS], self._report)
            self._guard(kind, _OF_OTHERS)
        self._replace(SCons.Environment.Base, "Alias", _aliasing(SCons.Environment.Base.Alias, self._report, alias))
        self._guard(SCons.Builder.BuilderBase, ("__call__",))
        for kind, methods in _METHODS:
            self._guard(kind, methods, self._report)
        for name in _OF_FILES:
            self._replace(fs, name, _guarded(getattr(fs, name), self._report))
        # SCons asks nodes no more than what they are.
        self._replace(fs, "Glob", self._quiet(fs.Glob))
        self._replace(fs, "VariantDir", self._quiet(fs.VariantDir, vary))

    def watch_builders(self, concerns: Callable[[str], bool], declare: Callable[[], None]) -> None:
        """Have `declare` called before SCons gets to know that another builder makes a file that concerns crates.

        What a declaration does with a file may depend on whether SCons makes it.
        """
        usual = SCons.Node.Node.builder_set

        def set_builder(node: Any, builder: Any) -> None:
            if builder is not None and isinstance(node, SCons.Node.FS.Base) and concerns(str(node.get_abspath())):
                declare()
            usual(node, builder)

        self._replace(SCons.Node.Node, "builder_set", set_builder)

    def watch_nodes(self, look_up: Callable[[str], None], missing: Callable[[str], list[str]]) -> None:
        """Have `look_up` called with the path of each node asked for, and with a name that a pattern fits.

        Shape: absolute paths; `missing` gives the names of nodes in a directory that are not on disk.
        """
        lookup, glob = self._fs._lookup, SCons.Node.FS.Dir._glob1

        def look(*words: Any, **more: Any) -> Any:
            node = lookup(*words, **more)
            look_up(str(node.get_abspath()))
            return node

        def look_for(directory: Any, pattern: str, ondisk: bool = True, *words: Any, **more: Any) -> Any:
            # On disk it finds the rest, which is then looked up.
            places = [str(place.get_abspath()) for place in (directory, *directory.srcdir_list())]
            names = [name for place in places for name in missing(place)]
            for name in fnmatch.filter(names, pattern) if ondisk else [pattern]:
                look_up(name)
            return glob(directory, pattern, ondisk, *words, **more)

        self._replace(self._fs, "_lookup", look)
        self._replace(SCons.Node.FS.Dir, "_glob1", look_for)

    def _quiet(self, usual: Callable[..., Any], then: Callable[..., None] = _nothing) -> Callable[..., Any]:
        """Return a function that reports nothing, and calls another with the same arguments afterwards."""

        @wraps(usual)
        def called(*words: Any, **more: Any) -> Any:
            before, self._is_quiet = self._is_quiet, True
            try:
                result = usual(*words, **more)
            finally:
                self._is_quiet = before
            then(*words, **more)
            return result

        return called

    def end(self) -> None:
        """Stop reporting."""
        while self._usual:
            place, name, usual = self._usual.pop()
            if usual is _NOTHING:
                delattr(place, name)
            else:
                setattr(place, name, usual)

    def _guard(self, kind: type, names: Collection[str], report: Callable[..., None] = _nothing) -> None:
        for name in names:
            usual = vars(kind).get(name)
            if isinstance(usual, FunctionType):
                self._replace(kind, name, _guarded(usual, report))
            elif isinstance(usual, (staticmethod, classmethod)):
                self._replace(kind, name, type(usual)(_guarded(usual.__func__, report)))

    def _replace(self, place: Any, name: str, other: object) -> None:
        self._usual.append((place, name, vars(place).get(name, _NOTHING)))
        setattr(place, name, other)


_NOTHING = object()


def _guarded(usual: Callable[..., Any], report: Callable[..., None]) -> Callable[..., Any]:
    def before(words: tuple[Any, ...], more: Mapping[str, Any]) -> tuple[Iterable[Any], Mapping[str, Any]]:
        report()
        return map(_real, words), {name: _real(word) for name, word in more.items()}

    return passage(usual, before)


def _aliasing(
    usual: Callable[..., Any], report: Callable[[], None], alias: Callable[..., list[Any] | None]
) -> Callable[..., Any]:
    guarded = _guarded(usual, report)

    @wraps(usual)
    def called(*words: Any, **more: Any) -> Any:
        found = alias(usual, *words, **more)
        return guarded(*words, **more) if found is None else found

    return called


def _real(word: Any) -> Any:
    """Return a word with nodes in place of their stand-ins."""
    if type(word) is list or type(word) is tuple:
        items = [_real(item) for item in word]
        return word if all(map(is_, items, word)) else type(word)(items)
    return RequestedNode.real(word) if type(word) is RequestedNode else word
