"""From one call of `env.Crate` to values and nodes: merges options, finds sources and dependencies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigurationError
from ...contract.edge import plugin_class
from ...pipeline.plan import check_buildable, check_target, option_table, source_table
from ...pipeline.settings import read_workers
from ...plugins.loading import default_registry
from ...values.capability import Capability
from ...values.construction import combine_options
from ...values.crate import UNVERSIONED, Crate, check_crate_name, parse_crate_types
from ...values.crate_type import CrateType
from ...values.identity import CrateReference
from ...values.option_spec import OptionKind, OptionSpec, OptionValue
from ...values.options import BUILTIN_PROFILES, Options, parse_options, resolve_profile, unknown_option
from ...values.variants import AXES_AND_CONDITIONS, Variants
from ...workers.zygote import fork_ahead
from ..crates.build import build_of
from ..crates.declared_crate import DeclaredCrate
from ..nodes.crate_target import CrateTarget
from ..nodes.paths import calling_line, portable_path, reading_in, relative
from ..options.expansion import Expansion
from ..options.option_paths import OptionPaths
from ..options.spelling import check_names
from .dependencies import dependency_keys
from .engines import check_programs, engine_of
from .ninja_tool import check_no_ninja
from .other_builders import check_shared_objects, library_option, split_libraries
from .source_entries import SourceEntry, SourceReader
from .stages import CrateStages
from .variables import library_word, variable_options

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

_PER_CRATE = {"target", "profile", "metadata", "backend", *AXES_AND_CONDITIONS}
_METADATA = OptionSpec(name="metadata", kind=OptionKind.TEXTS, default=(), help="words of the crate's identity")


class Declaration:
    """Declares the crate of one call of `env.Crate`."""

    def __init__(
        self,
        env: Environment,
        name: str,
        options: Mapping[str, object],
        profiles: Mapping[str, Mapping[str, object]] | None = None,
        *,
        below: Any = "",
        for_target: Callable[[str], CrateTarget] | None = None,
    ) -> None:
        self.for_target = for_target
        self.env = env
        self.name = check_crate_name(name)
        self.where = f"crate '{name}'"
        check_no_ninja(where=self.where)
        self.expansion = expansion = Expansion(env, where=self.where)
        self.build = build_of(env)
        self.given = dict(options)
        if "libs" in self.given:
            self.given["libs"] = library_option(env, self.given["libs"], crate=name)
        self.backend_name = expansion.text("the backend", self._take("backend") or env["CRATE_BACKEND"])
        self.metadata = _words(expansion.words("metadata", self._take("metadata")), where=self.where)
        self.variants = Variants.read(
            {word: expansion.words(f"'{word}'", self._take(word)) for word in AXES_AND_CONDITIONS}, where=self.where
        )
        self.profile = expansion.text("the profile", self._take("profile") or env["CRATE_PROFILE"])
        if not self.backend_name:
            raise ConfigurationError(
                f"crate '{name}' has no backend",
                hint=f"set CRATE_BACKEND in the Environment; known: {', '.join(default_registry().names) or 'none'}",
            )
        kind = default_registry().backend(self.backend_name)
        self.target = check_target(expansion.text("the target", self._take("target") or env["CRATE_TARGET"]), kind)
        known = {**BUILTIN_PROFILES, **default_registry().profiles_for(kind)}
        self.profiles = {**known, **(env["CRATE_PROFILES"] if profiles is None else profiles)}
        self.table = option_table(kind)
        source_words = {"name", *AXES_AND_CONDITIONS, *(spec.name for spec in source_table(kind))}
        check_names(env, kind)
        self.engine = engine_of(self.build, env, self.table, kind, where=self.where)
        self.backend = self.engine.backend(self.backend_name, self.target)
        if read_workers(self.engine.environ) == "fork":
            fork_ahead()  # SCons reads its files in one thread and builds in several
        self.whole: set[str] = set()
        self.instead: dict[str, Any] = {}
        self.here = env.fs.getcwd()
        self.output = self.here.Dir(below) if below else self.here
        self.directory = relative(self.output)
        self.option_paths = OptionPaths(env, self.backend, self.table, self.directory, expansion, where=self.where)
        self.sources = SourceReader(
            env, self.table, source_words, self.variants, expansion, self.option_paths, crate=self.name
        )
        self.explicit, self.general = self._given_options()
        self.options = self._with_variables()
        self.version = self.options.text("version") or UNVERSIONED

    _final: Options | None = None

    def _take(self, name: str) -> object:
        return self.given.pop(name, None)

    def _given_options(self) -> tuple[dict[str, OptionValue], dict[str, OptionValue]]:
        """Return the options given by the call and `CRATE_*`, and those of defaults and the profile."""
        general = {spec.name: spec.default for spec in self.table}
        profile = resolve_profile(self.profile, self.profiles)
        general |= parse_options(self.option_paths.located(profile), self.table, where=f"profile '{self.profile}'")
        variables = {
            spec.name: self.env[variable]
            for spec in self.table
            if (variable := f"CRATE_{spec.name.upper()}") in self.env
        }
        explicit = parse_options(
            self.option_paths.located(variables), self.table, where="a construction variable CRATE_*"
        )
        known = {spec.name for spec in self.table} | _PER_CRATE
        for word in self.given:
            if word not in known:
                raise unknown_option(word, known, where=self.where)
        explicit |= parse_options(self.option_paths.located(self.given), self.table, where=self.where)
        return explicit, general

    def final_options(self) -> Options:
        """Return the options, with construction variables as they are once all SConscripts have been read."""
        if self._final is None:
            self.expansion.check()
            final = self._with_variables()
            self._final = self.options if final == self.options else final
        return self._final

    def _with_variables(self) -> Options:
        values = variable_options(
            self.env,
            self.backend,
            self.table,
            self.here,
            lambda node: self.option_paths.directories(node, ""),
            where=self.where,
        )
        values = {
            name: self.backend.locate_words(name, [str(word) for word in value], self.option_paths.program_path)
            if name in self.backend.PATH_OPTIONS and isinstance(value, tuple)
            else value
            for name, value in values.items()
        }
        parsed = parse_options(values, self.table, where=f"{self.where}, construction variables")
        merged = combine_options(self.table, self.general, parsed, self.explicit)
        return Options(tuple(sorted(merged.items())))

    def declare(
        self, sources: object, deps: object, crate_type: object, place: Callable[[str], str] | None = None
    ) -> CrateTarget:
        """Declare the crate with all of its stages, and return its target."""
        stages = self.plan(sources, deps, crate_type, place)
        with reading_in(self.env, self.output):
            target = stages.make()
        self.build.retargeting.declared(stages.declared, self.build.crates_named(self.name))
        return target

    def codegen(self, sources: object, deps: object, crate_type: object) -> list[Any]:
        """Declare the crate and only its codegen, and return the nodes of that."""
        stages = self.plan(sources, deps, crate_type)
        with reading_in(self.env, self.output):
            return stages.codegen()

    def plan(
        self, sources: object, deps: object, crate_type: object, place: Callable[[str], str] | None = None
    ) -> CrateStages:
        """Declare the crate and return its stages, none of which is declared yet."""
        types = parse_crate_types(crate_type, crate=self.name)
        entries = self.sources.read(self._without_libraries(sources))
        check_shared_objects((entry.node for entry in entries), types, crate=self.name)
        declared = DeclaredCrate(
            name=self.name,
            key=f"{self.directory}:{self.name}",
            directory=self.directory,
            dependencies=dependency_keys(self, deps),
            resolve=lambda: self._resolve(entries, declared),
            sources=tuple(entry.node for entry in entries),
            engine=self.engine,
            backend=self.backend_name,
            machine=self.target,
            version=self.version,
            declared_at=calling_line(self.build.root),
            metadata=self.metadata,
            crate_types=types,
            prefer_dynamic=self.options.flag("prefer_dynamic"),
            export_include_dirs=self.options.texts("export_include_dirs"),
            final_options=self.final_options,
            place=place,
            for_target=self.for_target,
            read_by_link=self.option_paths.read_by_link,
            lto_for=self.options.lto_for,
            instead=self.instead,
        )
        # Only the paths of sources are unknown yet, so mistakes are reported at the line that made them.
        names = tuple(CrateReference(dep.rpartition(":")[2], whole=dep in self.whole) for dep in declared.dependencies)
        planned = self._values(entries, names, types, self.options)
        check_buildable(planned, self.backend)
        self.engine.fingerprint(self.backend_name, self.target)
        self.build.declare(declared)
        with reading_in(self.env, self.output):
            stages = CrateStages(self.env, self.build, declared, self.backend, planned)
        declared.target = stages.target
        return stages

    def _without_libraries(self, sources: object) -> object:
        """Return the sources without libraries, which join `libs`, as in SCons's own builders."""
        if Capability.NATIVE_LIBRARIES not in self.backend.capabilities:
            return sources
        rest, libraries = split_libraries(sources)
        if libraries:
            words = [library_word(item, bundle=True) for item in libraries]
            libs = self.explicit.get("libs", self.general["libs"])
            texts = [str(item) for item in libs] if isinstance(libs, tuple) else []
            self.explicit["libs"] = tuple(dict.fromkeys([*texts, *words]))
            self.options = self._with_variables()
        return rest

    def _values(
        self,
        entries: Sequence[SourceEntry],
        deps: tuple[CrateReference, ...],
        types: tuple[CrateType, ...],
        options: Options,
    ) -> Crate:
        here = portable_path(self.here)
        sources = [entry.value(options, here, self.backend.SUFFIXES, where=self.where) for entry in entries]
        return Crate(
            name=self.name,
            version=self.version,
            backend=self.backend_name,
            target=self.target,
            profile=self.profile,
            crate_types=types,
            sources=tuple(sources),
            dependencies=deps,
            options=options,
            metadata=self.metadata,
            repositories=tuple(relative(node) for node in self.env.Dir("#").repositories),
        )

    def _resolve(self, entries: Sequence[SourceEntry], declared: DeclaredCrate) -> Crate:
        check_programs(self.engine, self.env, plugin_class(self.backend), where=f"{self.where}, {declared.declared_at}")
        direct = zip(declared.dependencies, self.build.direct(declared), strict=True)
        deps = tuple(replace(other.reference, whole=name in self.whole) for name, other in direct)
        crate = self._values(entries, deps, declared.crate_types, self.final_options())
        self.option_paths.check_files([crate.options, *(source.options for source in crate.sources)])
        if self.final_options() != self.options:
            self._check_names(declared.crate_types)
            check_buildable(crate, self.backend)
        if self.backend.LTO_DECIDES_UNITS:
            for_lto, for_code = self.build.links.links_of(declared)
            crate = replace(crate, for_lto=for_lto, for_code=for_code)
        exported = [path for item in (declared, *self.build.links.below(declared)) for path in item.export_include_dirs]
        # What SCons makes beside a source is in the variant directory, the source itself is not.
        generated, names = self.build.generated, self.backend.included_names
        beside = [entry.beside(item, generated, names) for entry, item in zip(entries, crate.sources, strict=True)]
        if not self.env.GetOption("no_exec") and not self.env.GetOption("clean"):
            for path in dict.fromkeys(path for own in beside for path in own):
                # `..` below a missing directory leads nowhere.
                os.makedirs(os.path.join(self.build.root, path), exist_ok=True)
        if exported or any(beside):
            sources = tuple(
                replace(item, options=item.options.searching([*own, *exported]))
                for item, own in zip(crate.sources, beside, strict=True)
            )
            crate = replace(crate, sources=sources)
        for entry, source in zip(entries, crate.sources, strict=True):
            entry.check_exists(source, self.build.root, crate=self.name, declared_at=declared.declared_at)
        return crate

    def _check_names(self, types: Iterable[CrateType]) -> None:
        """Refuse variables that would give the crate's files other names than SCons expects."""
        before, now = self.options, self.final_options()
        for kind in types:
            names_of = (self.backend.output_names, self.backend.output_links)
            if before.text("version") == now.text("version") and (
                kind is CrateType.RLIB
                or all(names(self.name, kind, before) == names(self.name, kind, now) for names in names_of)
            ):
                continue
            raise ConfigurationError(
                f"crate '{self.name}' would not get the name that it was declared with",
                context=(("crate type", kind.value),),
                hint="set the construction variables for its version and for the files of its link before env.Crate",
            )


def _words(value: object, *, where: str) -> tuple[str, ...]:
    words = _METADATA.parse(value, where=where)
    return tuple(str(word) for word in words) if isinstance(words, tuple) else ()
