"""The files and directories that a crate's options name, as paths.

An option's kind and the backend's declarations say which of its words are paths.
"""

from __future__ import annotations

import os
from collections import UserString
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Node.FS
import SCons.PathList
import SCons.Subst
import SCons.Util

from ...base.errors import ConfigurationError
from ...contract.backend import CodegenBackend
from ...rules.output_name import seen_from
from ...values.option_spec import OptionKind, OptionSpec
from ...values.options import SEARCH_PATHS, Options
from ..nodes.paths import check_path, located_source, nearest_name, original, portable_path, relative, resolve_upward
from .expansion import Expansion

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_ITEMS = (str, UserString, os.PathLike, SCons.Node.Node, SCons.Subst.Literal)


class OptionPaths:
    """The paths in the options of one crate.

    Shape: relative paths are below the directory of the SConscript being read; `directory` is that of the crate's
    files, from the root. `read_by_link` are generated files that linker flags name.
    """

    def __init__(
        self,
        env: Environment,
        backend: CodegenBackend,
        table: Sequence[OptionSpec],
        directory: str,
        expansion: Expansion,
        *,
        where: str,
    ) -> None:
        self.read_by_link: list[Any] = []
        self._env = env
        self._root = env.Dir("#").abspath
        self._table = {spec.name: spec for spec in table}
        self._expansion = expansion
        self._backend = backend
        self._files = [spec.name for spec in table if spec.kind is OptionKind.PATH]
        self._directory = directory
        self._where = where
        self._files_by_path: dict[str, tuple[str, Any]] = {}

    def located(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return options as SCons expands them, with root-relative paths, directories in search order.

        Raises: ConfigurationError naming the option, for a path of the wrong kind, or what cannot be expanded.
        """
        located = self._expansion.options(given, self._table)
        for option in self._backend.PATH_OPTIONS:
            if located.get(option) is not None:
                words = [_word(item) for item in self._items(option, located[option])]
                located[option] = self._backend.locate_words(option, words, self._word_path)
        for option, what in SEARCH_PATHS.items():
            if located.get(option) is not None:
                # As SCons does in CPPPATH: a variable may stand for several directories or for none.
                value = located[option]
                self._expansion.check_directories(option, value)
                items = SCons.PathList.PathList(value if isinstance(value, str) else self._items(option, value))
                expanded = items.subst_path(self._env, None, None)
                located[option] = [path for item in expanded for path in self.directories(item, what)]
        for option in self._files:
            if located.get(option) is not None:
                located[option] = self._file(option, located[option])
        return located

    def directories(self, directory: object, what: str) -> list[str]:
        """Return the paths of a directory: in a variant, in the sources, in repositories; `what` is its purpose."""
        try:
            node = directory if isinstance(directory, SCons.Node.FS.Base) else self._directory_node(str(directory))
            node.must_be_same(SCons.Node.FS.Dir)
        except ValueError as error:  # not a file name: SCons has already passed it to the system
            check_path(str(directory), where=self._where)
            raise error from None
        except TypeError as error:  # a file has that name
            raise ConfigurationError(
                f"{what} directory {str(directory)!r} is not a directory", context=(("where", self._where),)
            ) from error
        found = [node]
        for item in found:
            found += [source for source in item.srcdir_list() if source not in found]
        found += [place for item in tuple(found) for place in item.get_all_rdirs()]
        name = relative if what == "library" else portable_path
        return list(dict.fromkeys(check_path(name(item), where=self._where) for item in found))

    def program_path(self, path: str, made: bool) -> str:
        """Return the path that a word of a construction variable means: SCons runs programs in the root."""
        return self._word_path(path if os.path.isabs(path) else os.path.join(self._root, path), made)

    def check_files(self, options: Iterable[Options]) -> None:
        """Refuse missing files that options name and the build does not make.

        Called: once all SConscripts have been read.
        """
        distinct = dict.fromkeys(options) if self._files_by_path else ()
        used = {str(each[name]) for each in distinct for name in self._files}
        for path, (option, node) in self._files_by_path.items():
            if path not in used:  # for instance that of a profile, which the crate overrides
                continue
            full = os.path.join(self._root, path)
            if node.is_derived() or os.path.isfile(full):
                continue
            is_there = os.path.exists(full)
            raise ConfigurationError(
                f"{path}: {'no file' if is_there else 'no such file'}",
                context=(("where", self._where), ("option", option)),
                hint="name one file" if is_there else nearest_name(full),
            )

    def _file(self, option: str, value: object) -> object:
        """Return the path of a file; anything but a text or a node is refused when the option is parsed."""
        nodes = SCons.Util.flatten([value])
        if len(nodes) != 1 or not isinstance(nodes[0], (str, SCons.Node.FS.Base)):
            return value
        (item,) = nodes
        try:
            if isinstance(item, str):
                item = self._env.subst(item)
                if not item:
                    return ""
                item = self._env.fs.File(item)
            item.must_be_same(SCons.Node.FS.File)
        except TypeError as error:  # a directory has that name
            path = item if isinstance(item, str) else relative(item)
            raise ConfigurationError(
                f"option '{option}' takes one file, and '{path}' is a directory",
                context=(("where", self._where),),
            ) from error
        path = check_path(relative(located_source(item)), where=f"{self._where}, option '{option}'")
        self._files_by_path[path] = option, item
        return path

    def _items(self, option: str, value: object) -> list[Any]:
        """Return the texts and nodes of a list.

        Raises: ConfigurationError for anything else, which would be converted to meaningless text.
        """
        items = SCons.Util.flatten([value])
        for item in items:
            if not isinstance(item, _ITEMS):
                raise ConfigurationError(
                    f"option '{option}' takes a list of strings, not {item!r}", context=(("where", self._where),)
                )
        return list(items)

    def _directory_node(self, path: str) -> Any:
        """Return the node of a directory; SCons by itself would ignore that `..` may follow a link."""
        node = self._env.fs.Dir(path)
        if ".." not in path.split("/"):
            return node
        base = original(self._env.Dir("#" if path[0] == "#" else ".")).abspath
        plain = resolve_upward(
            self._env.fs, os.path.join(base, path.removeprefix("#").lstrip("/") if path[0] == "#" else path)
        )
        return node if plain == original(node).abspath else self._env.fs.Dir(plain)

    def _word_path(self, path: str, made: bool) -> str:
        """Return the path that a word means: relative to the root, or to the crate's directory if a link makes it."""
        node = self._env.fs.Entry(path)
        if made:
            return seen_from(self._directory, relative(node))
        # For SCons every directory is derived; one above the crate would wait for the crate.
        if node.is_derived() and not self._output().is_under(node):
            self.read_by_link.append(node)
        return relative(located_source(node)) or "."

    def _output(self) -> Any:
        return self._env.fs.Dir(os.path.join(self._root, self._directory))


def _word(item: object) -> str:
    """Return a text, or the absolute path of a node."""
    return str(item.get_abspath()) if isinstance(item, SCons.Node.FS.Base) else str(item)
