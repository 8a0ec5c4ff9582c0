"""Recognizes crates with nothing to do: as long as it can, calls of `env.Crate` are recorded, not executed.

The calls are those of the last build, in the same order, and no file has changed since but those of a few crates. As
soon as anything else differs, or something asks for more of a crate or of SCons's graph, all recorded calls are
executed as they would have been, and SCons sees no difference. The decision is final when SCons has read all
SConscripts: then the calls of crates that may have something to do are executed; of all others, SCons only prints
that they are up to date. To what SCons makes of them, their files are sources.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Node.Python
import SCons.Script
import SCons.Script.Main

from ...base.host import WINDOWS
from ...base.stamp import clock_ns
from ...plugins.registering import before_registering
from ..graph.usual import all_nodes, is_plain_graph, made_by_others, memory_is_usual, options_are_usual, when_read
from ..nodes.crate_target import CrateTarget, PendingTarget, become, is_pending, stand_for
from ..nodes.node import Node
from ..nodes.pending_node import is_pending_node
from ..nodes.stage import stage_of
from .aliases import Aliases
from .outdated_calls import hidden_paths, to_execute
from .record import MEMORY, CallRecord, LastBuild, memory_digest, memory_of, read_last_build, renew_memory
from .recorded_call import Call, Moments
from .requested_targets import RequestedNode, RequestedTargets, call_place
from .stable_values import Unlike
from .taken_nodes import TakenNodes
from .terminal_writes import listen
from .up_to_date import UpToDateNode, lines_in_order, other_target, targets_with_lines
from .watching import Watch

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["CallRecorder", "recorder_of"]

_TARGETS = 2
"""The index of the targets to build in `LastBuild.requested`."""


class CallRecorder:
    """The calls of `env.Crate` in one run of SCons.

    Shape: `root` absolute; `calls` so far, `targets` what they returned, and `nodes` what each target held then,
    since an SConstruct may change these lists; empty for a crate that is not declared. `is_like_others` while SCons
    has been told only what can be recorded. `late` and `requested` as in `LastBuild`, once all SConscripts have been
    read; `began` is the start by `clock_ns`, and `memory` the content of SCons's database then, if needed. `executed`
    are the numbers of the calls that were executed; if not all, `known` is the last build, `records` those of its
    calls, and `concerned` the numbers of those calls that may have something to do. `is_late` if more are executed
    once SCons builds. `watch`, if set, is called once all SConscripts of a build that can be described have been read.
    """

    asks_always = False
    """Set if something examines SCons's graph after each build: then all calls are made."""

    def __init__(self, fs: Any, root: str) -> None:
        self.root = root
        self.began = clock_ns()
        self.calls: list[Call] = []
        self.targets: list[CrateTarget] = []
        self.nodes: list[tuple[Node, ...]] = []
        self.aliases = Aliases(self._places)
        # There, SCons keeps its nodes by names in capitals, which cannot be compared with paths.
        self.is_like_others = is_plain_graph(fs, lambda node: False, self.aliases.others) and not WINDOWS
        self.memory = memory_of(root) if self.is_like_others else b""
        self.moments = Moments(fs)
        self.late: list[str] = []
        self.requested: list[Any] = []
        self.executed: set[int] = set()
        self.concerned: set[int] = set()
        self.known: LastBuild | None = None
        self.records: list[CallRecord] = []
        self.is_late = False
        self.watch: Callable[[CallRecorder], None] | None = None
        self.reads: Callable[[CallRecorder, set[str]], bool] | None = None
        self._fs = fs
        self._crate: Callable[..., CrateTarget] | None = None
        self._numbers: dict[int, int] = {}
        self._depth = 0
        self._is_over = False
        self._pending: RequestedTargets | None = None
        self._taken = TakenNodes(fs, self.declare)
        self._node_places: tuple[object, dict[int, tuple[int, int]]] = None, {}
        self._watch = Watch(fs, self._report, self._alias, self.moments.vary)
        self._tell_no_more = before_registering(self._report)
        self._others: Mapping[str, Node] = {}
        self._before = self._read() if self.is_like_others else None
        if self._before is not None:
            self._begin(self._before)
        when_read(fs, self._end_of_reading)

    @property
    def known_links(self) -> dict[str, Sequence[bool]]:
        """What the last build has found of links, for the crates that were executed, as in `CrateLinks.known`."""
        return {self.records[number].key: self.records[number].links for number in self.executed if self.known}

    def crate(self, crate: Callable[..., CrateTarget], env: Environment, *words: Any) -> CrateTarget:
        """Return what `crate` returns for a call, or a target that is declared as soon as something asks about it."""
        self._crate = crate
        if self._depth or not SCons.Script.sconscript_reading:
            self._report()
            return crate(env, *words)
        call = Call(env, words, self.moments, self._number)
        self.is_like_others = self.is_like_others and bool(call.digest)
        target, nodes = self._known(call), ()
        if target is None:
            self.declare()
            target = self._make(crate, env, *words)
            nodes = tuple(target)
            self.executed.add(len(self.calls))
        self._numbers[id(target)] = len(self.calls)
        self.calls.append(call)
        self.targets.append(target)
        self.nodes.append(nodes)
        return target

    def _make(self, crate: Callable[..., CrateTarget], env: Environment, *words: Any) -> CrateTarget:
        before = sys.stdout, sys.stderr
        self._depth += 1
        listen(self._hear)
        try:
            return crate(env, *words)
        except BaseException:
            self.is_like_others = False
            raise
        finally:
            self._depth -= 1
            sys.stdout, sys.stderr = before

    def _hear(self) -> None:
        self.is_like_others = False

    def _alias(self, usual: Callable[..., Any], env: Environment, *words: Any, **more: Any) -> list[Node] | None:
        """Record what an SConstruct calls crates, and return the nodes; None if it is more than that."""
        if self._depth or not SCons.Script.sconscript_reading:
            return None
        row = self.aliases.read(*words, **more)
        if row is None:
            return list(self._within(usual, env, *words, **more)) if self.aliases.add_other(*words, **more) else None
        if self._before is not None:
            nodes = [self._taken.alias(row[0])]
        else:
            nodes = list(self._within(usual, env, row[0], [self.nodes[number][place] for number, place in row[1]]))
        self.aliases.add(row, usual, env, nodes)
        return nodes

    def _node_of(self, before: LastBuild, number: int, place: int) -> Node:
        """Return a node of a call, which is a source if the call is not executed."""
        known = self.nodes[number] if number in self.executed else self._taken.nodes(number, before.calls[number])
        return known[place]

    def _places(self, target: object) -> list[tuple[int, int]] | None:
        """Return the number of the call and the places there of a crate's target or a node of one; None for others."""
        number = self._number(target)
        if number >= 0 and (
            is_pending(target) or list(map(id, self.targets[number])) == list(map(id, self.nodes[number]))
        ):
            before = self._before.calls[number][1] if self._before else self.nodes[number]
            return [(number, place) for place in range(len(before))]
        if type(target) is RequestedNode:
            return [call_place(target)]
        if isinstance(target, SCons.Node.Node):
            age = len(self.calls), len(self._taken), self._before is None
            if self._node_places[0] != age:
                self._node_places = age, {id(node): (number, place) for number, place, node in self._nodes()}
            place = self._node_places[1].get(id(target))
            return [place] if place is not None else None
        return None

    def declare(self) -> None:
        """Execute all recorded calls: something differs, or something asks for more."""
        if self._before is None or self._depth:
            return
        self._before = None
        known = {id(node) for _, node in all_nodes(self._fs) if not is_pending_node(node)} if self._is_over else set()
        self._taken.end()
        self._execute(number for number in range(len(self.calls)) if number not in self.executed)
        self._within(self.aliases.make, lambda number, place: self.nodes[number][place])
        if self._pending is not None:
            self._pending.end()
            self._pending = None
        if self._is_over:  # something looks at the graph after the build
            self.is_late = True
            for _, node in all_nodes(self._fs):
                if id(node) not in known and stage_of(node) is not None:
                    node.set_state(SCons.Node.up_to_date)

    def _within(self, act: Callable[..., Any], *words: Any) -> Any:
        """Call a function whose questions to SCons are not those of an SConstruct."""
        self._depth += 1
        try:
            return act(*words)
        finally:
            self._depth -= 1

    def _execute(self, numbers: Iterable[int]) -> None:
        make = self._crate
        self._depth += 1
        try:
            for number in numbers:
                assert make is not None
                target = self.targets[number]
                declared = self.calls[number].again(make)
                self.nodes[number] = tuple(declared)
                become(target, declared)
                stand_for(target)
                self.executed.add(number)
        finally:
            self._depth -= 1

    def _read(self) -> LastBuild | None:
        # Files are examined once, when all SConscripts have been read: these may change them.
        before = None if CallRecorder.asks_always else read_last_build(self.root)
        return before if before is not None and before.is_same_otherwise(memory_digest(self.memory)) else None

    def _left(self, before: LastBuild, names: Sequence[str]) -> set[int] | None:
        """Return the numbers of the calls to execute, None for all; `names` are targets that a command line names."""
        if not before.is_same_otherwise(memory_digest(memory_of(self.root))):
            return None
        differing = before.differing()
        if before.is_whole and not differing and not self._others:
            return set()
        self.records = before.records()
        others = {*self._others, *self.aliases.others, *self.aliases.names}
        found = to_execute(before, self.records, differing, others, (self.root, names))
        self.concerned, left = found or (set(), None)
        return left

    def _begin(self, before: LastBuild) -> None:
        """Record calls from now on, until something asks for a node that a crate makes."""
        built = {path.rstrip("/") for path in before.built}
        directories = tuple(path for path in before.built if path.endswith("/"))

        def is_more(path: str) -> None:
            if path in built or "/" not in path or path.startswith(directories):
                self.declare()

        if any(path in built or path.startswith(directories) for path, _ in all_nodes(self._fs)):
            self._before = None
            return
        self._watch.look_at_nodes(is_more, before.missing_names())
        self._watch.look_at_others(before.may_concern(), self.declare)
        self._pending = RequestedTargets(lambda target: self._requested_nodes(target, before))

    def _requested_nodes(self, target: CrateTarget, before: LastBuild) -> list[RequestedNode]:
        number = self._number(target)

        def node(place: int) -> Node:
            if number not in self.executed:
                self.declare()
            return self.nodes[number][place]

        return [RequestedNode(partial(node, place), (number, place)) for place in range(len(before.calls[number][1]))]

    def _number(self, target: object) -> int:
        number = self._numbers.get(id(target), -1)
        return number if number >= 0 and self.targets[number] is target else -1

    def _known(self, call: Call) -> CrateTarget | None:
        before, number = self._before, len(self.calls)
        if before is None or number == len(before.calls) or before.calls[number][0] != call.digest:
            return None
        ways = (self._taken.nodes, self._taken.parts)
        nodes, parts = (partial(self._take, take, number, before.calls[number]) for take in ways)
        return PendingTarget(self.declare, nodes, parts)

    def _take(self, take: Callable[..., Any], number: int, row: Any) -> Any:
        """Return what is taken from a recorded call; None if calls are no longer recorded."""
        return None if self._before is None or self._is_over else self._within(take, number, row)

    def _report(self) -> None:
        """Note that SCons is told or asked something that is not on the list."""
        if not self._depth:
            self.is_like_others = False
            self.declare()

    def _end_of_reading(self) -> None:
        self._watch.end()
        self._tell_no_more()
        self.is_like_others = self.is_like_others and self._look_around()
        before = self._before
        left = self._to_execute(before) if before is not None and self.is_like_others else None
        if before is None or left is None:
            self.declare()
        else:
            self._execute_only(left, before)
        if self.is_like_others and self.watch is not None:
            self.watch(self)

    def _to_execute(self, before: LastBuild) -> set[int] | None:
        """Return the numbers of the calls to execute, None for all, now that all SConscripts have been read."""
        if not self._is_as(before):
            return None
        kinds = [type(row) is list for row in self.requested[_TARGETS]]
        if kinds != sorted(kinds, reverse=True):
            return None  # of what other targets are made from, SCons prints the lines first
        self._others = made_by_others(self._fs, is_pending_node)
        names = [row for row in self.requested[_TARGETS] if isinstance(row, str) and row != "."]
        return self._left(before, names)

    def _execute_only(self, left: set[int], before: LastBuild) -> None:
        """Execute these calls, and have SCons print that all other targets are up to date."""
        self._is_over = True
        script = SCons.Script
        usual = script.BUILD_TARGETS, script._build_plus_default
        if not left and before.is_whole and not self._others:
            targets = [UpToDateNode(before.printed)]
        else:
            self.known = before
            self._taken.end()
            self._execute(sorted(left))
            hidden = hidden_paths(before, self.records, left)
            if hidden and self.reads is not None and self.reads(self, hidden):
                self.known, self._is_over = None, False
                self.declare()
                return
            self._taken.keep(left)
            if self._pending is not None:
                self._pending.replace(left.__contains__)
            self._within(self.aliases.make, partial(self._node_of, before))
            if not left:
                atexit.register(renew_memory, self.root, before)
            if not any(type(row) is list for row in self.requested[_TARGETS]):
                return  # only what a command line names, or all
            lines = lines_in_order(self.requested, self.records, before.printed, left) or ()
            nodes = {number: self.nodes[number] for number in left}
            targets = targets_with_lines(self.requested[_TARGETS], nodes, lines, list(script.BUILD_TARGETS))

        def put_back() -> None:
            script.BUILD_TARGETS, script._build_plus_default = usual

        script.BUILD_TARGETS, script._build_plus_default = [UpToDateNode([], put_back), *targets], []

    def _look_around(self) -> bool:
        """Return whether everything could be recorded, now that all SConscripts have been read."""
        try:
            self.late = self.moments.late()
        except Unlike:
            return False
        requested = self._requested()
        self.requested = requested or []
        return requested is not None and options_are_usual() and memory_is_usual(MEMORY)

    def _requested(self) -> list[Any] | None:
        """Return the targets to build, None if a crate makes one for which there is no place in its target."""
        known = {id(node): [number, place] for number, place, node in self._nodes()}

        def row_of(node: Node) -> Any:
            if type(node) is str:
                return node
            return known.get(id(node)) or self.aliases.name_of(node) or other_target(node)

        rows = []
        for nodes in (SCons.Script.DEFAULT_TARGETS, SCons.Script.BUILD_TARGETS, SCons.Script._build_plus_default):
            row = list(map(row_of, nodes))
            if None in row:
                return None
            rows.append(row)
        said = SCons.Script._Get_Default_Targets is SCons.Script._Set_Default_Targets_Has_Been_Called
        return [said, *rows]

    def _nodes(self) -> Iterator[tuple[int, int, Node]]:
        if self._pending is not None:
            for node in self._pending.nodes:
                yield *call_place(node), node
            yield from self._taken
        else:
            for number, nodes in enumerate(self.nodes):
                for place, node in enumerate(nodes):
                    yield number, place, node

    def _is_as(self, before: LastBuild) -> bool:
        """Return whether SCons was told the same as before, now that all SConscripts have been read."""
        return (
            len(self.calls) == len(before.calls)
            and (self.late, self.requested, self.aliases.rows) == (before.late, before.requested, before.aliases)
            and is_plain_graph(self._fs, is_pending_node, self.aliases.names | self.aliases.others)
        )


def recorder_of(env: Environment) -> CallRecorder:
    """Return the calls of the SCons run that an Environment belongs to."""
    root = str(env.fs.Top.abspath)
    known: dict[str, CallRecorder] = env.fs.__dict__.setdefault("cratewright_recorder", {})
    if root not in known:
        # Made here, since SCons makes it in a worker thread otherwise and crashes with -j (SCons issue 4426); not by
        # the tool, since that makes the default Environment, whose tools an SConstruct may choose before its crates.
        env.get_CacheDir()
        known[root] = CallRecorder(env.fs, root)
    return known[root]
