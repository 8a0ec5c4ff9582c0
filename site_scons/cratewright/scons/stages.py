"""The stages of a crate as SCons nodes: what runs, and what each depends on.

Knows nothing of what an SConstruct wrote to declare the crate.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import SCons.Action
import SCons.Builder
import SCons.Node
import SCons.Node.FS
import SCons.Scanner

from ..backend import CodegenBackend
from ..cache.history import history_path
from ..child import running
from ..crate import Crate, CrateType
from ..digest import value_digest
from ..emitted import emitted_directory
from ..ending import watch_signals
from ..errors import ConfigurationError
from ..options import Options
from ..output_name import state_path
from ..pipeline.codegen import emitted_names, link_options
from .crates import Build, CrateTarget, DeclaredCrate, planning_errors
from .generated import Reader
from .images import ExpectedImages, ImageNodes, image_directory
from .interface import interface_node
from .libraries import bundled_libraries, linked_libraries
from .links import link_node
from .paths import by_content, directory_node, file_node
from .state import StageState

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

__all__ = ["CrateNodes", "Stage", "stage_nodes"]


class Stage:
    """What one node of a crate does and depends on; hung on the node, so that all share one builder.

    Shape: `before` gives nodes that must be made first, and count by what `state` says of them alone.
    """

    __slots__ = ("before", "dependencies", "run", "state")

    def __init__(
        self,
        run: Callable[[list[Any], list[Any], int], None],
        dependencies: Callable[[], list[Any]],
        state: StageState | None,
        before: Callable[[], list[Any]] = list,
    ) -> None:
        self.run = run
        self.dependencies = dependencies
        self.state = state
        self.before = before


class _RunStage:
    """The action of every stage."""

    def __call__(self, target: list[Any], source: list[Any], env: Environment) -> None:
        watch_signals()
        with running():
            target[0].attributes.crate_stage.run(target, source, env.GetOption("num_jobs"))

    def get_contents(self, target: list[Any], source: list[Any], env: Environment) -> bytes:
        # SCons would sign the bytecode of this class alone; the stage's state covers all that matters.
        return b"cratewright stage"


def _scan_stage(node: Any, env: Environment, path: object) -> list[Any]:
    stage = getattr(node.attributes, "crate_stage", None)
    if stage is None:
        return []
    with planning_errors():
        node.add_prerequisite(stage.before())
        found: list[Any] = stage.dependencies()
        if stage.state is None:
            return found
        # Nothing is to be made of it, so SCons need not spend a task on it; and it is not asked before all that the
        # stage waits for has been made.
        stage.state.set_state(SCons.Node.up_to_date)
        return [*found, stage.state]


def _scan_nothing(node: Any, env: Environment, path: object) -> list[Any]:
    return []


_BUILDER = SCons.Builder.Builder(
    action=SCons.Action.Action(_RunStage(), "$CRATECOMSTR"),
    target_scanner=SCons.Scanner.ScannerBase(_scan_stage, "crate stage", node_class=None, recursive=False),
    # Without one SCons would look for a scanner by the suffix of the source.
    source_scanner=SCons.Scanner.ScannerBase(_scan_nothing, "nothing"),
)


class CrateNodes:
    """Makes the SCons nodes of a declared crate: one for codegen, one for the rlib, those of each other type."""

    def __init__(
        self,
        env: Environment,
        build: Build,
        declared: DeclaredCrate,
        *,
        backend: CodegenBackend,
        options: Options,
        types: tuple[CrateType, ...],
        planned: Crate,
    ) -> None:
        self.planned = planned
        self.images: list[ExpectedImages] = []
        self.emitted: list[Any] = []
        self.env = env
        self.build = build
        self.declared = declared
        self.backend = backend
        self.options = options
        self.types = types

    def make(self) -> CrateTarget:
        """Return the crate's target."""
        rlink = self._codegen()
        rlib = self._archive(rlink) if CrateType.RLIB in self.types else None
        final = [rlib] if rlib is not None else []
        if rlib is not None:
            self.declared.libraries[CrateType.RLIB] = rlib
        manifest = image = None
        names = {name for name, _ in self.options.values}
        for kind in self.types:
            if kind is CrateType.RLIB:
                continue
            targets = self._link(rlink, kind)
            final += targets
            self.declared.made[kind] = next(node for node in targets if not str(node).endswith(".json"))
            self.declared.made[kind].attributes.shared = "pic" not in names or self.options.flag("pic")
            if kind is CrateType.DYLIB:
                self.declared.libraries[kind] = next(node for node in targets if not str(node).endswith(".json"))
            manifest = manifest or next((node for node in targets if str(node).endswith(".json")), None)
            image = image or next((node for node in targets if node is not manifest), None)
        images = ImageNodes(self.env, self.declared.name, self.images, self._images_hint(image))
        return CrateTarget(
            final,
            name=self.declared.name,
            key=self.declared.key,
            images=images,
            emitted=self.emitted,
            rlink=rlink,
            rlib=rlib,
            image=image,
            manifest=manifest,
        )

    def _images_hint(self, image: Any) -> str:
        if image is None or not isinstance(image, SCons.Node.FS.Dir):
            return "the crate has no image for each entry point: multimodule=True makes them"
        return f'File("{image}/...") is one that only the compiler knows of'

    def _codegen(self) -> Any:
        declared, build = self.declared, self.build
        target = self._output(f"{declared.name}.rlink")
        self.emitted = [self._output(name) for name in emitted_names(self.planned, self.backend)]
        if self.emitted:
            self.env.Clean(target, directory_node(self.env, emitted_directory(declared.name)))
        state = self._state("inputs of", target, lambda: value_digest((self._salt(), declared.crate)))

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            build.codegen(declared, targets, state, jobs)

        def dependencies() -> list[Any]:
            # Codegen reads no dependency, but a cycle or a conflict must be told before any work.
            for kind in declared.crate_types:
                build.linked(declared, kind)
            made = bundled_libraries(self.env, declared)
            return [*declared.generated(), *_asked_for(declared.target), *made]

        def before() -> list[Any]:
            crate = declared.crate
            options = [crate.options, *(source.options for source in crate.sources)]
            return build.generated.read_by(
                Reader(
                    crate=declared.name,
                    place=declared.declared_at,
                    node=target,
                    texts=Reader.texts_of(crate),
                    words=Reader.words_of(options),
                    names=self.backend.included_names,
                ),
                *state.last_run(),
            )

        stage = Stage(run, dependencies, state, before)
        return self._node([target, *self.emitted], [], stage, "$CRATECODEGENCOMSTR")[0]

    def _archive(self, rlink: Any) -> Any:
        build, declared = self.build, self.declared
        target = self._output(f"lib{declared.name}.rlib")

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            build.archive(declared, sources[0], targets[0])

        def dependencies() -> list[Any]:
            return [interface_node(other.described_by) for other in build.direct(declared)]

        return self._node([target], [rlink], Stage(run, dependencies, None), "$CRATEARCHIVECOMSTR")[0]

    def _link(self, rlink: Any, kind: CrateType) -> list[Any]:
        declared, build, env = self.declared, self.build, self.env
        what = (declared.name, kind, link_options(self.options, self.backend))
        names, links = self.backend.output_names(*what), dict(self.backend.output_links(*what))
        files = [name for name in names if not name.endswith("/")]
        targets = [*(link_node(self._output(name)) for name in links), *map(self._output, files)]
        asked = (kind, names, tuple(links.items()))
        state = self._state("outputs of", targets[0], lambda: value_digest((self._salt(), *asked)))
        directories = [name[:-1] for name in names if name.endswith("/")]

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            build.link(declared, kind, sources[0], [*targets, *made], state, jobs)

        def dependencies() -> list[Any]:
            linked = [item.node for item in build.linked(declared, kind)[1]]
            return [*linked, *linked_libraries(env, declared, build.below(declared)), *declared.read_by_link]

        def before() -> list[Any]:
            words = Reader.words_of([self.options])
            reader = Reader(crate=declared.name, place=declared.declared_at, node=targets[0], words=words)
            return build.generated.read_by(reader, *state.last_run())

        stage = Stage(run, dependencies, state, before)
        nodes = self._node(targets, [rlink], stage, "$CRATELINKCOMSTR")
        expected = ExpectedImages(env, self._expected_images)
        made = [image_directory(env, name, nodes[0], state.paths, expected) for name in directories]
        for directory in made:
            env.Clean(nodes[0], directory)
        self.images += [expected] if made else []
        return [*nodes, *made]

    def _expected_images(self) -> Mapping[str, str] | None:
        with planning_errors():
            return self.backend.expected_images(self.planned)

    def _output(self, name: str) -> Any:
        """Return the node of a file of this crate.

        Raises: ConfigurationError if there is a directory of that name.
        """
        try:
            node = file_node(self.env, name)
            taken = os.path.isdir(node.abspath)
        except ConfigurationError:
            taken = True
        if taken:
            raise ConfigurationError(
                f"crate '{self.declared.name}' makes the file '{name}', and there is a directory of that name",
                context=(("declared at", self.declared.declared_at),),
                hint="rename the crate or the directory, or build elsewhere: variant_dir of SConscript()",
            )
        return node

    def _state(self, what: str, target: Any, request: Callable[[], str]) -> StageState:
        def digest() -> str:
            with planning_errors():
                return request()

        name = f"{what} {target}"
        return StageState(name, digests=self.declared.engine.digests, target=target.abspath, request=digest)

    def _salt(self) -> str:
        engine, backend = self.declared.engine, self.backend
        name, target = backend.NAME, backend.session.target
        return engine.salt(name, target) + engine.fingerprint(name, target)

    def _node(self, targets: list[Any], sources: list[Any], stage: Stage, text: str) -> list[Any]:
        return stage_nodes(self.env, targets, sources, stage, text)


