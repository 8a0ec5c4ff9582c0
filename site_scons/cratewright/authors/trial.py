"""Builds of one crate without SCons, for tests of backends."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from types import ModuleType

from ..base.diagnostic import Diagnostic
from ..base.digest import content_digest
from ..base.values import dataclass
from ..contract.backend import CodegenBackend
from ..formats.metadata import encode_rlink
from ..pipeline.codegen import codegen_crate
from ..pipeline.engine import Engine
from ..pipeline.link import link_crate
from ..pipeline.plan import check_buildable, check_target, option_table
from ..plugins.registry import Registry
from ..rules.dependency_format import DependencyFormats
from ..system.fs import write_atomic
from ..values.crate import Crate, Source
from ..values.crate_type import CrateType
from ..values.module import ModuleCodegen
from ..values.options import Options, parse_options
from ..values.stencil import UnitStencil


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The results of a build.

    Shape: `artifacts` by path, `modules` after codegen, `rlink` the content of that file; `made` and `reused` count
    units and parts of links together.
    """

    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    modules: tuple[ModuleCodegen, ...] = ()
    rlink: bytes = b""
    diagnostics: tuple[Diagnostic, ...] = ()
    made: int = 0
    reused: int = 0
    shared_lto: tuple[bool, ...] = ()

    @property
    def digest(self) -> str:
        """The digest of all results."""
        rows = [f"{name} {content_digest(data)}" for name, data in sorted(self.artifacts.items())]
        return content_digest("\n".join([*rows, content_digest(self.rlink), *map(repr, self.diagnostics)]).encode())


def make_options(backend: type[CodegenBackend], **given: object) -> Options:
    """Return a crate's options: the defaults of a backend, with those given."""
    table = option_table(backend)
    values = {spec.name: spec.default for spec in table} | parse_options(given, table, where="a test")
    return Options(tuple(sorted(values.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One crate that a test builds.

    Shape: `sources` and `files`, by root-relative path; sources may include the files. An empty `target` is the
    backend's default. `options` are those of the crate as an SConstruct would write them.
    """

    backend: type[CodegenBackend]
    sources: Mapping[str, bytes]
    files: Mapping[str, bytes] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    crate_types: tuple[CrateType, ...] = ()
    target: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    name: str = "trial"

    def write(self, root: str) -> None:
        """Write sources and files below a directory."""
        for path, data in {**self.files, **self.sources}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            write_atomic(os.path.join(root, path), data)

    def engine(self, root: str, *, jobs: int = 1, workers: bool = True, cache: str = "off") -> Engine:
        """Return an engine that knows the one backend."""
        registry = Registry()
        registry.register(_Hook(self.backend), name="trial")
        return Engine(root, registry, {"CRATE_CACHE": cache, **self.environ}, jobs, workers)

    def crate(self) -> Crate:
        """Return the crate."""
        options = make_options(self.backend, **self.options)
        return Crate(
            name=self.name,
            version="0.0.0",
            backend=self.backend.NAME,
            target=check_target(self.target, self.backend),
            profile="dev",
            crate_types=self.crate_types or self.linked_types()[:1] or (CrateType.RLIB,),
            sources=tuple(Source(path=path, name=path, options=options) for path in self.sources),
            dependencies=(),
            options=options,
        )

    def linked_types(self) -> tuple[CrateType, ...]:
        """Return the crate types that the backend links."""
        return tuple(kind for kind in CrateType if kind in self.backend.supported_crate_types - {CrateType.RLIB})

    def stencils(self, engine: Engine) -> Iterator[UnitStencil]:
        """Yield the stencil of each source."""
        crate = self.crate()
        for source in crate.sources:
            yield UnitStencil(
                backend=crate.backend,
                fingerprint=engine.fingerprint(crate.backend, crate.target),
                target=crate.target,
                path=source.path,
                source=self.sources[source.path],
                options=source.options.only(self.backend.UNIT_OPTIONS),
            )

    def build(self, root: str, *, jobs: int = 1, workers: bool = True, cache: str = "off") -> Built:
        """Plan, compile and link below a directory, and write nothing there but sources.

        Raises: as the stages.
        """
        self.write(root)
        engine, crate = self.engine(root, jobs=jobs, workers=workers, cache=cache), self.crate()
        artifacts: dict[str, bytes] = {}
        diagnostics: list[Diagnostic] = []
        shared: list[bool] = []
        try:
            check_buildable(crate, engine.backend(crate.backend, crate.target))
            result = codegen_crate(engine, crate)
            made, reused = result.compiled, result.reused
            diagnostics += result.diagnostics
            for kind in crate.crate_types:
                if kind is CrateType.RLIB:
                    continue
                linked = link_crate(engine, result.metadata, (), kind, DependencyFormats((), ()))
                artifacts |= {artifact.path: artifact.data for artifact in linked.artifacts if not artifact.dump}
                diagnostics += linked.diagnostics
                made, reused = made + linked.linked, reused + linked.reused
                shared.append(linked.lto_shared)
        finally:
            engine.close()
        return Built(
            artifacts=artifacts,
            modules=result.metadata.modules,
            rlink=encode_rlink(result.metadata),
            diagnostics=tuple(diagnostics),
            made=made,
            reused=reused,
            shared_lto=tuple(shared),
        )

    def to_json(self) -> str:
        """Return the trial as text for `main` in another process."""
        return json.dumps(
            {
                "backend": f"{self.backend.__module__}:{self.backend.__qualname__}",
                "sources": {path: data.hex() for path, data in self.sources.items()},
                "files": {path: data.hex() for path, data in self.files.items()},
                "options": dict(self.options),
                "types": [kind.value for kind in self.crate_types],
                "target": self.target,
                "environ": dict(self.environ),
                "path": sys.path,
            }
        )


class _Hook:
    """A plugin of one backend."""

    def __init__(self, backend: type[CodegenBackend]) -> None:
        from ..contract.hookspecs import hookimpl  # noqa: PLC0415 - beside its only use

        def cratewright_register_backend() -> type[CodegenBackend]:
            return backend

        self.cratewright_register_backend = hookimpl(cratewright_register_backend)


def _from_json(text: str) -> Trial:
    row = json.loads(text)
    sys.path[:] = row["path"]
    module, _, names = row["backend"].partition(":")
    found: ModuleType | type = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    assert isinstance(found, type) and issubclass(found, CodegenBackend)
    return Trial(
        backend=found,
        sources={path: bytes.fromhex(data) for path, data in row["sources"].items()},
        files={path: bytes.fromhex(data) for path, data in row["files"].items()},
        options=row["options"],
        crate_types=tuple(CrateType(kind) for kind in row["types"]),
        target=row["target"],
        environ=row["environ"],
    )


def main(arguments: Sequence[str]) -> None:
    """Build the trial on standard input in the directory named, and print the digest of the results."""
    print(_from_json(sys.stdin.read()).build(arguments[0], workers="--here" not in arguments).digest)


if __name__ == "__main__":
    main(sys.argv[1:])
