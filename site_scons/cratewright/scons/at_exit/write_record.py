"""Writes the record of a build when SCons ends: what was up to date, and from which files."""

from __future__ import annotations

import atexit
import json
import os
from contextlib import suppress
from typing import Any

import SCons.Script.Main

from ...base.errors import CratewrightError
from ...system.fs import write_atomic
from ...system.program import asked_files
from ..crates.build import Build
from ..graph.plain_graph import is_plain_graph
from ..last_build.call_recorder import CallRecorder
from ..last_build.database import database_digest, is_same_database, read_database
from ..last_build.record import RECORD_NAME, CallRecord, LastBuild, names_digest
from ..last_build.requested_targets import Requested
from ..last_build.up_to_date_lines import lines_in_order, up_to_date_lines
from ..nodes.paths import upward_paths
from .build_lines import BuildLines
from .call_records import call_records, call_rows
from .checked_calls import CheckedCalls
from .installed_code import check_plugins, installed_files, is_below, loaded_files
from .noted_files import NotedFiles, UnrecordableBuild
from .unmodified_nodes import is_unmodified


def record_at_exit(build: Build, recorder: CallRecorder, fs: Any) -> None:
    """Write the record of a build when SCons ends, unless crates meet more of SCons than a record can hold.

    Called: once all SConscripts have been read.
    """
    path = os.path.join(build.root, RECORD_NAME)
    declared = {id(crate.target) for crate in build.crates.values()}
    if (
        {id(call.target) for call in recorder.calls if call.is_executed} == declared
        and is_plain_graph(fs, is_unmodified, recorder.aliases.names | recorder.aliases.others)
        and not build.reporting.is_recorded
        and not any(crate.read_by_link or crate.instead for crate in build.crates.values())
    ):
        atexit.register(_write, path, build, recorder, fs, BuildLines())
    else:
        _remove(path)


def _write(path: str, build: Build, recorder: CallRecorder, fs: Any, lines: BuildLines) -> None:
    with suppress(CratewrightError, OSError):
        try:
            record = _record(build, recorder, fs, lines)
        except UnrecordableBuild:
            _remove(path)
        else:
            write_atomic(path, record.encode())


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _record(build: Build, recorder: CallRecorder, fs: Any, lines: BuildLines) -> LastBuild:
    database, requested = read_database(build.root), recorder.requested
    if not (recorder.database and database and lines.has_ended) or recorder.is_declared_late or requested is None:
        raise UnrecordableBuild("SCons has no database, or has not come to its end")
    files = NotedFiles(build.root, recorder.start)
    main = SCons.Script.Main
    has_failed = bool(main.exit_status or main.this_build_status)
    calls = CheckedCalls(build, recorder, fs, files, has_failed=has_failed)
    is_up_to_date = lines.is_complete and lines.has_finished and not has_failed and not calls.any_needs_check
    is_settled = is_up_to_date and not calls.other_files and is_same_database(recorder.database, database)
    last_build = recorder.partial.last_build if recorder.partial is not None else None
    installed = _installed(build, recorder, files.empty(), last_build)
    printed = lines.lines if is_up_to_date else last_build.printed if last_build is not None else []
    records = _printable_records(build, recorder, calls, files, requested, printed)
    if not is_settled and not records:
        raise UnrecordableBuild("something was made")
    return LastBuild(
        calls=call_rows(recorder),
        aliases=recorder.aliases.rows,
        requested=list(requested),
        end_state=recorder.end_state,
        printed=printed,
        outputs=calls.outputs,
        absent=calls.absent,
        database=database_digest(database),
        installed=installed.stamps,
        module_dirs={path: names_digest(path) for path in recorder.state.module_paths if is_below(path, build.root)},
        files=files.stamps,
        upward_paths={**(last_build.upward_paths if last_build is not None else {}), **upward_paths(fs)},
        is_settled=is_settled,
        encoded_records=json.dumps(records).encode(),
    )


def _installed(build: Build, recorder: CallRecorder, installed: NotedFiles, last_build: LastBuild | None) -> NotedFiles:
    """Note all programs, plugins and code that took part."""
    check_plugins()
    if last_build is not None:  # with the same calls, which use nothing else
        installed.stamps.update(last_build.installed)
    for path in loaded_files(installed.stamps):
        installed.note(path)
    if last_build is None:
        modules, search_paths = recorder.state.module_paths, recorder.state.search_paths
        for path in installed_files(build.root, build.engines.values(), modules, search_paths):
            if path not in installed.stamps:
                installed.note(path)
    for path, stamp in asked_files().items():
        installed.note(path, stamp)
    return installed


def _printable_records(
    build: Build,
    recorder: CallRecorder,
    calls: CheckedCalls,
    files: NotedFiles,
    requested: Requested,
    printed: list[str],
) -> list[CallRecord]:
    """Return a record of each call; none if a build of some crates could not print what one of all prints."""
    if build.reporting.remote is not None:  # what is printed of other machines concerns all crates together
        return []
    records = call_records(build, recorder, calls, files.stamps)
    is_printed = not printed or up_to_date_lines(requested, records).keys() <= set(printed)
    return records if is_printed and lines_in_order(requested, records, printed) is not None else []
