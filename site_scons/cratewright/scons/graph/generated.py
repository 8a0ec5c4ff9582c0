"""Generated files that a stage may read although they are not its sources, above all includes.

What a stage read last time, and which paths were missing, is exactly what it reads, as long as none of these files has
changed. In changed files, and before the first run, every word that is the name of a generated file counts as an
include. An extra one costs a little parallelism; a missing one would give a stale result.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any

import SCons.Node
import SCons.Node.FS
import SCons.Script

from ...base.errors import GraphError
from ...base.host import is_absolute, way_to, whole_path
from ...base.patterns import pattern
from ...base.stamp import file_stamp
from ...base.values import dataclass
from ...formats.stage_record import SeenFile
from ...values.crate import Crate
from ...values.options import Options
from ..nodes.paths import relative
from .makeable import Makeable, upwards
from .mirror import Mirror
from .node_graph import chain_between, made_with
from .text_names import ANY_FILE, TextNames

_SEPARATORS = pattern(r"[\s\"'<>=,:;()]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A stage that may read files which the build makes.

    Shape: `texts` are the files to begin with, each with the directories in which its includes are searched; `words`
    gives the words of options, which may name files; `names` gives the names that a text includes; `node` is what the
    stage makes.
    """

    crate: str
    declared_at: str
    node: Any
    texts: Sequence[tuple[str, tuple[str, ...]]] = ()
    words: Callable[[], Iterable[str]] = tuple
    names: Callable[[bytes], Iterable[str]] = lambda text: ()

    @staticmethod
    def texts_of(crate: Crate) -> list[tuple[str, tuple[str, ...]]]:
        """Return the sources of a crate with the directories in which their includes are searched."""
        return [(source.location, source.options.texts("include_dirs")) for source in crate.sources]

    @staticmethod
    def words_of(options: Iterable[Options]) -> list[str]:
        """Return the words of options, without duplicates."""
        distinct = dict.fromkeys(options)
        return list(dict.fromkeys(word for one in distinct for _, value in one.values for word in _texts(value)))


