"""What a build has found of each call of `env.Crate`: whether all its stages are up to date, and from which files.

Calls that were not executed have been checked by an earlier build: their stamps are kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import SCons.Node
import SCons.Node.FS
import SCons.Util

from ...base.errors import GraphError
from ..crates.build import Build, DeclaredCrate
from ..graph.duplicates import duplicated_from
from ..graph.usual import all_nodes, made_by_others
from ..last_build.call_recorder import CallRecorder
from ..last_build.record import CallRecord, CallRow
from ..nodes.crate_target import PARTS, CrateTarget
from ..nodes.expected_images import ImageNodes
from ..nodes.interface import InterfaceNode
from ..nodes.made_file import KeptFile
from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import is_made_by_stage, stage_of
from .noted_files import Files, UnknownFiles, note_stage
from .unmodified_nodes import is_ours

__all__ = ["CheckedCalls"]

_UNVISITED = SCons.Node.no_state
_UP_TO_DATE = SCons.Node.up_to_date


class _Call:
    """One call: the nodes it has, and what is known of them.

    Shape: `is_undone` if a stage was made, has failed, or may not be what its files say; `hidden` are those of `built`
    that SCons has not visited. `files` are absolute paths, of an undone call also `asked`: what its stages read or
    looked for. `is_read` if all such paths are known; `built` are paths as in `LastBuild.built`.
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[str, Node]] = []
        self.built: list[str] = []
        self.files: dict[str, list[int] | None] = {}
        self.hidden: set[str] = set()
        self.was_hidden: set[str] = set()
        self.is_undone = False
        self.is_read = False
        self.asked: set[str] = set()


