"""Whether a stage is up to date, as one SCons node for each stage, and the record for its next run.

The sources of a crate and what they include are not SCons nodes: a null build costs about a millisecond for each node,
and SCons could not see a missing include path. Instead, one node has the digest of them all as its signature; the list
of files is stored beside the target.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import SCons.Node.Python

from ...base.digest import Digest, content_digest, value_digest
from ...base.errors import CratewrightError
from ...base.stamp import file_stamp
from ...formats.stage_record import RUNNING, SeenFile, StageRecord, encode_record
from ...rules.output_name import state_path
from ...system.fs import FileDigests, is_recent, set_first_byte, write_atomic
from ...system.stage_file import read_history, read_record
from ...values.module import Observed

_NEVER_BUILT = "(never built)"
"""The output of a stage without a record: it does not exist, so the stage is out of date."""
_NO_RECORD = StageRecord()


class StageState(SCons.Node.Python.Value):  # type: ignore[misc]
    """A node whose signature says what a stage was made from.

    Shape: `request` computes the digest of the request, when first needed; `target` is absolute; `inputs` are the
    nodes that other stages make and this one takes, once SCons has looked for them.
    """

    def __init__(self, name: str, *, digests: FileDigests, target: str, request: Callable[[], str]) -> None:
        super().__init__(name)
        # `--debug=explain` maps a recorded name to a node with this table; without an entry it would report that one
        # dependency was removed and another of the same name added.
        SCons.Node.Python._memo_lookup_map[hash((name, None))] = self
        self._root = digests.root
        self._digests = digests
        self._target = target
        self._compute_request = request
        self.inputs: Sequence[Any] = ()
        self._request_digest: str | None = None
        self._record: StageRecord | None = None
        self._loaded = False
        self._reread: set[str] = set()

    def get_csig(self) -> str:
        """Return the signature of the stage's inputs and outputs as they are on disk now."""
        try:
            return str(self.ninfo.csig)
        except AttributeError:
            pass
        csig = self._signature(*self._remembered())
        self.get_ninfo().csig = csig
        return csig

    def update(
        self,
        observed: Iterable[Observed],
        outputs: Iterable[str],
        report: Mapping[str, object] | None = None,
        history: bytes = b"",
    ) -> None:
        """Record what the stage has read and written; `outputs` are relative to the root.

        Shape: `report` is for people, and may differ between runs, as seconds do; `history` is that of the results.
        """
        seen = tuple(observed)
        files = tuple(outputs)
        text = json.dumps(report) if report else ""
        known = {item.path: item for item in (self._load() or _NO_RECORD).observed}
        rows = tuple([self._stamped_file(item, known.get(item.path)) for item in seen])
        record = StageRecord(rows, files, text, self.request, self._input_digest())
        try:
            self._write(record, history)
        except CratewrightError:
            # Without the record, the stage is only built again, so a full disk need not fail the build. A directory in
            # its place would stay there.
            if os.path.isdir(state_path(self._target)):
                raise
        self._loaded = False
        self.get_ninfo().csig = self._signature(seen, files)

    def begin(self) -> None:
        """Mark the record as outdated before any output is overwritten: this run may be killed."""
        record = self._load()
        if record is None or not record.request:
            return
        try:
            set_first_byte(state_path(self._target), RUNNING)
        except OSError:
            with suppress(CratewrightError):  # writing the output itself will fail with an error
                self._write(replace(record, request=""), self.history())

    def fail(self, history: bytes = b"") -> None:
        """Make the stage count as never built, but keep the history of its results."""
        with suppress(OSError):
            os.unlink(state_path(self._target))
        if history:
            with suppress(CratewrightError):  # without it, the next run merely explains less
                self._write(_NO_RECORD, history)

    def history(self) -> bytes:
        """Return the history of the last run's results; empty if there is none."""
        return read_history(self._target)

    @property
    def request(self) -> str:
        """The digest of the request to the stage."""
        if self._request_digest is None:
            self._request_digest = self._compute_request()
        return self._request_digest

    def last_run(self) -> tuple[tuple[SeenFile, ...], bool]:
        """Return what the last run observed, and whether its request was the same."""
        record = self._load() or _NO_RECORD
        return record.observed, record.request == self.request

    def stamped(self) -> tuple[tuple[SeenFile, ...], tuple[str, ...]] | None:
        """Return what the last run read, and what it wrote including its record; None if a stamp is unknown."""
        record = self._load()
        if (
            record is None
            or not record.request
            or self._reread
            or any(item.digest and not item.inode for item in record.observed)
        ):
            return None
        return record.observed, (*record.outputs, state_path(self._target))

    def outputs(self) -> tuple[str, ...]:
        """Return the outputs of the last run, relative to the root; check where they are before removing them."""
        return (self._load() or _NO_RECORD).outputs

    def files_read(self) -> list[str]:
        """Return the files that the last run read, absolute."""
        observed = (self._load() or _NO_RECORD).observed
        return [os.path.normpath(os.path.join(self._root, item.path)) for item in observed if item.digest]

    def observed_paths(self) -> list[str]:
        """Return what the last run read, wrote or looked for, absolute."""
        record = self._load() or _NO_RECORD
        paths = [*(item.path for item in record.observed), *record.outputs]
        return [os.path.normpath(os.path.join(self._root, path)) for path in paths]

    def output_paths(self) -> list[str]:
        """Return the outputs of the last run, absolute."""
        return [os.path.normpath(os.path.join(self._root, path)) for path in self.outputs()]

    def _signature(self, observed: Iterable[Observed], outputs: Iterable[str]) -> str:
        missing = tuple(path for path in outputs if not os.path.exists(os.path.join(self._root, path)))
        # A null build does little else, and this takes a tenth of the time of walking the values.
        rows = [self.request, [(item.path, item.digest) for item in observed], missing]
        return content_digest(json.dumps(rows).encode())

    def _remembered(self) -> tuple[tuple[Observed, ...], tuple[str, ...]]:
        record = self._load()
        # SCons's database is older than this if the last run was killed.
        if record is None or record.request != self.request or record.inputs != self._input_digest():
            return (), (_NEVER_BUILT,)
        found = [Observed(item.path, self._digest(item)) for item in record.observed]
        if self._reread:
            self._update_stamps(record, found)
        if any(now.digest != was.digest for was, now in zip(record.observed, found, strict=True)):
            return (), (_NEVER_BUILT,)
        return tuple(found), record.outputs

    def _input_digest(self) -> str:
        return value_digest([str(node.get_csig()) for node in self.inputs]) if self.inputs else ""

    def _update_stamps(self, record: StageRecord, found: list[Observed]) -> None:
        """Update stamps that differ or are missing, or each later build would read these files again."""
        known = zip(record.observed, found, strict=True)
        again, self._reread = self._reread, set()
        seen = tuple(
            [self._stamped_file(now) if was.path in again and now.digest == was.digest else was for was, now in known]
        )
        if seen != record.observed:
            self._record = replace(record, observed=seen)
            with suppress(CratewrightError):
                self._write(self._record, self.history())

    def _write(self, record: StageRecord, history: bytes) -> None:
        write_atomic(state_path(self._target), encode_record(record, history))

    def _load(self) -> StageRecord | None:
        """Return the record of the last run; None if it is missing or damaged."""
        if not self._loaded:
            self._loaded = True
            self._record = read_record(self._target)
        return self._record

    def _digest(self, item: SeenFile) -> Digest | None:
        try:
            found = os.stat(os.path.join(self._root, item.path))
        except (OSError, ValueError):
            return None
        now = file_stamp(found)
        if item.stamp == now and item.digest is not None:
            self._digests.learn(item.path, now, item.digest)
            return item.digest
        self._reread.add(item.path)
        return self._digests.digest(item.path)

    def _stamped_file(self, item: Observed, known: SeenFile | None = None) -> SeenFile:
        """Return a file with the stamp that shows it has not changed since, unless it was just written.

        Shape: `known` is the file as the last run observed it.
        """
        try:
            found = os.stat(os.path.join(self._root, item.path))
        except (OSError, ValueError):
            return SeenFile(item.path, item.digest)
        if known is not None and known.digest == item.digest and known.stamp == file_stamp(found):
            return known
        if is_recent(found) or self._digests.digest(item.path) != item.digest:
            return SeenFile(item.path, item.digest)
        return SeenFile(item.path, item.digest, *file_stamp(found))