def stage_nodes(env: Environment, targets: list[Any], sources: list[Any], stage: Stage, text: str) -> list[Any]:
    """Return the nodes of what a stage makes; `text` is what SCons prints when it runs."""
    nodes = list(_BUILDER(env, targets, sources, CRATECOMSTR=text))
    for node in nodes:
        node.attributes.crate_stage = stage
        node.Decider(by_content)
    # Outputs are replaced whole, by rename; SCons must not remove what a failed write could have kept.
    env.Precious(nodes)
    # SCons's CacheDir asks before a stage has run, when what it will read is not known: it would serve what the
    # sources of yesterday came to. The cache of our own serves instead.
    env.NoCache(nodes)
    # What a repository has already built is copied: stages read the files of their own project.
    env.Local(nodes)
    state = file_node(env, state_path(nodes[0].abspath))
    # SCons would take it for the copy of a source that is gone, and remove it from a variant directory.
    state.duplicate = False
    env.Clean(nodes[0], state)
    if stage.state is not None:
        history = file_node(env, history_path(nodes[0].abspath))
        history.duplicate = False
        env.Clean(nodes[0], history)
    return nodes


def _asked_for(target: CrateTarget | None) -> list[Any]:
    """Return what `env.Depends` says of a crate's results: a generated include must be there before codegen."""
    if target is None:
        return []
    own = {target.rlink, *target}
    return [node for result in target for node in result.depends if node not in own]