class CheckedCalls:
    """All calls of a run that has ended.

    Shape: `files` gets the files of all calls, and of other nodes of SCons; `built` and `unmade` as in `LastBuild`;
    `others` are the files that SCons makes apart from crates. After a run that `has_failed`, SCons has not come to all
    that it was asked for.
    Raises: UnknownFiles if no call was checked, or a file changed that belongs to no call.
    """

    def __init__(self, build: Build, recorder: CallRecorder, fs: Any, files: Files, *, has_failed: bool) -> None:
        self._build = build
        self._recorder = recorder
        self._files = files
        self._numbers = {id(recorder.targets[number]): number for number in recorder.executed}
        self._calls = [_Call() for _ in recorder.calls]
        self.built: list[str] = []
        self.unmade: list[str] = []
        self.others = made_by_others(fs, is_ours)
        below = _below(self.others.values())
        others = list(self._sorted(fs, below))
        read: set[str] = set()
        for number in recorder.executed:
            read |= self._check(self._calls[number])
        for crate in build.crates.values():
            for node in crate.sources:
                read.update(self._note_source(self._calls[self._numbers[id(crate.target)]], node))
        self._carry()
        if has_failed:
            for call in self._calls:
                call.is_undone = call.is_undone or not call.hidden <= call.was_hidden
        if all(call.is_undone or len(call.hidden) == len(call.built) for call in self._calls):
            raise UnknownFiles("everything was made")
        for path in others:
            if path not in read and path not in files.stamps:
                files.note(path)
        for call in self._calls:
            if call.is_undone and call.is_read:  # the next build checks it, whatever has become of these
                call.asked.update(path for _, node in call.nodes for path in _asked(node))
        for path in sorted({path for call in self._calls for path in call.asked} - {*files.stamps}):
            files.keep(path, [])
        for number, (target, nodes) in enumerate(zip(recorder.targets, recorder.nodes, strict=True)):
            if number in recorder.executed and list(map(id, target)) != list(map(id, nodes)):
                raise UnknownFiles("the SConstruct has changed the nodes of a crate")
        self.built = [path for call in self._calls for path in call.built]

    @property
    def is_any_undone(self) -> bool:
        """Whether the next build may have to make anything."""
        return any(call.is_undone for call in self._calls)

    def described(self) -> list[CallRow]:
        """Return the calls as in `LastBuild`."""
        recorder, known = self._recorder, self._recorder.known
        return [
            known.calls[number]
            if known is not None and number not in recorder.executed
            else (call.digest, list(map(_path, recorder.nodes[number])), _parts(recorder.targets[number]))
            for number, call in enumerate(recorder.calls)
        ]

    def records(self) -> list[CallRecord]:
        """Return a record of each call.

        Raises: UnknownFiles if how it is linked cannot be told.
        """
        build, recorder = self._build, self._recorder
        file_numbers = {path: number for number, path in enumerate(self._files.stamps)}
        built_numbers = {path: number for number, path in enumerate(self.built)}
        makers = {path: number for number, call in enumerate(self._calls) for path in call.built}
        crates = {id(crate.target): crate for crate in build.crates.values()}
        records = []
        for number, call in enumerate(self._calls):
            paths = {**call.files, **dict.fromkeys(sorted(call.asked))}
            row = [file_numbers[path] for path in paths if path in file_numbers]
            made = [built_numbers[path] for path in call.built]
            hidden = [built_numbers[path] for path in call.built if path in call.hidden]
            before = recorder.records[number] if recorder.known is not None else None
            if number in recorder.executed:
                crate = crates[id(recorder.targets[number])]
                needs = {*self._needs(crate, call, makers), *recorder.calls[number].refers_to} - {number}
                if before is not None:
                    needs.update(before.needs)
                nodes = recorder.nodes[number]
                actions = [stage_of(node) or node for node in nodes]
                together = list(map(actions.index, actions))
                try:
                    links = build.links.links_of(crate)
                except GraphError as error:
                    raise UnknownFiles("a crate that is not declared") from error
                names = list(map(str, nodes))
                found = (
                    not call.is_undone,
                    call.is_read,
                    row,
                    made,
                    hidden,
                    sorted(needs),
                    names,
                    together,
                    crate.key,
                    links,
                )
                records.append(CallRecord(*found))
            else:
                assert before is not None
                records.append(before._replace(is_checked=not call.is_undone, files=row, makes=made, hidden=hidden))
        return records

    def _sorted(self, fs: Any, apart: Set[int]) -> Iterator[str]:
        """Give each call its nodes, and yield the paths of other files, apart from nodes with these identities."""
        for path, node in all_nodes(fs):
            if is_pending_node(node):
                continue
            if not os.path.exists(path):
                places = [os.path.join(str(place.abspath), str(node.name)) for place in node.dir.srcdir_list()]
                self.unmade.append(next(filter(os.path.lexists, places), path))
            if is_made_by_stage(node):  # and SCons was told no more of it
                call = self._calls[self._number(node)]
                call.nodes.append((path, node))
                call.built.append(path + "/" * isinstance(node, SCons.Node.FS.Dir))
            elif id(node) not in apart and not isinstance(node, KeptFile) and not os.path.isdir(path):
                yield path  # stages tell of what they keep

    def _number(self, node: Node) -> int:
        images = getattr(node.attributes, "crate_images", None)
        stages = getattr((node if images is None else images.manifest).attributes, "crate_stages", None)
        number = self._numbers.get(id(stages.declared.target)) if stages is not None else None
        if number is None:
            raise UnknownFiles(f"{node} is of no call")
        return number

    def _check(self, call: _Call) -> set[str]:
        """Note the files of a call that was executed, and return those that its stages have read."""
        states = [node.get_state() for _, node in call.nodes]
        call.hidden = {path for path, state in zip(call.built, states, strict=True) if state == _UNVISITED}
        call.is_undone = not {_UNVISITED, _UP_TO_DATE}.issuperset(states)
        call.is_read = {_UP_TO_DATE, SCons.Node.executed}.issuperset(states)
        files, read = self._files.beside(), set()
        for path, node in call.nodes:
            # A source of this name would be taken for it in a variant directory, unless the crate is declared.
            for directory in node.dir.srcdir_list():
                source = os.path.join(str(directory.abspath), str(node.name))
                call.is_undone = call.is_undone or os.path.lexists(source)
                files.keep(source, None)
            stage = stage_of(node)
            if stage is not None:
                read.update(stage.state.files_read())
            try:
                if node.get_state() == _UP_TO_DATE:
                    files.note_file(path)
                    if stage is not None:
                        note_stage(node, files)
                elif not call.is_undone:
                    files.note(path)
            except UnknownFiles:
                call.is_undone = True
        self._keep(call, files.stamps)
        return read

    def _note_source(self, call: _Call, node: Node) -> Iterator[str]:
        """Yield the paths of a source: in a variant directory also that of which SCons makes it, and makes it again."""
        path, source = str(node.get_abspath()), duplicated_from(node)
        yield path
        if source is not None:
            yield source
            try:
                self._files.note(path)
            except UnknownFiles:
                call.is_undone = True
            else:
                call.files[path] = self._files.stamps[path]

    def _carry(self) -> None:
        """Keep what is known of calls that were not executed, and of what belongs to no call."""
        recorder, known = self._recorder, self._recorder.known
        if known is None:
            return
        paths, owned = list(known.files), set[str]()
        for number, record in enumerate(recorder.records):
            own = [paths[file] for file in record.files]
            owned.update(own)
            call, hidden = self._calls[number], {known.built[place] for place in record.hidden}
            if number not in recorder.executed:
                call.built = [known.built[place] for place in record.makes]
            # SCons need not have come to it, if what it was executed for has failed.
            if number not in recorder.executed or (number not in recorder.concerned and not call.is_undone):
                self._keep(call, {path: known.files[path] for path in own})
                call.hidden = hidden
                call.is_read = call.is_read or record.is_read
            call.was_hidden = hidden if record.is_checked else set()
        for path, stamp in known.files.items():
            if path not in owned:
                self._files.keep(path, stamp)
        self.unmade += sorted({*known.unmade} - {*self.unmade})

    def _keep(self, call: _Call, stamps: dict[str, list[int] | None]) -> None:
        call.files |= stamps
        for path, stamp in stamps.items():
            try:
                self._files.keep(path, stamp)
            except UnknownFiles:
                call.is_undone = True

    def _needs(self, crate: DeclaredCrate, call: _Call, makers: dict[str, int]) -> Iterator[int]:
        """Yield the numbers of the calls on which a crate depends, or whose files its stages read."""
        for other in self._build.direct(crate):
            yield self._numbers[id(other.target)]
        for _, node in call.nodes:
            stage = stage_of(node)
            for each in stage.found if stage is not None else ():
                child = each.file if isinstance(each, InterfaceNode) else each
                if stage_of(child) is not None:
                    yield self._number(child)
        above: dict[str, int | None] = {}
        for path in call.files:
            maker = makers.get(path, _maker_above(os.path.dirname(path), makers, above))
            if maker is not None:
                yield maker


