"""Describes a build when SCons ends: what it has found to be up to date, and from which files."""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import SCons.Script
import SCons.Script.Main

from ...base.errors import CratewrightError
from ...system.fs import write_atomic
from ...system.program import asked_files
from ..crates.build import Build
from ..graph.usual import is_plain_graph, is_same_memory
from ..last_build.call_recorder import CallRecorder
from ..last_build.record import RECORD_NAME, CallRecord, LastBuild, memory_digest, memory_of, names_digest
from ..last_build.terminal_writes import listen
from ..last_build.up_to_date import lines_in_order, up_to_date_lines
from ..nodes.paths import ways_up
from .checked_calls import CheckedCalls
from .installed_code import check_plugins, installed_files, is_below, loaded_files
from .noted_files import Files, UnknownFiles
from .unmodified_nodes import is_ours

__all__ = ["watch_build"]


def watch_build(build: Build, recorder: CallRecorder, fs: Any) -> None:
    """Describe a build when SCons ends.

    Shape: call it once all SConscripts have been read; a build in which anything else makes files is not described.
    """
    path = os.path.join(build.root, RECORD_NAME)
    declared = {id(crate.target) for crate in build.crates.values()}
    if (
        {id(recorder.targets[number]) for number in recorder.executed} == declared
        and is_plain_graph(fs, is_ours, recorder.aliases.names | recorder.aliases.others)
        and not build.reporting.is_recorded
        and not any(crate.read_by_link or crate.instead for crate in build.crates.values())
    ):
        atexit.register(_keep, path, build, recorder, fs, _Lines())
    else:
        _forget(path)


_DONE = "scons: done building targets."
_ENDS = ("scons: done building targets", "scons: building terminated")


class _Lines:
    """The lines that SCons prints while it builds, as long as they say that something is up to date.

    Shape: `only` until SCons prints anything else, apart from its progress; `is_done` once it says that it has
    finished, `has_ended` also if it has failed.
    """

    def __init__(self) -> None:
        self.printed: list[str] = []
        self.only = True
        self.is_done = False
        self.has_ended = False
        self._is_own = False
        main = SCons.Script.Main
        main.display = _Display(main.display, self._say, self.printed.append)
        main.progress_display = _Display(main.progress_display, self._say, self._note_progress)
        listen(self._hear)

    def _note_progress(self, text: str) -> None:
        self.is_done = text == _DONE
        self.has_ended = self.has_ended or text.startswith(_ENDS)

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


def _keep(path: str, build: Build, recorder: CallRecorder, fs: Any, lines: _Lines) -> None:
    with suppress(CratewrightError, OSError):
        try:
            found = _described(build, recorder, fs, lines)
        except UnknownFiles:
            _forget(path)
        else:
            write_atomic(path, found.encode())


def _forget(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _described(build: Build, recorder: CallRecorder, fs: Any, lines: _Lines) -> LastBuild:
    memory = memory_of(build.root)
    if not (recorder.memory and memory and lines.has_ended) or recorder.is_late:
        raise UnknownFiles("SCons has no database, or the build was not described to its end")
    files = Files(build.root, recorder.began)
    main = SCons.Script.Main
    has_failed = bool(main.exit_status or main.this_build_status)
    calls = CheckedCalls(build, recorder, fs, files, has_failed=has_failed)
    is_quiet = lines.only and lines.is_done and not has_failed
    is_done = is_quiet and not calls.is_any_undone
    is_whole = is_done and not calls.others and is_same_memory(recorder.memory, memory)
    places = recorder.moments.search_paths
    modules = list(recorder.moments.module_paths)
    before = recorder.known
    check_plugins(raises=UnknownFiles)
    installed = files.beside()
    if before is not None:  # with the same calls, which take nothing else
        installed.stamps.update(before.installed)
    for path in loaded_files(installed.stamps):
        installed.note(path)
    if before is None:
        for path in installed_files(build.root, build.engines.values(), modules, places, raises=UnknownFiles):
            if path not in installed.stamps:
                installed.note(path)
    for path, stamp in asked_files().items():
        installed.note(path, stamp)
    printed = lines.printed if is_done else before.printed if before is not None else []
    records = _records(build, calls, recorder.requested, printed)
    if not is_whole and not records:
        raise UnknownFiles("something was made")
    return LastBuild(
        calls.described(),
        recorder.aliases.rows,
        recorder.requested,
        recorder.late,
        printed,
        calls.built,
        calls.unmade,
        memory_digest(memory),
        installed.stamps,
        {place: names_digest(place) for place in modules if is_below(place, build.root)},
        files.stamps,
        {**(before.ways if before is not None else {}), **ways_up(fs)},
        is_whole,
        json.dumps(records).encode(),
    )


def _records(build: Build, calls: CheckedCalls, requested: list[Any], printed: list[str]) -> list[CallRecord]:
    """Return a record of each call; none if SCons could not print what it prints when it checks all of them."""
    if build.reporting.remote is not None:  # what is said of other machines is said of all crates together
        return []
    records = calls.records()
    is_known = not printed or up_to_date_lines(requested, records).keys() <= set(printed)
    return records if is_known and lines_in_order(requested, records, printed) is not None else []