@dataclass(slots=True)
class GeneratedFiles:
    """All files that one SCons run can make.

    Shape: `root` is absolute. What can be made is known once all SConscripts have been read.
    """

    root: str
    _makeable: Makeable | None = None
    _names: TextNames = field(init=False)
    _undeclared: set[str] | None = None

    def __post_init__(self) -> None:
        self._names = TextNames(self.root)

    def read_by(self, reader: Reader, observed: Iterable[SeenFile], is_same_request: bool) -> list[Any]:
        """Return the nodes that must be made before a stage runs.

        Shape: `observed` is what it observed last time; `is_same_request` if its request was the same then.
        Raises: GraphError if one of them is included and made from what the stage makes.
        """
        made = self._made()
        if not made:
            return []
        reader = replace(reader, texts=[self._whole(*each) for each in reader.texts])
        seen = {item.path: item for item in observed}
        # A compiler may report a path with `..`, which may pass a link: then one file too many counts as read.
        plain = {posixpath.normpath(path): item for path, item in seen.items()}
        found = {path: item.digest is not None for path, item in plain.items() if path in made}
        # Unchanged files have been read completely.
        settled = {path for path in seen if not self._has_changed(seen[path])} if is_same_request else set()
        # A directory was missing, so the compiler did not look for files in it.
        if any(item.digest is None and made.is_above(path) for path, item in plain.items()):
            settled = set()
        for path, directories in reader.texts:
            self._follow(path, directories, settled, found, reader.names)
        directories = tuple(dict.fromkeys(item for _, dirs in reader.texts for item in dirs))
        if is_same_request:
            for path in seen:
                if path not in settled:
                    self._follow(path, directories, settled, found, reader.names, in_order=False)
        else:
            for word in reader.words():
                self._mentioned_in_options(word, ("", *directories), reader, found)
        if self._undeclared is not None:
            self._undeclared.update(path for path in found if made.is_undeclared(path))
            return []
        nodes = [*self._made_directories(reader), *self._checked(found, reader)]
        own = made_with(reader.node)
        return [node for node in dict.fromkeys(nodes) if node not in own]

    @contextmanager
    def finding_undeclared(self, paths: Iterable[str]) -> Iterator[set[str]]:
        """Have `read_by` only add to the given set which files are read of those that no declared crate makes.

        Shape: absolute paths, those of directories with a trailing `/`.
        """
        self._makeable, self._undeclared = Makeable(map(self._relative, paths)), set()
        try:
            yield self._undeclared
        finally:
            self._makeable, self._undeclared = None, None
            self._names.forget()

    def _relative(self, path: str) -> str:
        start = os.path.join(self.root, "")
        return path.removeprefix(start).replace(os.sep, "/")

    def mirrored(
        self, mirror: Mirror, path: str, directories: tuple[str, ...], names: Callable[[bytes], Iterable[str]]
    ) -> list[str]:
        """Return directories of a variant that lead to generated files named in a text or in its includes."""
        if not self._made().is_above(mirror.variant):
            return []
        used = self._follow(*self._whole(path, directories), set(), {}, names, mirror)
        return [way_to(self.root, each) if is_absolute(each) else each for each in used]

    def check_beside(self, mirror: Mirror, paths: Iterable[str], *, crate: str) -> None:
        """Refuse files read beside a source where the variant has generated ones, which its duplicate would include.

        Shape: `paths` were read by a unit whose source is in `mirror`.
        Raises: GraphError.
        """
        made = self._made()
        for path in paths:
            for directory in mirror.of(posixpath.dirname(path)):
                place = posixpath.join(directory, posixpath.basename(path))
                if place in made:
                    raise GraphError(
                        f"crate '{crate}' includes '{path}', but the build makes '{place}'",
                        context=(("reason", "a compiler takes what is beside the source, which is not duplicated"),),
                        hint=f"remove {path}, or make a file of another name",
                    )

    def _whole(self, path: str, directories: Iterable[str]) -> tuple[str, tuple[str, ...]]:
        """Return paths as nodes have them: absolute outside the root."""
        return whole_path(self.root, path), tuple(whole_path(self.root, each) for each in directories)

    def _has_changed(self, item: SeenFile) -> bool:
        try:
            now = os.stat(os.path.join(self.root, item.path))
        except (OSError, ValueError):
            return item.digest is not None
        return file_stamp(now) != item.stamp

    def _follow(
        self,
        start: str,
        directories: tuple[str, ...],
        settled: set[str],
        found: dict[str, bool],
        names: Callable[[bytes], Iterable[str]],
        mirror: Mirror | None = None,
        *,
        in_order: bool = True,
    ) -> Iterable[str]:
        """Add the files named in a text and in all that it includes; `True` for those that are certainly included.

        Shape: `in_order` if the compiler of this text searches exactly `directories`, one after the other. Returns
        the variant's directories that `mirror` gives for those of the texts, if they lead to generated files.
        """
        used: dict[str, None] = {}
        if start in settled:
            return used
        made = self._made()
        todo, seen = [(start, True)], dict.fromkeys(settled, True)
        near: dict[str, None] = {}
        others: dict[str, None] = {}
        while todo:
            path, certain = todo.pop()
            if path in seen and (seen[path] or not certain):
                continue
            seen[path] = certain
            own = posixpath.dirname(path)
            near[own] = None
            if mirror is not None:
                others |= mirror.of(own)
            for name, literal in self._names.names_in(path, made, names):
                if name == ANY_FILE:
                    for place in made.texts((*near, *others, *directories)):
                        found.setdefault(place, False)
                        todo.append((place, False))
                    continue
                # Compilers search beside the text or not, beside the texts that led to it or not: what is found there
                # is not all that may be meant.
                beside = dict.fromkeys((own, *reversed(near), *others))
                sure = certain and literal
                for directory, place in _candidates(name, (*beside, *directories, "")):
                    if place in made:
                        found[place] = found.get(place, False) or sure
                        if directory in others:
                            used[directory] = None
                    elif not literal or not os.path.isfile(os.path.join(self.root, place)):
                        continue
                    todo.append((place, sure))
                    sure = False
                    if in_order and directory not in beside and place not in made:
                        break
        return used

    def _mentioned_in_options(
        self, text: str, directories: tuple[str, ...], reader: Reader, found: dict[str, bool]
    ) -> None:
        made, root = self._made(), os.path.join(self.root, "")
        for part in filter(None, _SEPARATORS.split(text)):
            # A name may follow its flag without a space.
            starts = (0, *range(2, len(part))) if part.startswith("-") else (0,)
            for word in (part[start:].removeprefix(root) for start in starts):
                if made.has_any_name or os.fsencode(posixpath.basename(word)) in made.names:
                    for _, place in _candidates(word, directories):
                        if place in made:
                            found.setdefault(place, False)
                            self._follow(place, directories, set(), found, reader.names, in_order=False)

    def _made_directories(self, reader: Reader) -> Iterator[Any]:
        made = self._made().directories
        if made:
            for _, directories in reader.texts:
                for directory in directories:
                    yield from (made[path] for path in upwards(directory) if path in made)

    def _checked(self, found: Mapping[str, bool], reader: Reader) -> Iterator[Any]:
        """Yield nodes that are not made from what the stage makes.

        Raises: GraphError for one that is and is certainly included.
        """
        made, own = self._made(), made_with(reader.node)
        for path, literal in sorted(found.items()):
            node = made.node(path)
            chain = chain_between(node, own)
            if not chain:
                yield node
            elif literal:
                raise GraphError(
                    f"crate '{reader.crate}' includes '{path}', which is made from the crate itself",
                    context=(
                        ("declared in", reader.declared_at),
                        ("made from it by", " <- ".join(relative(item) or str(item) for item in chain)),
                    ),
                    hint="include something else, or make it from another crate",
                )

    def _made(self) -> Makeable:
        if self._makeable is not None:
            return self._makeable
        made = Makeable()
        if not SCons.Script.sconscript_reading:
            self._makeable = made
        return made


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


def _candidates(name: str, directories: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the paths that a name may mean, each after the directory in which it is searched."""
    if is_absolute(name):
        yield "", posixpath.normpath(name)
        return
    for directory in dict.fromkeys(directories):
        place = posixpath.normpath(posixpath.join(directory, name))
        if place != ".":
            yield directory, place
