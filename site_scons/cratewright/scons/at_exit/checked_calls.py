"""What a build has found of each call of `env.Crate`: whether all its stages are up to date, and from which files.

Calls that were not executed have been checked by an earlier build, whose stamps stay valid.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import SCons.Node
import SCons.Node.FS

from ..crates.build import Build
from ..graph.duplicates import duplicated_from
from ..graph.plain_graph import all_nodes, made_by_others
from ..last_build.call_recorder import CallRecorder
from ..nodes.made_file import KeptFile
from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import is_made_by_stage, stage_of
from .noted_files import NotedFiles, UnrecordableBuild, note_stage
from .unmodified_nodes import is_unmodified

_UNVISITED = SCons.Node.no_state
_UP_TO_DATE = SCons.Node.up_to_date


class CheckedCall:
    """What a build has found of one call.

    Shape: `needs_check` if a stage was made, has failed, or may not be what its files say. `outputs` are paths as in
    `LastBuild.outputs`; SCons has not visited those in `unvisited`, nor those in `was_unvisited` in the last build.
    `files` are absolute paths with stamps; if the next build has to check the call, `observed` are all that its stages
    read, wrote or looked for, and `knows_all_paths` if these are known.
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[str, Node]] = []
        self.outputs: list[str] = []
        self.files: dict[str, list[int] | None] = {}
        self.unvisited: set[str] = set()
        self.was_unvisited: set[str] = set()
        self.needs_check = False
        self.knows_all_paths = False
        self.observed: set[str] = set()


