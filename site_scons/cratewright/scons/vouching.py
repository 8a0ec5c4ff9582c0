"""Describes a build with nothing to do, when SCons ends.

This run has checked that every stage is up to date. A path is only noted if it has not changed since before the run
began, so that its stamp belongs to the content that was checked.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import SCons.Node
import SCons.Node.FS
import SCons.Script
import SCons.Script.Main

from ..base.errors import CratewrightError
from ..base.stamp import file_stamp, is_older
from ..system.fs import write_atomic
from .builders import StageBuilder
from .crates import Build
from .heard import listen
from .installed import installed_files, is_below
from .interface import InterfaceNode
from .settled import NAME, SettledBuild, memory_digest, memory_of, names_digest
from .settling import Settling
from .state import StageState
from .usual import all_nodes, is_plain_graph, is_same_memory, is_told

__all__ = ["watch_build"]

Node = Any
"""An SCons node; SCons has no types to check against."""


class _Unknown(Exception):
    """Something took part that may have changed."""


class Files:
    """Files that took part, with their stamps; None for a missing path.

    Shape: `root` absolute, and so are the paths; those given may be relative to it. None has changed since `since`,
    a time by `clock_ns`.
    """

    def __init__(self, root: str, since: int) -> None:
        self.stamps: dict[str, list[int] | None] = {}
        self._since = since
        self._root = root

    def note_file(self, path: str) -> None:
        """Note a path at which SCons found a file in this run.

        Raises: _Unknown if the file has changed or been removed since.
        """
        self.note(path)
        if self.stamps[os.path.join(self._root, path)] is None:
            raise _Unknown(f"{path} was removed")

    def note(self, path: str, known: list[int] | bool | None = False) -> None:
        """Note a path that has not changed during this run, nor since it had a known stamp; False if none is known.

        Raises: _Unknown if it has.
        """
        path = os.path.join(self._root, path)
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            stamp = None
        else:
            if not is_older(found, self._since):
                raise _Unknown(f"{path} is young")
            stamp = file_stamp(found)
        if (known is not False and known != stamp) or self.stamps.setdefault(path, stamp) != stamp:
            raise _Unknown(f"{path} has changed")


def watch_build(build: Build, settling: Settling, fs: Any) -> None:
    """Describe a build, when SCons ends, if it had nothing to do.

    Shape: call it once all SConscripts have been read; a build in which anything else makes files is not described.
    """
    path = os.path.join(build.root, NAME)
    declared = {id(crate.target) for crate in build.crates.values()}
    if (
        {id(target) for target in settling.targets} == declared
        and is_plain_graph(fs, _is_own)
        and not build.reporting.is_recorded
        and not any(crate.natives or crate.read_by_link or crate.instead for crate in build.crates.values())
    ):
        atexit.register(_keep, path, build, settling, fs, _Lines())
    else:
        _forget(path)


_DONE = "scons: done building targets."


class _Lines:
    """The lines that SCons prints while it builds, as long as they say that something is up to date.

    Shape: `only` until SCons prints anything else, apart from its progress; `is_done` once it says that it has
    finished.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.only = True
        self.is_done = False
        self._is_own = False
        main = SCons.Script.Main
        main.display = _Display(main.display, self._say, self.told.append)
        main.progress_display = _Display(main.progress_display, self._say, self._note_progress)
        listen(self._hear)

    def _note_progress(self, text: str) -> None:
        self.is_done = text == _DONE

    def _say(self, display: Callable[..., None], *words: Any) -> None:
        self._is_own = True
        try:
            display(*words)
        finally:
            self._is_own = False

    def _hear(self) -> None:
        self.only = self.only and self._is_own


class _Display:
    """One of SCons's two printing functions, which print or not depending on its options."""

    def __init__(self, usual: Any, say: Callable[..., None], note: Callable[[str], None]) -> None:
        self._usual = usual
        self._say = say
        self._note = note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)

    def __call__(self, text: str, *more: Any) -> None:
        self._note(text)
        self._say(self._usual, text, *more)


