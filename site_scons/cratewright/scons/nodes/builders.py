"""The builders of the stages: what SCons calls to make a node.

Actions and dependencies are properties of the node, so that all nodes of a stage share one builder. Every
Environment with crates has these builders, even if there is nothing to do: the code that runs a stage is imported
when one is declared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import SCons.Action
import SCons.Builder
import SCons.Node
import SCons.Node.Python
import SCons.Scanner

from ..SCons import entrance
from .stage import Stage, stage_of

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

STAGE_BUILDERS = {
    "CrateCodegen": "Compiling crate $TARGET",
    "CrateArchive": "Archiving $TARGET",
    "CrateLto": "Optimizing $TARGET",
    "CrateLink": "Linking $TARGET",
}
"""The names of the builders, and what SCons prints when one runs."""

_CONTENTS = b"cratewright stage"


class _RunStage:
    """The action of every stage."""

    def __call__(self, target: list[Any], source: list[Any], env: Environment) -> None:
        from ...system.child import running  # noqa: PLC0415
        from ...system.ending import watch_signals  # noqa: PLC0415

        watch_signals()
        stage = target[0].attributes.crate_stage
        with running():
            stage.state.begin()
            stage.run(target, source, env.GetOption("num_jobs"))

    def get_contents(self, target: list[Any], source: list[Any], env: Environment) -> bytes:
        # SCons would use the bytecode of this class; the state has the signature of a stage.
        return _CONTENTS


@entrance
def _scan_stage(node: Any, env: Environment, path: object) -> list[Any]:
    stage = stage_of(node)
    if stage is None:
        return []
    if env.GetOption("clean") and node.get_executor().get_all_targets()[0] is node:
        _declare_sidecars(env, node)
    node.add_prerequisite(stage.before())
    found: list[Any] = stage.dependencies()
    stage.found = found
    if stage.depends_on_inputs:
        stage.state.inputs = (*node.sources, *found)
    # SCons need not spend a task on a node that is never made. It needs its signature only once everything that the
    # stage waits for has been made.
    stage.state.set_state(SCons.Node.up_to_date)
    return [*found, stage.state]


def _declare_sidecars(env: Environment, node: Any) -> None:
    """Declare the files that a stage keeps beside its first node, so that SCons removes them only with the node."""
    from ...rules.output_name import state_path, variables_path  # noqa: PLC0415
    from .made_file import never_duplicate  # noqa: PLC0415
    from .paths import file_node  # noqa: PLC0415

    target = node.abspath
    ignored = variables_path(target)
    paths = (state_path(target), *([ignored] if os.path.lexists(ignored) else ()))
    sidecars = [file_node(env, path) for path in paths]
    for sidecar in sidecars:
        never_duplicate(sidecar)
    env.Clean(node, sidecars)


def obsolete_lto_files(env: Environment, rlink: Any, crate: str, optimized: set[str]) -> list[Any]:
    """Return results of link-time optimization beside a crate's `.rlink` that this build does not make.

    Shape: `optimized` are the crate types whose results it makes, and which have nodes.
    """
    from ...rules.output_name import state_path  # noqa: PLC0415
    from ...values.crate_type import CrateType  # noqa: PLC0415
    from .paths import file_node  # noqa: PLC0415

    types = {kind.value for kind in CrateType} - optimized
    directory, found = rlink.dir.abspath, []
    for file in sorted(os.listdir(directory) if os.path.isdir(directory) else ()):
        words = file.removeprefix(f"{crate}.").removesuffix(".lto")
        path = os.path.join(directory, file)
        if file == f"{crate}.{words}.lto" and types.issuperset(words.split("-")) and os.path.exists(state_path(path)):
            found += [file_node(env, each) for each in (path, state_path(path))]
    return found


def _scan_nothing(node: Any, env: Environment, path: object) -> list[Any]:
    return []


_STAGE_SCANNER = SCons.Scanner.ScannerBase(_scan_stage, "crate stage", node_class=None, recursive=False)
NO_SCANNER = SCons.Scanner.ScannerBase(_scan_nothing, "nothing")
"""Without one, SCons would choose a scanner by the suffix of the source."""

Compose = Callable[[Any, Any, Any, Mapping[str, object]], list[Any]]
"""A call in an SConstruct, as a function of the Environment, target, source and keywords; it returns nodes."""


class StageBuilder(SCons.Builder.BuilderBase):  # type: ignore[misc]
    """The builder of a stage, whose nodes have their own actions and dependencies.

    Shape: `name` as in `STAGE_BUILDERS`; the construction variable `CRATE...EMITTER` may hold an emitter.
    """

    def __init__(self, name: str, text: str, compose: Compose | None = None) -> None:
        super().__init__(
            action=SCons.Action.Action(_RunStage(), text),
            target_scanner=_STAGE_SCANNER,
            source_scanner=NO_SCANNER,
            emitter=SCons.Builder.EmitterProxy(f"{name.upper()}EMITTER"),
            name=name,
        )
        self.compose = compose

    @entrance
    def __call__(
        self, env: Environment, target: Any = None, source: Any = None, chdir: object = None, **words: object
    ) -> list[Any]:
        """Return the nodes for a call in an SConstruct."""
        if self.compose is None:
            return list(super().__call__(env, target, source, **words))
        return self.compose(env, target, source, words)

    def nodes(self, env: Environment, targets: list[Any], sources: list[Any], stage: Stage) -> list[Any]:
        """Return the nodes that a stage makes."""
        from .made_file import set_up_output  # noqa: PLC0415

        nodes = list(super().__call__(env, targets, sources))
        for node in nodes:
            node.attributes.crate_stage = stage
            set_up_output(node)
        if nodes[0].dir.srcdir is not None:
            _declare_sidecars(env, nodes[0])
        return nodes


def stage_nodes(env: Environment, name: str, targets: list[Any], sources: list[Any], stage: Stage) -> list[Any]:
    """Return the nodes that the builder of a stage makes, even if an SConstruct has replaced the builder."""
    builder = env["BUILDERS"].get(name, _TEXT)
    if isinstance(builder, StageBuilder):
        return builder.nodes(env, targets, sources, stage)
    nodes = list(builder(env, targets, sources))
    env.Depends(nodes, NeededNodes(f"what {nodes[0]} needs", lambda: [*stage.before(), *stage.dependencies()]))
    return nodes


_TEXT = StageBuilder("CrateText", "Writing $TARGET")


class NeededNodes(SCons.Node.Python.Value):  # type: ignore[misc]
    """What a stage depends on, for other builders of its target: known once all SConscripts have been read."""

    def __init__(self, name: str, dependencies: Callable[[], list[Any]]) -> None:
        super().__init__(name)
        SCons.Node.Python._memo_lookup_map[hash((name, None))] = self
        self._dependencies = dependencies
        self._needed: list[Any] | None = None
        self.implicit: list[Any] | None = None

    @entrance
    def scan(self) -> None:
        """Find what must be made first."""
        if self._needed is None:
            self._needed = self._dependencies()
        if self.implicit is None:  # SCons forgets it when one of these has been made
            self.implicit = list(self._needed)
            self._children_reset()

    def get_csig(self, calc: object = None) -> str:
        """Return the digest of all needed nodes."""
        from ...base.digest import value_digest  # noqa: PLC0415

        csig = value_digest([str(node.get_csig()) for node in self._needed or ()])
        self.get_ninfo().csig = csig
        return csig
