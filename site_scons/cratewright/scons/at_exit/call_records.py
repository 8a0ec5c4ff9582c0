"""Calls of `env.Crate` as the record of a build holds them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import SCons.Node.FS
import SCons.Util

from ...base.errors import GraphError
from ..crates.build import Build
from ..last_build.call_recorder import CallRecorder
from ..last_build.record import CallRecord, CallRow
from ..nodes.crate_target import PARTS, CrateTarget
from ..nodes.expected_images import ImageNodes
from ..nodes.interface import InterfaceNode
from ..nodes.node import Node
from ..nodes.stage import stage_of
from .checked_calls import CheckedCall, CheckedCalls
from .noted_files import UnrecordableBuild


def call_rows(recorder: CallRecorder) -> list[CallRow]:
    """Return the calls as in `LastBuild.calls`."""
    partial = recorder.partial
    return [
        partial.last_build.calls[number]
        if partial is not None and not call.is_executed
        else (call.digest, list(map(_path, call.nodes)), _parts(call.target))
        for number, call in enumerate(recorder.calls)
    ]


def call_records(
    build: Build, recorder: CallRecorder, checked: CheckedCalls, files: Mapping[str, object]
) -> list[CallRecord]:
    """Return a record of each call; `files` are those of the build.

    Raises: UnrecordableBuild if it is not known how a crate is linked.
    """
    file_indices = {path: index for index, path in enumerate(files)}
    output_indices = {path: index for index, path in enumerate(checked.outputs)}
    makers = {path: number for number, call in enumerate(checked.calls) for path in call.outputs}
    crates = {id(crate.target): crate for crate in build.crates.values()}
    records = []
    for number, (call, found) in enumerate(zip(recorder.calls, checked.calls, strict=True)):
        before = recorder.partial.records[number] if recorder.partial is not None else None
        paths = {**found.files, **dict.fromkeys(sorted(found.observed))}
        own_files = [file_indices[path] for path in paths if path in file_indices]
        outputs = [output_indices[path] for path in found.outputs]
        unvisited = [output_indices[path] for path in found.outputs if path in found.unvisited]
        if not call.is_executed:
            assert before is not None
            records.append(
                before._replace(
                    is_up_to_date=not found.needs_check, files=own_files, outputs=outputs, unvisited=unvisited
                )
            )
            continue
        crate = crates[id(call.target)]
        needs = {checked.numbers[id(other.target)] for other in build.direct(crate)}
        needs |= {*_makers_of_files(checked, found, makers), *call.refers_to}
        if before is not None:
            needs.update(before.needs)
        actions = [stage_of(node) or node for node in call.nodes]
        try:
            links = build.links.links_of(crate)
        except GraphError as error:
            raise UnrecordableBuild("a crate that is not declared") from error
        records.append(
            CallRecord(
                is_up_to_date=not found.needs_check,
                knows_all_paths=found.knows_all_paths,
                files=own_files,
                outputs=outputs,
                unvisited=unvisited,
                needs=sorted(needs - {number}),
                names=list(map(str, call.nodes)),
                first_of_action=list(map(actions.index, actions)),
                key=crate.key,
                links=links,
            )
        )
    return records


def _makers_of_files(checked: CheckedCalls, call: CheckedCall, makers: Mapping[str, int]) -> Iterator[int]:
    """Yield the numbers of the calls that make what the stages of a call read."""
    for _, node in call.nodes:
        stage = stage_of(node)
        for dependency in stage.found if stage is not None else ():
            file = dependency.file if isinstance(dependency, InterfaceNode) else dependency
            if stage_of(file) is not None:
                yield checked.number_of(file)
    directories: dict[str, int | None] = {}
    for path in call.files:
        maker = makers.get(path, _maker_of_directory(os.path.dirname(path), makers, directories))
        if maker is not None:
            yield maker


def _maker_of_directory(directory: str, makers: Mapping[str, int], directories: dict[str, int | None]) -> int | None:
    """Return the call that makes a directory or one above it; `directories` are the answers so far."""
    if directory not in directories:
        parent, maker = os.path.dirname(directory), makers.get(directory + "/")
        if maker is None and parent != directory:
            maker = _maker_of_directory(parent, makers, directories)
        directories[directory] = maker
    return directories[directory]


def _parts(target: CrateTarget) -> dict[str, Any]:
    """Return the attributes of a target, with paths in place of nodes; none if it stands for several crates."""
    if target.targets or not target.is_crate:
        return {}
    parts: dict[str, Any] = {}
    for name in PARTS:
        value = getattr(target, name)
        if isinstance(value, ImageNodes):
            parts[name] = dict(value.paths)
        elif isinstance(value, Mapping):
            parts[name] = {entry: _path(node) for entry, node in value.items()}
        elif isinstance(value, SCons.Util.NodeList):
            parts[name] = list(map(_path, value))
        else:
            parts[name] = value if value is None or isinstance(value, str) else _path(value)
    return parts


def _path(node: Node) -> str:
    return str(node.get_abspath()) + "/" * isinstance(node, SCons.Node.FS.Dir)