def _keep(path: str, build: Build, settling: Settling, fs: Any, lines: _Lines) -> None:
    with suppress(CratewrightError, OSError):
        try:
            found = _settled(build, settling, fs, lines)
        except _Unknown:
            _forget(path)
        else:
            write_atomic(path, found.encode())


def _forget(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _settled(build: Build, settling: Settling, fs: Any, lines: _Lines) -> SettledBuild:
    main = SCons.Script.Main
    if main.exit_status or main.this_build_status or not (lines.only and lines.is_done):
        raise _Unknown("the build failed, or said more")
    memory = memory_of(build.root)
    if not settling.memory or not is_same_memory(settling.memory, memory):
        raise _Unknown("SCons has learned something")
    files = Files(build.root, settling.began)
    built, unmade = [], []
    for path, node in all_nodes(fs):
        is_directory = isinstance(node, SCons.Node.FS.Dir)
        is_made = _is_own(node)
        if is_made:
            built.append(path + "/" * is_directory)
        if not os.path.exists(path):
            unmade.append(path)
        if is_made and node.get_state():
            files.note_file(path)
        elif is_made or not is_directory:
            files.note(path)
        if getattr(node.attributes, "crate_stage", None) is not None and node.get_state():
            _note_stage(node, files)
    places = settling.moments.search_paths
    modules = list(settling.moments.module_paths)
    installed = installed_files(build.root, build.engines.values(), modules, places, raises=_Unknown)
    for path, known in installed.items():
        files.note(path, known)
    for target, nodes in zip(settling.targets, settling.nodes, strict=True):
        if list(map(id, target)) != list(map(id, nodes)):
            raise _Unknown("the SConstruct has changed the nodes of a crate")
    calls = [(call.digest, list(map(_path, nodes))) for call, nodes in zip(settling.calls, settling.nodes, strict=True)]
    return SettledBuild(
        calls,
        settling.asked,
        settling.late,
        lines.told,
        built,
        unmade,
        memory_digest(memory),
        {place: names_digest(place) for place in modules if is_below(place, build.root)},
        files.stamps,
    )


def _path(node: Node) -> str:
    return str(node.get_abspath()) + "/" * isinstance(node, SCons.Node.FS.Dir)


def _is_own(node: Node) -> bool:
    """Return whether a node belongs to a crate, and SCons does no more with it than the crate asks for."""
    if getattr(node.attributes, "crate_stage", None) is not None:
        return type(node.builder) is StageBuilder and not is_told(node) and not _inside(node)
    images = getattr(node.attributes, "crate_images", None)
    if images is None or not isinstance(node, SCons.Node.FS.Dir):
        return False
    # It depends on its manifest, around which its actions stand.
    told = (_inside(node), node.ignore, node.prerequisites, node.side_effects, node.always_build)
    return list(node.depends) == [images.manifest] and not any(told)


def _inside(node: Node) -> set[str]:
    return set(node.entries) - {".", ".."} if isinstance(node, SCons.Node.FS.Dir) else set()


def _note_stage(node: Node, files: Files) -> None:
    """Note the files which show that a stage is up to date."""
    if node.get_state() != SCons.Node.up_to_date:
        raise _Unknown(f"{node} was made")
    state = node.attributes.crate_stage.state
    if state is not None:
        vouched = state.vouched()
        if vouched is None:
            raise _Unknown(f"{node} was made of young files")
        observed, outputs = vouched
        for item in observed:
            files.note(item.path, item.stamp if item.digest else None)
        for path in outputs:
            files.note_file(path)
    for each in node.children():
        # The interface of a dependency is in a file.
        child = each.file if isinstance(each, InterfaceNode) else each
        if isinstance(child, StageState) or getattr(child.attributes, "crate_stage", None) is not None:
            continue
        if not isinstance(child, SCons.Node.FS.File) or child.has_builder():
            raise _Unknown(f"{child} is made by others")
        files.note_file(str(child.get_internal_path()))