def _below(nodes: Iterable[Node]) -> set[int]:
    """Return the identities of nodes, and of all that SCons knows they are made from."""
    todo, found = list(nodes), set[int]()
    while todo:
        node = todo.pop()
        if id(node) not in found:
            found.add(id(node))
            for more in (node.sources, node.depends, node.prerequisites, node.implicit):
                todo += more or ()
    return found


def _maker_above(directory: str, makers: dict[str, int], above: dict[str, int | None]) -> int | None:
    """Return the call that makes a directory or one above it."""
    if directory not in above:
        parent = os.path.dirname(directory)
        found = makers.get(directory + "/")
        above[directory] = _maker_above(parent, makers, above) if found is None and parent != directory else found
    return above[directory]


def _parts(target: CrateTarget) -> dict[str, Any]:
    """Return what a target has by name, with paths in place of nodes; nothing if it stands for several crates."""
    if target.targets or not target.is_crate:
        return {}
    found: dict[str, Any] = {}
    for name in PARTS:
        value = getattr(target, name)
        if isinstance(value, ImageNodes):
            found[name] = dict(value.paths)
        elif isinstance(value, Mapping):
            found[name] = {entry: _path(node) for entry, node in value.items()}
        elif isinstance(value, SCons.Util.NodeList):
            found[name] = list(map(_path, value))
        else:
            found[name] = value if value is None or isinstance(value, str) else _path(value)
    return found


def _path(node: Node) -> str:
    return str(node.get_abspath()) + "/" * isinstance(node, SCons.Node.FS.Dir)


def _asked(node: Node) -> Iterator[str]:
    """Yield the absolute paths that the last run of a stage read, wrote or looked for."""
    stage = stage_of(node)
    if stage is None:
        return
    yield from stage.state.paths_asked()
    for child in node.children():
        if isinstance(child, SCons.Node.FS.Base):
            yield str(child.get_abspath())
