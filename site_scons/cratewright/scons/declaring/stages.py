"""The stages of a crate as SCons nodes: their actions and dependencies.

Each stage is created once, whatever needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...base.digest import value_digest
from ...base.errors import ConfigurationError, CratewrightError, GraphError
from ...contract.backend import CodegenBackend
from ...contract.emitted import emitted_directory
from ...pipeline.codegen import emitted_names, link_options
from ...values.crate import Crate
from ...values.crate_type import CrateType
from ...values.options import LtoMode
from ..actions import run_archive, run_codegen, run_link, run_lto
from ..crates.build import Build
from ..crates.declared_crate import DeclaredCrate
from ..crates.libraries import bundled_libraries, linked_libraries
from ..graph.generated import Reader
from ..nodes.builders import NeededNodes, obsolete_lto_files, stage_nodes
from ..nodes.crate_target import CrateTarget
from ..nodes.interface import interface_node
from ..nodes.links import link_node
from ..nodes.paths import directory_node, reading_in
from ..nodes.stage import Stage
from ..nodes.state import StageState
from .crate_files import CrateFiles
from .ignored_variables import record_ignored

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class CrateStages:
    """Makes the nodes of a declared crate: for codegen, for the rlib, for each LTO and for each link.

    Shape: `rlink` is set once codegen is declared; `target` gets each new node.
    """

    def __init__(
        self, env: Environment, build: Build, declared: DeclaredCrate, backend: CodegenBackend, planned: Crate
    ) -> None:
        self.planned = planned
        self.env = env
        self.build = build
        self.declared = declared
        self.backend = backend
        self.options = planned.options
        self.types = planned.crate_types
        self.here = env.fs.getcwd()
        self.rlink: Any = None
        self.target = CrateTarget([], name=declared.name, key=declared.key)
        self._files = CrateFiles(env, declared, backend, planned)
        self._links: dict[CrateType, tuple[StageState, list[Any]]] = {}
        self._optimized: dict[CrateType, Any] = {}

    @property
    def linked_types(self) -> tuple[CrateType, ...]:
        """The crate types that are linked."""
        return tuple(kind for kind in self.types if kind is not CrateType.RLIB)

    def make(self) -> CrateTarget:
        """Declare all stages, and return the crate's target."""
        self.codegen()
        if CrateType.RLIB in self.types:
            self.archive()
        with suppress(CratewrightError):  # a crate that is not declared yet, or an error that planning reports
            self.optimize()
        for kind in self.linked_types:
            self.link(kind)
        return self.target

    def codegen(self) -> list[Any]:
        """Declare codegen, and return the `.rlink` and the files that sources write beside it."""
        declared, build = self.declared, self.build
        target = self._files.node(f"{declared.name}.rlink")
        emitted = [self._files.node(name) for name in emitted_names(self.planned, self.backend)]
        if emitted:
            self.env.Clean(target, directory_node(self.env, emitted_directory(declared.name)))
        if self.env.GetOption("clean"):
            optimized = {kind.value for kind in self.linked_types if self.is_optimized(kind)}
            self.env.Clean(target, obsolete_lto_files(self.env, target, declared.name, optimized))
        state = self._files.state("inputs of", target, lambda: value_digest((self._files.versions(), declared.crate)))

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            run_codegen(build, declared, targets, state, jobs)

        def dependencies() -> list[Any]:
            record_ignored(self.env, self.backend, target)
            # Codegen reads no dependency, but a cycle or a conflict must be reported before any work.
            for kind in declared.crate_types:
                build.links.linked(declared, kind)
            made = bundled_libraries(self.env, declared)
            return [*declared.generated(), *_requested(declared.target), *made]

        def before() -> list[Any]:
            crate = declared.crate
            return build.generated.read_by(
                Reader(
                    crate=declared.name,
                    declared_at=declared.declared_at,
                    node=target,
                    texts=Reader.texts_of(crate),
                    words=lambda: Reader.words_of([crate.options, *(source.options for source in crate.sources)]),
                    names=self.backend.included_names,
                ),
                *state.last_run(),
            )

        stage = Stage(run, dependencies, state, before, depends_on_inputs=False)  # it records what it has read
        nodes = self._nodes("CrateCodegen", [target, *emitted], [], stage)
        self.rlink = self.target.rlink = nodes[0]
        self.target.emitted.extend(emitted)
        return nodes

    def archive(self, target: Any = None, rlink: Any = None) -> Any:
        """Declare the rlib, and return its node; `target` and `rlink` are nodes, if not the crate's own."""
        build, declared, source = self.build, self.declared, rlink or self.rlink
        target = target or self._files.node(f"lib{declared.name}.rlib")
        made = getattr(target.attributes, "crate_stages", None)
        if made is not None:
            if made is self and source in target.sources:
                return target
            raise GraphError(f"{target} is already made from something else", context=(("crate", made.declared.name),))

        state = self._files.state("inputs of", target, self._files.versions)

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            run_archive(build, declared, sources[0], targets[0], state)

        def dependencies() -> list[Any]:
            return [interface_node(other.interface_file) for other in build.direct(declared)]

        def before() -> list[Any]:
            return [other.interface_file for other in build.direct(declared)]

        (node, *_) = self._nodes("CrateArchive", [target], [source], Stage(run, dependencies, state, before))
        if CrateType.RLIB not in declared.libraries:
            declared.libraries[CrateType.RLIB] = self.target.rlib = node
            self.target.add_results([node])
        return node

    def optimize(self, name: str = "", rlink: Any = None) -> list[Any]:
        """Declare LTO, and return a node for each distinct list of dependency formats; none if no type uses LTO.

        Shape: `name` is that of the file, if there is one list.
        Raises: GraphError for a crate that is not declared yet, LinkageConflictError as `CrateLinks.linked`.
        """
        optimized = [kind for kind in self.linked_types if self.is_optimized(kind)]
        if any(kind not in self._optimized for kind in optimized):
            groups = self.build.links.groups(self.declared, optimized)
            if name and len(groups) > 1:
                raise ConfigurationError(
                    f"crate '{self.declared.name}' has {len(groups)} lists of formats, but one name is given",
                    hint="leave out the target of CrateLto",
                )
            # If a crate was unknown when this one was declared, SCons is building by now.
            with reading_in(self.env, self.here):
                for kinds in groups:
                    words = "-".join(kind.value for kind in kinds)
                    file = self._files.node(name or f"{self.declared.name}.{words}.lto")
                    node = self._optimize_together(kinds, file, rlink or self.rlink)
                    node.attributes.crate_lto = kinds
                    self._optimized |= dict.fromkeys(kinds, node)
        return list(dict.fromkeys(self._optimized[kind] for kind in optimized))

    def _optimize_together(self, kinds: tuple[CrateType, ...], target: Any, rlink: Any) -> Any:
        build, declared = self.build, self.declared
        state = self._files.state("inputs of", target, self._files.versions)

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            links = [self._links[kind] for kind in kinds if kind in self._links]
            run_lto(build, declared, kinds, sources[0], targets[0], state, links, jobs)

        def dependencies() -> list[Any]:
            # It keeps the symbols that libraries share and that files of linker flags name.
            libraries = linked_libraries(self.env, declared, build.links.below(declared))
            linked = build.links.linked(declared, kinds[0])[1]
            return [*(item.node for item in linked), *libraries, *declared.read_by_link]

        return self._nodes("CrateLto", [target], [rlink], Stage(run, dependencies, state))[0]

    def optimized(self, kind: CrateType) -> Any:
        """Return the node of the LTO result that a crate type is linked from, None if it uses no LTO.

        Raises: as `optimize`.
        """
        if not self.is_optimized(kind):
            return None
        if kind not in self._optimized:
            self.optimize()
        return self._optimized[kind]

    def is_optimized(self, kind: CrateType) -> bool:
        """Return whether a crate type is linked from a result of LTO."""
        return self.options.lto_for(kind) is not LtoMode.OFF

    def link(self, kind: CrateType, rlink: Any = None, optimized: Any = None) -> list[Any]:
        """Declare the files of a crate type, and return their nodes.

        Shape: `rlink` and `optimized` are nodes, if not the crate's own.
        """
        declared, build, env = self.declared, self.build, self.env
        if kind in self._links:
            if rlink in (None, self.rlink) and optimized in (None, self._optimized.get(kind)):
                return self._links[kind][1]
            raise GraphError(f"crate '{declared.name}' is linked as {kind.value} already")
        what = (declared.name, kind, link_options(self.options, self.backend))
        names, links = self.backend.output_names(*what), dict(self.backend.output_links(*what))
        files = [name for name in names if not name.endswith("/")]
        targets = [*(link_node(self._files.node(name)) for name in links), *map(self._files.node, files)]
        request = (kind, names, tuple(links.items()))
        state = self._files.state("outputs of", targets[0], lambda: value_digest((self._files.versions(), *request)))
        own, with_lto = rlink or self.rlink, self.is_optimized(kind)
        known = optimized or self._optimized.get(kind)

        def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
            run_link(build, declared, kind, own, known or self.optimized(kind), [*targets, *directories], state, jobs)

        def dependencies() -> list[Any]:
            if not with_lto:
                linked = [item.node for item in build.links.linked(declared, kind)[1]]
            else:
                linked = [self.optimized(kind)] if known is None else []
            return [*linked, *linked_libraries(env, declared, build.links.below(declared)), *declared.read_by_link]

        def before() -> list[Any]:
            reader = Reader(
                crate=declared.name,
                declared_at=declared.declared_at,
                node=targets[0],
                words=lambda: Reader.words_of([self.options]),
            )
            return build.generated.read_by(reader, *state.last_run())

        sources = [own] if not with_lto else [known] if known is not None else []
        nodes = self._nodes("CrateLink", targets, sources, Stage(run, dependencies, state, before))
        of_images = [name[:-1] for name in names if name.endswith("/")]
        directories = self._files.image_directories(of_images, nodes[0], state.output_paths)
        self._links[kind] = (state, [*nodes, *directories])
        self._add_to_target(kind, [*nodes, *directories])
        return [*nodes, *directories]

    def _add_to_target(self, kind: CrateType, nodes: Sequence[Any]) -> None:
        declared, target = self.declared, self.target
        names = {name for name, _ in self.options.values}
        main = next(node for node in nodes if not str(node).endswith(".json"))
        main.attributes.shared = "pic" not in names or self.options.flag("pic")
        declared.made[kind] = main
        if kind is CrateType.DYLIB:
            declared.libraries[kind] = main
        target.add_results(nodes)
        target.manifest = target.manifest or next((node for node in nodes if str(node).endswith(".json")), None)
        target.image = target.image or next((node for node in nodes if node is not target.manifest), None)
        target.images = self._files.images(target)

    def _nodes(self, builder: str, targets: list[Any], sources: list[Any], stage: Stage) -> list[Any]:
        nodes = stage_nodes(self.env, builder, targets, sources, stage)
        for node in nodes:
            node.attributes.crate_stages = self
        return nodes


def _requested(target: CrateTarget | None) -> list[Any]:
    """Return the dependencies that `env.Depends` adds to a crate's results: codegen may include them."""
    if target is None:
        return []
    own = {target.rlink, *target.results}
    nodes = (node for result in target.results for node in result.depends if not isinstance(node, NeededNodes))
    return [node for node in nodes if node not in own]
