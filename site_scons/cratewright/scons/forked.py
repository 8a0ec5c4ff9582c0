"""Runs SCons once in a fork of this process, which has imported everything SCons needs.

SCons keeps its state in globals and cannot run twice in a process. A fork costs milliseconds, while imports are most of
the cost of a small build.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field

import SCons.Node.FS
import SCons.Script
import SCons.Script.Main

from ..base.errors import CratewrightError
from ..base.host import hold_signals, wait_unreaped
from ..base.stamp import file_stamp
from ..base.values import dataclass
from ..pipeline.engine import Engine
from ..pipeline.plan import option_table
from ..plugins.loading import default_registry
from ..system.child import begin_group, disown, end_group, own
from ..system.ending import end_anew
from ..system.fs import read_bytes
from ..values.options import Options
from ..values.stencil import UnitStencil
from . import tool  # noqa: F401 - imported so that no fork has to
from .crates.build import Build
from .graph.plain_graph import all_nodes
from .last_build.call_recorder import CallRecorder
from .nodes.stage import stage_of

_PATIENCE = 0.6
"""Seconds that an interrupted build has to end by itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a build.

    Shape: `made` are the files that SCons knows how to make, absolute, each with its stamp, None if it is not there;
    `read` are the files that were read for them, absolute. `crates` are the backends in use, each with a target and the
    path of a source.
    """

    status: int
    made: dict[str, list[int] | None] = field(default_factory=dict)
    read: frozenset[str] = frozenset()
    crates: tuple[tuple[str, str, str], ...] = ()


class ForkedBuild:
    """A running build; `output` becomes readable when the build reports something, at the latest when it ends."""

    def __init__(self, run: Callable[[], int]) -> None:
        self.output, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with hold_signals():
            self.process = os.fork()
            if not self.process:
                _child(run, writer)
            with suppress(OSError):
                os.setpgid(self.process, self.process)
            own(self.process)
        os.close(writer)
        self._received = b""

    def read(self) -> bool:
        """Receive a part of what the build reports; return whether it has ended."""
        data = os.read(self.output, 1 << 20)
        self._received += data
        return not data

    def outcome(self) -> Outcome:
        """Wait for the end, and return the outcome."""
        disown(self.process)
        status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self.output)
        try:
            row = json.loads(self._received)
        except ValueError:  # it was killed
            return Outcome(status or 2)
        return Outcome(status, row["made"], frozenset(row["read"]), tuple(map(tuple, row["crates"])))

    def interrupt(self) -> None:
        """End the build as Ctrl-C does, and kill what is left soon after."""
        with suppress(OSError):
            os.killpg(self.process, signal.SIGINT)
        signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
        try:
            wait_unreaped(self.process)
        except TimeoutError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            end_group(self.process)
            disown(self.process)


def _too_long(*_: object) -> None:
    raise TimeoutError


def _child(run: Callable[[], int], writer: int) -> None:
    status = 2
    try:
        # A process group of its own: the parent gets Ctrl-C and passes it on.
        begin_group()
        end_anew()
        CallRecorder.always_executes = True
        status = run()
        row = json.dumps(_report()).encode()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        while row:
            row = row[os.write(writer, row) :]
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _report() -> dict[str, object]:
    """Return the fields of the outcome, as JSON holds them."""
    # SCons has nodes for hidden files beside outputs, which it does not make; a hidden source was read by a stage.
    mkdir = SCons.Node.FS.get_MkdirBuilder()  # the builder of every directory that no other builder makes
    made: dict[str, list[int] | None] = {}
    read: set[str] = set()
    for _, node in all_nodes(SCons.Node.FS.get_default_fs()):
        path = str(node.get_abspath())
        stage = stage_of(node)
        if stage is not None:
            read.update(stage.state.files_read())
            made.update((name, _stamp(name)) for name in stage.state.output_paths())
        if (node.has_builder() and node.builder is not mkdir) or node.side_effect:
            made[path] = _stamp(path)
        elif isinstance(node, SCons.Node.FS.File) and node.name[:1] != "." and node.rexists():
            read.add(path)
    return {"made": made, "read": sorted(read), "crates": [list(row) for row in dict.fromkeys(_crates())]}


def _crates() -> Iterator[tuple[str, str, str]]:
    builds: dict[str, Build] = SCons.Node.FS.get_default_fs().__dict__.get("cratewright_builds", {})
    for build in builds.values():
        for declared in build.crates.values():
            with suppress(CratewrightError):
                crate = declared.crate
                for source in crate.sources[:1]:
                    yield crate.backend, crate.target, source.location


def warm_backends(outcome: Outcome, root: str, settings: Mapping[str, str]) -> None:
    """Load what the backends in use need, so that no fork has to; builds report what fails."""
    engine = Engine(root, default_registry(), settings)
    found: dict[tuple[str, str], list[UnitStencil]] = {}
    for name, target, path in outcome.crates:
        with suppress(CratewrightError):
            kind = engine.registry.backend(name)
            options = Options(tuple(sorted((spec.name, spec.default) for spec in option_table(kind))))
            source = read_bytes(os.path.join(root, path))
            stencil = UnitStencil(
                backend=name, fingerprint="", target=target, path=path, source=source,
                options=options.only(kind.UNIT_OPTIONS),
            )  # fmt: skip
            found.setdefault((name, target), []).append(stencil)
    for (name, target), stencils in found.items():
        with suppress(CratewrightError):
            engine.backend(name, target).warm(stencils)


def _stamp(path: str) -> list[int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return None if os.path.isdir(path) else file_stamp(found)
