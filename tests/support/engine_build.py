"""Builds of a tree of stub crates in this process, without SCons: milliseconds each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cratewright import testing
from cratewright.base.errors import CratewrightError
from cratewright.cache.history import StageHistory
from cratewright.formats.crate_metadata import CrateMetadata
from cratewright.formats.metadata import encode_rlink
from cratewright.pipeline.codegen import codegen_crate
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.link import link_crate
from cratewright.pipeline.link_inputs import Dependency
from cratewright.plugins.registry import Registry
from cratewright.rules.dependency_format import DependencyFormats, Linkage
from cratewright.values.crate import Crate, Source
from cratewright.values.crate_type import CrateType
from cratewright.values.options import CORE_OPTIONS, Options, parse_options

__all__ = ["build_here", "kept_history"]


class _Declared(dict[str, object]):
    """The crates that an SConstruct declares, recorded by running it with this object as `env`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        body = text[text.index("dirs = ") :]
        self.crates: list[tuple[str, list[str], dict[str, object]]] = []
        exec(compile(body, "SConstruct", "exec"), {"env": self})

    def Crate(self, name: str, sources: list[str], **options: object) -> str:
        self.crates.append((name, sources, options))
        return name


@contextmanager
def kept_history(engine: Engine, path: Path) -> Iterator[StageHistory]:
    """Keep the stage history of this thread in a file."""
    history = StageHistory(lambda: path.read_bytes() if path.exists() else b"")
    failed = True
    try:
        with engine.recording(history):
            yield history
        failed = False
    finally:
        path.write_bytes(history.encode(failed=failed))


def build_here(root: Path, environ: dict[str, str], text: str) -> dict[str, bytes] | str:
    """Build without SCons; return the outputs, or the error."""
    registry = Registry()
    registry.register(testing)
    engine = Engine(str(root), registry, environ, workers=False)
    table = (*CORE_OPTIONS, *testing.StubBackend.OPTIONS)
    made: dict[str, bytes] = {}
    known: dict[str, CrateMetadata] = {}
    try:
        for name, sources, given in _Declared(text).crates:
            deps = [str(dep) for dep in given.pop("deps", [])]  # type: ignore[attr-defined]
            kind = CrateType(given.pop("crate_type", "rlib"))
            values = {spec.name: spec.default for spec in table} | parse_options(given, table, where="")
            options = Options(tuple(sorted(values.items())))
            crate = Crate(
                name=name,
                version="0",
                backend="stub",
                target="text",
                profile="dev",
                crate_types=(kind,),
                sources=tuple(Source(path=path, name=path, options=options) for path in sources),
                dependencies=tuple(known[dep].reference for dep in deps),
                options=options,
            )
            with kept_history(engine, root / f"{name}.rlink.history"):
                result = codegen_crate(engine, crate)
            known[name] = result.metadata
            made[f"{name}.rlink"] = encode_rlink(result.metadata)
            made[f"{name} says"] = "\n".join(map(str, result.diagnostics)).encode()
            if kind is not CrateType.RLIB:
                formats = DependencyFormats(tuple(deps), (Linkage.STATIC,) * len(deps))
                static = [Dependency(dep, known[dep], Linkage.STATIC) for dep in deps]
                linked = link_crate(engine, result.metadata, static, kind, formats)
                made |= {artifact.path: artifact.data for artifact in linked.artifacts}
    except CratewrightError as error:
        return str(error)
    finally:
        engine.close()
    return made
