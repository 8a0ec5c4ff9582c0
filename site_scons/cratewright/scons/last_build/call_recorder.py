"""Recognizes crates with nothing to do: as long as it can, calls of `env.Crate` are recorded, not executed.

The calls are those of the last build, in the same order, and no file has changed since but those of a few crates. As
soon as anything else differs, or more of a crate or of SCons's graph is needed, all recorded calls are executed as they
would have been, and SCons sees no difference. The decision is final when SCons has read all SConscripts: then the calls
of crates that may have something to do are executed; of all others, SCons only prints that they are up to date.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Script

from ...base.host import WINDOWS
from ...base.stamp import clock_ns
from ...plugins.registering import before_registering
from ..graph.plain_graph import all_nodes, is_plain_graph, made_by_others
from ..nodes.crate_target import CrateTarget
from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import stage_of
from .aliases import Aliases
from .call import Call
from .call_nodes import CallNodes
from .call_state import StateTracker, options_are_default
from .database import database_digest, database_is_default, read_database
from .record import LastBuild, read_last_build, update_database_digest
from .requested_targets import Requested, requested_targets
from .stable_values import NotRecordable
from .terminal_writes import listen
from .up_to_date import UpToDateNode, build_only
from .watching import Watch, when_all_read

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

    from .partial_build import PartialBuild


class CallRecorder:
    """The calls of `env.Crate` in one run of SCons.

    Shape: `root` is absolute; `start` is the time by `clock_ns`, and `database` the content of SCons's database then,
    if needed. `is_recordable` is true until SCons does anything that cannot be recorded. `end_state` and `requested` as
    in `LastBuild`, once all SConscripts have been read; `partial` is set if only some calls were executed then, and
    `is_declared_late` if others were executed while SCons builds. `when_recordable`, if set, is called once all
    SConscripts of a build that can be recorded have been read; `reads_any` says whether executed crates read any of
    some paths.
    """

    always_executes = False
    """Set if something examines SCons's graph after each build: then all calls are executed."""

    def __init__(self, fs: Any, root: str) -> None:
        self.root = root
        self.start = clock_ns()
        self.calls: list[Call] = []
        self.nodes = CallNodes(fs, self.calls, self.declare)
        self.aliases = Aliases(self.nodes.positions)
        # There, SCons keeps its nodes by names in capitals, which cannot be compared with paths.
        self.is_recordable = is_plain_graph(fs, lambda node: False, self.aliases.others) and not WINDOWS
        self.database = read_database(root) if self.is_recordable else b""
        self.state = StateTracker(fs)
        self.end_state: list[str] = []
        self.requested: Requested | None = None
        self.partial: PartialBuild | None = None
        self.is_declared_late = False
        self.when_recordable: Callable[[CallRecorder], None] | None = None
        self.reads_any: Callable[[CallRecorder, set[str]], bool] | None = None
        self._fs = fs
        self._declare_crate: Callable[..., CrateTarget] | None = None
        self._depth = 0
        self._has_decided = False
        self._watch = Watch(fs, self._report, self._alias, self.state.add_variant_dir)
        self._unwatch_plugins = before_registering(self._report)
        self._last_build = self._read() if self.is_recordable else None
        if self._last_build is not None:
            self._begin(self._last_build)
        when_all_read(fs, self._decide)

    def crate(self, declare: Callable[..., CrateTarget], env: Environment, *args: Any) -> CrateTarget:
        """Return what `declare` returns for a call, or a target that is declared as soon as more of it is needed."""
        self._declare_crate = declare
        if self._depth or not SCons.Script.sconscript_reading:
            self._report()
            return declare(env, *args)
        call = Call(env, args, self.state, self.nodes.number_of)
        self.is_recordable = self.is_recordable and bool(call.digest)
        last_build, number = self._last_build, len(self.calls)
        if last_build is not None and number < len(last_build.calls) and last_build.calls[number][0] == call.digest:
            call.target = self.nodes.pending_target(last_build.calls[number], self._take)
        else:
            self.declare()
            call.return_executed(self._execute_now(declare, env, *args))
        self.nodes.add(call.target)
        self.calls.append(call)
        return call.target

    def declare(self) -> None:
        """Execute all recorded calls: something differs, or more of a crate is needed."""
        if self._last_build is None or self._depth:
            return
        self._last_build = None
        nodes = all_nodes(self._fs) if self._has_decided else ()
        existing = {id(node) for _, node in nodes if not is_pending_node(node)}
        self.nodes.taken.end()
        self._execute(call for call in self.calls if not call.is_executed)
        self._unwatched(self.aliases.make, lambda number, index: self.calls[number].nodes[index])
        self.nodes.end()
        if self._has_decided:  # something looks at the graph after the build
            self.is_declared_late = True
            for _, node in all_nodes(self._fs):
                if id(node) not in existing and stage_of(node) is not None:
                    node.set_state(SCons.Node.up_to_date)

    def _read(self) -> LastBuild | None:
        # Files are examined once, when all SConscripts have been read: these may change them.
        last_build = None if CallRecorder.always_executes else read_last_build(self.root)
        if last_build is None or not last_build.has_same_surroundings(database_digest(self.database)):
            return None
        return last_build

    def _begin(self, last_build: LastBuild) -> None:
        """Record calls from now on, until a node is looked up that a crate makes."""
        outputs = {path.rstrip("/") for path in last_build.outputs}
        directories = tuple(path for path in last_build.outputs if path.endswith("/"))

        def look_up(path: str) -> None:
            if path in outputs or "/" not in path or path.startswith(directories):
                self.declare()

        if any(path in outputs or path.startswith(directories) for path, _ in all_nodes(self._fs)):
            self._last_build = None
            return
        self._watch.watch_nodes(look_up, last_build.missing_names())
        self._watch.watch_builders(last_build.may_concern(), self.declare)
        self.nodes.begin(last_build)

    def _execute_now(self, declare: Callable[..., CrateTarget], env: Environment, *args: Any) -> CrateTarget:
        streams = sys.stdout, sys.stderr
        self._depth += 1
        listen(self._note_output)
        try:
            return declare(env, *args)
        except BaseException:
            self.is_recordable = False
            raise
        finally:
            self._depth -= 1
            sys.stdout, sys.stderr = streams

    def _note_output(self) -> None:
        self.is_recordable = False

    def _execute(self, calls: Iterable[Call]) -> None:
        for call in calls:
            assert self._declare_crate is not None
            self._unwatched(call.execute, self._declare_crate)

    def _unwatched(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function whose own calls of SCons are not reported."""
        self._depth += 1
        try:
            return function(*args, **kwargs)
        finally:
            self._depth -= 1

    def _take(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what is taken from a recorded call; None if calls are no longer recorded."""
        return None if self._last_build is None or self._has_decided else self._unwatched(function, *args)

    def _report(self) -> None:
        """Note that SCons is about to do something that cannot be recorded."""
        if not self._depth:
            self.is_recordable = False
            self.declare()

    def _alias(self, original: Callable[..., Any], env: Environment, *args: Any, **kwargs: Any) -> list[Node] | None:
        """Record an alias of crates, and return its node; None if it is more than that."""
        if self._depth or not SCons.Script.sconscript_reading:
            return None
        alias = self.aliases.read(*args, **kwargs)
        if alias is None:
            is_other = self.aliases.add_other(*args, **kwargs)
            return list(self._unwatched(original, env, *args, **kwargs)) if is_other else None
        name, positions = alias
        if self._last_build is not None:
            nodes = [self.nodes.taken.alias(name)]
        else:
            nodes = list(
                self._unwatched(original, env, name, [self.calls[number].nodes[index] for number, index in positions])
            )
        self.aliases.add(alias, original, env, nodes)
        return nodes

    def _decide(self) -> None:
        """Execute all calls that may have something to do, now that all SConscripts have been read."""
        self._watch.end()
        self._unwatch_plugins()
        self.is_recordable = self.is_recordable and self._record_end()
        last_build = self._last_build
        if last_build is not None and not (self.is_recordable and self._execute_outdated(last_build)):
            self.declare()
        if self.is_recordable and self.when_recordable is not None:
            self.when_recordable(self)

    def _record_end(self) -> bool:
        """Record the state in which calls are read again, and the targets; return whether that is possible."""
        try:
            self.end_state = self.state.final_digests()
        except NotRecordable:
            return False
        self.requested = requested_targets(iter(self.nodes), self.aliases.name_of)
        return self.requested is not None and options_are_default() and database_is_default()

    def _execute_outdated(self, last_build: LastBuild) -> bool:
        """Execute the calls that may have something to do, if not all; return whether that is known."""
        requested = self.requested
        if requested is None or not self._is_same(last_build, requested):
            return False
        crates_first = [type(target) is list for target in requested.build]
        if crates_first != sorted(crates_first, reverse=True):
            return False  # SCons prints first what other targets are made from
        files = made_by_others(self._fs, is_pending_node)
        if not last_build.has_same_surroundings(database_digest(read_database(self.root))):
            return False
        changed = last_build.changed_files()
        if last_build.is_settled and not changed and not files:
            self._has_decided = True
            build_only([UpToDateNode(last_build.printed)])
            return True
        from .partial_build import plan_partial_build  # noqa: PLC0415 - only if something differs

        others = {*files, *self.aliases.others, *self.aliases.names}
        names = [target for target in requested.build if isinstance(target, str) and target != "."]
        partial = plan_partial_build(last_build, changed, others, self.root, names)
        return partial is not None and self._execute_part(partial, requested)

    def _is_same(self, last_build: LastBuild, requested: Requested) -> bool:
        """Return whether calls, targets, aliases and state are those of the last build."""
        return (
            len(self.calls) == len(last_build.calls)
            and self.end_state == last_build.end_state
            and list(requested) == last_build.requested
            and self.aliases.rows == last_build.aliases
            and is_plain_graph(self._fs, is_pending_node, self.aliases.names | self.aliases.others)
        )

    def _execute_part(self, partial: PartialBuild, requested: Requested) -> bool:
        """Execute some calls, and have SCons print that all other targets are up to date.

        Shape: False if calls that are not executed would make what the executed ones may read.
        """
        from .up_to_date_lines import lines_in_order, targets_with_lines  # noqa: PLC0415 - only if something differs

        self._has_decided = True
        self.partial = partial
        self.nodes.taken.end()
        self._execute(self.calls[number] for number in sorted(partial.executed))
        unvisited = partial.unvisited_outputs()
        if unvisited and self.reads_any is not None and self.reads_any(self, unvisited):
            self.partial, self._has_decided = None, False
            return False
        self.nodes.end_for(partial.executed)
        self._unwatched(self.aliases.make, self.nodes.node)
        if not partial.executed:
            atexit.register(update_database_digest, self.root, partial.last_build)
        if any(type(target) is list for target in requested.build):  # otherwise all, or what a command line names
            printed = partial.last_build.printed
            lines = lines_in_order(requested, partial.records, printed, partial.executed) or ()
            build_only(targets_with_lines(requested, self.calls, lines, list(SCons.Script.BUILD_TARGETS)))
        return True


def recorder_of(env: Environment) -> CallRecorder:
    """Return the recorder of the SCons run that an Environment belongs to."""
    root = str(env.fs.Top.abspath)
    recorders: dict[str, CallRecorder] = env.fs.__dict__.setdefault("cratewright_recorder", {})
    if root not in recorders:
        # Made here, since SCons makes it in a worker thread otherwise and crashes with -j (SCons issue 4426); not by
        # the tool, since that makes the default Environment, whose tools an SConstruct may choose before its crates.
        env.get_CacheDir()
        recorders[root] = CallRecorder(env.fs, root)
    return recorders[root]