class CheckedCalls:
    """All calls of a run that has ended.

    Shape: `files` gets the files of all calls, and of other nodes of SCons; `outputs` and `absent` as in `LastBuild`;
    `other_files` are what other builders make; `numbers` are those of executed calls, by the identity of the target.
    After a run that `has_failed`, SCons has not visited all that was requested.
    Raises: UnrecordableBuild if no call was up to date, or a file changed that belongs to no call.
    """

    def __init__(self, build: Build, recorder: CallRecorder, fs: Any, files: NotedFiles, *, has_failed: bool) -> None:
        self._recorder = recorder
        self._files = files
        self.numbers = {id(call.target): number for number, call in enumerate(recorder.calls) if call.is_executed}
        self.calls = [CheckedCall() for _ in recorder.calls]
        self.absent: list[str] = []
        self.other_files = made_by_others(fs, is_unmodified)
        others = list(self._assign_nodes(fs, _made_from(self.other_files.values())))
        read: set[str] = set()
        for number in self.numbers.values():
            read |= self._check(self.calls[number])
        for crate in build.crates.values():
            for node in crate.sources:
                read.update(self._note_source(self.calls[self.numbers[id(crate.target)]], node))
        self._add_last_build()
        if has_failed:
            for call in self.calls:
                call.needs_check = call.needs_check or not call.unvisited <= call.was_unvisited
        if all(call.needs_check or len(call.unvisited) == len(call.outputs) for call in self.calls):
            raise UnrecordableBuild("everything was made")
        for path in others:
            if path not in read and path not in files.stamps:
                files.note(path)
        for call in self.calls:
            if call.needs_check and call.knows_all_paths:  # whether these have changed does not matter
                call.observed.update(path for _, node in call.nodes for path in _observed_paths(node))
        for path in sorted({path for call in self.calls for path in call.observed} - {*files.stamps}):
            files.add(path, [])
        for recorded in recorder.calls:
            if recorded.is_executed and list(map(id, recorded.target)) != list(map(id, recorded.nodes)):
                raise UnrecordableBuild("the SConstruct has changed the nodes of a crate")
        self.outputs = [path for call in self.calls for path in call.outputs]

    @property
    def any_needs_check(self) -> bool:
        """Whether the next build may have to make anything."""
        return any(call.needs_check for call in self.calls)

    def number_of(self, node: Node) -> int:
        """Return the number of the call to which the node of a stage belongs.

        Raises: UnrecordableBuild if it belongs to none.
        """
        images = getattr(node.attributes, "crate_images", None)
        stages = getattr((node if images is None else images.manifest).attributes, "crate_stages", None)
        number = self.numbers.get(id(stages.declared.target)) if stages is not None else None
        if number is None:
            raise UnrecordableBuild(f"{node} belongs to no call")
        return number

    def _assign_nodes(self, fs: Any, skipped: Set[int]) -> Iterator[str]:
        """Give each call its nodes, and yield the paths of other files, apart from nodes with these identities."""
        for path, node in all_nodes(fs):
            if is_pending_node(node):
                continue
            if not os.path.exists(path):
                self.absent.append(next(filter(os.path.lexists, _source_paths(node)), path))
            if is_made_by_stage(node):
                call = self.calls[self.number_of(node)]
                call.nodes.append((path, node))
                call.outputs.append(path + "/" * isinstance(node, SCons.Node.FS.Dir))
            # Stages record what they keep.
            elif id(node) not in skipped and not isinstance(node, KeptFile) and not os.path.isdir(path):
                yield path

    def _check(self, call: CheckedCall) -> set[str]:
        """Note the files of a call that was executed, and return those that its stages have read."""
        states = [node.get_state() for _, node in call.nodes]
        call.unvisited = {path for path, state in zip(call.outputs, states, strict=True) if state == _UNVISITED}
        call.needs_check = not {_UNVISITED, _UP_TO_DATE}.issuperset(states)
        call.knows_all_paths = {_UP_TO_DATE, SCons.Node.executed}.issuperset(states)
        files, read = self._files.empty(), set()
        for path, node in call.nodes:
            # Unless the crate is declared, SCons would take a source of this name for it in a variant directory.
            for source in _source_paths(node):
                call.needs_check = call.needs_check or os.path.lexists(source)
                files.add(source, None)
            stage = stage_of(node)
            if stage is not None:
                read.update(stage.state.files_read())
            try:
                if node.get_state() == _UP_TO_DATE:
                    files.note_file(path)
                    if stage is not None:
                        note_stage(node, files)
                elif not call.needs_check:
                    files.note(path)
            except UnrecordableBuild:
                call.needs_check = True
        self._add_files(call, files.stamps)
        return read

    def _note_source(self, call: CheckedCall, node: Node) -> Iterator[str]:
        """Yield the paths of a source: in a variant directory also that of the original, from which SCons makes it."""
        path, original = str(node.get_abspath()), duplicated_from(node)
        yield path
        if original is not None:
            yield original
            try:
                self._files.note(path)
            except UnrecordableBuild:
                call.needs_check = True
            else:
                call.files[path] = self._files.stamps[path]

    def _add_last_build(self) -> None:
        """Add what the last build has found of calls that were not executed, and of what belongs to no call."""
        partial = self._recorder.partial
        if partial is None:
            return
        last_build = partial.last_build
        paths, owned = list(last_build.files), set[str]()
        for number, (call, record) in enumerate(zip(self.calls, partial.records, strict=True)):
            own = [paths[file] for file in record.files]
            owned.update(own)
            unvisited = {last_build.outputs[output] for output in record.unvisited}
            is_executed = self._recorder.calls[number].is_executed
            if not is_executed:
                call.outputs = [last_build.outputs[output] for output in record.outputs]
            # SCons need not have visited a call that others need, if one of these has failed.
            if not is_executed or (number not in partial.outdated and not call.needs_check):
                self._add_files(call, {path: last_build.files[path] for path in own})
                call.unvisited = unvisited
                call.knows_all_paths = call.knows_all_paths or record.knows_all_paths
            call.was_unvisited = unvisited if record.is_up_to_date else set()
        for path, stamp in last_build.files.items():
            if path not in owned:
                self._files.add(path, stamp)
        self.absent += sorted({*last_build.absent} - {*self.absent})

    def _add_files(self, call: CheckedCall, stamps: Mapping[str, list[int] | None]) -> None:
        call.files.update(stamps)
        for path, stamp in stamps.items():
            try:
                self._files.add(path, stamp)
            except UnrecordableBuild:
                call.needs_check = True


def _source_paths(node: Node) -> Iterator[str]:
    """Yield the paths of which SCons would duplicate a file, if it is in a variant directory."""
    for directory in node.dir.srcdir_list():
        yield os.path.join(str(directory.abspath), str(node.name))


def _made_from(nodes: Iterable[Node]) -> set[int]:
    """Return the identities of nodes, and of all that SCons knows they are made from."""
    todo, found = list(nodes), set[int]()
    while todo:
        node = todo.pop()
        if id(node) not in found:
            found.add(id(node))
            for children in (node.sources, node.depends, node.prerequisites, node.implicit):
                todo += children or ()
    return found


def _observed_paths(node: Node) -> Iterator[str]:
    """Yield the absolute paths that the last run of a stage read, wrote or looked for."""
    stage = stage_of(node)
    if stage is None:
        return
    yield from stage.state.observed_paths()
    for child in node.children():
        if isinstance(child, SCons.Node.FS.Base):
            yield str(child.get_abspath())
